#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# A disk's commands cross two live updates, one after the other: the queues, and what is in
# flight in them, are handed on twice.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/soak/judge.sh
. "$here/../soak/judge.sh"

count=2
# After each update the driver waits for all that crossed it, so the disk is a fast one.
lab_run --mode scalable --devices nvme --disk-rate 400 --memory 1024 --timeout 180 --trace "$tap_scratch/trace" --env COUNT="$count" \
	--hook 'start-senders=stat -c %s "$LAB_TRACE" >"$LAB_RESULTS/trace.begin"' \
	--hook 'stop-sender=cd "$LAB_RESULTS" && stat -c %s "$LAB_TRACE" >trace.end && echo "{}" >sender0.json &&
		"$LAB_BUILD/bin/referee" throttle --qmp "$LAB_QMP" device0 0' \
	"$here/../soak/before" "$here/../soak/after" || tap_done
for ((round = 1; round <= count; round++)); do
	# The workload does not know what was completed while no kernel ran.
	is "update $round: finished, and nothing is lost on the way" "$(lost_in "$round" full)" ""
	ok "update $round: commands were in flight" [ "$(of "$round" .dma.in_flight_at_pause)" -gt 100 ]
	ok "update $round: some were completed in the pause" [ "$(of "$round" .dma.found_at_resume)" -gt 0 ]
done
is "the workload has all commands, once and undamaged" "$(lost_at_end "$count")" ""
is "each block is read back" "$(of "$count" '.dma.disk | .written - .read_back')" 0
is "and is on the disk" \
	"$(status "${BUILD:-$here/../../build}/bin/referee" disk "$lab_results/disk0" "$lab_results/workload-$count.json" --trace "$tap_scratch/trace")" 0
rm -f "$lab_results/disk0"
is "translation is never switched off, nor interrupt remapping, and no access faults" \
	"$(seen_outside "$tap_scratch/trace")" ""
tap_done
