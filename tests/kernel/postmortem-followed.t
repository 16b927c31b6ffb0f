#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# docs/postmortem.md, its three crashes in the laboratory, followed from top to bottom:
# what the page has typed is typed, and what it shows is shown.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
project=$(cd "$here/../.." && pwd)
build=$(readlink -f "${BUILD:-$project/build}")
page=$project/docs/postmortem.md

# Each ```sh block is a file N.sh of commands, the block after it N.shown.
cd "$tap_scratch" || exit
awk '/^### In the laboratory/ { here = 1 } /^### How to read/ { here = 0 }
	here && /^```sh$/ { out = ++n ".sh"; next }
	here && /^```$/ && !out { out = n ".shown"; next }
	/^```$/ { out = "" }
	out { print > out }' "$page"
# In directories of this test, with the programs of this build.
for block in *.sh; do
	sed -i -e "s,\\bbuild/,$build/,g" -e "s,/tmp/,$tap_scratch/,g" "$block"
done
is "the page shows what three commands print" "$(ls ./*.shown | wc -l)" 3

# One shell types all of it; each block's output is a file, and a crash may fail.
{
	echo "cd '$project'"
	for block in $(ls ./*.sh | sort -V); do
		echo "exec >'$tap_scratch/${block%.sh}.printed'"
		cat "$block"
	done
} >all
bash all 2>errors </dev/null

# Addresses and the widths of their columns are another machine's.
plain() { sed -E 's/0x[0-9a-f]+/0x/g; s/ +/ /g; s/ $//; s/id [0-9]+/id/g' "$1"; }
# shown N: the lines of N.shown are printed in that order; others may stand where it has "..."
shown() {
	local line at=1 found
	plain "$1.printed" >printed
	while IFS= read -r line; do
		[ "$line" != ... ] || continue
		found=$(tail -n +$at printed | grep -nxF -m 1 -e "$line" | cut -d : -f 1)
		[ -n "$found" ] || { diag "is not printed: $line"; return 1; }
		at=$((at + found))
	done < <(plain "$1.shown")
}
for block in $(ls ./*.shown | sort -V); do
	block=${block%.shown}
	ok "it prints: $(head -n 1 "$block.shown")" shown "$block" || diag "$(tail -n 20 errors)"
done
rm -rf crash
tap_done
