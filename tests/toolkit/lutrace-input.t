#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# What comes from outside: numbers in options, files of JSON. What is not right is
# refused, with a message that says what it is about.

set -u
project=$(cd "$(dirname "$(readlink -f "$0")")/../.." && pwd)
# shellcheck source=tests/lab/tap.sh
. "$project/tests/lab/tap.sh"
build=${BUILD:-$project/build}
lutrace=$build/bin/lutrace
cd "$tap_scratch" || exit 1

refused() { # DESCRIPTION PATTERN COMMAND...
	local what=$1 pattern=$2 output code
	shift 2
	output=$(timeout 20 "$@" 2>&1)
	code=$?
	is "$what is an error" "$code" 1
	like "which the message names" "$output" "$pattern"
}

mkdir ledgers
"$build/tests/unit/make-ledger" handover ledgers || exit 1
"$lutrace" record -l ledgers -m "$project/tests/toolkit/evidence.json" -o good.json || exit 1

# Numbers.
refused "a file descriptor that is no number" "'abc'" "$lutrace" verify -s abc
refused "one with something behind it" "'1x'" "$lutrace" snapshot -s 1x
refused "a token that is no number" "'xyz'" "$lutrace" verify -t xyz
refused "a number of differences below 0" "'-1'" "$lutrace" verify -n -1
refused "another one" "'-1'" "$lutrace" postmortem -n -1 good.json
refused "a number of lines below 0" "'-1'" "$lutrace" blame -n -1 good.json
refused "a number of rounds below 0" "'-1'" "$lutrace" steps -n 1 -c -1 good.json
refused "an interval that is none" "'nan'" "$lutrace" steps -n nan good.json
refused "a number of lines that is none says which are" 'no number of 1 or more' "$lutrace" blame -n 0 good.json
refused "a limit below 0, too" "'-5' is no number from 0 to" "$lutrace" diff -l -5 good.json good.json
refused "a PASID that is no number" "'x'" "$lutrace" walk -P x
refused "a PASID of more than 20 bits" "1048576" "$lutrace" walk -P 1048576
refused "a range with a sign" "'-5'" "$lutrace" walk -i -5
for address in -1:00:00.0 0x1:00:00.0 '0000:+1:00.0' '0000:01:00.0 ' 0000:01:20.0; do
	refused "the device '$address'" 'PCI device' "$lutrace" walk -d "$address"
done
is "a sign before a number of packets is an error" "$(timeout 5 "$build/bin/lu-sender" -P 1 -n -18446744073709551615 2>/dev/null; echo $?)" 2
refused "a share that is not finite" "'nan'" "$lutrace" advise -L nan good.json
refused "a threshold that is not finite" "'inf'" "$lutrace" critical-chain -t inf good.json
refused "a limit in hexadecimal" "'0x10'" "$lutrace" diff -l 0x10 -b good.json -a good.json
refused "a port beyond 65535" '127.0.0.1:99999' "$lutrace" export -L 127.0.0.1:99999 good.json

# All addresses are those of IPv4 as well.
"$lutrace" export -L '*:0' good.json >listening 2>&1 &
exporter=$!
for _ in $(seq 50); do
	[ ! -s listening ] || break
	sleep 0.1
done
port=$(sed -n 's,.*:\([0-9]*\)/metrics$,\1,p' listening)
ok "'*' listens at the IPv4 addresses, too" \
	bash -c "exec 3<>/dev/tcp/127.0.0.1/${port:-0}" || diag "$(cat listening)"
kill "$exporter" 2>/dev/null
wait "$exporter" 2>/dev/null

# Documents.
jq -c . good.json >compact.json
{ cat compact.json; echo ' THIS IS NO JSON'; } >trailing.json
refused "something behind a recording" 'trailing.json is no JSON' "$lutrace" time trailing.json
cat compact.json compact.json >twice.json
refused "a second document" 'twice.json is no JSON' "$lutrace" report twice.json
for version in 1.9 true '"1"' '[1]' 0 4294967297; do
	jq -c ".version = $version" good.json >version.json
	refused "a recording of version $version" 'no recording of version 1' "$lutrace" time version.json
done
jq -c '.ledgers.incoming.version = 4294967297' good.json >version.json
refused "a ledger whose version wraps" 'version of a ledger' "$lutrace" time version.json
for ret in -15.3 '{"x": 1}' '"-5"' -4294967301 true; do
	jq -c ".ledgers.incoming.records[3].ret = $ret" good.json >ret.json
	refused "the return code $ret" 'record number 3' "$lutrace" time ret.json
done
jq -c '.ledgers.incoming.records[3].sequence = 1e400' good.json |
	sed 's/1.7976931348623157e+308/1e400/' >infinite.json
refused "a number beyond all" 'record number 3' "$lutrace" time infinite.json
jq -c '.ledgers[].cycles_khz = 3' good.json >clock.json
refused "a clock of 3 kHz" '3 kHz' "$lutrace" time clock.json


# A counter that went mad: what follows from it is not known.
jq -c '.ledgers.outgoing.wall_ns = "0xffffffffffffffff"' good.json >wall.json
is "a wall clock beyond all times is no time" "$("$lutrace" time -j wall.json | jq -c '[.time, (.blackout.ns > 0)]')" \
	'[null,true]'
jq -c '(.ledgers.incoming.records | map(.edge == "end") | rindex(true)) as $last |
	.ledgers.incoming.records[$last].cycles = "0xffffffffffffffff"' good.json >counter.json
is "a step that ends after three years has no known duration" \
	"$("$lutrace" report -j counter.json | jq -c '[.steps[] | select(.ns != null and .ns > 1e16)] | length')" 0

