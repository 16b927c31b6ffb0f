#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Files that are written: replaced as a whole, links followed, and what is no regular
# file stays what it is.

set -u
project=$(cd "$(dirname "$(readlink -f "$0")")/../.." && pwd)
# shellcheck source=tests/lab/tap.sh
. "$project/tests/lab/tap.sh"
build=${BUILD:-$project/build}
lutrace=$build/bin/lutrace
cd "$tap_scratch" || exit 1

mkdir ledgers
"$build/tests/unit/make-ledger" handover ledgers || exit 1
"$lutrace" record -l ledgers -o good.json || exit 1

# write NAME FILE: by each verb that writes
write() {
	case $1 in
	record) "$lutrace" record -l ledgers -o "$2" ;;
	report) "$lutrace" report -H good.json -o "$2" ;;
	plot) "$lutrace" plot good.json -o "$2" ;;
	export) "$lutrace" export good.json -t "$2" ;;
	esac
}

for verb in record report plot export; do
	mkfifo pipe
	cat pipe >received &
	reader=$!
	timeout 20 bash -c "$(declare -f write); lutrace='$lutrace'; write $verb pipe"
	is "$verb writes to a FIFO" $? 0
	timeout 5 tail --pid=$reader -f /dev/null
	kill "$reader" 2>/dev/null
	ok "what it writes comes out of it" [ -s received ]
	ok "which stays one" [ -p pipe ]
	rm -f pipe received
	# Else a file may be empty after a loss of power.
	strace -f -o trace -e trace=fsync,rename,renameat,renameat2 \
		bash -c "$(declare -f write); lutrace='$lutrace'; write $verb synced" >/dev/null
	is "a file of $verb's is on the disk before it has its name" \
		"$(grep -oE '(fsync|rename)[a-z0-9]*\(' trace | tr -d '\n')" 'fsync(rename('
	rm -f trace synced

	mkdir there
	echo old >there/target
	ln -s there/target link
	write "$verb" link
	ok "$verb follows a symbolic link" [ -L link ] && ok "to its target" [ "$(head -c 3 there/target)" != old ]
	rm there/target
	write "$verb" link
	ok "also where the target is not there" [ -s there/target ]
	is "and nothing else is left" "$(ls there)" target
	rm -r there link

	if [ "$(id -u)" = 0 ] && mknod null c 1 3 2>/dev/null && echo >null; then
		write "$verb" null
		ok "$verb leaves a device a device" [ -c null ]
	else
		skip "$verb leaves a device a device" "no device can be made here"
	fi
	rm -f null
done

echo old >kept.json
chmod 600 kept.json
write record kept.json
is "a file keeps its permissions" "$(stat -c %a kept.json)" 600
mkdir closed
is "where nothing can be written the old file stays" \
	"$("$lutrace" record -l ledgers -o closed 2>/dev/null; echo $?)" 1

# What is read is not replaced, by whatever name: a link, another name, standard input.
# loses FILE COMMAND...: what becomes of FILE, and what is said
loses() {
	local file=$1 before
	shift
	before=$(sha256sum <"$file")
	"$@" >/dev/null 2>said <good.json
	echo "$? $([ "$(sha256sum <"$file")" = "$before" ] && echo kept) $(grep -c 'write to another\|name another file' said)"
}
"$build/tests/unit/make-ledger" handover ledgers
echo '{"dma": {"received": 1, "sent": 1, "lost": 0, "during_blackout": 0, "faults": 0}}' >dma.json
echo '{"verdict": "identical"}' >identity.json
cp good.json other.json
mkdir set && cp good.json set/0001.json
ln -s good.json link.json
ln good.json hard.json
for name in good.json ./good.json link.json hard.json; do
	is "plot does not replace its recording, named $name" "$(loses good.json "$lutrace" plot good.json -o $name)" '1 kept 1'
done
for form in html chrome perfetto otlp; do
	is "nor does report --$form" "$(loses good.json "$lutrace" report --$form hard.json -o link.json)" '1 kept 1'
done
is "nor what it compares with" "$(loses other.json "$lutrace" plot good.json -c other.json -o other.json)" '1 kept 1'
is "nor what is standard input" "$(loses good.json "$lutrace" plot - -o good.json)" '1 kept 1'
is "nor bench a recording of a set" "$(loses set/0001.json "$lutrace" bench set -o set/0001.json)" '1 kept 1'
is "nor that of the earlier one" "$(loses set/0001.json "$lutrace" bench good.json -c set -o set/0001.json)" '1 kept 1'
is "nor export one that is named" "$(loses good.json "$lutrace" export -t good.json hard.json)" '1 kept 1'
is "nor one in a directory" "$(loses set/0001.json "$lutrace" export -t set/0001.json set)" '1 kept 1'
"$lutrace" export -t - -s state set >/dev/null
is "nor one that its state knows" "$(loses set/0001.json "$lutrace" export -t set/0001.json -s state set)" '1 kept 1'
is "nor its state" "$(loses state "$lutrace" export -t state -s state set)" '1 kept 1'
is "nor record a ledger" "$(loses ledgers/current "$lutrace" record -l ledgers -o ledgers/current)" '1 kept 1'
is "nor what it merges" "$(loses dma.json "$lutrace" record good.json -m dma.json -o dma.json)" '1 kept 1'
is "nor a verdict" "$(loses identity.json "$lutrace" record good.json -i identity.json -o identity.json)" '1 kept 1'
before=$(jq -c .ledgers other.json)
"$lutrace" record other.json -m dma.json -o other.json
is "a recording is completed in place" "$? $(jq .dma.sent other.json) $([ "$(jq -c .ledgers other.json)" = "$before" ] && echo kept)" '0 1 kept'

