#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# The recording of a boot is the one place where a host's evidence is: what somebody merged
# into it stays there when lutrace-collect.service records the same live update again.

set -u
project=$(cd "$(dirname "$(readlink -f "$0")")/../.." && pwd)
# shellcheck source=tests/lab/tap.sh
. "$project/tests/lab/tap.sh"
build=${BUILD:-$project/build}
lutrace=$build/bin/lutrace
export LC_ALL=C
cd "$tap_scratch" || exit 1

make_ledgers handover running cold workloads
# As the service calls it, with ledgers that were saved in place of this machine's.
command=$(sed -n 's/^ExecStart=lutrace \(.*\)/\1/p' "$project/tools/systemd/lutrace-collect.service")
collect() { # LEDGERS
	local words
	read -ra words <<<"${command/\$LUTRACE_RECORD/-l $1}"
	"$lutrace" "${words[@]/#\/var\/lib\/lutrace\/%b/boot}"
}
evidence=$project/tests/toolkit/evidence.json
jq -c '{dma}' "$evidence" >dma.json
jq -c '{session}' "$evidence" >session.json
jq -c '{identity}' "$evidence" >identity.json

### What was merged stays
is "the first recording is made" "$(status collect handover)" 0
is "nothing was merged into it" "$(jq -c '.merged' boot.json)" null
is "an operator adds what he counted" "$(status "$lutrace" record -l handover -m dma.json --update boot.json)" 0
is "it is there when it is recorded again" "$(status collect handover) $(jq -c '.dma.sent, .merged' boot.json | xargs)" "0 $(jq .dma.sent dma.json) [dma]"
is "he adds more to the recording itself" "$(status "$lutrace" record boot.json -m session.json -m identity.json -o boot.json)" 0
collect handover
is "all of it is there" "$(jq -c '[(.dma, .session, .identity) != null], .merged' boot.json | xargs)" '[true,true,true] [identity,dma,session]'
collect handover
is "also the next time" "$(jq -S -c '[.dma, .session]' boot.json)" "$(jq -S -c '[.dma, .session]' "$evidence")"
schema "a recording is what the schema says" handover boot.json
# What the service's SystemCallFilter= has in @chown
read -ra words <<<"${command/\$LUTRACE_RECORD/-l handover}"
strace -f -o calls -e trace=chown,fchown,fchownat,lchown "$lutrace" "${words[@]/#\/var\/lib\/lutrace\/%b/boot}"
is "no owner is changed that is right" "$(grep -c chown calls)" 0
jq -c '.dma.sent = 999 | {dma}' dma.json >again.json
"$lutrace" record boot.json -m again.json -o boot.json
collect handover
is "what is merged later replaces what was" "$(jq -c '.dma.sent, .merged' boot.json | xargs)" '999 [identity,dma,session]'
# The incoming kernel goes on recording; the evidence is of the same live update.
jq -c '.ledgers.incoming.records |= .[:-2]' boot.json >earlier.json && mv earlier.json boot.json
collect handover
is "records that came since are in it, with the evidence" "$(jq -c '(.ledgers.incoming.records | length), .dma.sent' boot.json | xargs)" \
	"$("$lutrace" record -l handover | jq '.ledgers.incoming.records | length') 999"
jq -c 'del(.merged)' boot.json >old.json && mv old.json boot.json
collect handover
is "what an earlier lutrace merged stays as well" "$(jq -c .dma.sent boot.json)" 999
jq -n -c '{host: {name: "lunch", machine_id: null}}' >host.json
"$lutrace" record boot.json -m host.json -o boot.json
is "a name that was merged stays" "$(collect handover; jq -r .host.name boot.json)" lunch
is "unless somebody says whose it is" "$("$lutrace" record -l handover --host none --update boot.json; jq -c '.host, .dma.sent' boot.json | xargs)" 'null 999'

