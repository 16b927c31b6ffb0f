#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# The limits of the benchmarks stand in one table (tests/bench/limits), docs/benchmarks.md has the
# same, and a figure above its limit, or none at all, is a failure. Nothing is measured here.

set -u
project=$(cd "$(dirname "$(readlink -f "$0")")/../.." && pwd)
# shellcheck source=tests/lab/tap.sh
. "$project/tests/lab/tap.sh"
bench=$project/tests/bench

grep -v '^#' "$bench/limits" >"$tap_scratch/limits"
is "each limit has five columns" "$(awk -F '\t' 'NF != 5' "$tap_scratch/limits")" ""
is "no name is there twice" "$(cut -f 4 "$tap_scratch/limits" | sort | uniq -d)" ""

# As a page has them: | name | limit |, with the limit as 'within' says it
mkdir -p "$tap_scratch/none"
cut -f 1 "$tap_scratch/limits" | sort -u | while read -r question; do
	"$bench/within" "$question" "$tap_scratch/none"
done | sed -n 's/: NOT MEASURED (limit \(.*\))$/ | \1/p' | sort >"$tap_scratch/table"
is "each has a line" "$(wc -l <"$tap_scratch/table")" "$(wc -l <"$tap_scratch/limits")"
awk '/^## Limits/ { here = 1; next } /^## / { here = 0 } here' "$project/docs/benchmarks.md" |
	sed -nE 's/^\| ([^|]+) \| `[a-z-]+` \| ([^|]+) \|.*/\1 | \2/p' | sort >"$tap_scratch/page"
is "docs/benchmarks.md has the same names and limits" "$(diff "$tap_scratch/table" "$tap_scratch/page")" ""
while read -r question; do
	ok "$question, which has limits, is one of the questions" grep -qE "^questions=.*[( ]${question}[ )]" "$bench/run"
done < <(cut -f 1 "$tap_scratch/limits" | sort -u)

# results NAME RATIO: restore's figures; so 'within' has to say
results() {
	mkdir -p "$tap_scratch/$1"
	printf '{ "with_reserve_64_to_1": %s, "lazy_64_to_1": 1.2, "scattered_to_contiguous": 2 }\n' "$2" >"$tap_scratch/$1/restore.json"
	answer=$("$bench/within" restore "$tap_scratch/$1" 2>&1)
	status=$?
}
results met 1.1
is "figures at their limits are met" "$status" 0
like "and are said" "$answer" '^reservation and restore, 64 GiB in 4 KiB leaves to 1 GiB: 1[.]1 \(limit 1[.]2\)'
results above 1.3
is "one above is not" "$status" 1
like "which is said" "$answer" ': 1[.]3 ABOVE THE LIMIT of 1[.]2$'
results unknown null
is "one that was not measured is not met" "$status" 1
like "which is said, too" "$answer" 'NOT MEASURED'
"$bench/within" restore "$tap_scratch/none" >/dev/null 2>&1
is "nor are those of a measurement that left nothing" $? 1

# make bench: the exit status is that of all questions
mkdir -p "$tap_scratch/bench"
cp "$bench"/{run,within,limits} "$tap_scratch/bench"
printf '#!/bin/bash\n#\n#\n# What?\n' | tee "$tap_scratch/bench/restore" >"$tap_scratch/bench/steps"
chmod +x "$tap_scratch/bench"/{restore,steps}
for name in met above; do
	BUILD=$tap_scratch "$tap_scratch/bench/run" --results "$tap_scratch/$name" restore steps >"$tap_scratch/$name.txt" 2>&1
	echo $? >"$tap_scratch/$name.status"
done
is "all questions within their limits end with 0" "$(cat "$tap_scratch/met.status")" 0
is "one above ends with 1, whatever comes after it" "$(cat "$tap_scratch/above.status")" 1
tap_done
