#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Moving a device from one page table to another is no gap for it, in any kernel and between
# any two: a NIC is moved 2,000 times while it receives, a disk 1,000 times while its queues are
# full of commands. No access faults, and no packet and no command is lost.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/kernel/workload.sh
. "$here/workload.sh"

stage only <<'END'
. "$LAB_PROJECT/tests/kernel/workload.sh"
bind-vfio "$LAB_DEVICES" >/dev/null
workload only start --device "$LAB_DEVICES" --no-preserve --replace "$TIMES"
workload_reaches only receiving && ask-host start-load && workload_reaches only ready
END
moved() { lab_json workload-only.json ".replace | $1"; }
for mode in ${MODES:-legacy scalable first-stage amd}; do
	for device in ${DEVICES:-igb:2000 nvme:1000}; do
		times=${device#*:} device=${device%:*}
		rm -f "$tap_scratch/trace"
		lab_run --mode "$mode" --devices "$device" --disk-rate 400 --guard 0 --timeout 240 --env TIMES="$times" \
			--trace "$tap_scratch/trace" --hook start-load='cd "$LAB_RESULTS" || exit
				[ -n "${LAB_PORTS-}" ] || exit 0
				"$LAB_BUILD/bin/lu-sender" --port "${LAB_PORTS%% *}" --rate $((4000 / LAB_SLOWER)) >sender.new 2>sender.err &
				echo $! >sender0.pid' "$stage"
		ran=$?
		workload_end_senders
		rm -f "$lab_results"/disk*
		[ "$ran" = 0 ] || continue
		is "$mode: the $device was moved" "$(moved .count)" "$times"
		ok "$mode: something came meanwhile" [ "$(moved .received)" -gt 20 ]
		is "$mode: and goes on coming" "$(moved .goes_on)" true
		is "$mode: nothing is lost" "$(moved .lost)" 0
		is "$mode: no access faulted" "$(grep -cE \
			'vtd_dmar_fault|amdvi_(page_fault|dte_get_fail|invalid_dte|get_pte_hwerror|mode_invalid)' "$tap_scratch/trace")" 0
	done
done
tap_done
