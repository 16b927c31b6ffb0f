#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# A device that is not there in the incoming kernel, or another in its place, or
# one that is pulled out while it waits or when its owner has it, is lost: it is
# retrieved no more, its session finishes without it, its memory is its user's
# again, and the host runs on. A device beside them does DMA all the time.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/kernel/ledger.sh
. "$here/ledger.sh"
# shellcheck source=tests/kernel/dma-session.sh
. "$here/dma-session.sh"
# shellcheck source=tests/kernel/slot.sh
. "$here/slot.sh"

stage before <<'END'
set -e
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
. "$LAB_PROJECT/tests/kernel/slot.sh"
read -r gone replaced pulled owned alive <<<"$LAB_DEVICES"
read -r gone_port replaced_port _ <<<"$LAB_BRIDGES"
for device in gone replaced pulled owned alive; do
	bind-vfio "${!device}" >/dev/null
	dma_preserved_device "$device" "${!device}"
	dma write 0x0 0x1111
	dma load "${!device}" 0x1000000
	dma fill 0
	dma hold
done
slot_pull "$gone_port" unnoticed
slot_pull "$replaced_port" unnoticed
ask-host plug
slot_power "$replaced_port"
note plugged $(slot_word "$replaced" 0) $(slot_word "$gone" 0)
END
before=$stage

stage after <<'END'
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
. "$LAB_PROJECT/tests/kernel/slot.sh"
read -r gone replaced pulled owned alive <<<"$LAB_DEVICES"
read -r gone_port replaced_port pulled_port owned_port _ <<<"$LAB_BRIDGES"
pci=/sys/bus/pci/devices
bind-vfio "$alive" >/dev/null
dma_session
dma retrieve-session alive
dma retrieve memory 1
exec {alive_to}>&"$dma_to" {alive_from}<&"$dma_from"
# alive NAME: does the device beside still write where it did?
alive() {
	local to=$dma_to from=$dma_from
	dma_to=$alive_to dma_from=$alive_from
	dma write 0x1000 0
	dma store "$alive" 0x1001000
	[ "$(dma read 0x1000)" = 0x1111 ] || note stopped-by "$1"
	dma_to=$to dma_from=$from
}
# ends NAME: what is left of the session of a lost device, and that it is over
ends() {
	note "$1-retrieve" "$(dma try retrieve again 3)"
	note "$1-destroy" "$(dma try restore old 1) $(dma try destroy old)"
	note "$1-finish" "$(dma try finish)"
	# The same memory can be preserved again
	note "$1-again" "$(dma try session "$1-again") $(dma try preserve memory 1) $(dma try unpreserve)"
	alive "$1"
}
# taken NAME: everything of a session but the device
taken() {
	dma_session
	dma retrieve-session "$1"
	dma retrieve memory 1
	dma retrieve iommufd 2
}

note gone-there "$([ -e "$pci/$gone" ] && echo there) $(cat "$pci/$gone_port/liveupdate_devices")"
taken gone
ends gone

note replaced-is "$(cat "$pci/$replaced/device") $(cat "$pci/$replaced/liveupdate")"
note replaced-masters "$(is_master "$replaced") $(cat "$pci/$replaced_port/liveupdate_devices")"
note replaced-works "$(bind-vfio "$replaced" >/dev/null && echo bound)"
dma_session
dma memory 4
note replaced-owned "$(dma try device n "$replaced") $(dma try domain n n) $(dma try map n 0x1000000) $(dma try attach n n)"
taken replaced
ends replaced
note replaced-end "$(cat "$pci/$replaced/liveupdate")"

note pulled-waits "$(cat "$pci/$pulled/liveupdate") $(cat "$pci/$pulled_port/liveupdate_devices")"
slot_pull "$pulled_port"
slot_wait "$pulled" gone || note pulled-stays
note pulled-below "$(cat "$pci/$pulled_port/liveupdate_devices")"
ask-host plug-later
slot_wait "$pulled" there || note pulled-new-missing
note pulled-is "$(cat "$pci/$pulled/device") $(cat "$pci/$pulled/liveupdate") $(is_master "$pulled")"
taken pulled
ends pulled

