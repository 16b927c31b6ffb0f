#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# A kernel finds AMD's IOMMU translating. Without a record of what it translates for,
# it goes on and blocks all devices, which are stopped then, and amd_iommu=off is ignored.
# With one, amd_iommu=off is refused before the jump, and ignored by a kernel that gets it
# all the same: the preserved device does DMA.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/kernel/workload.sh
. "$here/workload.sh"
# shellcheck source=tests/kernel/dma-session.sh
. "$here/dma-session.sh"
# shellcheck source=tests/kernel/ledger.sh
. "$here/ledger.sh"
# shellcheck source=tests/kernel/successor.sh
. "$here/successor.sh"

amd=(--mode amd --qemu -global --qemu edu.dma_mask=0xffffffff)
# shellcheck source=tests/kernel/found-on.sh
. "$here/found-on.sh"

off='amdvi_control_status .*0x[0-9a-f]*[02468ace]$'
ignored='amd_iommu=off is ignored: a unit is translating, and devices may be running behind it'
for how in "" amd_iommu=off; do
	found "without a record${how:+, $how}" "$how" "${amd[@]}" --trace-events 'amdvi_control_status pci_cfg_write'
	is "$what: the device does not master the bus any more" "$(fact master)" 0
	is "$what: translation never goes off" "$(first "$off")" ""
	like "$what: it is said that nobody knows for whom it was on" "$(log)" \
		'IOMMU:.* was found translating, and nobody knows for whom: all DMA behind it is blocked'
	ledger_records "$lab_results/current" >"$tap_scratch/records"
	is "$what: the ledger has it" "$(awk '$4 == "iommu-block"' "$tap_scratch/records" | wc -l)" 1
	is "$what: who asks for DMA has it" "$(fact again)" 0x1234
done
like "$what: it is said that this is ignored" "$(log)" "$ignored"

# With a record: refused, and ignored
image_lies "$tap_scratch/lies"
stage before <<'END'
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
. "$LAB_PROJECT/tests/kernel/successor.sh"
bind-vfio "$LAB_DEVICES" >/dev/null
dma_preserved_device first "$LAB_DEVICES"
dma write 0x0 0x4711
dma load "$LAB_DEVICES" 0x1000000
successor refused load "$HONEST" amd_iommu=off
dma store "$LAB_DEVICES" 0x1001000
note refused-works "$(dma read 0x1000)"
load "$LAB_INCOMING" amd_iommu=off
dma hold
END
before=$stage
stage after <<'END'
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
note state "$(cat "/sys/bus/pci/devices/$LAB_DEVICES/liveupdate")"
bind-vfio "$LAB_DEVICES" >/dev/null
dma_session
dma retrieve-session first
dma retrieve memory 1
dma store "$LAB_DEVICES" 0x1002000
note works "$(dma read 0x2000)"
dma retrieve iommufd 2
dma retrieve d 3
dma bind d
dma domain two d
dma map two 0x1000000
dma move d two
dma finish
note end "$(cat "/sys/bus/pci/devices/$LAB_DEVICES/liveupdate")"
END
lab_what="amd_iommu=off with a preserved device"
lab_run "${amd[@]}" --outgoing "$successor_outgoing" --incoming "$tap_scratch/lies" --env HONEST="$(readlink -f "$successor_incoming")" \
	--devices edu "$before" "$stage"
is "amd_iommu=off is refused before the jump" "$(fact refused)" "loaded 0, jumped 255, master 1"
like "and it is said why" "$(fact refused-log)" "cannot take over 'iommu-liveupdate-v1;.*': its command line leaves off the IOMMU"
is "lutrace doctor says the same" "$(fact refused-doctor)" "$(fact refused-log)"
is "the device does DMA" "$(fact refused-works)" 0x4711
is "a kernel that gets it has the device wait" "$(fact state)" waiting
like "and says that it ignores it" "$(log)" "$ignored"
is "the device does DMA" "$(fact works)" 0x4711
is "and comes home" "$(fact end)" none
rm -f "$tap_scratch/lies"
tap_done
