#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# When the session is finished, and its owner has closed everything, all that
# crossed is ordinary again: page-table pages and memory are free, can be given to
# somebody else, and no device reaches them.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/kernel/dma-session.sh
. "$here/dma-session.sh"

# A page mapped again and again, 2 MiB apart: a leaf table for each time.
stage before <<'END'
set -e
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
bind-vfio $LAB_DEVICES
dma_session
read -r kept other <<<"$LAB_DEVICES"
dma memory 16
dma device d "$kept"
dma domain one d
for ((i = 0; i < 300; i++)); do
	dma map one $((0x10000000 + i * 0x200000)) 1
done
dma unmap one
for ((i = 0; i < 300; i++)); do
	dma map one $((0x10000000 + i * 0x200000)) 1
done
dma attach d one
dma mark one 1
dma_preserve released
dma fill 0x1111
dma load "$kept" 0x10000000
dma hold
END
before=$stage

stage after <<'END'
set -e
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
# Counters of the CPUs are added up at once, not when their time has come.
count() { cat /proc/sys/vm/stat_refresh; note "$1" "$(sed -n 's/^nr_iommu_pages //p' /proc/vmstat) $(sed -n 's/^MemTotal: *\([0-9]*\) kB/\1/p' /proc/meminfo)"; }
# The same in a life without any update, first: what the counters are then.
once() {
	dma_session
	dma memory 16
	dma device other "$other"
	dma domain new other
	for ((i = 0; i < 300; i++)); do
		dma map new $((0x10000000 + i * 0x200000)) 1
	done
	dma attach other new
	count "$1-attached"
	dma_killed
	count "$1-closed"
}
read -r kept other <<<"$LAB_DEVICES"
bind-vfio $LAB_DEVICES >/dev/null
count begin
once first

dma_session
dma retrieve-session released
dma retrieve memory 1
dma retrieve iommufd 2
dma retrieve d 3
dma bind d
dma restore old 1
count retrieved
dma domain new d
for ((i = 0; i < 300; i++)); do
	dma map new $((0x10000000 + i * 0x200000)) 1
done
dma move d new
count moved
dma destroy old
count destroyed
dma finish
note content "$(dma count 0x1111)"
dma_killed
count closed
note master "$(is_master "$kept")"

# All memory to somebody else, while the device is told to write where it did.
pages=$(free_pages)
echo always >/sys/kernel/mm/transparent_hugepage/shmem_enabled	# quicker
dma_session
dma memory $pages
dma fill 0x7777
printf '\006' | dd of="/sys/bus/pci/devices/$kept/config" bs=1 seek=4 conv=notrunc status=none
dma store "$kept" 0x10000000
dma store "$kept" 0x10200000
note filled $pages
note intact $(($(dma count 0x7777) / 512))
dma_killed
once second
END
after=$stage

# part WORD NAME: a counter that was noted
part() { fact "$2" | cut -d' ' -f"$1"; }

for mode in ${MODES:-scalable}; do
	lab_what=$mode
	lab_run --mode "$mode" --memory 512 --devices edu,edu --trace "$tap_scratch/trace" "$before" "$after" || continue
	ok "$mode: the workload's page tables are many" \
		[ $(($(part 1 first-attached) - $(part 1 first-closed))) -gt 300 ]
	is "$mode: restoring a page table counts none of its pages" "$(part 1 retrieved)" "$(part 1 begin)"
	is "$mode: a new page table counts as many as it does elsewhere" \
		$(($(part 1 moved) - $(part 1 retrieved))) $(($(part 1 first-attached) - $(part 1 first-closed)))
	ok "$mode: destroying the restored one takes no page from the account" \
		[ "$(part 1 destroyed)" -ge "$(part 1 moved)" ]
	# And the page that says where they are
	is "$mode: but gives its pages to this kernel" \
		$((($(part 2 destroyed) - $(part 2 moved)) / 4)) $(($(part 1 first-attached) - $(part 1 first-closed) + 1))
	is "$mode: the memory is what it was" "$(fact content)" 8192
	is "$mode: in the end no page of a page table is left" "$(part 1 closed)" "$(part 1 begin)"
	is "$mode: the device does not master the bus any more" "$(fact master)" 0
	ok "$mode: nearly all memory is then given to somebody else" [ "$(fact filled)" -gt 80000 ]
	is "$mode: and the device reaches none of it" "$(fact intact)" "$(fact filled)"
	is "$mode: another life counts as before" "$(part 1 second-closed)" "$(part 1 first-closed)"
	is "$mode: and has the same memory" "$(part 2 second-closed)" "$(part 2 closed)"
done
tap_done
