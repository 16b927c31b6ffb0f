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

tap_done
