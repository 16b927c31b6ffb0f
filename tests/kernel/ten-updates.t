#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# The same workload goes through one live update after the other, from one kernel
# into the other and back: no packet is lost, and nothing grows.
#
# Four updates by default, to save time; COUNT=10 makes ten of them, which takes
# about two minutes. COUNT is even. 'make soak' makes many, with faults.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/kernel/workload.sh
. "$here/workload.sh"
# shellcheck source=tests/soak/judge.sh
. "$here/../soak/judge.sh"

count=${COUNT:-4}

for mode in ${MODES:-scalable}; do
	lab_what="$mode, $count live updates"
	# A kernel at a random place takes a page more or less for its own tables.
	lab_run --mode "$mode" --devices igb --memory 1024 --timeout $((60 + 30 * count)) --append nokaslr \
		--trace "$tap_scratch/trace" --env COUNT="$count" "${workload_senders[@]}" \
		"$here/../soak/before" "$here/../soak/after" || continue
	is "$mode: every kernel is another one than the one before" \
		"$(uniq "$lab_results/kernels" | wc -l) $(sort -u "$lab_results/kernels" | wc -l)" "$(one_kernel && echo 1 1 || echo "$count" 2)"
	for ((round = 1; round <= count; round++)); do
		is "$mode: update $round: finished, and nothing is lost on the way" "$(lost_in "$round")" ""
	done
	is "$mode: the workload has all packets, once and undamaged" "$(lost_at_end "$count")" ""
	ok "$mode: the pause of the last update is known" [ "$(lab_json time.json '.blackout.ns // 0')" -gt 0 ]
	is "$mode: translation is never switched off, nor interrupt remapping, and no access faults" \
		"$(seen_outside "$tap_scratch/trace")" ""
	is "$mode: nothing grows from the second update on" "$(leaks "$count")" ""
	diag "from update 2 to update $count: $(growth "$count")"
done
tap_done
