#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# A kernel finds VT-d translating, and has no record of what it translates for: devices
# are running behind it. Translation stays on and blocks them, then they are stopped. Where
# it has to go off, because of a boot option or for the other mode, that comes before.
#
# That is what is left when all else has failed, so here a crash leads to it: a crash
# kernel is told that it is none.

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

# shellcheck source=tests/kernel/found-on.sh
. "$here/found-on.sh"

for mode in legacy scalable; do
	found "nothing special, $mode" "" --mode $mode
	is "$what: translation never goes off" "$(first 'vtd_dmar_enable enable 0')" ""
	like "$what: it is said that nobody knows for whom it was on" "$(log)" \
		'DMAR: .* was found translating, and nobody knows for whom: all DMA behind it is blocked'
	ledger_records "$lab_results/current" >"$tap_scratch/records"
	is "$what: the ledger has it" "$(awk '$4 == "iommu-block"' "$tap_scratch/records" | wc -l)" 1
	is "$what: the device does not master the bus any more" "$(fact master)" 0
	ok "$what: it is blocked before it is stopped" \
		[ "$(first vtd_reg_dmar_root)" -lt "$(first 'pci_cfg_write igb .*@0x4 <- 0x[0-9a-f]*[0-3]$')" ]
	is "$what: who asks for DMA has it" "$(fact again)" 0x1234
done

# stopped: the device was before translation went off
stopped() {
	local off
	off=$(first 'vtd_dmar_enable enable 0')
	[ -n "$off" ] && [ "$(first 'pci_cfg_write igb .*@0x4 <- 0x[0-9a-f]*[0-3]$')" -lt "$off" ]
}
found "intel_iommu=off, legacy" intel_iommu=off --mode legacy
ok "$what: the device is stopped before translation goes off" stopped
is "$what: and does not master the bus any more" "$(fact master)" 0
like "$what: that is said" "$(log)" '0000:01:00.0: .*bus mastering is switched off: .* is going to be switched off'
found "intel_iommu=sm_off, scalable" intel_iommu=sm_off --mode scalable
ok "$what: the device is stopped before translation goes off" stopped
ok "$what: an empty root table blocks before that" [ "$(first vtd_reg_dmar_root)" -lt "$(first 'vtd_dmar_enable enable 0')" ]
is "$what: who asks for DMA has it" "$(fact again)" 0x1234
tap_done
