# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# For tests with a device that has Address Translation Services, and for their stages.

# shellcheck disable=SC2034 # used by who reads this
ats_device=0000:01:00.0
# shellcheck disable=SC2034
ats_options=(--qemu -global --qemu intel-iommu.device-iotlb=on
	--qemu -device --qemu pcie-root-port,id=ats,chassis=20,addr=0x18
	--qemu -device --qemu virtio-rng-pci,bus=ats,ats=on,iommu_platform=on,disable-legacy=on)

# In a stage: ats_control BDF: the ATS Control register of a device (PCIe 7.8.8)
ats_control() {
	local config=/sys/bus/pci/devices/$1/config at=256 header
	while [ "$at" != 0 ]; do
		header=$(($(od -A n -t u4 -j $at -N 4 "$config")))
		[ $((header & 0xffff)) != 15 ] || break
		at=$((header >> 20))
	done
	[ "$at" != 0 ] && printf '0x%x\n' $(($(od -A n -t u2 -j $((at + 6)) -N 2 "$config")))
}
