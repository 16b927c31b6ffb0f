#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Marks are written by a verb and by a library for programs in C, and what cannot be
# one is refused with a sentence that says what to do.

set -u
project=$(cd "$(dirname "$(readlink -f "$0")")/../.." && pwd)
# shellcheck source=tests/lab/tap.sh
. "$project/tests/lab/tap.sh"
export BUILD=${BUILD:-$project/build}
build=$BUILD
lutrace=$BUILD/bin/lutrace
export LC_ALL=C
cd "$tap_scratch" || exit 1

mkdir ledger && : >ledger/mark
is "mark writes a mark" "$(status "$lutrace" mark -l ledger pause:vm1)" 0
is "without a word" "$(cat said)" ""
is "and nothing else" "$(cat ledger/mark)" pause:vm1
is "one without a mark is an error" "$(status "$lutrace" mark -l ledger)" 1
like "which names one" "$(cat said)" 'pause:NAME'
is "so is a second one" "$(status "$lutrace" mark -l ledger pause:vm1 pause:vm2)" 1
is "begin and end have a name behind them" \
	"$(for edge in begin end; do "$lutrace" mark -l ledger $edge net.up; cat ledger/mark; : >ledger/mark; done)" \
	begin:net.upend:net.up
is "and are none without one" "$(status "$lutrace" mark -l ledger begin)" 1
like "which says how they are written" "$(cat said)" 'lutrace mark begin NAME'
long=$(printf 'n%.0s' {1..56})
is "names have up to 56 characters" \
	"$(status "$lutrace" mark -l ledger "resume:$long") $(cat ledger/mark)" "0 resume:$long"
for mark in pause: "pause:${long}x" "resume:${long}x" 'resume:a b' begin: 'end:a b' ' pause' 'pause ' ' ' 'resume ' $'\tpause' $'pause\r' "$(printf 'm%.0s' {1..64})"; do
	: >ledger/mark
	is "'$mark' is none" "$(status "$lutrace" mark -l ledger "$mark")" 1
	like "and it says why, and what to do" "$(cat said)" '^lutrace: the (name in the )?mark .* use a(nother|  *shorter) name$'
	is "and nothing is written" "$(cat ledger/mark)" ""
done
while IFS='|' read -r mark what; do
	printf -v mark '%b' "$mark"
	"$lutrace" mark -l ledger "$mark" 2>said
	like "what is wrong with '$mark' is said first" "$(cut -d: -f2- said)" "^ the [a-z ]*mark '[^']*' $what"
done <<'END'
 pause|has a blank at its begin, where a mark has none
