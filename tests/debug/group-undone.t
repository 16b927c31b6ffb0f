#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# A group of two devices that crossed moves to a new page table at once, or not at all:
# whatever allocation fails, both go on with DMA where they were, and the move succeeds when
# memory is there. On VT-d the second device's move can fail, too; on AMD it takes none.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/kernel/dma-session.sh
. "$here/../kernel/dma-session.sh"

stage before <<'END'
set -e
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
bind-vfio $FIRST $SECOND >/dev/null
dma_group $FIRST $SECOND
dma preserve a 3
dma preserve b 4
dma hold
END
before=$stage

stage after <<'END'
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
# Of the kernel's own checks' caches none fails: they have memory in reserve.
for cache in /sys/kernel/slab/*; do
	case ${cache##*/} in
	kmemleak* | debug_objects*) ;;
	*) echo 1 >$cache/failslab ;;
	esac
done
debug=/sys/kernel/debug
echo Y >$debug/failslab/cache-filter
echo N >$debug/failslab/ignore-gfp-wait
echo 0 >$debug/failslab/verbose
# A move takes no pages: those that are taken then are the checks', and their failure counts.
echo 20 >$debug/fail_page_alloc/min-order

# writes PAGE ADDRESS: what both write to a page by that address
writes() {
	local device
	for device in $FIRST $SECOND; do
		dma write $1 0
		dma store $device $2
		dma read $1
	done | xargs
}
dma_session
for call in "retrieve-session group" "retrieve memory 1" "retrieve iommufd 2" "retrieve a 3" "retrieve b 4"; do
	dma $call
done
bind-vfio $FIRST $SECOND >/dev/null
dma bind a
dma bind b
dma restore old 1

# The page table that the devices are on maps the memory at $at; the next one of those at $to.
at=0x1000000 number=0
next_table() {
	to=0x$((++number + 1))000000
	dma domain t$number b
	dma map t$number $to
}
# move NTH: while that allocation fails
move() {
	answer=$(dma fail-move $1 b t$number)
	[ "$answer" = ENOMEM ] || at=$to
	note move "${answer:-ok}: $(writes 0x1000 ${at%0000}1000)"
	[ "$answer" = ENOMEM ] || next_table
}
next_table
for ((nth = 1; ; nth++)); do
	[[ " $LISTS " != *" $nth "* ]] || continue
	move $nth
	[ "$answer" != "ok, complete" ] || break
done
for nth in $LISTS; do
	move $nth
done
note end "$(dma try destroy old) $(dma try finish)"
END

for mode in ${MODES:-scalable legacy first-stage amd}; do
	lab_what=$mode
	# Lists of the devices' reserved regions: Linux overlooks it when they are cut short (a FIXME in
	# iopt_table_enforce_dev_resv_regions()), and the group moves. They come last.
	[ "$mode" = amd ] && lists="1 2 5 6" || lists="1 3"
	lab_run --mode "$mode" --memory 512 --env LISTS="$lists" --env FIRST=0000:00:06.0 --env SECOND=0000:00:06.1 \
		--qemu -device --qemu edu,addr=6.0,multifunction=on --qemu -device --qemu edu,addr=6.1 \
		--trace "$tap_scratch/trace" "$before" "$stage" || continue
	failed=$(fact move | grep -c ENOMEM)
	diag "$mode: $failed allocations made the move fail, $(fact move | grep -c ^ok:) did not"
	ok "$mode: a move takes memory that may not be there" [ "$failed" -ge 4 ]
	is "$mode: until all have failed the group stays on the page table that crossed" \
		"$(fact move | sed '/complete/,$d' | grep -v '^ENOMEM')" ""
	is "$mode: whatever fails, both are on one page table, and write" "$(fact move | sed 's/.*: //' | sort -u)" "0x1111 0x2222"
	is "$mode: all allocations have failed once" "$(fact move | grep -c complete)" 1
	is "$mode: and their session finishes" "$(fact end)" "ok ok"
	is "$mode: no access of a device faults" "$(grep -c 'vtd_dmar_fault\|amdvi_page_fault' "$tap_scratch/trace")" 0
done
tap_done
