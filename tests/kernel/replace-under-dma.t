#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Moving a device from one page table to another is no gap for it, in any kernel and between
# any two: a NIC is moved 2,000 times while it receives. No access faults, and no packet is
# lost.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/kernel/workload.sh
. "$here/workload.sh"

stage only <<'END'
. "$LAB_PROJECT/tests/kernel/workload.sh"
bind-vfio "$LAB_DEVICES" >/dev/null
workload nic start --device "$LAB_DEVICES" --no-preserve --replace 2000
workload_reaches nic receiving && ask-host start-sender && workload_reaches nic ready
END
for mode in ${MODES:-legacy scalable first-stage amd}; do
	rm -f "$tap_scratch/trace"
	lab_run --mode "$mode" --devices igb --guard 0 --timeout 240 --trace "$tap_scratch/trace" \
		--hook start-sender='cd "$LAB_RESULTS" || exit
			"$LAB_BUILD/bin/lu-sender" --port "${LAB_PORTS%% *}" --rate $((4000 / LAB_SLOWER)) >sender.new 2>sender.err &
			echo $! >sender0.pid' "$stage"
	ran=$?
	workload_end_senders
	[ "$ran" = 0 ] || continue
	moved() { lab_json workload-nic.json ".replace | $1"; }
	is "$mode: the device was moved" "$(moved .count)" 2000
	ok "$mode: packets came meanwhile" [ "$(moved .received)" -gt 20 ]
	is "$mode: and go on coming" "$(moved .goes_on)" true
	is "$mode: none is lost" "$(moved .lost)" 0
	is "$mode: no access faulted" "$(grep -cE \
		'vtd_dmar_fault|amdvi_(page_fault|dte_get_fail|invalid_dte|get_pte_hwerror|mode_invalid)' "$tap_scratch/trace")" 0
done
tap_done
