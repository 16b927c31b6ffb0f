#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# A physical function that is not there in the incoming kernel, or is pulled out while it waits
# or when its owner has it, takes its virtual function along: each is lost for the owner of its
# own, whose session finishes without it. Another card goes on.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/kernel/dma-session.sh
. "$here/dma-session.sh"
# shellcheck source=tests/kernel/slot.sh
. "$here/slot.sh"

# Both stages
cat >"$tap_scratch/vfs" <<'END'
token=6a9e7bd1-3f0c-4e6b-9a55-2f2f0c1d7e11
pci=/sys/bus/pci/devices
# vf PF: its virtual function
vf() { basename "$(readlink "$pci/$1/virtfn0")"; }
END

stage before <<'END'
set -e
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
. "$LAB_PROJECT/tests/kernel/slot.sh"
. "$VFS"
read -r gone pulled owned alive <<<"$LAB_DEVICES"
read -r gone_port _ <<<"$LAB_BRIDGES"
# preserved SESSION DEVICE
preserved() {
	dma_session
	dma memory 16
	dma device d "$2" "$token"
	dma domain one d
	dma map one 0x1000000
	dma attach d one
	dma mark one 1
	dma_preserve "$1"
	dma hold
}
for card in gone pulled owned; do
	bind-vfio "${!card}" >/dev/null
	echo 1 >"$pci/${!card}/sriov_numvfs"
	note "$card-vf" "$(vf "${!card}")"
	preserved "$card" "${!card}"
	preserved "$card-vf" "$(vf "${!card}")"
done
bind-vfio "$alive" >/dev/null
dma_preserved_device alive "$alive"
dma write 0x0 0x1111
dma load "$alive" 0x1000000
dma hold
slot_pull "$gone_port" unnoticed
END
before=$stage

stage after <<'END'
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
. "$LAB_PROJECT/tests/kernel/slot.sh"
. "$VFS"
read -r gone pulled owned alive <<<"$LAB_DEVICES"
read -r gone_port pulled_port owned_port _ <<<"$LAB_BRIDGES"
known() { sed -n "s/^$1 //p" "$LAB_RESULTS/facts"; }
# taken SESSION: everything of a session but the device
taken() {
	dma_session
	dma retrieve-session "$1"
	dma retrieve memory 1
	dma retrieve iommufd 2
}
# ends NAME: what is left of the session of a lost function, and that it is over
ends() {
	note "$1-end" "$(dma try retrieve again 3) $(dma try restore old 1) $(dma try destroy old) $(dma try finish)"
	note "$1-again" "$(dma try session "$1-again") $(dma try preserve memory 1) $(dma try unpreserve)"
}
# lost CARD: both of its functions, in sessions that nobody has asked for yet
lost() {
	for name in "$1" "$1-vf"; do
		taken "$name"
		ends "$name"
	done
}

note gone-there "$(ls -d "$pci/$gone" "$pci/$(known gone-vf)" 2>/dev/null) $(cat "$pci/$gone_port/liveupdate_devices")"
lost gone

note pulled-waits "$(cat "$pci/$pulled/liveupdate" "$pci/$(vf "$pulled")/liveupdate" | xargs) $(cat "$pci/$pulled_port/liveupdate_devices")"
slot_pull "$pulled_port"
slot_wait "$pulled" gone || note pulled-stays
slot_wait "$(known pulled-vf)" gone || note pulled-stays
note pulled-below "$(cat "$pci/$pulled_port/liveupdate_devices")"
lost pulled

owned_vf=$(vf "$owned")
bind-vfio "$owned" "$owned_vf" >/dev/null
taken owned
dma retrieve d 3
dma bind d
pf_to=$dma_to pf_from=$dma_from
taken owned-vf
dma retrieve d 3
dma bind d
note owned-is "$(cat "$pci/$owned/liveupdate" "$pci/$owned_vf/liveupdate" | xargs)"
slot_pull "$owned_port"
sleep 3
note owned-lost "$(cat "$pci/$owned_vf/liveupdate")"
note owned-vf-finish "$(dma try finish)"
dma close-device d
slot_wait "$owned_vf" gone || note owned-stays
dma_to=$pf_to dma_from=$pf_from
note owned-finish "$(dma try finish)"
dma close-device d
slot_wait "$owned" gone || note owned-stays
note owned-again "$(dma try session owned-again) $(dma try preserve memory 1) $(dma try unpreserve)"

bind-vfio "$alive" >/dev/null
taken alive
dma retrieve d 3
dma bind d
dma store "$alive" 0x1001000
dma domain two d
dma map two 0x1000000
dma move d two
dma finish
note alive "$(dma read 0x1000)"
END

for mode in ${MODES:-scalable legacy first-stage}; do
	rm -f "$tap_scratch"/monitor.*
	# shellcheck disable=SC2046 # words
	lab_run --mode "$mode" --devices igb,igb,igb,edu $(slot_options) --append vfio_pci.enable_sriov=1 \
		--env VFS="$tap_scratch/vfs" --trace "$tap_scratch/trace" "$before" "$stage" || continue
	log=$(grep 'liveupdate:' "$lab_results/dmesg-incoming.log")
	for what in "gone it was not found on the bus" "pulled it was removed" "owned it was removed"; do
		read -r card reason <<<"$what"
		is "$mode, $card: the log says once of each function that it is lost, and why" \
			"$(grep -c "is lost: $reason; it cannot be retrieved" <<<"$(grep "$(fact "$card-vf" | cut -d: -f2):" <<<"$log")")" 2
	done
	for name in gone gone-vf pulled pulled-vf; do
		is "$mode, $name: it cannot be retrieved, and its session finishes" "$(fact $name-end)" "EIO ok ok ok"
		is "$mode, $name: its memory can be preserved again" "$(fact $name-again)" "ok ok ok"
	done
	is "$mode, gone: nothing is found, and the bridge above counts no device" "$(fact gone-there)" " 0"
	is "$mode, pulled: both wait until then" "$(fact pulled-waits)" "waiting waiting 2"
	is "$mode, pulled: both go, and the bridge above counts no device" "$(fact pulled-stays)$(fact pulled-below)" 0
	is "$mode, owned: both have owners until then" "$(fact owned-is)" "retrieved retrieved"
	is "$mode, owned: the virtual function is lost while its user has it" "$(fact owned-lost)" "lost removed"
	is "$mode, owned: both sessions finish" "$(fact owned-vf-finish) $(fact owned-finish)" "ok ok"
	is "$mode, owned: both go when their users let go" "$(fact owned-stays)" ""
	is "$mode, owned: the memory can be preserved again" "$(fact owned-again)" "ok ok ok"
	is "$mode: a card beside them comes home" "$(fact alive)" 0x1111
	is "$mode: no page stays reserved" "$(grep -c 'stay reserved' <<<"$log")" 0
	is "$mode: no access of a device faults" "$(grep -c vtd_dmar_fault "$tap_scratch/trace")" 0
done
tap_done
