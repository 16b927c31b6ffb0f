#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# A device was alone in its IOMMU group when it was preserved, and in the incoming
# kernel it is not: a function of its slot that had been removed is there again,
# found before it or after it. It keeps its translation and comes home. The other
# one has none, and no driver, until then; afterwards they are a group like any.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/kernel/dma-session.sh
. "$here/dma-session.sh"

stage before <<'END'
set -e
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
echo 1 >/sys/bus/pci/devices/$MATE/remove
bind-vfio $KEPT >/dev/null
dma_preserved_device group $KEPT
dma write 0x0 0x1234
dma load $KEPT 0x1000000
dma fill 0
dma hold
END
before=$stage

stage after <<'END'
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
pci=/sys/bus/pci
device=$pci/devices/$KEPT mate=$pci/devices/$MATE
note group $(ls "$device/iommu_group/devices")
bind-vfio $KEPT >/dev/null || note bind-vfio failed
dma_session
dma retrieve-session group
dma retrieve memory 1
dma store $KEPT 0x1001000
note kept "$(dma read 0x1000)"

# A driver that lets the kernel manage DMA, and one that manages it itself
make_master $MATE
echo virtio-pci >"$mate/driver_override"
note mate-driver "$( (echo $MATE >$pci/drivers/virtio-pci/bind) 2>&1 | sed 's/.*: //')"
bind-vfio $MATE >/dev/null || note mate-vfio failed
exec {kept_to}>&"$dma_to" {kept_from}<&"$dma_from"
dma_session
dma memory 4
note mate-owner "$(dma try device m $MATE)"
dma_to=$kept_to dma_from=$kept_from
dma write 0x2000 0x5555
dma store $MATE 0x1002000
note mate-dma "$(dma read 0x2000)"

dma retrieve iommufd 2
note retrieve "$(dma try retrieve d 3)"
note bind "$(dma try bind d)"
note mate-owner-too "$(dma try device m $MATE)"
note mate-early "$(dma try restore old 1) $(dma try move m old)"
dma domain two d
dma map two 0x1000000
note mate-attach-early "$(dma try move m two)"
note move "$(dma try move d two)"
dma store $KEPT 0x1003000
note moved "$(dma read 0x3000)"
note finish "$(dma try finish)"

# The group is on one page table, as ever
note mate-attach "$(dma try attach m two)"
dma load $MATE 0x1003000
dma store $MATE 0x1004000
note mate-works "$(dma read 0x4000)"
note refused $(cat "$device/liveupdate_refused" | wc -l)
dma close-device m
dma close-device d
note end "$(cat "$device/liveupdate")"
note blocked "$(dmesg | grep -c 'blocked until .* is back')"
END
after=$stage

stage removed <<'END'
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
pci=/sys/bus/pci
note remove "$( (echo 1 >"$pci/devices/$MATE/remove") 2>&1)"
bind-vfio $KEPT >/dev/null
note state "$(cat "$pci/devices/$KEPT/liveupdate")"
dma_session
dma retrieve-session group
dma retrieve memory 1
dma retrieve iommufd 2
dma retrieve d 3
dma bind d
dma store $KEPT 0x1001000
dma domain two d
dma map two 0x1000000
dma move d two
dma store $KEPT 0x1002000
note works "$(dma read 0x1000) $(dma read 0x2000) $(dma try finish)"
echo 1 >$pci/rescan
note group $(ls "$pci/devices/$KEPT/iommu_group/devices")
dma store $KEPT 0x1003000
note rescanned "$(dma read 0x3000)"
END
removed=$stage

busy="Device or resource busy"
# shared MODE KEPT MATE OPTION...
shared() {
	local mode=$1 kept=$2 mate=$3 what
	what="$mode, function $kept beside $mate${4:+, ${*:4}}"
	lab_what=$what
	lab_run --mode "$mode" --env KEPT="0000:00:06.$kept" --env MATE="0000:00:06.$mate" \
		--qemu -device --qemu edu,addr=6.0,multifunction=on --qemu -device --qemu edu,addr=6.1 \
		--trace "$tap_scratch/trace" "${@:4}" "$before" "$after"
	is "$what: both are in one group" "$(fact group)" "0000:00:06.0 0000:00:06.1"
	is "$what: the device does DMA as before" "$(fact kept)" 0x1234
	is "$what: the other one has no driver" "$(fact mate-driver)" "$busy"
	is "$what: nor an owner" "$(fact mate-owner)" EBUSY
	is "$what: nor access to memory" "$(fact mate-dma)" 0x5555
	is "$what: the log says that it is blocked" "$(fact blocked)" 1
	is "$what: the device is retrieved and bound" "$(fact retrieve) $(fact bind)" "ok ok"
	is "$what: its owner may have the other one, too" "$(fact mate-owner-too)" ok
	is "$what: but not on the restored page table" "$(fact mate-early)" "ok EINVAL"
	is "$what: nor on another before the device has moved" "$(fact mate-attach-early)" EINVAL
	is "$what: the device moves under DMA" "$(fact move) $(fact moved)" "ok 0x1234"
	is "$what: its session finishes" "$(fact finish) $(fact end)" "ok none"
	is "$what: then the other one works on the same page table" "$(fact mate-attach) $(fact mate-works)" "ok 0x1234"
	is "$what: no access of the device faults" \
		"$(grep -c "vtd_dmar_fault.*sid 0x3$kept" "$tap_scratch/trace")" 0
}
shared scalable 1 0
shared first-stage 0 1
shared legacy 1 0 --incoming-append iommu=pt
shared scalable 0 1 --incoming-append iommu=pt
shared amd 1 0

lab_what="the other one is removed"
lab_run --mode scalable --env KEPT=0000:00:06.1 --env MATE=0000:00:06.0 \
	--qemu -device --qemu edu,addr=6.0,multifunction=on --qemu -device --qemu edu,addr=6.1 "$before" "$removed"
is "the other one can be removed while the device waits" "$(fact remove)" ""
is "the device waits on" "$(fact state)" waiting
is "and comes home" "$(fact works)" "0x1234 0x1234 ok"
is "then the other one may be there again, in the same group" "$(fact group)" "0000:00:06.0 0000:00:06.1"
is "which does not stop the device" "$(fact rescanned)" 0x1234
tap_done
