#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Address Translation Services that a device had disabled when it crossed stay so while it
# is on its restored page table, for a running device is not written to. When its owner
# has moved it, this kernel enables them as for any device. (The outgoing kernel was told to
# do without. ats-continues.t has them enabled.)

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/kernel/dma-session.sh
. "$here/dma-session.sh"
# shellcheck source=tests/kernel/ats.sh
. "$here/ats.sh"

stage before <<'END'
set -e
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
. "$LAB_PROJECT/tests/kernel/ats.sh"
device=$ats_device
kexec -s -l "$LAB_INCOMING" --command-line="${LAB_INCOMING_CMDLINE//pci=noats/}"
bind-vfio $device >/dev/null
dma_preserved_device ats $device
note before $(ats_control $device)
dma hold
END
before=$stage
stage after <<'END'
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
. "$LAB_PROJECT/tests/kernel/ats.sh"
device=$ats_device
note waiting $(ats_control $device)
bind-vfio $device >/dev/null
dma_session
dma retrieve-session ats
dma retrieve memory 1
dma retrieve iommufd 2
dma retrieve d 3
dma bind d
note retrieved $(ats_control $device)
dma domain two d
dma map two 0x1000000
note move "$(dma try move d two)"
note enabled $(ats_control $device)
note finish "$(dma try finish)"
note unmap "$(dma try unmap two)"
END
for mode in ${MODES:-scalable legacy}; do
	lab_what=$mode
	lab_run --mode "$mode" --append pci=noats "${ats_options[@]}" \
		--trace "$tap_scratch/trace" "$before" "$stage"
	is "$mode: the device crosses with its services disabled" "$(fact before)" 0x0
	is "$mode: they are left alone while it waits" "$(fact waiting)" 0x0
	is "$mode: and when its owner has it back" "$(fact retrieved)" 0x0
	is "$mode: they are enabled when it has moved" "$(fact move) $(fact enabled)" "ok 0x8000"
	is "$mode: its session finishes" "$(fact finish)" ok
	is "$mode: what its new page table maps can go" "$(fact unmap)" ok
	is "$mode: no access faults" "$(grep -c vtd_dmar_fault "$tap_scratch/trace")" 0
done
tap_done
