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
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
read -r kept sharing other <<<"$LAB_DEVICES"
bind-vfio $LAB_DEVICES
dma_session
dma memory 16
dma device kept "$kept"
dma device sharing "$sharing"
dma device other "$other"
dma domain one kept
dma map one 0x1000000
dma attach kept one
dma attach sharing one
dma domain two other
dma map two 0x2000000
dma attach other two

dma write 0x0 0x1111
dma load "$kept" 0x1000000
dma write 0x0 0x2222
dma load "$sharing" 0x1000000
dma write 0x0 0x3333
dma load "$other" 0x2000000
dma store "$kept" 0x1001000
dma store "$sharing" 0x1002000
dma store "$other" 0x2003000
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
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
read -r kept sharing other <<<"$LAB_DEVICES"
cat /sys/kernel/liveupdate/ledger/previous >"$LAB_RESULTS/previous"
dma_session
dma retrieve-session isolation
dma retrieve memory 1
note unchanged "$(dma count 0x5555)"
note masters "$(for bdf in "$kept" "$sharing" "$other"; do is_master "$bdf"; done | xargs)"
note open "$(dma try open "$kept")"

make_master "$sharing" "$other"
dma store "$sharing" 0x1002000
dma store "$other" 0x2003000
# Where the memory is, for a device that is not translated at all.
physical=$(dma physical 0x6000)
dma store "$sharing" "$physical"
dma store "$other" "$physical"
# Each other's addresses.
dma store "$sharing" 0x2002000
dma store "$other" 0x1003000
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
