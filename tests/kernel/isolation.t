#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# A device that was not preserved cannot reach memory after the jump, not even if
# it was attached to a page table that is preserved, and masters the bus again.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/kernel/ledger.sh
. "$here/ledger.sh"
# shellcheck source=tests/kernel/dma-session.sh
. "$here/dma-session.sh"

# Edu devices: one is preserved, one only shares its page table, one has a page
# table of its own. Those have a bus, and therefore a context table, each; on the
# root bus, whose context table they share with others, are a second preserved one
# and a neighbour that is not. All map the same memory, and each has a word loaded.
devices=(--devices edu,edu,edu --qemu -global --qemu edu.dma_mask=0xffffffff
	--qemu -device --qemu edu,bus=pcie.0,addr=0x1c --env INNER=0000:00:1c.0
	--qemu -device --qemu edu,bus=pcie.0,addr=0x1d --env NEIGHBOUR=0000:00:1d.0)

stage before <<'END'
set -e
. "$LAB_PROJECT/tests/kernel/isolation.sh"
read -r kept sharing other <<<"$LAB_DEVICES"
bind-vfio $LAB_DEVICES "$INNER" "$NEIGHBOUR"
isolation_devices "$kept" "$sharing" "$other"
dma device inner "$INNER"
dma attach inner one
dma device neighbour "$NEIGHBOUR"
dma attach neighbour one

isolation_word "$kept" 0x1111 0x1000000 1
isolation_word "$sharing" 0x2222 0x1000000 2
isolation_word "$other" 0x3333 0x2000000 3
isolation_word "$INNER" 0x4444 0x1000000 4
isolation_word "$NEIGHBOUR" 0x6666 0x1000000 5
note outgoing "$(for i in 1 2 3 4 5; do dma read "0x${i}000"; done | xargs)"

dma fill 0x5555
dma mark one 1
dma session isolation
dma preserve memory 1
dma preserve iommufd 2
dma preserve kept 3
dma preserve inner 4
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
note masters "$(for bdf in "$kept" "$INNER" "$sharing" "$other" "$NEIGHBOUR"; do is_master "$bdf"; done | xargs)"

isolation_reach "$sharing" 0x1002000 0x2002000
isolation_reach "$other" 0x2003000 0x1003000
isolation_reach "$NEIGHBOUR" 0x1005000 0x2005000
note unreached "$(dma count 0x5555)"

dma store "$kept" 0x1001000
dma store "$INNER" 0x1004000
note incoming "$(dma read 0x1000) $(dma read 0x4000)"
note others "$(dma count 0x5555)"
END
after=$stage

# faults BDF-NUMBER: pages at which accesses of a device faulted
faults() {
	grep -o "vtd_dmar_fault sid $1 .*" "$tap_scratch/trace" |
		sed 's/.* addr 0x\([0-9a-f]*\)[0-9a-f]\{3\} .*/\1/' | sort -u | wc -l
}

for mode in ${MODES:-legacy scalable first-stage}; do
	lab_what=$mode
	lab_run --mode $mode "${devices[@]}" --trace "$tap_scratch/trace" "$before" "$after"
	is "$mode: all devices reach memory before" "$(fact outgoing)" "0x1111 0x2222 0x3333 0x4444 0x6666"
	is "$mode: memory is the same after the jump" "$(fact unchanged)" 8192
	is "$mode: only the preserved devices master the bus" "$(fact masters)" "1 1 0 0 0"
	is "$mode: the others reach nothing when they master it again" "$(fact unreached)" 8192
	is "$mode: the preserved devices still do" "$(fact incoming)" "0x1111 0x4444"
	is "$mode: and write nowhere else" "$(fact others)" 8190
	is "$mode: each access of the others faults" "$(faults 0x200) $(faults 0x300) $(faults 0xe8)" "3 3 3"
	is "$mode: no access of the preserved devices does" "$(faults 0x100) $(faults 0xe0)" "0 0"
	ledger_records "$lab_results/previous" >"$tap_scratch/records"
	is "$mode: the neighbour's entry in a shared context table is cleared before the jump" \
		"$(awk '$4 == "device-clear" && $8 == "0xe800000000"' "$tap_scratch/records" | wc -l)" 1
	is "$mode: the entries of the preserved devices are not" \
		"$(awk '$4 == "device-clear" && ($8 == "0x10000000000" || $8 == "0xe000000000")' "$tap_scratch/records" | wc -l)" 0
	# The neighbour, the host's file systems and the two buses, at least.
	ok "$mode: more than the neighbour's are cleared" \
		[ "$(awk '$4 == "iommu-shutdown" && $5 == "end" { print $9 }' "$tap_scratch/records")" -ge 5 ]
done
tap_done
