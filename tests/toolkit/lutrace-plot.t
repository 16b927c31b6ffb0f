#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# The pictures: what their tooltips and tables say, and what they load (nothing).

set -u
project=$(cd "$(dirname "$(readlink -f "$0")")/../.." && pwd)
# shellcheck source=tests/lab/tap.sh
. "$project/tests/lab/tap.sh"
build=${BUILD:-$project/build}
lutrace=$build/bin/lutrace
golden=$project/tests/toolkit/golden
export LC_ALL=C

make_ledgers handover late:300 no-marks running crowded
cd "$tap_scratch" || exit 1

# texts FILE: tooltips and labels, in the order of the document
texts() { xmllint --xpath "//*[local-name()='title' or local-name()='text']/text()" "$1"; }
count() { grep -oE -e "$2" "$1" | wc -l; }

"$lutrace" plot --all -l handover -o plot.svg
"$lutrace" plot -l handover --compare late:300 -o compare.svg
for picture in plot compare; do
	ok "$picture: it is well-formed" xmllint --noout "$picture.svg"
	texts "$picture.svg" >"$picture.txt"
	ok "$picture: tooltips, labels and tables are as they should be" \
		diff -u "$golden/$picture.txt" "$picture.txt"
	like "$picture: it follows the scheme of the reader" "$(cat "$picture.svg")" \
		'@media screen and \(prefers-color-scheme:dark\)'
	like "$picture: and can be printed" "$(cat "$picture.svg")" '@media print'
	is "$picture: it has no script and loads nothing" \
		"$(count "$picture.svg" '<script|href|url\(|@import| on[a-z]+=')" 0
	# A class that has no colour would be black.
	is "$picture: every class has a style" "$(grep -oE 'class="[^"]+"' "$picture.svg" |
		cut -d '"' -f 2 | tr ' ' '\n' | sort -u | while IFS= read -r class; do
			grep -qE "^[^<]*\.${class}[ {,]" "$picture.svg" || echo "$class"
		done)" ''
done
is "each phase is a bar before, a bar after, a band between and a row below" \
	"$(count compare.svg 'class="phase restore"') $(count compare.svg 'class="link restore"')" '3 1'
is "what is not in the picture is not in its rows" "$(count compare.svg 'file-preserve')" 0
is "a phase that one of them lacks has no band" "$("$lutrace" plot -l handover -c no-marks |
	grep -c 'class="link quiesce"')" 0
"$lutrace" record -l late:300 -o late.json
ok "a recording may be named instead of a directory" cmp compare.svg \
	<("$lutrace" plot -l handover --compare late.json)
is "an unknown blackout cannot be compared: 2" \
	"$(status "$lutrace" plot -l handover --compare running)" 2
is "nor be compared with: 2" "$(status "$lutrace" plot -l running --compare handover)" 2
is "what is not there is an error" "$(status "$lutrace" plot -l handover --compare nowhere)" 1
is "all of two handovers cannot be compared" \
	"$(status "$lutrace" plot --all -l handover --compare late:300)" 1
ok "one with 50,000 steps in its blackout stays small, since steps that touch are one" [ "$(
	"$lutrace" plot -l handover --compare crowded | wc -c)" -lt 100000 ]

tap_done
