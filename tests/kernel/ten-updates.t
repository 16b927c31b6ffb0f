#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# The same workload goes through one live update after the other, from one kernel
# into the other and back: no packet is lost, and nothing grows.
#
# Four updates by default, to save time; COUNT=10 makes ten of them, which takes
# about two minutes. COUNT is even.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/kernel/workload.sh
. "$here/workload.sh"

count=${COUNT:-4}

stage before <<'END'
set -e
. "$LAB_PROJECT/tests/kernel/workload.sh"
bind-vfio "$LAB_DEVICES"
workload 0 start --device "$LAB_DEVICES"
workload_reaches 0 receiving
ask-host start-senders
workload_reaches 0 ready
workload_go_on 0
workload_reaches 0 paused
END
before=$stage

# In each of the following kernels.
stage after <<'END'
set -e
. "$LAB_PROJECT/tests/kernel/workload.sh"
bind-vfio $LAB_DEVICES >/dev/null
round=$(($(cat "$LAB_RESULTS/round" 2>/dev/null || echo 0) + 1))
echo $round >"$LAB_RESULTS/round"
uname -r >>"$LAB_RESULTS/kernels"
# The kernel that this one was jumped to from.
next=$LAB_OUTGOING
[ $((round % 2)) = 1 ] || next=$LAB_INCOMING
again=--again
[ $round -lt "$COUNT" ] || again=
workload $round resume $again --until "$LAB_RESULTS/sender0.json"
workload_reaches $round resumed
workload_go_on $round
workload_reaches $round finished
cat /proc/sys/vm/stat_refresh
{
	sed -n '/^nr_iommu_pages /p' /proc/vmstat
	sed -n 's/^\(MemTotal\|MemFree\|Cached\|SUnreclaim\|Shmem\): *\([0-9]*\) kB/\1 \2/p' /proc/meminfo
	# Free pages that CPUs have put aside do not count as free.
	awk '$1 == "count:" { pages += $2 } END { print "Aside", pages * 4 }' /proc/zoneinfo
} >"$LAB_RESULTS/counters-$round"
cp /proc/slabinfo "$LAB_RESULTS/slabinfo-$round"
if [ -z "$again" ]; then
	sleep 0.3
	ask-host stop-sender 0
	wait "${workload_pid[$round]}" || true
	lutrace time -j >"$LAB_RESULTS/time.json"
	exit 0
fi
dmesg >"$LAB_RESULTS/dmesg-$round"
kexec -s -l "$next" --command-line="$LAB_INCOMING_CMDLINE"
workload_go_on $round
workload_reaches $round ready
workload_go_on $round
workload_reaches $round paused
kexec -e
echo "the jump was refused"
exit 1
END
after=$stage

# counter NAME ROUND: one that was noted
counter() { sed -n "s/^$1 //p" "$lab_results/counters-$2"; }
# of ROUND FILTER: what a workload reported
of() { lab_json "workload-$1.json" "$2"; }
# grown NAME: by how much a counter is larger after the last update than after the
# second, which the same kernel came out of
grown() { echo $(($(counter "$1" "$count") - $(counter "$1" 2))); }

for mode in ${MODES:-scalable}; do
	lab_what="$mode, $count live updates"
	# A kernel at a random place takes a page more or less for its own tables.
	lab_run --mode "$mode" --devices igb --memory 1024 --timeout $((60 + 30 * count)) --append nokaslr \
		--trace "$tap_scratch/trace" --env COUNT="$count" "${workload_senders[@]}" "$before" "$after" || continue
	is "$mode: every kernel is another one than the one before" \
		"$(uniq "$lab_results/kernels" | wc -l) $(sort -u "$lab_results/kernels" | wc -l)" "$(one_kernel && echo 1 1 || echo "$count" 2)"
	for ((round = 1; round <= count; round++)); do
		is "$mode: update $round: the session is finished" "$(of $round .session.finished)" true
		is "$mode: update $round: no packet is lost while the device is moved" "$(of $round .dma.replace.lost)" 0
		ok "$mode: update $round: packets came while no kernel ran" [ "$(of $round '.dma.while_no_kernel_ran // 0')" -gt 0 ]
	done
	is "$mode: the workload has come through all of them" "$(of "$count" .updates)" "$count"
	is "$mode: no packet is lost" "$(of "$count" .dma.lost)" 0
	is "$mode: none comes twice or damaged" "$(of "$count" '.dma.duplicates + .dma.corrupt')" 0
	ok "$mode: the pause of the last update is known" [ "$(lab_json time.json '.blackout.ns // 0')" -gt 0 ]
	is "$mode: translation is never switched off" "$(workload_trace 'vtd_dmar_enable enable 0')" 0
	is "$mode: nor is interrupt remapping" "$(workload_trace 'vtd_ir_enable enable 0')" 0
	is "$mode: no access of the device faults" "$(workload_trace vtd_dmar_fault)" 0

	is "$mode: there are no more pages of page tables than after the second update" "$(grown nr_iommu_pages)" 0
	# KHO's radix tree stays in the kernel that reads it. It takes a page for each order and
	# 128 MiB in which a block was preserved: one or two more or less by where memory was free.
	ok "$mode: nor less memory" [ "$(grown MemTotal)" -gt -16 ]
	ok "$mode: nor less of it free" [ $(($(grown MemFree) + $(grown Aside))) -gt -2048 ]
	ok "$mode: nor more objects of the kernel" [ "$(grown SUnreclaim)" -lt 1024 ]
	diag "from update 2 to update $count: $(for name in nr_iommu_pages MemTotal MemFree Aside Cached SUnreclaim Shmem; do echo "$name $(grown $name)"; done | xargs)"
done
tap_done