# A FIFO that nobody writes to keeps nobody waiting.
mkfifo fifo.json
mkdir set
mkfifo set/0002.json
cp good.json set/0001.json
refused "a FIFO that nobody writes to" 'it is empty' "$lutrace" time fifo.json
is "a FIFO among recordings is passed over" \
	"$(timeout 20 "$lutrace" export -t - set | grep -c '^lutrace_recording_usable\|^lutrace_live_updates'; echo "${PIPESTATUS[0]}" | tail -n 1)" \
	"$(timeout 20 "$lutrace" export -t - good.json | grep -c '^lutrace_recording_usable\|^lutrace_live_updates'; echo 0)"
ok "a FIFO that is named does not keep metrics waiting" \
	timeout 20 bash -c "'$lutrace' export -t out.prom fifo.json 2>/dev/null; true"
is "a pipe is a recording" "$("$lutrace" time -j <(cat good.json) | jq .blackout.ns)" \
	"$("$lutrace" time -j good.json | jq .blackout.ns)"

# What takes a thousand times its size in memory.
emptied() { # PROGRAM: with a million empty lists in place of HERE
	local json
	json=$(jq -c "$1" good.json)
	printf '%s[' "${json%%\"HERE\"*}"
	yes '[],' | head -n 1000000 | tr -d '\n'
	printf '[]]%s\n' "${json#*\"HERE\"}"
}
# shellcheck disable=SC2016
within=(bash -c 'ulimit -v 600000; exec "$@" >/dev/null' within)
for where in .dma.x .x '.ledgers.incoming.x' '.ledgers.incoming.records[3].x' '.identity.differences' '.steps[0].x' '.ledgers.incoming.records[3]'; do
	emptied "$where = \"HERE\"" >large.json
	case $where in
	.steps*) ok "what is not looked at may be as large as it is" "${within[@]}" "$lutrace" time large.json ;;
	*) refused "a million lists in ${where}" 'too large: more than 512 MiB' "${within[@]}" "$lutrace" time large.json ;;
	esac
done
emptied '.dma.x = "HERE"' | jq -c '{ dma }' >large.json
refused "and in what is merged" 'too large' "${within[@]}" "$lutrace" record -l ledgers -m large.json
jq -c '.identity.verdict = "different" | .identity.differences = [range(20000) | "entry \(.) of a page table"]' good.json >many.json
ok "twenty thousand differences are few" "${within[@]}" "$lutrace" report many.json

# Evidence: what does not fit is refused, and the member is named.
echo '{"referee":{"memory_identical":"no"},"dma":[1,2,3]}' >types.json
refused "merging a list as an object" "member 'referee.translation_off' is missing" \
	"$lutrace" record -l ledgers -m types.json
wrong() { # MEMBER VALUE PATTERN
	jq -c ".$1 = $2" good.json >wrong.json
	refused "$1 of $2" "$3" "$lutrace" report wrong.json
	jq -c "{ ${1%%.*} }" wrong.json >part.json
	refused "merging it" "$3" "$lutrace" record -l ledgers -m part.json
}
wrong dma '[1,2,3]' "'dma' is a list"
wrong identity '"identical"' "'identity' is a text"
wrong session 5 "'session' is a number"
wrong environment 7 "'environment' is a number"
wrong referee.memory_identical '"no"' "'referee.memory_identical' is a text"
wrong identity.verdict '"perhaps"' "'identity.verdict' is 'perhaps'"
wrong dma.sent '"\u001b[2Kx"' "'dma.sent' is a text"
wrong dma.corrupt -1 "'dma.corrupt' is not a whole number"
wrong dma.lost 0.5 "'dma.lost' is not a whole number"
wrong session.bind '{"result": "\r\u001b[A evil", "ns": 1}' "'session.bind.result'"
wrong interrupts.carried '"yes"' "'interrupts.carried' is a text"
jq -c '.dma.received = {}' good.json >set/0001.json
"$lutrace" export -t - set >metrics 2>log
like "the exporter passes over such a recording, and says why" "$(cat log)" "0001.json: .*'dma.received' is an object"
like "and counts it, beside the FIFO" "$(cat metrics)" 'lutrace_export_unreadable_recordings 2'

# Texts.
jq -c '.identity.reason = "a\u001b]0;title\u0007\u009b31m\u007fb\nc"' good.json >control.json
is "no control character of a recording reaches the terminal" \
	"$("$lutrace" report control.json | LC_ALL=C tr -d '\n\040-\176' | od -An -tx1)" ''
like "what is left is shown" "$("$lutrace" report control.json)" 'a.\]0;title[?]+31m.b.c'
jq -c '.kernel.incoming = "x" | .ledgers.incoming.release = "7.3\u00e9XY"' good.json |
	LC_ALL=C sed 's/XY/\xff\xfe/' >utf8.json
ok "letters beyond ASCII are read" bash -c "'$lutrace' time utf8.json >/dev/null"
printf '{"identity":{"verdict":"unknown","reason":"\xc3\xa9 \xf0\x9f\x98\x80"}}' >letters.json
is "and are what they were" "$("$lutrace" record -l ledgers -m letters.json | jq -r .identity.reason)" "$(printf '\xc3\xa9 \xf0\x9f\x98\x80')"
ok "metrics are UTF-8 whatever a recording holds" \
	bash -c "'$lutrace' export -t - utf8.json | iconv -f utf-8 -t utf-8 >/dev/null"
"$lutrace" report -j control.json >/dev/null
is "so is JSON" $? 0

tap_done