# Nothing is left of what cannot be completed, and the error says why.
mkdir limited
for verb in record report plot export; do
	ln -sf limited/target link
	(
		ulimit -f 4
		write "$verb" limited/new 2>said
		echo $? >status
		write "$verb" link 2>/dev/null
	)
	is "$verb: a file that is larger than it may be is an error" "$(cat status) $(cat said)" \
		'1 lutrace: cannot write limited/new: File too large'
	is "and nothing of it is left" "$(ls limited)" ''
	rm link
done
echo old >limited/kept
for signal in HUP INT QUIT TERM XCPU; do
	# Whoever runs this with nohup, or in the background, ignores some of them.
	code=$({ env --default-signal=$signal strace -o /dev/null -e trace=fsync -e inject=fsync:signal=$signal \
		"$lutrace" record good.json -o limited/kept; } 2>/dev/null; echo $?)
	is "SIG$signal ends it, and nothing is left" "$(kill -l $((code - 128))) $(ls limited) $(cat limited/kept)" "$signal kept old"
done
strace -o /dev/null -e trace=fsync -e inject=fsync:signal=INT \
	bash -c "trap '' INT; exec '$lutrace' record good.json -o limited/kept"
is "who ignores a signal goes on" "$(jq -r 'has("blackout")' limited/kept)" true

# What is opened is not what standard output was.
for closed in '<&-' '>&-' '2>&-' '<&- >&- 2>&-'; do
	eval "strace -o trace -e trace=openat '$lutrace' plot good.json -o closed.svg $closed"
	is "with $closed, files have other descriptors" \
		"$(grep -cE '(good.json|closed.svg).* = ([3-9]|[0-9]{2,})$' trace) $(grep -cE '(good.json|closed.svg).* = [012]$' trace)" '2 0'
	rm -f trace closed.svg
done
for output in '>&-' '>/dev/full'; do
	for words in 'time good.json' 'plot good.json' 'report -j good.json' 'time --help' --help --version 'help time' \
		'completion bash' 'export -m'; do
		is "$words $output is an error" "$(eval "'$lutrace' $words $output" 2>/dev/null; echo $?)" 1
	done
done
is "which is said once" "$("$lutrace" time good.json 2>&1 >&- | grep -c 'cannot write the output')" 1
for output in '>&-' '>/dev/full'; do
	is "lu-sender $output is an error" "$(eval "'$build/bin/lu-sender' -P 1 -n 1 -r 1000 $output" 2>/dev/null; echo $?)" 1
done

# One run prints one document.
documents() { jq -c . | wc -l; }
is "verify -j prints one document, whoever asks" \
	"$("$lutrace" verify -j -f typo 2>/dev/null | documents)" 1
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	chmod 755 . && is "as without root" "$(setpriv --reuid=65534 --regid=65534 --clear-groups \
		"$lutrace" verify -j 2>/dev/null | documents)" 1
fi

# The verdict of a real comparison is not forgotten for a file that is not there.
if [ "$(id -u)" = 0 ] && unshare -m true 2>/dev/null; then
	# shellcheck disable=SC2016
	is "verify --file with a wrong name leaves the verdict that there was" \
		"$(LUTRACE=$lutrace unshare -m bash -c 'mount -t tmpfs none /run && mkdir /run/lutrace &&
			echo "{\"verdict\":\"identical\"}" >/run/lutrace/identity.json
			"$LUTRACE" verify --file typo >/dev/null 2>&1
			cat /run/lutrace/identity.json')" '{"verdict":"identical"}'
	"$build/tests/unit/make-snapshot" legacy none snapshot
	# shellcheck disable=SC2016
	verdicts() { # BEFORE OPTION...: what the host's verdict is then
		LUTRACE=$lutrace BEFORE=$1 unshare -m bash -c 'mount -t tmpfs none /run && mkdir /run/lutrace
			[ -z "$BEFORE" ] || echo "{\"verdict\":\"$BEFORE\"}" >/run/lutrace/identity.json
			"$LUTRACE" verify "$@" >/dev/null 2>&1
			jq -r .verdict /run/lutrace/identity.json 2>/dev/null || echo none' verdicts "${@:2}"
	}
	for before in identical different; do
		is "so does one with another machine's snapshot" "$(verdicts $before --file snapshot)" $before
		is "and verify without a snapshot" "$(verdicts $before)" $before
	done
	is "where there was none, --file leaves none" "$(verdicts '' --file snapshot)" none
	is "verify of what crossed keeps even that nothing is known" "$(verdicts '')" unknown
