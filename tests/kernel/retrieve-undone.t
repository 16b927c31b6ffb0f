#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# An iommufd whose second page table cannot be retrieved is not retrieved: the devices
# go on in both, and when nothing stands in the way any more all of it is retrieved.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/kernel/dma-session.sh
. "$here/dma-session.sh"

stage before <<'END'
set -e
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
bind-vfio $LAB_DEVICES
devices=($LAB_DEVICES)
dma_session
dma memory 16
for n in 1 2; do
	dma device "d$n" "${devices[n - 1]}"
	dma domain "one$n" "d$n"
	dma map "one$n" "0x${n}000000"
	dma attach "d$n" "one$n"
	dma mark "one$n" $n
done
dma session home
dma preserve memory 1
dma preserve iommufd 2
dma preserve d1 3
dma preserve d2 4
dma write 0x0 0x1001
for n in 1 2; do
	dma load "${devices[n - 1]}" "0x${n}000000"
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
place=0
# works NAME: both devices do DMA, each through its own page table
works() {
	local n
	for n in 1 2; do
		place=$((place + 1))
		dma store "${devices[n - 1]}" $((n * 0x1000000 + place * 4096))
		note "works-$1" "$(dma read $((place * 4096)))"
	done
}

# Not before the jump: freezing writes the record anew.
"$LAB_BUILD/tests/kernel/damage-record" iommufd-token
dma_session
dma retrieve-session home
dma retrieve memory 1
note refused "$(dma try retrieve iommufd 2) $(dma try retrieve iommufd 2)"
works refused

# Whoever is given pages fills them; those of the page tables are not among them.
home=("$dma_to" "$dma_from")
pages=$(free_pages)
echo always >/sys/kernel/mm/transparent_hugepage/shmem_enabled	# quicker
dma_session
others=("$dma_to" "$dma_from")
dma memory $pages
dma fill 0x7777
dma_to=${home[0]} dma_from=${home[1]}
works filled
dma_to=${others[0]} dma_from=${others[1]}
note filled $pages
note intact $(($(dma count 0x7777) / 512))
dma_to=${home[0]} dma_from=${home[1]}

"$LAB_BUILD/tests/kernel/damage-record" iommufd-token	# the bit is what it was again
dma retrieve iommufd 2
dma retrieve d1 3
dma retrieve d2 4
for n in 1 2; do
	dma bind "d$n"
	dma restore "old$n" $n
done
works restored
for n in 1 2; do
	dma domain "new$n" "d$n"
	dma map "new$n" "0x${n}000000"
	dma move "d$n" "new$n"
	dma destroy "old$n"
done
works moved
note finish "$(dma try finish)"
works finished
END
after=$stage

for mode in ${MODES:-legacy scalable first-stage}; do
	lab_what=$mode
	lab_run --mode "$mode" --memory 512 --devices edu,edu --trace "$tap_scratch/trace" "$before" "$after" || continue
	is "$mode: an iommufd with a page table that is not there is refused, each time" "$(fact refused)" "ENOENT ENOENT"
	is "$mode: memory that others fill is reached by no device" "$(fact intact)" "$(fact filled)"
	for when in refused filled restored moved finished; do
		is "$mode: the devices work ($when)" "$(fact "works-$when" | xargs)" "0x1001 0x1001"
	done
	is "$mode: and the session finishes" "$(fact finish)" ok
	is "$mode: no access of a device faults" "$(grep -c vtd_dmar_fault "$tap_scratch/trace")" 0
done
tap_done
