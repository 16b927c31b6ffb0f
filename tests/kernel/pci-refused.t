#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# What sysfs shows of a device that crosses, and of the bridge above it, and what
# it refuses: in the outgoing kernel, and in the incoming one until the session is
# finished, not only until the device is retrieved. Then all of it works again, as
# it does for another device all the time.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/kernel/dma-session.sh
. "$here/dma-session.sh"

# Both stages: try PREFIX BDF, note what sysfs shows and how each write ends
cat >"$tap_scratch/try" <<'END'
pci=/sys/bus/pci
# write NAME WORD FILE
write() {
	local answer
	if answer=$( (echo "$2" >"$3") 2>&1 ); then
		answer=ok
	fi
	note "$1" "${answer##*: }"
}
bridge_of() { dirname "$(readlink -f "$pci/devices/$1")"; }
shows() {
	note "$1-state" "$(cat "$pci/devices/$2/liveupdate")"
	note "$1-below" "$(cat "$(bridge_of "$2")/liveupdate_devices")"
	note "$1-files" "$(ls -d "$pci/devices/$2/liveupdate_devices" "$(bridge_of "$2")/liveupdate" 2>/dev/null | wc -l)"
}
attempts() {
	local device=$pci/devices/$2 bridge
	bridge=$(bridge_of "$2")
	write "$1-remove" 1 "$device/remove"
	write "$1-remove-bridge" 1 "$bridge/remove"
	write "$1-reset-bus" 1 "$bridge/reset_subordinate"
	write "$1-rescan" 1 "$device/rescan"
	write "$1-rescan-bus" 1 "$device/../pci_bus/${2%:*}/rescan"
	write "$1-rescan-above" 1 "$bridge/rescan"
	write "$1-rescan-all" 1 "$pci/rescan"
	write "$1-override" virtio-pci "$device/driver_override"
	write "$1-override-none" '' "$device/driver_override"
	write "$1-override-same" vfio-pci "$device/driver_override"
	write "$1-reset" 1 "$device/reset"
	write "$1-reset-method" default "$device/reset_method"
	# Of kernels with power management
	[ ! -e "$device/d3cold_allowed" ] || write "$1-d3cold" 1 "$device/d3cold_allowed"
	write "$1-reset" 1 "$device/reset"
	note "$1-refused" "$(sed -n 's/ reset$//p' "$device/liveupdate_refused")"
	note "$1-masters" "$(is_master "$2") $(is_master "$(basename "$bridge")")"
}
END

stage before <<'END'
set -e
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
. "$TRY"
read -r kept other <<<"$LAB_DEVICES"
shows at-first "$kept"
bind-vfio "$kept" >/dev/null
dma_preserved_device closed "$kept"
shows closing "$kept"
dma unpreserve
shows closed "$kept"
dma_preserve pci
shows out "$kept"
attempts out "$kept"
shows out-other "$other"
dma write 0x0 0x1111
dma load "$kept" 0x1000000
dma hold
END
before=$stage

stage after <<'END'
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
. "$TRY"
read -r kept other <<<"$LAB_DEVICES"
note driver "$(basename "$(readlink "$pci/devices/$kept/driver")")"
shows in "$kept"
attempts in "$kept"
shows in-other "$other"
write in-other-override virtio-pci "$pci/devices/$other/driver_override"
dma_session
dma retrieve-session pci
dma retrieve memory 1
dma store "$kept" 0x1001000
note works "$(dma read 0x1000)"

dma retrieve iommufd 2
dma retrieve d 3
shows back "$kept"
attempts back "$kept"
dma bind d
dma domain two d
dma map two 0x1000000
dma move d two
shows moved "$kept"
dma finish
shows end "$kept"
note end-masters "$(is_master "$kept") $(is_master "$(basename "$(bridge_of "$kept")")")"
dma store "$kept" 0x1002000
note finished "$(dma read 0x2000)"
write end-override virtio-pci "$pci/devices/$kept/driver_override"
write end-rescan 1 "$pci/devices/$kept/rescan"
dma close-device d
bridge=$(bridge_of "$kept")
write end-remove 1 "$pci/devices/$kept/remove"
note end-below "$(cat "$bridge/liveupdate_devices")"
write end-rescan-all 1 "$pci/rescan"
shows again "$kept"
END