### What is no earlier recording of it
cp boot.json before.json
is "another live update does not replace it" "$(status collect workloads) $(cmp boot.json before.json)" '1 '
like "and the error says what to do" "$(cat said)" 'boot.json is the recording of another live update; move it away, or name another file'
is "nor does a boot without one" "$(status collect cold)" 1
echo '{' >boot.json
is "a damaged one is not replaced" "$(status collect handover) $(cat boot.json)" '1 {'
like "which says so" "$(cat said)" 'boot.json cannot be used: .*; move it away'
is "one name is for one of them" "$(status "$lutrace" record -l handover -o a.json --update b.json)" 1
like "and the error names both" "$(cat said)" 'name --output or --update, not both'

### What is merged as null says that there is nothing, which the schema allows
rm boot.json
collect handover
"$lutrace" record boot.json -m identity.json -m dma.json -o boot.json
echo '{"identity": null}' >null.json
is "a null takes the place of what was there" "$("$lutrace" record boot.json -m null.json -o boot.json; jq -c '.identity, .merged' boot.json | xargs)" 'null [identity,dma]'
schema "and is what the schema says" handover boot.json
collect handover
is "and stays when it is recorded again" "$(jq -c '.identity, .dma.sent, .merged' boot.json | xargs)" "null $(jq .dma.sent dma.json) [identity,dma]"
"$lutrace" record -l handover -m identity.json --update boot.json
is "until it is merged anew" "$(jq -c '.identity.verdict' boot.json)" "$(jq -c .identity.verdict identity.json)"

### A ledger only grows
cp boot.json before.json
for side in outgoing incoming; do
	jq -c ".ledgers.$side.records |= .[:-2]" boot.json >short.json
	is "fewer records of the $side kernel do not replace more" "$(status "$lutrace" record short.json --update boot.json) $(cmp boot.json before.json)" '1 '
	like "and the error says so" "$(cat said)" "boot.json has records that would be lost: it has $(jq '[.ledgers[].records | length] | add' boot.json), what is read has $(jq '[.ledgers[].records | length] | add' short.json); move it away"
done

### Standard input is read once
jq -c .identity identity.json >verdict.json
while read -r from words; do
	# shellcheck disable=SC2086 # words
	is "what would be read twice is an error: $words" "$(status "$lutrace" $words <"$from") $(grep -c 'standard input is read already; it can be named once' said)" '1 1'
done <<'END'
verdict.json record -l handover -m - -i - -o two
identity.json record -l handover -m - -m - -o two
boot.json record - -m - -o two
boot.json record - -i - -o two
boot.json diff - -
boot.json plot - -c - -o two
END
is "and nothing is written" "$(ls two 2>/dev/null)" ''

### At the same time
rm boot.json
collect handover
for member in dma session identity referee interrupts; do
	jq -c "{$member}" "$evidence" >"$member.json"
	"$lutrace" record boot.json -m "$member.json" -o boot.json &
	collect handover &
	"$lutrace" record -l handover -m "$member.json" --update boot.json &
	collect handover &
done
wait
is "whoever writes at the same time undoes nothing" "$(jq -c '[.dma, .session, .identity, .referee, .interrupts] | map(. != null)' boot.json)" \
	'[true,true,true,true,true]'
# The lock of the directory is held: nobody reads before he may write.
exec {lock}<.
flock "$lock"
timeout 20 "$lutrace" record boot.json -m again.json -o boot.json {lock}<&- &
writer=$!
sleep 0.5
jq -c 'del(.referee)' boot.json >other.json && mv other.json boot.json
exec {lock}<&-
wait $writer
is "one after the other" "$(jq -c '.dma.sent, .referee' boot.json | xargs)" '999 null'

# Whoever may read a directory can lock it. The waiting is left out here.
exec {other}<. && flock "$other"
is "a lock that somebody does not give back is no reason to wait without end" \
	"$(timeout 60 strace -f -o trace -e trace=flock,clock_nanosleep -e inject=clock_nanosleep:retval=0 \
		"$lutrace" record -l handover --update boot.json 2>said; echo $?)" 1
like "the error says where, and how to find him" "$(cat said)" "somebody else has locked the directory of boot.json for 30 seconds; 'lslocks' says who"
exec {other}<&-
is "without him it is written" "$(status "$lutrace" record -l handover --update boot.json)" 0

tap_done
