#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# An owner who comes back and makes a mistake does not stop the device: binding it
# and moving it to another page table with an argument that the kernel cannot
# answer in, binding it to another iommufd, ending half-way. All of it can be
# done again.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/kernel/dma-session.sh
. "$here/dma-session.sh"

stage before <<'END'
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
bind-vfio "$LAB_DEVICES" >/dev/null
dma_preserved_device faults "$LAB_DEVICES" || exit
dma write 0x0 0x3333
dma load "$LAB_DEVICES" 0x1000000
dma hold
END
before=$stage

stage after <<'END'
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
runs() {
	dma write 0x1000 0x0
	note "$1-master" "$(is_master "$LAB_DEVICES") $(is_master "$LAB_BRIDGES")"
	note "$1-works" "$(dma store "$LAB_DEVICES" 0x1001000 && dma read 0x1000)"
}
comes_back() {
	dma_session
	dma retrieve-session faults
	dma retrieve memory 1
	dma retrieve iommufd 2
	dma retrieve d 3
}
comes_back
note other "$(dma try bind d other)"
runs other
note bind "$(dma try fault-bind d)"
runs bind
dma_killed

# Another one takes over from it
comes_back
runs again
note bind-again "$(dma try fault-bind d)"
runs bind-again
dma bind d
dma domain two d
dma map two 0x1000000
note move "$(dma try fault-move d two)"
runs move
note move-again "$(dma try move d two)"
runs move-again
note finish "$(dma try finish)"
runs finish
END

lab_run --mode scalable --devices edu --trace "$tap_scratch/trace" "$before" "$stage"
runs() {
	is "  device and bridge master the bus" "$(fact "$1-master")" "1 1"
	is "  the device does DMA" "$(fact "$1-works")" 0x3333
}
is "binding the device to another iommufd is refused" "$(fact other)" EPERM
runs other
is "binding it with an argument that cannot be answered in fails" "$(fact bind)" EFAULT
runs bind
is "the next owner finds it running" "$(fact again-works)" 0x3333
is "binding it fails for the next owner in the same way" "$(fact bind-again)" EFAULT
runs bind-again
is "moving it with an argument that cannot be answered in fails" "$(fact move)" EFAULT
runs move
is "it can be moved again" "$(fact move-again)" ok
runs move-again
is "and its session finished" "$(fact finish)" ok
runs finish
is "no access faults" "$(grep -c vtd_dmar_fault "$tap_scratch/trace")" 0
tap_done
