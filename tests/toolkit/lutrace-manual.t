#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# The manual of lutrace: each page has the options that the verb has, and no others, and
# is printed without a warning.

set -u
project=$(cd "$(dirname "$(readlink -f "$0")")/../.." && pwd)
# shellcheck source=tests/lab/tap.sh
. "$project/tests/lab/tap.sh"
build=${BUILD:-$project/build}
manual=$project/tools/man
cd "$tap_scratch" || exit 1

"$build/bin/lutrace" completion table >table
mapfile -t verbs < <(cut -f 1 table | uniq)
ok "there are verbs with options" [ "${#verbs[@]}" -gt 15 ]

# page VERB: its text, with what it includes
page() {
	local line
	while IFS= read -r line; do
		case $line in
		'.. include:: '*) cat "$manual/${line#.. include:: }" ;;
		*) echo "$line" ;;
		esac
	done <"$manual/lutrace-$1.rst"
}
# described VERB: the options that it describes, as in the table
described() { page "$1" | sed -nE 's/^RECORDING, or //; s/^((-[A-Za-z], )?--[a-z][a-z-]*([ =[].*)?)$/\1/p' | sort; }
# missing_defaults VERB: defaults of the table that are not in its page
missing_defaults() {
	local text option fallback
	text=$(page "$1" | tr -d '*`' | tr '\n' ' ' | tr -s ' ')
	while IFS=$'\t' read -r _ option fallback; do
		[ -z "$fallback" ] || [[ $text == *"$fallback"* ]] || echo "$option: $fallback"
	done < <(grep "^$1	" table)
}

for verb in "${verbs[@]}"; do
	is "the manual describes the options of $verb, and no others" "$(described "$verb")" \
		"$(awk -F '\t' -v verb="$verb" '$1 == verb { print $2 }' table | sort)"
	is "and says what they are where $verb is called without" "$(missing_defaults "$verb")" ""
done

# As lintian does: what the formatter complains of is a hole in the page.
if command -v man >/dev/null; then
	for page in "$build"/man/*.1; do
		is "man prints ${page##*/} without a warning" \
			"$(LC_ALL=C.UTF-8 MANROFFSEQ='' MANWIDTH=80 man --warnings -E UTF-8 -l -Tutf8 -Z "$page" 2>&1 >/dev/null)" ""
	done
fi
if command -v mandoc >/dev/null; then
	# The pages have no date: they are those of the version that they come with.
	is "mandoc finds nothing to warn of" \
		"$(mandoc -T lint -W warning "$build"/man/*.1 2>&1 | grep -v 'WARNING: missing date')" ""
fi
tap_done
