#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Memory, iommufd and device can be retrieved in every order, by processes of
# their own, which finish their sessions in every order.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/kernel/dma-session.sh
. "$here/dma-session.sh"

# A session, a process and a device for each order.
stage before <<'END'
set -e
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
bind-vfio $LAB_DEVICES
n=0
for bdf in $LAB_DEVICES; do
	n=$((n + 1))
	dma_preserved_device "order$n" "$bdf" 4
	dma write 0x0 $((0x1000 + n))
	dma load "$bdf" 0x1000000
	dma fill 0
	dma hold
done
END
before=$stage

stage after <<'END'
set -e
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
bind-vfio $LAB_DEVICES >/dev/null
orders=("memory iommufd d" "memory d iommufd" "iommufd memory d" "iommufd d memory"
	"d memory iommufd" "d iommufd memory")
declare -A token=([memory]=1 [iommufd]=2 [d]=3)
devices=($LAB_DEVICES)
tos=() froms=()
# The last session first: sessions have no order either.
for n in 6 5 4 3 2 1; do
	dma_session
	tos[n]=$dma_to froms[n]=$dma_from
	dma retrieve-session "order$n"
	for what in ${orders[n - 1]}; do
		dma retrieve "$what" "${token[$what]}"
	done
	# A file that was retrieved already is the same file.
	dma retrieve file 3
	dma store "${devices[n - 1]}" 0x1001000
	note retrieved "$(dma read 0x1000)"
done
for n in 3 1 5 2 6 4; do
	dma_to=${tos[n]} dma_from=${froms[n]}
	dma bind d
	# Before the page table is restored, and after.
	[ $((n % 2)) = 0 ] || dma restore old 1
	dma domain new d
	dma map new 0x1000000
	if [ "$n" -gt 2 ]; then
		dma move d new
	else
		dma move-to-space d new
	fi
	dma store "${devices[n - 1]}" 0x1002000
	note moved "$n $(dma read 0x2000)"
	[ $((n % 2)) = 0 ] || dma destroy old
	note finish "$(dma try finish)"
	dma close
	dma store "${devices[n - 1]}" 0x1003000
	note finished "$n $(dma read 0x3000)"
done
END
after=$stage

lab_run --mode "${MODE:-scalable}" --devices edu,edu,edu,edu,edu,edu --trace "$tap_scratch/trace" "$before" "$after"
is "devices work on while their files are retrieved in every order" "$(fact retrieved | xargs)" \
	"0x1006 0x1005 0x1004 0x1003 0x1002 0x1001"
is "they work on when they are moved" "$(fact moved | sort | xargs)" \
	"1 0x1001 2 0x1002 3 0x1003 4 0x1004 5 0x1005 6 0x1006"
is "each session finishes, whether its page table was restored or not" "$(fact finish | xargs)" "ok ok ok ok ok ok"
is "they work on afterwards" "$(fact finished | sort | xargs)" \
	"1 0x1001 2 0x1002 3 0x1003 4 0x1004 5 0x1005 6 0x1006"
is "no access of a device faults" "$(grep -c vtd_dmar_fault "$tap_scratch/trace")" 0
tap_done
