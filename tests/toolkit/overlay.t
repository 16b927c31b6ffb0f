#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# The overlay of kernel/scripts, tried on a Linux of four files.

set -u
project=$(cd "$(dirname "$(readlink -f "$0")")/../.." && pwd)
# shellcheck source=tests/lab/tap.sh
. "$project/tests/lab/tap.sh"
work=$tap_scratch

# A Linux, and a project with one patch and one new file.
tree=$work/upstream
mkdir -p "$tree"/{kernel,mm,include}
printf 'VERSION = 7\nPATCHLEVEL = 3\nSUBLEVEL = 4\n' >"$tree/Makefile"
for file in kernel/reboot.c mm/memfd.c kernel/sys.c; do
	seq -f "line %g of $file" 20 >"$tree/$file"
done
touch -d '2 days ago' "$tree"/*/*

mkdir -p "$work/project/kernel"/{files/kernel,patches}
cp -r "$project/kernel/scripts" "$work/project/kernel/"
cd "$work/project" || exit 1
export BUILD=$work/build LINUX_TREE=$tree
unset LINUX_TARBALL PATCH ADD
linux=$BUILD/linux

# diff of one file with one line changed by sed
change() { # FILE SED
	sed "$2" "$tree/$1" | diff -u --label "a/$1" --label "b/$1" "$tree/$1" -
}
{
	printf 'Subject: reboot: Say it\n\nBecause.\n\n'
	change kernel/reboot.c 's/^line 5 /LINE 5 /'
	change mm/memfd.c 's/^line 5 /LINE 5 /'
} >kernel/patches/0001-say.patch
{
	printf 'Subject: reboot: Say more\n\nBecause of more.\n\n'
	change kernel/reboot.c 's/^line 15 /LINE 15 /'
} >kernel/patches/0002-more.patch
printf '0001-say.patch\n0002-more.patch\n' >kernel/patches/series
echo 'int ledger;' >kernel/files/kernel/ledger.c

lay() { kernel/scripts/fetch 2>>"$work/fetch.log" && kernel/scripts/overlay "$@"; }
refuses() { ! "$@" 2>"$work/said" && grep -q . "$work/said"; }
age() { find "$linux" -type f -exec touch -d '1 hour ago' {} +; }
# Files written by the last command, the tree having been aged before.
written() { (cd "$linux" && find . -type f -mmin -30 | sort | tr '\n' ' '); }
wrote() { [ "$(written)" = "$1" ] || { written; return 1; }; }

lay >"$work/log"
ok "the overlay is laid over a fresh tree" test -e "$linux/kernel/reboot.c"
ok "patches apply in order" grep -q '^LINE 15' "$linux/kernel/reboot.c"
ok "new files are there" cmp kernel/files/kernel/ledger.c "$linux/kernel/ledger.c"
ok "the tree that was named is left alone" not grep -q '^LINE' "$tree/kernel/reboot.c"

age
lay >"$work/log"
ok "laying it again says nothing" not grep . "$work/log"
ok "and writes nothing" wrote ''

echo '/* changed */' >>kernel/files/kernel/ledger.c
lay >/dev/null
ok "one changed file of the overlay is copied alone" wrote './kernel/ledger.c '

age
sed -i 's/^+LINE 15 /+Line 15 /' kernel/patches/0002-more.patch
lay >/dev/null
ok "a changed patch writes only the files that come out different" wrote './kernel/reboot.c '

age
sed -i 's/^LINE 5/LINE five/' "$linux/kernel/reboot.c"
echo '/* by hand */' >>"$linux/kernel/ledger.c"
lay >"$work/log"
ok "an edit in the tree is kept" grep -q 'LINE five' "$linux/kernel/reboot.c"
ok "and said" grep -q 'EDITED  kernel/reboot.c' "$work/log"

kernel/scripts/refresh >"$work/log"
ok "refresh takes edits over" grep -q kernel/patches/0002-more.patch "$work/log"
ok "into the last patch that changes the file" grep -q '^+LINE five' kernel/patches/0002-more.patch
ok "whose subject and reasons stay" grep -q '^Because of more' kernel/patches/0002-more.patch
ok "while an earlier patch stays as it is" grep -q '^+LINE 5 of' kernel/patches/0001-say.patch
ok "an edit of a new file is copied back" grep -q 'by hand' kernel/files/kernel/ledger.c
kernel/scripts/refresh >"$work/log"
lay >>"$work/log"
ok "afterwards there is nothing left to take over" not grep . "$work/log"

