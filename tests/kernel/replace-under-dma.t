#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Moving a device from one page table to another is no gap for it, in any kernel and between
# any two: a NIC is moved 2,000 times while it receives, and then crosses a live update. No
# access faults, and no packet is lost.

# shellcheck source=tests/kernel/dma-continues.sh
. "$(dirname "$0")/dma-continues.sh"
export DEMO_WORKLOAD='--interrupts --replace 2000' DEMO_RATE=400

for mode in ${MODES:-legacy scalable first-stage amd}; do
	ok "$mode: a live update after them leaves a recording" demonstration --mode "$mode" || continue
	is "$mode: the demonstration is content" "$demo_status" 0
	is "$mode: the device was moved" "$(lab_json workload-outgoing.json .replaced)" 2000
	is "$mode: no access of it faulted" \
		"$(grep -cE 'vtd_dmar_fault|amdvi_(page_fault|dte_get_fail|invalid_dte|get_pte_hwerror|mode_invalid)' "$lab_results/qemu-trace.log")" 0
	is "$mode: no packet is lost, damaged or there twice" \
		"$(of '.dma | [.lost, .corrupt, .duplicates] | join(" ")')" "0 0 0"
done
tap_done
