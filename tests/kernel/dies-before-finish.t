#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# A process that is killed on the way leaves a device that does DMA to its own
# memory or to none, and a session that somebody else can retrieve and finish, or
# that is over.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/kernel/dma-session.sh
. "$here/dma-session.sh"

# A device, a process and a session for each moment of death.
stage before <<'END'
set -e
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
bind-vfio $LAB_DEVICES
n=0
for bdf in $LAB_DEVICES; do
	n=$((n + 1))
	dma_preserved_device "dies$n" "$bdf"
	dma write 0x0 $((0x1000 + n))
	dma load "$bdf" 0x1000000
	dma fill 0
	dma hold
done
END
before=$stage

stage after <<'END'
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
devices=($LAB_DEVICES)
bind-vfio $LAB_DEVICES >/dev/null
retrieve() {
	dma_session
	dma retrieve-session "dies$1" || exit
	dma retrieve memory 1 && dma retrieve iommufd 2 && dma retrieve d 3 || exit
}
bound() { retrieve "$1" && dma bind d || exit; }
moved() {
	bound "$1"
	dma restore old 1 && dma domain new d && dma map new 0x1000000 && dma move d new || exit
}
moments=(session retrieved bound restored moved finished)

dma_session; dma retrieve-session dies1 || exit; dma_killed
retrieve 2; dma_killed
bound 3; dma_killed
bound 4; dma restore old 1 || exit; dma_killed
moved 5; dma_killed
moved 6; dma finish || exit; dma_killed

# Nobody has them now. Where a device still masters the bus, it does so in its own
# memory: nothing of what others fill is changed.
for i in 0 1 2 3 4 5; do
	note master "${moments[i]} $(is_master "${devices[i]}")"
done
pages=$(free_pages)
echo always >/sys/kernel/mm/transparent_hugepage/shmem_enabled	# quicker
dma_session
dma memory $pages && dma fill 0x7777 || exit
for i in 0 1 2 3 4 5; do
	dma store "${devices[i]}" 0x1001000
done
note filled $pages
note intact $(($(dma count 0x7777) / 512))
dma_killed

# Somebody else comes for them.
for n in 1 2 3 4 5 6; do
	moment=${moments[n - 1]}
	dma_session
	answer=$(dma try retrieve-session "dies$n")
	note "again-$moment" "$answer"
	[ "$answer" = ok ] || { dma_killed; continue; }
	dma retrieve memory 1 && dma retrieve iommufd 2 && dma retrieve d 3 || exit
	note "wrote-$moment" "$(dma read 0x1000)"
	note "bind-$moment" "$(dma try bind d)"
	dma space new && dma map new 0x1000000 && dma move-to-space d new || exit
	dma store "${devices[n - 1]}" 0x1002000
	note "moved-$moment" "$(dma read 0x2000)"
	note "finish-$moment" "$(dma try finish)"
	dma store "${devices[n - 1]}" 0x1003000
	note "finished-$moment" "$(dma read 0x3000)"
	dma_killed
done

# And everybody can use them again.
n=0
for bdf in $LAB_DEVICES; do
	n=$((n + 1))
	bind-vfio "$bdf" >/dev/null || exit
	dma_session
	dma memory 16 && dma device d "$bdf" && dma domain one d && dma map one 0x1000000 &&
		dma attach d one && dma store "$bdf" 0x1001000 || exit
	note used "$(dma read 0x1000)"
	dma_killed
done
exit 0
END
after=$stage

for mode in ${MODES:-scalable}; do
	lab_what=$mode
	lab_run --mode "$mode" --memory 512 --devices edu,edu,edu,edu,edu,edu --trace "$tap_scratch/trace" "$before" "$after" || continue
	ok "$mode: nearly all memory is given to somebody else" [ "$(fact filled)" -gt 80000 ]
	is "$mode: no device reaches any of it" "$(fact intact)" "$(fact filled)"
	n=0
	for moment in session retrieved bound restored; do
		n=$((n + 1))
		is "$mode: the device whose process died goes on ($moment)" "$(fact master | grep "^$moment ")" "$moment 1"
		is "$mode: in its own memory ($moment)" "$(fact wrote-$moment)" "0x100$n"
		is "$mode: its session can be retrieved again ($moment)" "$(fact again-$moment)" ok
		is "$mode: the device can be moved ($moment)" "$(fact moved-$moment)" "0x100$n"
		is "$mode: and the session finished ($moment)" "$(fact finish-$moment)" ok
		is "$mode: with the device working on ($moment)" "$(fact finished-$moment)" "0x100$n"
	done
	# All was ready to be finished, and closing the session finishes it.
	for moment in moved finished; do
		is "$mode: the device stops with its process ($moment)" "$(fact master | grep "^$moment ")" "$moment 0"
		is "$mode: its session is over ($moment)" "$(fact again-$moment)" ENOENT
	done
	is "$mode: all devices can be used again" "$(fact used | xargs)" "0x1001 0x1002 0x1003 0x1004 0x1005 0x1006"
	is "$mode: no access of a device faults" "$(grep -c vtd_dmar_fault "$tap_scratch/trace")" 0
done
tap_done