sed -i 's/^line 9 /LINE 9 /' "$linux/kernel/sys.c"
ok "an edit of a file that no patch changes asks for a patch" refuses kernel/scripts/refresh
PATCH=0003-sys kernel/scripts/refresh >/dev/null
ok "which is made when it is named" grep -q '^+LINE 9' kernel/patches/0003-sys.patch
ok "and added to the series" grep -qx '0003-sys.patch' kernel/patches/series

sed -i 's/^line 12 /LINE 12 /' "$linux/kernel/reboot.c"
PATCH=0004-topic kernel/scripts/refresh >/dev/null
ok "a file that patches change goes into a later one when it is named" grep -q '^+LINE 12' kernel/patches/0004-topic.patch
ok "and the earlier ones stay as they are" not grep -q 'LINE 12' kernel/patches/0002-more.patch
sed -i 's/^LINE 12 /LINE twelve /' "$linux/kernel/reboot.c"
PATCH=0001-say kernel/scripts/refresh >/dev/null
ok "but not into an earlier one that has not what is edited" grep -q '^+LINE twelve' kernel/patches/0004-topic.patch
sed -i 's/^line 2 /LINE 2 /; s/^LINE five /LINE V /' "$linux/kernel/reboot.c"
PATCH=0002-more kernel/scripts/refresh >/dev/null
ok "into an earlier one, if that is where it belongs" grep -q '^+LINE V' kernel/patches/0002-more.patch
ok "with all that was edited" grep -q '^+LINE 2 ' kernel/patches/0002-more.patch
ok "and in no other" not grep -q '^[-+]LINE [2V] ' kernel/patches/0001-say.patch kernel/patches/0004-topic.patch
kernel/scripts/refresh >"$work/log"
ok "which gives what is in the tree" not grep -q kernel/patches "$work/log"

echo 'int more;' >"$linux/mm/more.c"
ADD=mm/more.c kernel/scripts/refresh >/dev/null
ok "a new file of the tree is added when it is named" cmp "$linux/mm/more.c" kernel/files/mm/more.c

echo '/* here */' >>"$linux/kernel/ledger.c"
echo '/* there */' >>kernel/files/kernel/ledger.c
ok "a file changed on both sides stops it" refuses lay
ok "the tree's version is still there" grep -qF '/* here */' "$linux/kernel/ledger.c"
ok "and that of the overlay" grep -qF '/* there */' kernel/files/kernel/ledger.c
lay --discard >/dev/null
ok "until the user drops one" grep -q there "$linux/kernel/ledger.c"

rm kernel/files/kernel/ledger.c
sed -i '/0003/d' kernel/patches/series
rm kernel/patches/0003-sys.patch
lay >/dev/null
ok "a file removed from the overlay is removed from the tree" not test -e "$linux/kernel/ledger.c"
ok "a file that no patch changes any more is Linux's own again" cmp "$tree/kernel/sys.c" "$linux/kernel/sys.c"

change kernel/sys.c 's/^line 3 /LINE 3 /' >kernel/patches/0003-sys.patch
sed -i 's/^0004/0003-sys.patch\n0004/' kernel/patches/series
lay >/dev/null
sed -i '/0003/d' kernel/patches/series
rm kernel/patches/0003-sys.patch
cp "$tree/kernel/sys.c" "$linux/kernel/sys.c"
kernel/scripts/refresh >/dev/null 2>&1
lay --discard >/dev/null
ok "and stays, if the user has taken the edit back before" cmp "$tree/kernel/sys.c" "$linux/kernel/sys.c"

sed -i 's/^line 7 /line seven /' "$linux/kernel/reboot.c"
sed -i 's/^line 7 /line seven /' "$BUILD/overlay/pristine/kernel/reboot.c"
cp kernel/patches/0001-say.patch "$work/kept"
sed -i 's/^ line 6 /  line six /' kernel/patches/0001-say.patch
ok "a patch whose context is not there is refused" refuses lay
cp "$work/kept" kernel/patches/0001-say.patch

echo 'int own;' >kernel/files/kernel/sys.c
ok "a new file may not replace one of Linux" refuses lay

tap_done
