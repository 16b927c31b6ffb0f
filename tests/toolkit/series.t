#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# The mail series of kernel/series: those of this project, applied with 'git am', and
# what kernel/scripts/series refuses, tried on a Linux of three files.

set -u
project=$(cd "$(dirname "$(readlink -f "$0")")/../.." && pwd)
# shellcheck source=tests/lab/tap.sh
. "$project/tests/lab/tap.sh"
work=$tap_scratch
export GIT_CONFIG_GLOBAL=$work/gitconfig GIT_CONFIG_NOSYSTEM=1
printf '[user]\n\tname = A Tester\n\temail = tester@localhost\n[safe]\n\tdirectory = *\n' >"$GIT_CONFIG_GLOBAL"
build=${BUILD:-$project/build}

# 1. Those of this project. They are written beside what a developer has in BUILD/series.
mkdir -p "$work/real"
ln -s "$build/overlay" "$build/linux" "$work/real/"
real() { BUILD=$work/real "$project/kernel/scripts/series" >>"$work/log"; }
short() {
	local folder
	[ -d "$work/real/series/repository" ] || return 1
	for folder in "$work/real/series"/*/; do
		[ "${folder%/repository/}" = "$folder" ] || continue
		[ "$(find "$folder" -name '*.patch' ! -name '0000-*' | wc -l)" -le 15 ] || { echo "# $folder"; return 1; }
	done
}
covers() {
	local folder
	for folder in "$project"/kernel/series/*/; do
		folder=$(basename "$folder")
		grep -q '^How to test' "$work/real/series/${folder#*-}/0000-cover-letter.patch" &&
			grep -q '^About this series' "$work/real/series/${folder#*-}/0000-cover-letter.patch" &&
			! grep -q 'SUBJECT HERE\|BLURB HERE' "$work/real/series/${folder#*-}/0000-cover-letter.patch" ||
			{ echo "# $folder"; return 1; }
	done
}
applied() {
	local folder
	git clone -q --branch base "$work/real/series/repository" "$work/am" && cd "$work/am" || return 1
	for folder in "$project"/kernel/series/*/; do
		folder=$(basename "$folder")
		find "$work/real/series/${folder#*-}" -name '*.patch' ! -name '0000-*' | sort | xargs git am -q || return 1
	done
}
same() {
	mkdir "$work/composed" && BUILD=$work/real "$project/kernel/scripts/compose" "$work/composed" &&
		diff -r --exclude=.git "$work/composed" "$work/am"
}
headed() { # FIELD
	local mail
	[ -d "$work/real/series/repository" ] || return 1
	while IFS= read -r mail; do
		grep -q "^$1" "$mail" || { echo "# $mail"; return 1; }
	done < <(find "$work/real/series" -name '[0-9]*.patch' ! -name '0000-*')
}
ok "the series are written" real
ok "none has more than 15 mails" short
ok "each has a cover letter of its own" covers
ok "each mail says who signs it off" headed 'Signed-off-by: A Tester <tester@localhost>'
ok "git am applies them one after the other" applied
ok "and what they end in is the overlay, byte for byte" same

# What documents and cover letters say of them is compared.
mkdir "$work/documents"
find "$project" -mindepth 1 -maxdepth 1 ! -name docs -exec ln -st "$work/documents" {} +
documents() { (cd "$work/documents" && "$project/tests/check/mails"); }
wrong() { # DOCUMENT SED FINDING : a fault in a document is found
	rm -rf "$work/documents/docs" && cp -r "$project/docs" "$work/documents/" &&
		sed -i "$2" "$work/documents/docs/$1" && ! cmp -s "$project/docs/$1" "$work/documents/docs/$1" || return 1
	documents >"$work/said"
	grep -qE -- "$3" "$work/said" || { sed 's/^/# /' "$work/said"; return 1; }
}
cp -r "$project/docs" "$work/documents/"
is "the documents say of them what is so" "$(documents)" ""
ok "a number of mails that is wrong is found" wrong series.md '/^| `luo`/s/[0-9]\+/3/' 'has no row .*`luo`'
ok "so is a series that is missing" wrong series.md '/^| `amd`/d' 'has no row .*`amd`'
ok "so is one that is none" wrong series.md 's/^| `amd`/| `arm`/' 'has a row .*`arm`'
ok "so is another order" wrong series.md '/^| `boot`/{h;d};/^| `trace`/G' 'another order'
ok "so is what one stands on" wrong series.md '/^| `pci`/s/`iommu`/`kho`/' 'has a row .*`pci`'
ok "so is a sum" wrong series.md 's/: [0-9]* mails, since/: 3 mails, since/' '3 mails.: it is'
ok "so is a suite" wrong series.md '/^| `fail_nth`/d' 'the suites are'
ok "so is a question" wrong series.md '/^| `maintainer`/d' 'the questions are'
ok "so is a mail that does not take a file" wrong coverage.md '/^| 11 /s/iommu 10, 13/iommu 9/' 'row 11: no mail'
ok "so is a patch that is gone" wrong coverage.md 's/`0063`/`9999`/' 'no patch 9999'
ok "so is a test that is gone" wrong coverage.md 's/`occupied`/`ocupied`/' 'no tests/kernel/ocupied'

# 2. A Linux, two patches that change one file, a third, and two new files.
tree=$work/upstream
mkdir -p "$tree"/{kernel,mm}
printf 'VERSION = 7\nPATCHLEVEL = 3\n' >"$tree/Makefile"
for file in kernel/reboot.c mm/memfd.c; do
	seq -f "line %g of $file" 40 >"$tree/$file"
done
touch -d '2 days ago' "$tree"/*/*
mkdir -p "$work/project/kernel"/{files/kernel,patches,series/{10-one,20-two}}
cp -r "$project/kernel/scripts" "$work/project/kernel/"
cd "$work/project" || exit 1
export BUILD=$work/build LINUX_TREE=$tree
unset LINUX_TARBALL PATCH ADD

patched() { # NUMBER-NAME SED FILE... : a patch on top of what is in $work/now
	local name=$1 edit=$2 file
	shift 2
	{
		printf 'Subject: area: Do %s\n\nBecause of %s.\n---\n' "$name" "$name"
		for file; do
			cp "$work/now/$file" "$work/before"
			sed -i "$edit" "$work/now/$file"
			diff -up --label "a/$file" --label "b/$file" "$work/before" "$work/now/$file"
		done
	} >"kernel/patches/$name.patch"
	echo "$name.patch" >>kernel/patches/series
}
cp -r "$tree" "$work/now"
patched 0001-first 's/^line 5 /FIRST 5 /' kernel/reboot.c mm/memfd.c
patched 0002-second 's/^line 20 /SECOND 20 /' kernel/reboot.c
patched 0003-third 's/^FIRST 5 /THIRD 5 /' kernel/reboot.c
echo 'int ledger;' >kernel/files/kernel/ledger.c
echo 'int slots;' >kernel/files/kernel/slots.c

cover() { printf 'Subject: %s\n\nAll of it.\n' "$1"; }
manifest() {
	cover "Part one" >kernel/series/10-one/cover
	cover "Part two" >kernel/series/20-two/cover
	rm -f kernel/series/*/[0-9]*
	echo 'patch: 0002-second' >kernel/series/10-one/01-second
	printf '# Why\nSubject: memfd: First\n\nMemory.\n---\npatch: 0001-first\n  mm/memfd.c\nfile: kernel/ledger.c\n' \
		>kernel/series/10-one/02-memfd
	printf 'patch: 0001-first kernel/reboot.c\npatch: 0003-third\nfile: kernel/slots.c\n' >kernel/series/20-two/01-kernel
}
mails() { (cd "$BUILD/series" 2>/dev/null && find . -name '*.patch' | sort | tr '\n' ' '); }
says() { # TEXT : the series are refused with it, and nothing is written
	rm -rf "$BUILD/series"
	! kernel/scripts/series >"$work/said" 2>&1 && grep -qF -- "$1" "$work/said" && [ -z "$(mails)" ] ||
		{ sed 's/^/# /' "$work/said"; return 1; }
}
write_series() { kernel/scripts/series >>"$work/log"; }
mail() { cat "$BUILD/series/$1"/*-*"$2"*.patch; }

manifest
kernel/scripts/fetch 2>>"$work/log" && kernel/scripts/overlay >>"$work/log"
ok "patches may come in another order than in kernel/patches" write_series
ok "and in parts" test "$(mails)" = "./one/0000-cover-letter.patch ./one/0001-area-Do-0002-second.patch ./one/0002-memfd-First.patch ./two/0000-cover-letter.patch ./two/0001-area-Do-0001-first.patch "
ok "a mail has its patch's subject" grep -q '^Subject: \[PATCH 1/2\] area: Do 0002-second$' <(mail one second)
ok "and says what its patch says" grep -q '^Because of 0002-second' <(mail one second)
ok "or what its manifest says" grep -q '^Memory' <(mail one memfd)
ok "it has its new files" grep -q '^+int ledger' <(mail one memfd)
ok "and nothing that another one takes" not grep -q 'kernel/reboot.c' <(mail one memfd)
ok "the cover letter is that of the manifest" grep -q '^All of it' <(mail one cover)

manifest
sed -i '/slots/d' kernel/series/20-two/01-kernel
ok "a new file that no mail takes is named" says 'no mail takes kernel/files/kernel/slots.c'
manifest
sed -i 's/^patch: 0003-third//' kernel/series/20-two/01-kernel
ok "so is a patch" says 'no mail takes 0003-third kernel/reboot.c'
manifest
echo 'patch: 0001-first' >kernel/series/20-two/02-again
ok "what two mails take is named, with both" says '0001-first mm/memfd.c is taken by kernel/series/10-one/02-memfd already'
manifest
sed -i 's,kernel/ledger.c,kernel/leger.c,' kernel/series/10-one/02-memfd
ok "so is what is not there" says 'there is no kernel/files/kernel/leger.c'
manifest
sed -i 's/0003-third/0003-thrid/' kernel/series/20-two/01-kernel
ok "and a patch that is not there" says 'there is no kernel/patches/0003-thrid.patch'
manifest
printf 'patch: 0003-third\n' >kernel/series/10-one/03-third
sed -i 's/^patch: 0003-third//' kernel/series/20-two/01-kernel
ok "a patch before one that it needs is named" says '0003-third kernel/reboot.c cannot be moved there'
ok "with the lines that do not fit" grep -q 'FIRST 5' "$work/said"
manifest
printf 'file: kernel/slots.c\n' >kernel/series/20-two/02-file
sed -i 's/^file.*//' kernel/series/20-two/01-kernel
ok "a mail of files alone needs a subject" says 'needs a subject and reasons'
manifest
for number in $(seq -w 3 16); do
	echo "int n$number;" >"kernel/files/kernel/n$number.c"
	printf 'Subject: n\n\nN.\n---\nfile: kernel/n%s.c\n' "$number" >"kernel/series/10-one/$number-n"
done
ok "15 mails are the most" says 'has 16 mails'
rm kernel/files/kernel/n*.c

# 3. Work goes on in the tree.
manifest
kernel/scripts/overlay >>"$work/log"
sed -i 's/^SECOND 20 /SECOND TWENTY /' "$BUILD/linux/kernel/reboot.c"
sed -i 's/ledger/ledgers/' "$BUILD/linux/kernel/ledger.c"
refresh() { kernel/scripts/refresh >>"$work/log"; }
ok "an edit in the tree is taken over" refresh
ok "and is in the series" write_series
ok "in the mail of its new file" grep -q '^+int ledgers' <(mail one memfd)
ok "and in that of its patch" grep -q '^+SECOND TWENTY' <(mail two first)
sed -i 's/^line 30 /line thirty /' "$BUILD/linux/mm/memfd.c"
export PATCH=0004-new
ok "a patch that is new" refresh
ok "has to be put into a series" says 'no mail takes 0004-new mm/memfd.c'

tap_done