taken owned
bind-vfio "$owned" >/dev/null
dma retrieve d 3
dma bind d
dma store "$owned" 0x1001000
note owned-works "$(dma read 0x1000)"
slot_pull "$owned_port"
sleep 3
note owned-is "$(cat "$pci/$owned/liveupdate")"
note owned-finish "$(dma try finish)"
dma close-device d
slot_wait "$owned" gone || note owned-stays
note owned-again "$(dma try session owned-again) $(dma try preserve memory 1) $(dma try unpreserve)"
alive owned

slot=$(grep -l "^0000:${alive:5:2}:00\$" /sys/bus/pci/slots/*/address)
note slot-off "$( (echo 0 >"${slot%/*}/power") 2>&1 | sed 's/.*: //')"
alive slot-off
cat /sys/kernel/liveupdate/ledger/current >"$LAB_RESULTS/current"
dma_to=$alive_to dma_from=$alive_from
dma retrieve iommufd 2
dma retrieve d 3
dma bind d
dma domain two d
dma map two 0x1000000
dma move d two
dma finish
dma store "$alive" 0x1002000
note alive-end "$(dma read 0x2000)"
END
after=$stage

for mode in ${MODES:-scalable legacy first-stage}; do
	lab_what=$mode
	rm -f "$tap_scratch"/monitor.*
	# shellcheck disable=SC2046
	lab_run --mode "$mode" --devices edu,edu,edu,edu,edu $(slot_options) \
		--hook plug="$(slot_plug port1 pci-testdev)" --hook plug-later="$(slot_plug port2 pci-testdev)" \
		--trace "$tap_scratch/trace" "$before" "$after"
	log=$(grep 'liveupdate:' "$lab_results/dmesg-incoming.log")
	for what in "gone 01:00.0 it was not found on the bus" "replaced 02:00.0 another device is in its place" \
		"pulled 03:00.0 it was removed" "owned 04:00.0 it was removed"; do
		read -r name bdf reason <<<"$what"
		is "$mode, $name: the log says once that it is lost, and why" \
			"$(grep -c "device 0000:$bdf is lost: $reason; it cannot be retrieved" <<<"$log")" 1
	done
	is "$mode: the ledger has the reason of each" "$(ledger_records "$lab_results/current" |
		awk '$4 == "device-isolate" { print $8, $10 }' | sort -u | tr '\n' ' ')" \
		"0x10000000000 not-found 0x20000000000 replaced 0x30000000000 removed 0x40000000000 removed "
	for name in gone replaced pulled; do
		is "$mode, $name: the device cannot be retrieved" "$(fact $name-retrieve)" EIO
		is "$mode, $name: its page table is its user's to destroy" "$(fact $name-destroy)" "ok ok"
	done
	for name in gone replaced pulled owned; do
		is "$mode, $name: its session finishes" "$(fact $name-finish)" ok
		is "$mode, $name: its memory can be preserved again" "$(fact $name-again)" "ok ok ok"
	done
	is "$mode, gone: the bridge above counts no device" "$(fact gone-there)" " 0"
	is "$mode, replaced: the newcomer is lost in the place of the other" "$(fact replaced-is)" "0x0005 lost replaced"
	is "$mode, replaced: it does not master the bus before it has a driver" "$(fact replaced-masters)" "0 0"
	is "$mode, replaced: it is a device like any other" "$(fact replaced-works) $(fact replaced-owned)" "bound ok ok ok ok"
	is "$mode, replaced: nothing is lost when that session is over" "$(fact replaced-end)" none
	is "$mode, pulled: it waits until then" "$(fact pulled-waits)" "waiting 1"
	is "$mode, pulled: the bridge above counts no device" "$(fact pulled-stays)$(fact pulled-below)" 0
	is "$mode, pulled: another card in its slot does not master the bus" \
		"$(fact pulled-new-missing)$(fact pulled-is)" "0x0005 lost removed 0"
	is "$mode, owned: it does DMA until then" "$(fact owned-works)" 0x1111
	is "$mode, owned: it is lost while its driver waits for its user" "$(fact owned-is)" "lost removed"
	is "$mode, owned: it goes when its user lets go" "$(fact owned-stays)" ""
	is "$mode: the slot of a device that waits cannot be switched off" "$(fact slot-off)" "Device or resource busy"
	is "$mode: nothing of this stops the device beside them" "$(fact stopped-by)" ""
	is "$mode: which comes home" "$(fact alive-end)" 0x1111
	is "$mode: no page stays reserved" "$(grep -c 'stay reserved' <<<"$log")" 0
done
tap_done
