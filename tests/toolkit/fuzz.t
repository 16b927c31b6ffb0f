#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# A few seconds of each fuzz target; 'make fuzz' runs them for longer. Every seed is
# an input, too: what has broken lutrace once is among them.

set -u
project=$(cd "$(dirname "$(readlink -f "$0")")/../.." && pwd)
# shellcheck source=tests/lab/tap.sh
. "$project/tests/lab/tap.sh"
build=${BUILD:-$project/build}
cd "$tap_scratch" || exit 1

# The same inputs each time, but for what a busy machine does not come to.
corpus=$tap_scratch/corpus
for target in ledger recording snapshot vmcore options; do
	"$project/tests/fuzz/run" --seconds 3 --seed 1 --corpus "$corpus" "$target" >said 2>&1
	code=$?
	is "no input breaks the target $target" "$code" 0
	[ "$code" -eq 0 ] || diag "$(cat said; tail -n 40 "$build/fuzz/$target.log")"
	inputs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$build/fuzz/$target.log")
	ok "which had its seeds, and others made from them" [ "${inputs:-0}" -gt 200 ]
done
"$project/tests/fuzz/run" nothing >said 2>&1
is "a target that there is not is wrong usage" $? 2
tap_done
