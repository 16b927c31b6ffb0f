#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# What cannot be preserved is refused with the error that says why, one line in
# the log names the reason, and a refusal leaves nothing behind.

# shellcheck source=tests/lab/tap.sh
. "$(dirname "$0")/../lab/tap.sh"

stage outgoing <<'END'
"$LAB_BUILD"/tests/kernel/preserve-errors "$(bind-vfio $LAB_DEVICES)"
END
lab_try --mode scalable --devices igb "$stage"
stage_tap 1
ok "the run succeeds" [ "$lab_status" = 0 ]

log=$(cat "$lab_results/dmesg-outgoing.log")
like "the log says that memory was not mapped from a file" "$log" \
	'HWPT token 0x11 cannot be preserved: IOVA 0x2000000-0x20fffff was not mapped with IOMMU_IOAS_MAP_FILE'
like "the log says that seals were missing" "$log" \
	'IOVA 0x2000000-0x20fffff was mapped before F_SEAL_GROW, F_SEAL_SHRINK and F_SEAL_SEAL were set'
like "the log says that a memfd is not in the session" "$log" \
	'IOVA 0x2000000-0x20fffff is of a memfd that the session does not hold yet'
like "the log says which page is another one" "$log" \
	'IOVA 0x200a000-0x20fffff maps a page that is not in its memfd any more'
like "the log says who may not have a memfd preserved" "$log" 'a memfd that is open for reading alone cannot be preserved'
like "the log says that the iommufd comes first" "$log" \
	'vfio-pci [0-9a-f:.]+: cannot be preserved: its iommufd is not preserved in the same session before it'

stage off <<'END'
"$LAB_BUILD"/tests/kernel/preserve-errors "$(bind-vfio $LAB_DEVICES)" off
END
lab_what=off
lab_try --mode scalable --devices igb --append iommu.liveupdate=off "$stage"
stage_tap 1
ok "switched off: the run succeeds" [ "$lab_status" = 0 ]

# Devices behind a conventional PCI bridge are one requester for the IOMMU.
stage alias <<'END'
set -e
pair=$(cd /sys/bus/pci/devices && for d in *; do
	[ "$(cat $d/device)" != 0x11e8 ] || echo $d; done)
cdevs=$(bind-vfio $pair)
"$LAB_BUILD"/tests/kernel/preserve-alias $cdevs
END
lab_what='devices that share a requester ID'
lab_try --mode scalable --qemu -device --qemu pcie-pci-bridge,id=shared \
	--qemu -device --qemu edu,bus=shared,addr=1 \
	--qemu -device --qemu edu,bus=shared,addr=2 "$stage"
stage_tap 1
ok "the run with a shared requester ID succeeds" [ "$lab_status" = 0 ]
like "the log says so" "$(cat "$lab_results/dmesg-outgoing.log")" "uses requester IDs of other devices, which cannot cross"

tap_done
