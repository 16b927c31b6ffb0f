#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Devices come home: they are retrieved and bound, moved to new page tables, and
# the session is finished, with DMA all the way. What would stop a device, or take
# away what it uses, is refused until then, and works afterwards.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/kernel/dma-session.sh
. "$here/dma-session.sh"

# An edu device does the DMA; an igb has the means to be reset and powered down.
stage before <<'END'
set -e
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
read -r edu igb <<<"$LAB_DEVICES"
bind-vfio $LAB_DEVICES
dma_session
dma memory 16
dma device edu "$edu"
dma device igb "$igb"
note hot-reset-before "$(dma try hot-reset edu) $(dma try hot-reset igb)"
dma domain one edu
dma map one 0x1000000
dma attach edu one
dma domain two igb
dma map two 0x2000000
dma attach igb two
dma mark one 0x11
dma mark two 0x12
for device in edu igb; do
	dma save-config $device "$LAB_RESULTS/config-$device-before"
	for feature in 0 1 2 3 4 5 6 7 8 9 10; do
		dma try probe $device $feature
	done >"$LAB_RESULTS/features-$device-before"
done
dma session home
dma preserve memory 1
dma preserve iommufd 2
dma preserve edu 3
dma preserve igb 4
dma write 0x0 0x1111
dma load "$edu" 0x1000000
dma fill 0
dma hold
END
before=$stage

stage after <<'END'
set -e
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
bind-vfio $LAB_DEVICES >/dev/null
read -r edu igb <<<"$LAB_DEVICES"
# Each place has a word of its own: page n is written by the nth works.
place=0
works() {
	place=$((place + 1))
	dma store "$edu" $(($2 + place * 4096))
	note "works-$1" "$(dma read $((place * 4096)))"
}
# stopping NAME: everything that would stop a device or take it from its domain
stopping() {
	local device
	for device in edu igb; do
		note "$1-reset" "$(dma try reset $device)"
		note "$1-hot-reset" "$(dma try hot-reset $device)"
	done
}
# powered NAME: what the igb's user can do to its power state
power_capability=
powered() {
	[ -n "$power_capability" ] || power_capability=$(dma capability igb 1)
	note "$1-sleep" "$(dma try config igb $((power_capability + 4)) 3)"
	note "$1-power" "$(od -A n -t u1 -j $((power_capability + 4)) -N 1 \
		"/sys/bus/pci/devices/$igb/config" | tr -d ' ')"
	dma config igb $((power_capability + 4)) 0
}

dma_session
dma retrieve-session home
dma retrieve memory 1
dma retrieve iommufd 2
dma retrieve edu 3
dma retrieve igb 4
note master "$(is_master "$edu") $(is_master "$igb")"
note unknown-file "$(dma try retrieve file 9)"
works retrieved 0x1000000

note bind-other "$(dma try bind edu other)"
note restore-other "$(dma try restore x 0x11 other)"
note finish-unbound "$(dma try finish)"
dma restore old-one 0x11
note destroy-unbound "$(dma try destroy old-one)"
works refused 0x1000000
dma bind edu
dma bind igb
works bound 0x1000000
for device in edu igb; do
	dma save-config $device "$LAB_RESULTS/config-$device-after"
	for feature in 0 1 2 3 4 5 6 7 8 9 10; do
		dma try probe $device $feature
	done >"$LAB_RESULTS/features-$device-after"
done
note bound-master "$(is_master "$edu") $(is_master "$igb")"

note restore-unknown "$(dma try restore x 0x13)"
note restore-again "$(dma try restore same-one 0x11)"
dma restore old-two 0x12
note mark-restored "$(dma try mark old-one 0x99)"
note destroy-used "$(dma try destroy old-one)"
note finish-restored "$(dma try finish)"
stopping restored
note detach-restored "$(dma try detach edu) $(dma try detach igb)"
powered restored
works restored 0x1000000

dma domain new-one edu
dma map new-one 0x1000000
dma move edu new-one
works moved 0x1000000
note move-back "$(dma try move edu old-one)"
works not-moved-back 0x1000000
dma destroy old-one
works destroyed 0x1000000
note restore-destroyed "$(dma try restore x 0x11)"
note finish-half "$(dma try finish)"

# The igb's page table is destroyed later than its session is finished.
dma domain new-two igb
dma map new-two 0x2000000
dma move igb new-two
stopping moved
powered moved
works stopping 0x1000000
dma finish
note finished-again "$(dma try finish)"
works finished 0x1000000
dma destroy old-two
note master-finished "$(is_master "$edu") $(is_master "$igb")"

