#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Address Translation Services of a device that crossed stay as they are while it is
# on its restored page table, for a running device is not written to. When its owner
# has moved it, this kernel enables them as for any device. (The outgoing kernel has to
# do without: it refuses to preserve a device that has them enabled.)

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/kernel/dma-session.sh
. "$here/dma-session.sh"

# Both stages: the ATS Control register of a device (PCIe 7.8.8)
cat >"$tap_scratch/ats" <<'END'
ats_control() {
	local config=/sys/bus/pci/devices/$1/config at=256 header
	while [ "$at" != 0 ]; do
		header=$(($(od -A n -t u4 -j $at -N 4 "$config")))
		[ $((header & 0xffff)) != 15 ] || break
		at=$((header >> 20))
	done
	[ "$at" != 0 ] && printf '0x%x\n' $(($(od -A n -t u2 -j $((at + 6)) -N 2 "$config")))
}
END
stage before <<'END'
set -e
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
. "$ATS"
device=0000:01:00.0
kexec -s -l "$LAB_INCOMING" --command-line="${LAB_INCOMING_CMDLINE//pci=noats/}"
bind-vfio $device >/dev/null
dma_preserved_device ats $device
note before $(ats_control $device)
dma hold
END
before=$stage
stage after <<'END'
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
. "$ATS"
device=0000:01:00.0
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
	lab_run --mode "$mode" --append pci=noats --env ATS="$tap_scratch/ats" \
		--qemu -global --qemu intel-iommu.device-iotlb=on \
		--qemu -device --qemu pcie-root-port,id=ats,chassis=20,addr=0x18 \
		--qemu -device --qemu virtio-rng-pci,bus=ats,ats=on,iommu_platform=on,disable-legacy=on \
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
