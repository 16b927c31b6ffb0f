# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# What a chain of live updates (before, after) left in $lab_results. Judged by
# ten-updates.t and by make soak.

: "${lab_results:=}"

# counter NAME UPDATE: one that was noted
counter() { sed -n "s/^$1 //p" "$lab_results/counters-$2"; }
# of UPDATE FILTER: what the workload reported
of() { jq -r "$2" "$lab_results/workload-$1.json"; }
# grown NAME LAST: by how much a counter is larger after the last update, an even one, than
# after the second, which the same kernel came out of
grown() { echo $(($(counter "$1" "$2") - $(counter "$1" 2))); }

counted='nr_iommu_pages MemTotal MemFree Aside Slab SUnreclaim Cached Shmem'
# growth LAST: all of them on one line
growth() { for name in $counted; do echo "$name $(grown "$name" "$1")"; done | xargs; }

# leaks LAST: a line for each bound that is broken
leaks() {
	local free name
	[ "$(grown nr_iommu_pages "$1")" = 0 ] ||
		echo "$(grown nr_iommu_pages "$1") more pages of page tables than after the second update"
	# KHO's radix tree stays in the kernel that reads it. It takes a page for each order and
	# 128 MiB in which a block was preserved: one or two more or less by where memory was free.
	[ "$(grown MemTotal "$1")" -gt -16 ] || echo "$(grown MemTotal "$1") kB of memory altogether"
	# Slabs are judged by themselves. With KASAN they keep what is freed, a megabyte more or less.
	free=$(($(grown MemFree "$1") + $(grown Aside "$1") + $(grown Slab "$1")))
	[ "$free" -gt -1024 ] || echo "$free kB of memory that is free or in slabs"
	for name in Slab SUnreclaim; do
		[ "$(grown $name "$1")" -lt 1024 ] || echo "$(grown $name "$1") kB more objects of the kernel ($name)"
	done
}

# lost_in UPDATE [full]: a line for each thing that went wrong in it; from a full ledger nobody
# knows when the pause was
lost_in() {
	local report=$lab_results/workload-$1.json
	[ -s "$report" ] || { echo "the workload did not come home"; return; }
	jq -r --argjson update "$1" --arg ledger "${2-}" '
		(select(.session.finished != true) | "the session is not finished"),
		(select(.updates != $update) | "the workload counts \(.updates) updates"),
		(select((.dma.replace.lost // -1) != 0) | "\(.dma.replace.lost // "unknown how many") packets lost while the device was moved"),
		(select((.dma.while_no_kernel_ran // 0) == 0 and $ledger != "full") | "no packet came while no kernel ran"),
		(.memory | to_entries[] | select(.value.damaged != 0) | "\(.value.damaged) pages damaged when \(.key)")' "$report"
}

# lost_at_end LAST: a line for each thing that the workload misses when the senders have stopped
lost_at_end() {
	of "$1" '(select(.state != "done") | "the workload did not account for its packets"),
		(select((.dma.lost // -1) != 0) | "\(.dma.lost // "unknown how many") packets lost"),
		(select(((.dma.duplicates // 1) + (.dma.corrupt // 1)) != 0) | "\(.dma.duplicates) packets twice, \(.dma.corrupt) damaged")'
}

# seen_outside TRACE: a line for each thing that QEMU's trace should not have from the start
# of the sender to its end
seen_outside() {
	local begin end event
	begin=$(cat "$lab_results/trace.begin") && end=$(cat "$lab_results/trace.end") || return
	for event in 'vtd_dmar_enable enable 0' 'vtd_ir_enable enable 0' vtd_dmar_fault; do
		tail -c "+$((begin + 1))" "$1" | head -c $((end - begin)) | grep -q -e "$event" &&
			echo "the trace has '$event'"
	done
	return 0
}
