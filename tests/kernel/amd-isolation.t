#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# With AMD's IOMMU, too, a device that was not preserved cannot reach memory after
# the jump, not even if it was attached to a page table that is preserved.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/kernel/ledger.sh
. "$here/ledger.sh"
# shellcheck source=tests/kernel/dma-session.sh
. "$here/dma-session.sh"

# Edu devices, all of which map the same memory: one is preserved, one shares its
# page table, one has a page table of its own.
stage before <<'END'
set -e
. "$LAB_PROJECT/tests/kernel/isolation.sh"
read -r kept sharing other <<<"$LAB_DEVICES"
bind-vfio $LAB_DEVICES
isolation_devices "$kept" "$sharing" "$other"
isolation_word "$kept" 0x1111 0x1000000 1
isolation_word "$sharing" 0x2222 0x1000000 2
isolation_word "$other" 0x3333 0x2000000 3
note outgoing "$(for i in 1 2 3; do dma read "0x${i}000"; done | xargs)"

dma fill 0x5555
dma mark one 1
dma session isolation
dma preserve memory 1
dma preserve iommufd 2
dma preserve kept 3
dma hold
END
before=$stage
stage after <<'END'
set -e
. "$LAB_PROJECT/tests/kernel/isolation.sh"
read -r kept sharing other <<<"$LAB_DEVICES"
cat /sys/kernel/liveupdate/ledger/previous >"$LAB_RESULTS/previous"
dma_session
dma retrieve-session isolation
dma retrieve memory 1
note unchanged "$(dma count 0x5555)"
note masters "$(for bdf in "$kept" "$sharing" "$other"; do is_master "$bdf"; done | xargs)"
note open "$(dma try open "$kept")"

isolation_reach "$sharing" 0x1002000 0x2002000
isolation_reach "$other" 0x2003000 0x1003000
note unreached "$(dma count 0x5555)"

dma store "$kept" 0x1001000
note incoming "$(dma read 0x1000)"
note others "$(dma count 0x5555)"
END

lab_run --mode amd --devices edu,edu,edu --qemu -global --qemu edu.dma_mask=0xffffffff "$before" "$stage"
is "all devices reach memory before" "$(fact outgoing)" "0x1111 0x2222 0x3333"
is "memory is the same after the jump" "$(fact unchanged)" 8192
is "only the preserved device masters the bus" "$(fact masters)" "1 0 0"
is "its character device cannot be opened" "$(fact open)" EBUSY
is "the others reach nothing when they master it again" "$(fact unreached)" 8192
is "the preserved device still does" "$(fact incoming)" "0x1111"
is "and writes nowhere else" "$(fact others)" 8191

ledger_records "$lab_results/previous" >"$tap_scratch/records"
cleared() { awk -v id="$1" '$4 == "device-clear" && $8 == id' "$tap_scratch/records" | wc -l; }
is "the entries of the others are cleared before the jump" \
	"$(cleared 0x4800000000) $(cleared 0x5000000000)" "1 1"
is "the entry of the preserved device is not" "$(cleared 0x4000000000)" 0
tap_done