# As if there had been no update.
dma unmap new-one
dma map new-one 0x5000000
works mapped 0x5000000
stopping finished
note detach-finished "$(dma try detach edu) $(dma try detach igb)"
powered finished
dma attach edu new-one
dma write 0x0 0x2222
dma load "$edu" 0x5000000
works attached 0x5000000
dma close
for device in edu igb; do
	dma detach $device
	dma close-device $device
done
for bdf in $LAB_DEVICES; do
	echo "$bdf" >/sys/bus/pci/drivers/vfio-pci/unbind
done
note unbound "$(cat "/sys/bus/pci/devices/$edu/enable")"
# A driver that knows nothing of this device may look at it: ENODEV, not EBUSY.
echo virtio-pci >"/sys/bus/pci/devices/$edu/driver_override"
note driver "$( (echo "$edu" >/sys/bus/pci/drivers/virtio-pci/bind) 2>&1 | sed 's/.*: //')"

# And once more, from the beginning.
bind-vfio "$edu"
dma_session
dma memory 16
dma device edu "$edu"
dma domain one edu
dma map one 0x1000000
dma attach edu one
dma mark one 0x11
dma session again
dma preserve memory 1
dma preserve iommufd 2
dma preserve edu 3
note again "$(dma try unmap one)"
dma unpreserve
dma unmap one
END
after=$stage

for mode in ${MODES:-legacy scalable first-stage}; do
	lab_what=$mode
	lab_run --mode "$mode" --devices edu,igb --trace "$tap_scratch/trace" "$before" "$after" || continue
	is "$mode: the devices master the bus when they are retrieved" "$(fact master)" "1 1"
	is "$mode: and when they are bound" "$(fact bound-master)" "1 1"
	is "$mode: and when the session is finished" "$(fact master-finished)" "1 1"
	is "$mode: there is no file that was not preserved" "$(fact unknown-file)" ENOENT
	is "$mode: a device cannot be bound to another iommufd" "$(fact bind-other)" EPERM
	is "$mode: another iommufd has no page tables to restore" "$(fact restore-other)" ENOTTY
	is "$mode: a token that was never given restores nothing" "$(fact restore-unknown)" ENOENT
	is "$mode: a page table can be asked for again until it is destroyed" "$(fact restore-again) $(fact restore-destroyed)" "ok ENOENT"
	ok "$mode: it cannot be marked for the next update" [ "$(fact mark-restored)" != ok ]
	is "$mode: a device that has left it does not come back" "$(fact move-back)" EINVAL
	is "$mode: it cannot be destroyed while the device is on it, bound or not" \
		"$(fact destroy-unbound) $(fact destroy-used)" "EBUSY EBUSY"
	is "$mode: nor can the device be detached from it" "$(fact detach-restored)" "EBUSY EBUSY"
	is "$mode: the session does not finish while a device is not bound" "$(fact finish-unbound)" EBUSY
	is "$mode: nor while one is on its restored page table" "$(fact finish-restored)" EBUSY
	is "$mode: nor while another one is" "$(fact finish-half)" EBUSY
	for when in restored moved; do
		is "$mode: devices cannot be reset before the finish ($when)" "$(fact $when-reset | xargs)" "EBUSY EBUSY"
		is "$mode: nor can the buses that they are on ($when)" "$(fact $when-hot-reset | xargs)" "EBUSY EBUSY"
		is "$mode: nor powered down ($when)" "$(fact $when-sleep) $(($(fact $when-power) & 3))" "EBUSY 0"
	done
	for device in edu igb; do
		ok "$mode: the configuration space of the $device reads as before" \
			cmp "$lab_results/config-$device-before" "$lab_results/config-$device-after"
		ok "$mode: the $device has the features that it had" \
			cmp "$lab_results/features-$device-before" "$lab_results/features-$device-after"
	done
	for when in retrieved refused bound restored moved not-moved-back destroyed stopping finished mapped; do
		is "$mode: the device writes where it did ($when)" "$(fact "works-$when")" 0x1111
	done
	is "$mode: after the finish devices can be reset" "$(fact finished-reset | xargs)" "ok ok"
	is "$mode: and their buses, as in the kernel before" "$(fact finished-hot-reset | xargs)" "$(fact hot-reset-before)"
	is "$mode: and detached" "$(fact detach-finished)" "ok ok"
	is "$mode: and powered down" "$(fact finished-sleep) $(($(fact finished-power) & 3))" "ok 3"
	is "$mode: and attached, and do DMA again" "$(fact works-attached)" 0x2222
	is "$mode: vfio-pci lets go of the device" "$(fact unbound)" 0
	is "$mode: another driver may look at it" "$(fact driver)" "No such device"
	is "$mode: the next live update can be prepared" "$(fact again)" EBUSY
	is "$mode: no access of a device faults" "$(grep -c vtd_dmar_fault "$tap_scratch/trace")" 0
done
tap_done