pause |has a blank at its end
resume |has a blank at its end
\tpause|has the byte 0x09, and a mark is printable ASCII
vm\xc3\xa4|has the byte 0xc3
resume:a b|has a ' ', and names have letters, digits, '\.', '_' and '-'
pause:vm/1|has a '/'
end:|has no name behind the colon
END
# Who writes to the file without the library: the kernel takes it.
mkdir past && "$build/tests/unit/make-ledger" handover past || exit 1
"$lutrace" record -l past -o past.json
for mark in ' pause' 'pause ' pause: ' resume' ' resume:vm1' 'pause:a b' 'resume:a:b' 'pause:12345678 '; do
	word=${mark// /}
	jq -c --arg mark "$mark" --arg word "${word%%:*}" '(.ledgers[].records[] | select(.name == $word)).name |= $mark' past.json >written.json
	like "'$mark' that is on record is named" "$("$lutrace" check written.json)" "the mark '$mark' is none, .*'lutrace mark'"
	is "and what it may have meant is not known to be good" "$(status "$lutrace" check written.json)" 2
done
# What has no name is neither a workload nor a step.
jq -c '(.ledgers[].records[] | select(.name | IN("pause", "resume"))).name |= . + ":a b"' past.json >written.json
is "it is no workload's" "$("$lutrace" time -j written.json | jq -c .blackout.workloads)" '[]'
is "nor has the host a pause of it" "$("$lutrace" time -j written.json | jq -c '[.blackout.from, .blackout.to]')" \
	"$(jq -c 'del(.ledgers[].records[] | select(.name | IN("pause", "resume")))' past.json >none.json; "$lutrace" time -j none.json | jq -c '[.blackout.from, .blackout.to]')"
is "export has none of it" "$("$lutrace" export -t - --workloads 9 written.json | grep -c 'workload="')" 0
like "plot shows it as a text" "$("$lutrace" plot written.json)" '>pause:a b<'
jq -c '(.ledgers[].records[] | select(.name | IN("pause", "resume"))).name |= "begin:a " + .' past.json >written.json
is "begin with what is no name begins no step" "$("$lutrace" report -j written.json | jq -c '[.steps[] | select(.step == "user-mark") | .object]')" '["begin:a pause","begin:a resume"]'
jq -c '(.ledgers[].records[] | select(.name == "pause")).name |= "pause for lunch"' past.json >written.json
is "a text is a text" "$("$lutrace" check written.json | grep -c 'the mark')" 0
ln -sf /dev/full ledger/mark
is "a mark that has no room is an error" "$(status "$lutrace" mark -l ledger pause)" 1
like "which says that it is lost" "$(cat said)" 'the mark is lost.*liveupdate_ledger='
rm ledger/mark
if [ -e /sys/kernel/liveupdate/ledger/mark ]; then
	skip "without a ledger there is no answer" "this kernel has one"
else
	is "without a ledger there is no answer" "$(status "$lutrace" mark pause)" 2
	like "which says what is missing" "$(cat said)" CONFIG_LIVEUPDATE_TRACE
fi
if [ "$(id -u)" != 0 ]; then
	skip "who is not root may not" "this is not root"
else
	: >ledger/mark
	chmod 755 . ledger && chmod 200 ledger/mark && cp "$lutrace" lutrace && chmod 755 lutrace
	is "who is not root may not" "$(status setpriv --reuid 65534 --clear-groups ./lutrace mark -l ledger pause)" 1
	like "and hears so" "$(cat said)" 'only root may'
fi

# The ledger that is kept is a file of the process that keeps it: when that has ended, another
# process may have its number, and a file of the same.
if [ "$(id -u)" = 0 ] && [ ! -e /sys/kernel/liveupdate/ledger ] && unshare -m true 2>/dev/null; then
	mkdir kept
	"$build/tests/unit/make-ledger" handover kept || exit 1
	cat >keeper.sh <<'END'
mount -t tmpfs none /run && mkdir -p /run/lutrace/ledger && cd /run/lutrace/ledger || exit
exec {current}<"$1/current"
cp "$1/previous" .
ln -s /proc/$$/fd/$current current
echo $$ >keeper
answer() { "$LUTRACE" time "$@" >/dev/null 2>/run/said; echo "$? $(grep -c "$pattern" /run/said)"; }
pattern='keeps no ledger' answer
"$LUTRACE" record -l /run/lutrace/ledger | jq .ledgers.incoming
exec {lock}<keeper && flock $lock
pattern=. answer
END
	is "a kept ledger is read while the process that keeps it lives" \
		"$(LUTRACE=$lutrace unshare -m bash keeper.sh "$PWD/kept" | xargs)" '2 1 null 0 0'
else
	skip "a kept ledger is read while the process that keeps it lives" "no mount namespace"
fi

# As whoever writes a virtual machine monitor has it.
"$project/tools/setup/install" "$PWD/place" /usr >install.log 2>&1
export PKG_CONFIG_PATH=$PWD/place/usr/lib/pkgconfig
is "the library has the version of lutrace" "$(pkg-config --modversion liveupdate-mark)" \
	"$("$lutrace" --version | awk '{ print $2 }')"
cat >monitor.c <<'END'
#include <liveupdate_mark.h>
#include <stdio.h>

int main(int argc, char **argv)
{
	int ret = argc > 1 ? liveupdate_mark_pause(1, argv[1]) : liveupdate_mark_resume(1, NULL);

	if (ret)
		fprintf(stderr, "%s\n", liveupdate_mark_error(ret));
	return ret ? 1 : 0;
}
END
# The words of pkg-config are several.
# shellcheck disable=SC2046
build_with() { "$1" "${@:2}" -Wall -Wextra -Wpedantic -Werror $(pkg-config --cflags liveupdate-mark) monitor.c $(pkg-config --libs liveupdate-mark); }
ok "a program in C is built with what pkg-config says" build_with cc -std=c99 -o monitor
is "and writes marks" "$(./monitor vm1; ./monitor)" pause:vm1resume
is "or learns why not" "$(status ./monitor "${long}x") $(cut -c 1-14 said)" "1 it is too long"
if command -v g++ >/dev/null; then
	ok "so is one in C++" build_with g++ -x c++ -c -o monitor.o
else
	skip "so is one in C++" "there is no compiler"
fi
ok "the library may go into a shared one" cc -shared -o monitor.so -Wl,--whole-archive \
	place/usr/lib/libliveupdate-mark.a -Wl,--no-whole-archive
is "and needs nothing but the C library" \
	"$(readelf -d monitor.so | sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p')" libc.so.6
is "it has no symbols but its own" \
	"$(nm -g --defined-only place/usr/lib/libliveupdate-mark.a | awk 'NF == 3 { print $3 }' | grep -vc '^liveupdate_mark_')" 0
ok "its functions have a page" grep -q liveupdate_mark_open place/usr/share/man/man3/liveupdate_mark.3
"$project/tools/setup/install" --remove "$PWD/place" /usr >>install.log 2>&1
is "all of it is removed again" "$(find place -type f)" ""

tap_done
