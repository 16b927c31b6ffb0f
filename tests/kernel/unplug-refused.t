#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# A card that runs through a live update stays in its slot: an attention button
# (pciehp) and an eject request (acpiphp) are refused, in the outgoing kernel and
# in the incoming one, until its session is finished. A card that is pulled out all
# the same makes the reboot call fail, not hang; the host goes on when its user
# lets go.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/kernel/dma-session.sh
. "$here/dma-session.sh"

# Both stages
cat >"$tap_scratch/unplug" <<'END'
device=/sys/bus/pci/devices/$LAB_DEVICES
# Ask for the card, and give the kernel more time than it takes
unplug() {
	local tries
	ask-host unplug || exit
	for ((tries = 0; tries < 80 * LAB_SLOWER; tries++)); do
		[ -e "$device" ] || break
		sleep 0.1
	done
	note "$1" "$([ -e "$device" ] && echo stays || echo goes)"
}
works() {
	dma write 0x1000 0x0
	note "$1" "$(dma store "$LAB_DEVICES" 0x1001000 && dma read 0x1000)"
}
END

stage before <<'END'
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
. "$UNPLUG"
bind-vfio "$LAB_DEVICES" >/dev/null
dma_preserved_device unplug "$LAB_DEVICES" || exit
dma write 0x0 0x4444
dma load "$LAB_DEVICES" 0x1000000
unplug out
works out-works
note out-log "$(dmesg | grep -c "$LAB_DEVICES: liveupdate: power off of the slot refused")"
slot=$(grep -l "^${LAB_DEVICES%.*}$" /sys/bus/pci/slots/*/address)
note out-slot "$( (echo 0 >"${slot%/*}/power") 2>&1 | sed 's/.*: //')"
dma hold
END
before=$stage
stage after <<'END'
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
. "$UNPLUG"
unplug in
dma_session
dma retrieve-session unplug
dma retrieve memory 1
dma retrieve iommufd 2
dma retrieve d 3
dma bind d
works back-works
dma domain two d
dma map two 0x1000000
dma move d two
dma finish
dma close-device d
unplug end
END
after=$stage

# Pulled out: the power of the slot goes, which QEMU takes for it
stage surprise <<'END'
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
bind-vfio "$LAB_DEVICES" >/dev/null
dma_preserved_device surprise "$LAB_DEVICES" || exit
bridge=/sys/bus/pci/devices/$LAB_BRIDGES/config
byte() { od -A n -t u1 -j "$1" -N 1 "$bridge" | xargs; }
where=$(byte 0x34)
until [ "$(byte "$where")" = 16 ]; do where=$(byte $((where + 1))); done
# Slot Control (PCIe 7.5.3.10): LOW HIGH byte
control() {
	printf "\\x$(printf %02x "$1")\\x$(printf %02x "$2")" |
		dd of="$bridge" bs=2 seek=$(((where + 24) / 2)) conv=notrunc status=none
}
low=$(byte $((where + 24))) high=$(byte $((where + 25)))
# Power controller and power indicator off, and no event of that; then as before,
# and the kernel is told that no card is present
control $((low & ~0x39)) $(((high | 0x07) & ~0x10))
control "$low" "$high"
until dmesg | grep -q 'pciehp: Slot(.*): \(Link Down\|Card not present\)'; do sleep 0.1; done
sleep 1
kexec -e 2>/dev/null
note jump $(($? != 0))
note log "$(dmesg | grep -c "$LAB_DEVICES: liveupdate: .*cannot cross: this device is being removed")"
dma unpreserve
dma_killed
for ((tries = 0; tries < 100; tries++)); do
	[ -e "/sys/bus/pci/devices/$LAB_DEVICES" ] || break
	sleep 0.1
done
note ends "$([ -e "/sys/bus/pci/devices/$LAB_DEVICES" ] && echo stays || echo goes)"
END
surprise=$stage

# shellcheck disable=SC2016 # the laboratory's shell expands it
unplug='"$LAB_BUILD/bin/referee" unplug --qmp "$LAB_QMP" device0'
pciehp=(--qemu -global --qemu ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off)
for hotplug in acpiphp pciehp; do
	options=()
	[ $hotplug = acpiphp ] || options=("${pciehp[@]}")
	lab_what=$hotplug
	lab_run --mode scalable --devices edu --env UNPLUG="$tap_scratch/unplug" --hook unplug="$unplug" \
		--trace "$tap_scratch/trace-$hotplug" "${options[@]}" "$before" "$after"
	is "$hotplug: a card that is preserved stays when it is asked for" "$(fact out)" stays
	is "$hotplug:   and does DMA" "$(fact out-works)" 0x4444
	ok "$hotplug:   the log says why" [ "$(fact out-log)" -ge 1 ]
	is "$hotplug: its slot cannot be switched off" "$(fact out-slot)" "Device or resource busy"
	is "$hotplug: a card that waits stays, too" "$(fact in)" stays
	is "$hotplug:   and does DMA" "$(fact back-works)" 0x4444
	is "$hotplug: a card whose session is finished goes" "$(fact end)" goes
	is "$hotplug: no access faults" "$(grep -c vtd_dmar_fault "$tap_scratch/trace-$hotplug")" 0
done

lab_what="pulled out"
incoming=${INCOMING:-${BUILD:-$here/../../build}/linux/successor/arch/x86/boot/bzImage}
lab_run --mode scalable --devices edu --timeout 150 --incoming "$incoming" "${pciehp[@]}" "$surprise"
is "with a card that was pulled out the reboot call fails" "$(fact jump)" 1
is "the log says what to do" "$(fact log)" 1
is "when its user lets go, the card is gone, and the host goes on" "$(fact ends)" goes
tap_done
