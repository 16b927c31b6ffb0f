#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Devices cross, each in a session of its own, and the records of files are damaged: of
# an iommufd, or of a device. Nobody can have that device back. It is lost: it masters
# the bus no more and reaches no memory even if it is made to; log, ledger and sysfs say
# why; its session finishes, whether or not anybody has tried to retrieve it. The device
# whose records are as they were comes home.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/kernel/dma-session.sh
. "$here/dma-session.sh"
# shellcheck source=tests/kernel/ledger.sh
. "$here/ledger.sh"

export damages='iommufd-bit iommufd-token iommufd-domain iommufd-twice iommufd-other vfio-bit vfio-device vfio-nobody vfio-irq vfio-other pci-driver'

stage before <<'END'
set -e
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
set -- $LAB_DEVICES
for name in missed $DAMAGES good; do
	bind-vfio "$1" >/dev/null
	dma_preserved_device "$name" "$1" 4
	dma write 0x0 0x1111
	dma load "$1" 0x1000000
	dma fill 0
	dma hold
	shift
done
# The record of the first page table is missed in one mode: what names another page
# table that is not there is damaged all the same.
[ "$LAB_MODE" != legacy ] || "$LAB_BUILD/tests/kernel/damage-record" domain-bit
END
before=$stage

stage after <<'END'
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
pci=/sys/bus/pci/devices
set -- $LAB_DEVICES
shift
for name in $DAMAGES; do
	"$LAB_BUILD/tests/kernel/damage-record" "$name" "$1" || note "$name-undamaged"
	shift
done
set -- $LAB_DEVICES
for name in missed $DAMAGES good; do
	bdf=$1
	shift
	note "$name-bdf" "$bdf"
	bind-vfio "$bdf" >/dev/null
	dma_session
	dma retrieve-session "$name"
	dma retrieve memory 1
	iommufd='' retrieved=''
	case $name in
	iommufd-token|vfio-device) finish=$(dma try finish) ;;	# nobody has tried
	*)
		iommufd=$(dma try retrieve iommufd 2)
		retrieved=$(dma try retrieve d 3)
		note "$name-is" "$(cat "$pci/$bdf/liveupdate") $(is_master "$bdf")" ;;
	esac
	make_master "$bdf"
	dma store "$bdf" 0x1001000
	note "$name-writes" "$(dma read 0x1000)"
	if [ "$retrieved" = ok ]; then
		dma bind d
		dma domain n d
		dma map n 0x1000000
		dma move d n
		dma store "$bdf" 0x1002000
		note "$name-home" "$(dma read 0x2000)"
	fi
	[ "$name" = iommufd-token ] || [ "$name" = vfio-device ] || finish=$(dma try finish)
	note "$name-session" "$iommufd $retrieved $finish"
	note "$name-after" "$(cat "$pci/$bdf/liveupdate")"
done
note all-finished "$(grep -c . /sys/kernel/liveupdate/incoming 2>/dev/null)"
cat /sys/kernel/liveupdate/ledger/current >"$LAB_RESULTS/current"
END
after=$stage

for mode in ${MODES:-scalable legacy first-stage}; do
	lab_what=$mode
	lab_run --mode "$mode" --memory 768 --devices "$(printf 'edu,%.0s' $damages)edu,edu" --env DAMAGES="$damages" \
		--trace "$tap_scratch/trace" "$before" "$after" || continue
	log=$(cat "$lab_results/dmesg-incoming.log")
	reasons=$(ledger_records "$lab_results/current" | awk '$4 == "device-isolate" { print $8, $10 }' | sort -u)
	for name in $damages; do
		what="$mode: $name"
		bdf=$(fact "$name-bdf")
		object=$(printf '0x%x' $(((0x${bdf:5:2} << 8 | 0x${bdf:8:2} << 3 | ${bdf:11}) << 32)))
		case $name in
		iommufd-token|vfio-device) expected='  ok' ;;
		iommufd-*) expected='EIO EIO ok' ;;
		vfio-*|pci-driver) expected='ok EIO ok' ;;
		esac
		is "$what: it cannot be retrieved, and its session finishes" "$(fact "$name-session")" "$expected"
		# That names no file of its own: no session gives up on it
		lost='lost file'
		[ "$name" != vfio-other ] || lost=none
		[ "${expected% ok}" = ' ' ] ||
			is "$what: the device is lost, and does not master the bus" "$(fact "$name-is")" "$lost 0"
		is "$what: it reaches no memory, even if it is made to master the bus" "$(fact "$name-writes")" 0
		is "$what: the log says so once" "$(grep -c "device $bdf is lost: the record of its file, or of its iommufd, is damaged" <<<"$log")" 1
		ok "$what: the ledger has the reason" grep -qx "$object file" <<<"$reasons"
		is "$what: after that it is a device like any other" "$(fact "$name-after")" none
	done
	is "$mode: the device without damage has waited, writes where it did, and comes home" \
		"$(fact good-is), $(fact good-writes), $(fact good-session), $(fact good-home)" "retrieved 1, 0x1111, ok ok ok, 0x1111"
	[ "$mode" != legacy ] ||
		is "$mode: the device whose page table is not recorded is lost" "$(fact missed-is), $(fact missed-session)" "lost no-domain 0, ok EIO ok"
	is "$mode: nothing was damaged in vain" "$(grep -c undamaged "$lab_results/facts")" 0
	unlike=$(grep -E 'WARNING|BUG|Oops' <<<"$log")
	is "$mode: the kernel has nothing to complain of" "$unlike" ''
done
tap_done
