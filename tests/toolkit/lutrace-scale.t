#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Ten times as many records take about ten times as long, whatever they are: a
# hundred times would be a loop within a loop. What a run takes is compared with
# another run of this machine, because one machine is not as fast as another.

set -u
project=$(cd "$(dirname "$(readlink -f "$0")")/../.." && pwd)
# shellcheck source=tests/lab/tap.sh
. "$project/tests/lab/tap.sh"
build=${BUILD:-$project/build}
lutrace=$build/bin/lutrace
limit=30
export LC_ALL=C

cd "$tap_scratch" || exit 1
# Steps that follow each other, each within the one before, all open at once.
for shape in crowded deep open; do
	for steps in 5000 50000; do
		mkdir -p "$shape/$steps"
		"$build/tests/unit/make-ledger" "$shape:$steps" "$shape/$steps" || exit 1
	done
done

# cost COMMAND...: CPU time in microseconds; 4 ms at least, which is what it takes
# to start, so that the smaller run is not nothing
cost() {
	local TIMEFORMAT='%U %S'
	{ time "$@" >/dev/null 2>&1; } 2>&1 |
		awk '{ us = ($1 + $2) * 1000000; print us < 4000 ? 4000 : int(us) }'
}

# in_step SENTENCE COMMAND...: with N in it for the number of steps. What others
# do with the machine can make a run slower, so a bad result is looked at again.
in_step() {
	local sentence=$1 small=0 large=0 try
	shift
	for try in 1 2 3; do
		small=$(cost "${@//@N@/5000}")
		large=$(cost "${@//@N@/50000}")
		[ "$large" -gt $((small * limit)) ] || break
		diag "try $try: $small us and $large us"
	done
	ok "$sentence ($small us, $large us)" [ "$large" -le $((small * limit)) ]
}

for shape in crowded deep open; do
	in_step "$shape: time" "$lutrace" time -l "$shape/@N@"
	in_step "$shape: blame" "$lutrace" blame --all -l "$shape/@N@"
	in_step "$shape: blame --objects" "$lutrace" blame --all --objects -l "$shape/@N@"
	in_step "$shape: critical-chain" "$lutrace" critical-chain --all -l "$shape/@N@"
	in_step "$shape: advise" "$lutrace" advise --least 0 -l "$shape/@N@"
	in_step "$shape: steps --list" "$lutrace" steps --list -l "$shape/@N@"
	in_step "$shape: plot" "$lutrace" plot --all -l "$shape/@N@"
	in_step "$shape: plot --compare" "$lutrace" plot -l crowded/5000 --compare "$shape/@N@"
	in_step "$shape: record" "$lutrace" record -l "$shape/@N@" -o "$shape-@N@.json"
	in_step "$shape: report" "$lutrace" report "$shape-@N@.json"
	in_step "$shape: report --chrome" "$lutrace" report --chrome "$shape-@N@.json"
	in_step "$shape: report --html" "$lutrace" report --html "$shape-@N@.json"
done
# Page tables: how many there are is no matter of memory, neither for the snapshot nor
# for the comparison, and of time no more than that many.
tables() { "$build/tests/bench/compare_tables" "$@" >"tables-$1.json" || exit 1; }
for shape in full scattered; do
	for jobs in 1 3; do
		tables 4000 "$shape" "$jobs"
		tables 40000 "$shape" "$jobs"
		# shellcheck disable=SC2016
		is "$shape tables, threads: $jobs, are compared in time" "$(jq -s --argjson limit $limit \
			'.[1].compare_ns <= $limit * .[0].compare_ns' tables-4000.json tables-40000.json)" true
		is "... and ten times as many in 2 MiB more" \
			"$(jq -s '.[1].kib <= .[0].kib + 2048' tables-4000.json tables-40000.json)" true
	done
done

is "the larger one is as large as it says" \
	"$(jq '[.ledgers[].records | length] | add > 100000' crowded-50000.json)" true

tap_done
