#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# In the incoming kernel nobody gets a preserved device that waits for its owner,
# whatever they try through sysfs, vfio or the session; and nothing that they try
# stops its DMA. Another device works normally, and a reboot is the way out.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/kernel/ledger.sh
. "$here/ledger.sh"
# shellcheck source=tests/kernel/dma-session.sh
. "$here/dma-session.sh"

stage before <<'END'
set -e
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
read -r kept other <<<"$LAB_DEVICES"
bind-vfio "$kept"
dma_preserved_device occupied "$kept"
dma write 0x0 0x1111
dma load "$kept" 0x1000000
dma fill 0
dma hold
END
before=$stage

stage after <<'END'
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
read -r kept other <<<"$LAB_DEVICES"
pci=/sys/bus/pci
device=$pci/devices/$kept
bridge=$(dirname "$(readlink -f "$device")")
group=$(basename "$(readlink "$device/iommu_group")")
dma_session
dma retrieve-session occupied || exit
dma retrieve memory 1 || exit

# works NAME: after what was tried, does the device still write where it did?
works() {
	dma write 0x1000 0
	dma store "$kept" 0x1001000
	[ "$(dma read 0x1000)" = 0x1111 ] || note stopped-by "$1"
}
# try NAME WORD FILE: write it to a file of sysfs, note how that ends
try() {
	local answer
	if answer=$( (echo "$2" >"$3") 2>&1 ); then
		answer=ok
	fi
	note "$1" "${answer##*: }"
	works "$1"
}
driver() { basename "$(readlink "$device/driver")" 2>/dev/null; }

note boot "$(driver) $(is_master "$kept")"
works boot

try unbind-first "$kept" $pci/drivers/vfio-pci/unbind
try override virtio-pci "$device/driver_override"
try new-id "1234 11e8" $pci/drivers/virtio-pci/new_id
note new "$(driver)"
try bind "$kept" $pci/drivers/virtio-pci/bind
# The other device has the same id; it is not waiting, and may be probed.
[ ! -e "$pci/devices/$other/driver" ] || echo "$other" >"$pci/devices/$other/driver/unbind"
try remove-id "1234 11e8" $pci/drivers/virtio-pci/remove_id

try vfio-bind "$kept" $pci/drivers_probe
note vfio "$(driver)"
note cdev "$(dma try open "$kept")"
works cdev
note group "$(dma try open-group "$group")"
works group
try vfio-unbind "$kept" $pci/drivers/vfio-pci/unbind
try new-id-again "1234 11e8" $pci/drivers/virtio-pci/new_id
try rebind "$kept" $pci/drivers/virtio-pci/bind
try remove-id-again "1234 11e8" $pci/drivers/virtio-pci/remove_id
note unbound "$(driver)"

try identity identity "/sys/kernel/iommu_groups/$group/type"
note type "$(cat "/sys/kernel/iommu_groups/$group/type")"
try remove 1 "$device/remove"
[ ! -e "$device/reset" ] || try reset 1 "$device/reset"
try disable 0 "$device/enable"
try enable 1 "$device/enable"
try disable 0 "$device/enable"
try remove-bridge 1 "$bridge/remove"
[ ! -e "$bridge/reset_subordinate" ] || try reset-bus 1 "$bridge/reset_subordinate"
if [ -e "$bridge/driver" ]; then
	try unbind-bridge "$(basename "$bridge")" "$bridge/driver/unbind"
fi
try suspend auto "$bridge/power/control"
sleep 1
works suspend
try rescan 1 $pci/rescan
note refused "$(awk '{ kinds++; sum += $1 } END { print kinds, (sum > kinds) }' "$device/liveupdate_refused")"
note after "$(is_master "$kept") $(is_master "$(basename "$bridge")")"

note finish "$(dma try finish)"
works finish

# The other one is nobody's.
bind-vfio "$other" >/dev/null || note other-bind failed
exec {kept_to}>&"$dma_to" {kept_from}<&"$dma_from"
dma_session
dma memory 16
dma device o "$other"
dma domain one o
dma map one 0x1000000
dma attach o one
dma write 0x0 0x2222
dma load "$other" 0x1000000
dma store "$other" 0x1003000
note other "$(dma read 0x3000)"
dma_to=$kept_to dma_from=$kept_from
works other
note memory "$(dma count 0)"
cat /sys/kernel/liveupdate/ledger/current >"$LAB_RESULTS/current"
dmesg | grep 'liveupdate: .* refused' >"$LAB_RESULTS/refused"
dmesg >"$LAB_RESULTS/dmesg-incoming.log"
note end reached
busybox reboot -f
sleep 100
END
after=$stage

# The reboot at the end is an early one for the laboratory.
lab_try --mode scalable --devices edu,edu --trace "$tap_scratch/trace" "$before" "$after" 2>"$tap_scratch/said"
is "all was tried" "$(fact end)" reached || diag "$(cat "$tap_scratch/said")"
busy="Device or resource busy"
is "the device has the driver that preserved it, and masters the bus, when user space begins" "$(fact boot)" "vfio-pci 1"
is "a driver cannot bind with bind" "$(fact bind)" "$busy"
is "nor be forced on it with driver_override" "$(fact override)" "$busy"
is "a driver does not bind with new_id" "$(fact new)" ""
is "vfio-pci binds again" "$(fact vfio)" vfio-pci
is "its device file cannot be opened" "$(fact cdev)" EBUSY
is "nor can the group be owned" "$(fact group)" EBUSY
is "vfio-pci can be unbound" "$(fact vfio-unbind)" ok
is "and then nobody else can bind" "$(fact rebind)$(fact unbound)" "$busy"
ok "the type of its group's domain cannot be changed" [ "$(fact identity)" != ok ]
is "it stays as it is" "$(fact type | cut -c 1-3)" DMA
is "the device cannot be removed" "$(fact remove)" "$busy"
like "the device cannot be reset" "$(fact reset)" "^($busy|)\$"
is "the bridge above it cannot be removed" "$(fact remove-bridge)" "$busy"
like "the bus that it is on cannot be reset" "$(fact reset-bus)" "^($busy|)\$"
is "device and bridge still master the bus" "$(fact after)" "1 1"
is "its session cannot finish" "$(fact finish)" EBUSY
is "another device works" "$(fact other)" 0x2222
is "nothing of all this has stopped the device" "$(fact stopped-by)" ""
is "or led it astray" "$(fact memory)" 8191
is "no access faults" "$(grep -c vtd_dmar_fault "$tap_scratch/trace")" 0
read -r kinds more <<<"$(fact refused)"
ok "sysfs counts each refusal" [ "$more" = 1 ]
is "the ledger has one of each kind" "$(ledger_records "$lab_results/current" |
	awk '$4 == "device-refuse" && $7 == -16 && $8 == "0x10000000000"' | wc -l)" "$kinds"
ok "the kinds are those that were tried" [ "$kinds" -ge 5 ]
for what in "binding a driver" "opening its vfio device file" "DMA ownership" "removal"; do
	is "the log says once: $what refused" "$(grep -c "0000:01:00.0: liveupdate: $what refused" "$lab_results/refused")" 1
done
ok "no kernel complains" [ ! -e "$lab_results/complaints.log" ]
is "a reboot ends it" "$lab_status $(grep -ac 'reboot: Restarting system' "$lab_results/console-incoming.log")" "3 1"
tap_done
