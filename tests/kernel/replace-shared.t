#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Two devices on one restored page table, and one on another in the same address
# space, are moved one by one, to one new page table or to their own. Those that
# have not been moved are not disturbed.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/kernel/dma-session.sh
. "$here/dma-session.sh"

stage before <<'END'
set -e
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
devices=($LAB_DEVICES)
bind-vfio $LAB_DEVICES
dma_session
dma memory 16
for i in 0 1 2; do
	dma device "d$i" "${devices[i]}"
done
dma domain shared d0
dma map shared 0x1000000
dma attach d0 shared
dma attach d1 shared
dma sibling sibling shared d2
dma attach d2 sibling
dma mark shared 1
dma mark sibling 2
dma session shared
dma preserve memory 1
dma preserve iommufd 2
for i in 0 1 2; do
	dma preserve "d$i" $((3 + i))
done
for i in 0 1 2; do
	dma write 0x0 $((0x1000 + i))
	dma load "${devices[i]}" 0x1000000
done
dma fill 0
dma hold
END
before=$stage

stage after <<'END'
set -e
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
bind-vfio $LAB_DEVICES >/dev/null
devices=($LAB_DEVICES)
# All three devices write a word; device i is at the address in bases[i].
bases=(0x1000000 0x1000000 0x1000000)
work() {
	local i words=
	dma fill 0
	for i in 0 1 2; do
		dma store "${devices[i]}" $((bases[i] + (i + 1) * 4096))
		words+=" $(dma read $(((i + 1) * 4096)))"
	done
	note "$1" $words "$(dma count 0)"
}
dma_session
dma retrieve-session shared
dma retrieve memory 1
dma retrieve iommufd 2
for i in 0 1 2; do
	dma retrieve "d$i" $((3 + i))
	dma bind "d$i"
done
dma restore shared 1
dma restore sibling 2
work bound

dma domain new d0
dma map new 0x2000000
dma move d0 new
bases[0]=0x2000000
work first-moved
note destroy-used "$(dma try destroy shared)"
# What the others use has nothing at the new address.
dma fill 0
dma store "${devices[1]}" 0x2001000
note foreign "$(dma count 0)"
dma move d1 new
bases[1]=0x2000000
work second-moved
note destroy-shared "$(dma try destroy shared)"
work destroyed
note destroy-sibling-used "$(dma try destroy sibling)"
note finish-early "$(dma try finish)"
dma domain own d2
dma map own 0x3000000
dma move d2 own
bases[2]=0x3000000
work all-moved
note destroy-sibling "$(dma try destroy sibling)"
note finish "$(dma try finish)"
work finished
END
after=$stage

words="0x1000 0x1001 0x1002 8189"
for mode in ${MODES:-scalable}; do
	lab_what=$mode
	lab_run --mode "$mode" --devices edu,edu,edu --trace "$tap_scratch/trace" "$before" "$after" || continue
	for when in bound first-moved second-moved destroyed all-moved finished; do
		is "$mode: every device writes its word where it should ($when)" "$(fact $when)" "$words"
	done
	is "$mode: what others are on is not destroyed" "$(fact destroy-used) $(fact destroy-sibling-used)" "EBUSY EBUSY"
	is "$mode: what nobody is on is" "$(fact destroy-shared) $(fact destroy-sibling)" "ok ok"
	is "$mode: a device does not see the new page table of another" "$(fact foreign)" 8192
	is "$mode: the session finishes when all are moved, and not before" "$(fact finish-early) $(fact finish)" "EBUSY ok"
	is "$mode: only what is not mapped faults" \
		"$(grep -o 'vtd_dmar_fault sid 0x[0-9a-f]*' "$tap_scratch/trace" | sort -u)" "vtd_dmar_fault sid 0x200"
done
tap_done
