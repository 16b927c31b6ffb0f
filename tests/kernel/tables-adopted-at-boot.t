#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# iommu.liveupdate=eager gives the page-table pages back to the kernel's accounts
# at boot, lazy does not look at them: in both DMA goes on, and NR_IOMMU_PAGES is
# what it should be. The tables come in few pieces, whatever was mapped before.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/kernel/ledger.sh
. "$here/ledger.sh"
# shellcheck source=tests/kernel/dma-session.sh
. "$here/dma-session.sh"

# Mappings 2 MiB apart in 4 KiB pages: a leaf table for each. Before there were
# others, and in the end one third is mapped once more, in tables that are used again.
stage before <<'END'
set -e
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
bind-vfio $LAB_DEVICES
dma_session
dma memory 1
dma device d "$LAB_DEVICES"
dma domain one d
for ((i = 0; i < 150; i++)); do
	dma map one $((0x80000000 + i * 0x200000))
done
dma unmap one
for ((i = 0; i < 100; i++)); do
	dma map one $((0x1000000 + i * 0x200000))
done
for ((i = 1; i < 99; i += 3)); do
	dma unmap one $((0x1000000 + i * 0x200000)) 1
done
for ((i = 1; i < 99; i += 3)); do
	dma map one $((0x1000000 + i * 0x200000))
done
dma attach d one
dma mark one 1
dma session eager
dma preserve memory 1
# CPUs keep differences to themselves until they are asked.
iommu_pages() { cat /proc/sys/vm/stat_refresh; sed -n 's/^nr_iommu_pages //p' /proc/vmstat; }
note outgoing "$(iommu_pages)"
dma preserve iommufd 2
dma preserve d 3
note preserved "$(iommu_pages)"
dma fill 0x1111
dma load "$LAB_DEVICES" 0x1000000
dma fill 0
dma hold
END
before=$stage
stage after <<'END'
set -e
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
iommu_pages() { cat /proc/sys/vm/stat_refresh; sed -n 's/^nr_iommu_pages //p' /proc/vmstat; }
note incoming "$(iommu_pages)"
cat /sys/kernel/liveupdate/ledger/previous >"$LAB_RESULTS/previous"
cat /sys/kernel/liveupdate/ledger/current >"$LAB_RESULTS/current"
dma_session
dma retrieve-session eager
dma retrieve memory 1
# Through the first and the last of the leaf tables, and one that was used again.
dma store "$LAB_DEVICES" 0x1000008
dma store "$LAB_DEVICES" $((0x1000000 + 99 * 0x200000 + 16))
dma store "$LAB_DEVICES" $((0x1000000 + 49 * 0x200000 + 24))
note stored "$(dma read 8) $(dma read 16) $(dma read 24) $(dma count 0x1111)"
END
after=$stage

# steps LEDGER STEP: the count that the end of a step says, or nothing
steps() {
	ledger_records "$lab_results/$1" | awk -v step="$2" '$4 == step && $5 == "end" { print $9 }'
}

declare -A pages
for mode in ${MODES:-scalable first-stage}; do
	for how in on eager; do
		lab_what="$mode, $how"
		lab_run --mode $mode --devices edu --incoming-append "iommu.liveupdate=$how" \
			--trace "$tap_scratch/trace" "$before" "$after"
		is "$lab_what: DMA goes on" "$(fact stored)" "0x1111 0x1111 0x1111 3"
		is "$lab_what: nothing faults" "$(grep -c vtd_dmar_fault "$tap_scratch/trace")" 0
		# The unit's interrupt remapping table without entries
		is "$lab_what: preserving adds one page to the account, whatever is mapped" \
			"$(fact preserved)" $(($(fact outgoing) + 1))
		preserved=$(steps previous domain-preserve)
		ok "$lab_what: there is a table for each mapping" [ "$preserved" -ge 103 ]
		# Of everything that crosses
		ok "$lab_what: but fewer preserved blocks than tables" \
			[ "$(steps current kho-reserve)" -lt "$preserved" ]
		is "$lab_what: the domain is restored with all of them" "$(steps current domain-restore)" "$preserved"
		if [ $how = eager ]; then
			is "$lab_what: all are adopted at boot" "$(steps current domain-adopt)" "$preserved"
			is "$lab_what: and counted" $(($(fact incoming) - pages[$mode])) "$preserved"
		else
			is "$lab_what: none is adopted at boot" "$(steps current domain-adopt)" ""
			pages[$mode]=$(fact incoming)
		fi
	done
done
tap_done