lab_run --mode scalable --devices edu,edu --env TRY="$tap_scratch/try" \
	--trace "$tap_scratch/trace" "$before" "$stage"
busy="Device or resource busy"
is "a device is in no live update at first" "$(fact at-first-state) $(fact at-first-below)" "none 0"
is "it is preserved with its file, and the bridge above counts it" "$(fact closing-state) $(fact closing-below)" "preserved 1"
is "closing the session ends that" "$(fact closed-state) $(fact closed-below)" "none 0"
is "it can be preserved again" "$(fact out-state) $(fact out-below)" "preserved 1"
is "in the incoming kernel it waits" "$(fact in-state) $(fact in-below)" "waiting 1"
is "and is bound to its driver when user space begins" "$(fact driver)" vfio-pci
is "it is retrieved" "$(fact back-state) $(fact back-below)" "retrieved 1"
is "also when it is on a page table of its own" "$(fact moved-state) $(fact moved-below)" "retrieved 1"
is "it is an ordinary device when its session is finished" "$(fact end-state) $(fact end-below | head -n 1)" "none 0"
is "another device is in no live update in the outgoing kernel" "$(fact out-other-state) $(fact out-other-below)" "none 0"
is "nor in the incoming one" "$(fact in-other-state) $(fact in-other-below)" "none 0"
for kernel in out in back; do
	case $kernel in
	out) where="in the outgoing kernel" ;;
	in) where="while it waits" ;;
	back) where="when it is retrieved" ;;
	esac
	is "$where a device has one file, a bridge the other" "$(fact $kernel-files)" 0
	is "$where the device cannot be removed" "$(fact $kernel-remove)" "$busy"
	is "$where the bridge cannot be removed" "$(fact $kernel-remove-bridge)" "$busy"
	is "$where the bus cannot be reset" "$(fact $kernel-reset-bus)" "$busy"
	is "$where the device cannot be reset, twice" "$(fact $kernel-reset | sort -u)" "$busy"
	is "$where its reset methods stay" "$(fact $kernel-reset-method)" "$busy"
	like "$where whether it may lose its power, too" "$(fact $kernel-d3cold)" "^($busy|)\$"
	is "$where its bus cannot be rescanned through the device" "$(fact $kernel-rescan)" "$busy"
	is "$where nor through the bus" "$(fact $kernel-rescan-bus)" "$busy"
	is "$where nor can the bus above" "$(fact $kernel-rescan-above)" "$busy"
	is "$where nor all buses" "$(fact $kernel-rescan-all)" "$busy"
	is "$where no other driver can be forced on it" "$(fact $kernel-override)" "$busy"
	is "$where nor can its own be taken back" "$(fact $kernel-override-none)" "$busy"
	is "$where its own may be named" "$(fact $kernel-override-same)" ok
	is "$where device and bridge master the bus all the time" "$(fact $kernel-masters)" "1 1"
done
is "what is refused is counted in each kernel, on and on until the session is finished" \
	"$(fact out-refused) $(fact in-refused) $(fact back-refused)" "2 2 4"
is "the finished device can be forced on another driver" "$(fact end-override)" ok
is "its bus rescanned" "$(fact end-rescan)" ok
is "and it can be removed" "$(fact end-remove) $(fact end-below | tail -n 1)" "ok 0"
is "all buses can be rescanned" "$(fact end-rescan-all)" ok
is "which finds it again, as an ordinary device" "$(fact again-state)" none
is "another device can be forced on a driver" "$(fact in-other-override)" ok
is "the device does DMA after all that" "$(fact works)" 0x1111
is "device and bridge master the bus when the session is finished" "$(fact end-masters)" "1 1"
is "and the device does DMA" "$(fact finished)" 0x1111
is "no access faults" "$(grep -c vtd_dmar_fault "$tap_scratch/trace")" 0
tap_done