else
	skip "verify --file leaves the verdict that there was" "no mount namespace"
fi

# Whose file it was, it stays: a service goes on reading what root has written anew.
if [ "$(id -u)" = 0 ]; then
	"$lutrace" record good.json -o owned.json
	chown nobody:nogroup owned.json
	chmod 640 owned.json
	"$lutrace" record good.json -o owned.json
	is "a file that is replaced keeps its owner, group and mode" "$(stat -c '%U %G %a' owned.json)" 'nobody nogroup 640'
fi

# Where anybody may put files, none of somebody else's is written, and no link of his followed.
if [ "$(id -u)" = 0 ]; then
	mkdir shared
	chmod 1777 shared
	for verb in record report plot export; do
		echo theirs >shared/file
		echo old >ours
		ln -s ../ours shared/link
		chown -h nobody shared/file shared/link
		is "$verb does not write another user's file where all may put files" \
			"$(write "$verb" shared/file 2>said; echo $?) $(stat -c %U shared/file) $(cat shared/file)" '1 nobody theirs'
		like "which is said" "$(cat said)" "cannot write shared/file: it is another user's.*remove that, or name another file"
		is "nor through his link" "$(write "$verb" shared/link 2>said; echo $?) $(cat ours)" '1 old'
		like "which is said, too" "$(cat said)" "a link is that leads there"
		is "and leaves nothing" "$(find shared -mindepth 1 | sort | xargs)" 'shared/file shared/link'
		rm shared/*
	done
	rm -r shared ours
else
	skip "another user's file is not written" "this is not root"
fi

# What there is no memory for is not written, and what is there stays.
cat >none.c <<'END'
#include <stddef.h>

const char *json_object_to_json_string_length(void *value, int flags, size_t *size)
{
	return NULL;
}
END
if cc -shared -fPIC -o none.so none.c 2>/dev/null; then
	without_memory() { # FILE COMMAND...
		local file=$1 before
		shift
		before=$(cat "$file")
		LD_PRELOAD=$PWD/none.so "$@" >/dev/null 2>said
		echo "$? $([ "$(cat "$file")" = "$before" ] && echo kept) $(grep -c 'out of memory\|Cannot allocate memory' said)"
	}
	cp good.json memory.json
	is "without memory record leaves a recording as it is" \
		"$(without_memory memory.json "$lutrace" record good.json -o memory.json)" '1 kept 1'
	echo old >memory.json.acknowledged
	is "and check an acknowledgement" \
		"$(without_memory memory.json.acknowledged "$lutrace" check --acknowledge memory.json)" '1 kept 1'
	is "an answer that is lost is an error" "$(without_memory good.json "$lutrace" time -j good.json)" '1 kept 1'
	rm memory.json.acknowledged
else
	skip "without memory record leaves a recording as it is" "there is no compiler"
fi

# What is not given does not come from another place: getopt() moves arguments.
cp good.json last.json
for words in 'plot last.json -o' 'record last.json -o' 'report last.json -o' 'check last.json -b' 'time last.json -f'; do
	is "'$words' lacks an argument" "$(eval "'$lutrace' $words" 2>said >/dev/null; echo $?)" 1
	like "which is said" "$(cat said)" 'needs an argument that is not empty'
	ok "and the recording is as it was" cmp -s good.json last.json
done
for words in 'record last.json -o one -o two' 'time -f one -f two' 'check last.json -b 1ms --budget=2ms'; do
	is "'$words' is one option twice" "$(eval "'$lutrace' $words" 2>said >/dev/null; echo $?)" 1
	like "which is said" "$(cat said)" 'can be given once'
done
ok "neither is written" [ ! -e one ]

# Standard output by another name is standard output, and what is read is not written to
{ echo before; "$lutrace" plot good.json -o /dev/stdout; echo after; } >mixed
is "/dev/stdout keeps what was there, and what follows" "$(sed -n '1p;$p' mixed | xargs)" "before after"
ok "and has what was asked for" grep -q '</svg>' mixed
mkdir -p led
cp good.json led/kept.json
: >led/kept.json.acknowledged
is "export --textfile onto what it reads is an error" "$("$lutrace" export -t led/kept.json.acknowledged led >/dev/null 2>&1; echo $?)" 1
ok "and writes nothing" [ ! -s led/kept.json.acknowledged ]
is "a FIFO is nothing to update" "$(timeout 10 "$lutrace" record good.json -U /dev/stdout 2>&1 | grep -c 'no regular file')" 1
echo null >null.json
like "null is named" "$("$lutrace" check null.json 2>&1)" 'it is null'
tap_done
