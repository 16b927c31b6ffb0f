#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Several devices cross one live update: with page tables of their own, with one
# that they share, and beside a device that stays behind and works normally.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/kernel/ledger.sh
. "$here/ledger.sh"
# shellcheck source=tests/kernel/dma-session.sh
. "$here/dma-session.sh"

# A page table for the first device, one that two devices share, a second one in
# the same address space as that, and a device that is not preserved.
stage before <<'END'
set -e
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
devices=($LAB_DEVICES)
bind-vfio $LAB_DEVICES
dma_session
dma memory 16
for i in 0 1 2 3 4; do
	dma device "d$i" "${devices[i]}"
done
dma domain alone d0
dma map alone 0x1000000
dma attach d0 alone
dma domain shared d1
dma map shared 0x2000000
dma attach d1 shared
dma attach d2 shared
dma sibling sibling shared d3
dma attach d3 sibling
dma domain left d4
dma map left 0x3000000
dma attach d4 left

dma mark alone 10
dma mark shared 20
dma mark sibling 30
dma session several
dma preserve memory 1
dma preserve iommufd 2
for i in 0 1 2 3; do
	dma preserve "d$i" $((3 + i))
done
# Page i is device i's; so is the word that it has loaded.
bases=(0x1000000 0x2000000 0x2000000 0x2000000 0x3000000)
for i in 0 1 2 3 4; do
	dma write $((i * 4096)) $((0x1000 + i))
	dma load "${devices[i]}" $((bases[i] + i * 4096))
done
dma fill 0x5555
dma hold
END
before=$stage
stage after <<'END'
set -e
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
devices=($LAB_DEVICES)
cat /sys/kernel/liveupdate/ledger/previous >"$LAB_RESULTS/previous"
cat /sys/kernel/liveupdate/ledger/current >"$LAB_RESULTS/current"
dma_session
dma retrieve-session several
dma retrieve memory 1
bases=(0x1000000 0x2000000 0x2000000 0x2000000)
for i in 0 1 2 3; do
	dma store "${devices[i]}" $((bases[i] + i * 4096))
	note stored "$(dma read $((i * 4096)))"
done
note rest "$(dma count 0x5555)"
# The first device has no translation for the others' addresses.
dma store "${devices[0]}" 0x2008000
note foreign "$(dma count 0x5555)"

# A new page table, for the device that stayed behind, at the same addresses as
# those that crossed. Its domain id must be none of theirs, nor its memory.
bind-vfio "${devices[4]}" >/dev/null
dma_session
dma memory 16
dma device d4 "${devices[4]}"
dma domain new d4
dma map new 0x2000000
dma attach d4 new
dma write 0x0 0x7777
dma load "${devices[4]}" 0x2000000
dma store "${devices[4]}" 0x2003000
note new "$(dma read 0x3000) $(dma count 0)"
dma store "${devices[3]}" 0x2005000
note new-unchanged "$(dma read 0x5000)"
cat /sys/kernel/debug/iommu/intel/dmar_translation_struct >"$LAB_RESULTS/structures"
END
after=$stage

# shared_ids FILE: domain ids that the IOMMU's debugfs file has with two tables.
# Legacy mode: context entry, id in bits 87:72. Scalable mode: PASID table entry as
# words 2:1:0, id in the lower 16 bits of word 1; table in word 2 or in word 0.
shared_ids() {
	awk '$4 == "0" && split($5, word, ":") == 3 {
		table = substr(word[3], 3, 13) substr(word[1], 3, 13)
		note(substr(word[2], 15), table)
	}
	$4 == "-1" && split($3, word, ":") == 2 { note(substr(word[1], 13, 4), substr(word[2], 3, 13)) }
	function note(id, table) {
		if (id in tables && tables[id] != table)
			print id
		tables[id] = table
		found++
	}
	END { if (found < 5) print "only " found + 0 " entries" }' "$1" | sort -u
}

for mode in ${MODES:-legacy scalable first-stage}; do
	lab_what=$mode
	lab_run --mode $mode --devices edu,edu,edu,edu,edu \
		--trace "$tap_scratch/trace" "$before" "$after"
	is "$mode: each preserved device reaches its memory" "$(fact stored | xargs)" "0x1000 0x1001 0x1002 0x1003"
	is "$mode: and no other" "$(fact rest)" 8188
	is "$mode: a page table maps what it did before and no more" "$(fact foreign)" 8188
	is "$mode: a device that was left behind gets a new page table" "$(fact new)" "0x7777 8190"
	is "$mode: a preserved device does not get into it" "$(fact new-unchanged)" 0
	is "$mode: only what is not mapped faults" \
		"$(grep -o 'vtd_dmar_fault sid 0x[0-9a-f]*' "$tap_scratch/trace" | sort -u)" "vtd_dmar_fault sid 0x100"
	is "$mode: every page table has a domain id of its own" "$(shared_ids "$lab_results/structures")" ""
	ledger_records "$lab_results/previous" >"$tap_scratch/records"
	is "$mode: the unit is preserved once" \
		"$(awk '$4 == "iommu-preserve" && $5 == "end"' "$tap_scratch/records" | wc -l)" 1
	is "$mode: three domains and four devices are preserved" \
		"$(awk '$4 ~ /^(domain|device)-preserve$/ && $5 == "end" && $7 == 0 { n[$4]++ }
			END { print n["domain-preserve"], n["device-preserve"] }' "$tap_scratch/records")" "3 4"
	ledger_records "$lab_results/current" >"$tap_scratch/records"
	is "$mode: three domains are restored and four devices reattached" \
		"$(awk '$4 ~ /^(domain-restore|device-reattach)$/ && $5 == "end" && $7 == 0 { n[$4]++ }
			END { print n["domain-restore"], n["device-reattach"] }' "$tap_scratch/records")" "3 4"
done
tap_done
