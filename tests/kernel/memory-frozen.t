#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# A device writes to its memory all the time. Until its session has finished that
# memory stays what and where it is, whatever its user does with the memfd, the
# kernel with memory, and though its user dies; and then it is ordinary memory.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/kernel/dma-session.sh
. "$here/dma-session.sh"

# Two huge pages' worth, so that they can be collapsed.
stage before <<'END'
set -e
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
bind-vfio $LAB_DEVICES
dma_preserved_device frozen "$LAB_DEVICES" 1024
dma write 0x0 0x1111
dma load "$LAB_DEVICES" 0x1000000
dma fill 0x5555
dma hold
END
before=$stage

stage after <<'END'
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
thp=/sys/kernel/mm/transparent_hugepage/shmem_enabled
# The address has to be a multiple of a huge page, too.
huge_address() { echo always >$thp; dma retrieve memory 1; echo never >$thp; }
attempt() {
	note "$1" "$(dma try "${@:2}")"
	note "moved-$1" "$([ "$(dma places)" = "$places" ] && echo no || echo yes)"
}
swapped() { awk '/^SwapTotal/ { n += $2 } /^SwapFree/ { n -= $2 } END { print n }' /proc/meminfo; }

bind-vfio $LAB_DEVICES >/dev/null
if [ -b /dev/ram0 ]; then
	mkswap /dev/ram0 >/dev/null && swapon /dev/ram0 || exit
	note swap on
fi

dma_session
dma retrieve-session frozen && huge_address || exit
note content "$(dma count 0x5555)"
places=$(dma places)
writes_always "$LAB_DEVICES" 0x1000000 16

# What the kernel does
for _ in 1 2 3; do echo 1 >/proc/sys/vm/compact_memory; done
attempt compact read 0x0
attempt collapse advise collapse
attempt pageout advise pageout
attempt soft-offline advise soft-offline
# What its user does
attempt truncate truncate 512
attempt remove advise remove
attempt punch punch
attempt apart preserve-apart memory 7
attempt write write 0x3f0000 0x3333
note content-afterwards "$(dma read 0x3f0000) $(dma count 0x5555 0x1111)"

# Nobody has it any more, and all other memory is used.
dma_killed
note swapped-before "$(swapped)"
guard || exit
echo 1 >/proc/sys/vm/compact_memory
sleep 5
note guard $guard_pages
note damage "$(guard_damage)"
guard_ends

# Somebody else comes, and the device goes to a new page table.
dma_session
dma retrieve-session frozen && huge_address || exit
attempt again read 0x0
dma retrieve iommufd 2 && dma retrieve d 3 && dma bind d && dma domain new d || exit
attempt map map new 0x1000000
attempt move move d new
attempt punch-moved punch
writes_end
note finish "$(dma try finish)"
note content-finished "$(dma read 0x3f0000) $(dma count 0x5555 0x1111)"

# As ordinary as any. It has to be in no page table for that, where it is pinned.
dma space other && dma move-to-space d other && dma unmap new && dma destroy new || exit
dma fill 0x6666
note swapped-before-pageout "$(swapped)"
note pageout-finished "$(dma try advise pageout) $(($(swapped) > 2048))"
note content-pageout "$(dma count 0x6666)"
note collapse-finished "$(dma try advise collapse) $(dma count 0x6666)"
note apart-finished "$(dma try preserve-apart memory 7)"
note punch-finished "$(dma try punch) $(dma count 0)"
END
after=$stage

for mode in ${MODES:-scalable}; do
	lab_what=$mode
	lab_run --mode "$mode" --memory 512 --devices edu --trace "$tap_scratch/trace" "$before" "$after" || continue
	is "$mode: the memory is as the outgoing kernel left it" "$(fact content)" 524288
	stays() { is "$mode: no page of it is moved $2" "$(fact "moved-$1")" no; }
	stays compact "by compaction"
	ok "$mode: it cannot be collapsed into huge pages" not grep -q '^collapse ok' "$lab_results/facts"
	stays collapse "by the attempt"
	stays pageout "by reclaim"
	[ "$(fact swap)" != on ] ||
		ok "$mode: it cannot be taken offline" not grep -q '^soft-offline ok' "$lab_results/facts"
	stays soft-offline "by that attempt"
	is "$mode: it cannot be truncated" "$(fact truncate)" EPERM
	is "$mode: nor removed" "$(fact remove)" EPERM
	is "$mode: nor can a hole be punched" "$(fact punch)" EPERM
	stays punch "by any of that"
	is "$mode: nor can another session preserve it" "$(fact apart)" EBUSY
	is "$mode: it can be written" "$(fact content-afterwards)" "0x3333 524287"
	ok "$mode: nearly all memory is given to somebody else, when nobody has it any more" \
		[ "$(fact guard)" -gt 60000 ]
	is "$mode: and nobody else's is damaged" "$(fact damage)" 0
	stays again "by that"
	is "$mode: it can be mapped for the device" "$(fact map)" ok
	is "$mode: and the device moved" "$(fact move)" ok
	is "$mode: still nothing can be punched" "$(fact punch-moved)" EPERM
	stays punch-moved "until the end"
	is "$mode: the session finishes" "$(fact finish)" ok
	is "$mode: with its contents" "$(fact content-finished)" "0x3333 524287"
	[ "$(fact swap)" != on ] ||
		is "$mode: then it can be swapped out" "$(fact pageout-finished)" "ok 1"
	is "$mode: and in again" "$(fact content-pageout)" 524288
	is "$mode: and collapsed" "$(fact collapse-finished)" "ok 524288"
	is "$mode: and preserved for the next update" "$(fact apart-finished)" ok
	is "$mode: and punched" "$(fact punch-finished)" "ok 524288"
	is "$mode: no access of the device faults" "$(grep -c vtd_dmar_fault "$tap_scratch/trace")" 0
done
tap_done
