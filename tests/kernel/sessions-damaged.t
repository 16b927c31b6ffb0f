#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Devices cross, each in a session of its own, and what Linux writes of its sessions is
# damaged when the outgoing kernel is about to jump. With a wrong checksum, or with an
# address that is none, a session is lost: nobody can retrieve it, its device is stopped
# and is an ordinary one, and nothing hinders the next live update. A file whose kind
# nobody knows is lost, and its session finishes. Memory whose list of pages is not what it
# was is lost, and its device, which has it mapped, comes home. All others come home.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/kernel/dma-session.sh
. "$here/dma-session.sh"

stage before <<'END'
set -e
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
set -- $LAB_DEVICES
for name in $DAMAGES good; do
	bind-vfio "$1" >/dev/null
	dma_preserved_device "$name" "$1" 4
	dma write 0x0 0x1111
	dma load "$1" 0x1000000
	dma fill 0
	dma hold
	shift
done
END
before=$stage

stage after <<'END'
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
pci=/sys/bus/pci/devices
set -- $LAB_DEVICES
for name in $DAMAGES good; do
	bdf=$1
	shift
	bind-vfio "$bdf" >/dev/null
	dma_session
	session=$(dma try retrieve-session "$name")
	memory=$(dma try retrieve memory 1)
	iommufd=$(dma try retrieve iommufd 2)
	device=$(dma try retrieve d 3)
	note "$name-retrieved" "$session $memory $iommufd $device"
	note "$name-is" "$(cat "$pci/$bdf/liveupdate") $(is_master "$bdf")"
	if [ "$iommufd $device" = "ok ok" ]; then
		dma store "$bdf" 0x1001000
		[ "$memory" != ok ] || note "$name-writes" "$(dma read 0x1000)"
		dma bind d
		dma domain n d
		[ "$memory" != ok ] || dma map n 0x1000000
		note "$name-moved" "$(dma try move d n)"
	else
		# It reaches nothing, even if it is made to: the guard's memory would tell.
		make_master "$bdf"
		dma store "$bdf" 0x1001000
	fi
	[ "$session" != ok ] || note "$name-finished" "$(dma try finish)"
	dma_killed
	note "$name-after" "$(cat "$pci/$bdf/liveupdate")"
done
note obstacles "$(grep -c . /sys/kernel/liveupdate/obstacles)"
END
after=$stage

# damaged MODE NAME...: the devices of a run, each of which is damaged as NAME says; with
# more, options of the laboratory
more=()
damaged() {
	# shellcheck disable=SC2016 # the laboratory's shell expands it
	local tool='"$LAB_BUILD/tests/kernel/damage-random" "$LAB_RAM" one' log_to='>>"$LAB_RESULTS/damage" || exit 1;'
	local mode=$1 commands='' damage i=0
	shift
	for damage; do
		i=$((i + 1))
		[ -z "${how[$damage]}" ] ||
			commands+="$tool ${how[$damage]//DEVICE/$(printf '0000:%02x00' $i)} $log_to "
	done
	lab_what=$mode
	lab_run --mode "$mode" --memory 768 --guard 64 --devices "$(printf 'edu,%.0s' "$@")edu" --append nokaslr \
		--env DAMAGES="$*" "${more[@]}" --at-jump "$commands" "$before" "$after" || return
	log=$(cat "$lab_results/dmesg-incoming.log")
	is "$mode: nothing hinders the next live update" "$(fact obstacles)" 0
	is "$mode: the kernel has nothing to complain of" "$(grep -E 'WARNING|BUG|Oops' <<<"$log")" ''
}

# comes_home NAME: nothing of that device is damaged
comes_home() {
	is "$lab_what: $1: the device without damage has waited, writes where it did, and comes home" \
		"$(fact "$1-retrieved"), $(fact "$1-is"), $(fact "$1-writes"), $(fact "$1-moved"), $(fact "$1-finished")" \
		"ok ok ok ok, retrieved 1, 0x1111, ok, ok"
}

declare -A how=(
	[name]='session name DEVICE ^1'
	[address]='session files DEVICE =0xfffffffffffff000'
	[number]='session count DEVICE ^1'
	[next]='files next DEVICE =0x123456789000'
	[block]='files count DEVICE =0xffffffff'
	[token]='file-vfio token DEVICE ^0x100000000'
	[data]='file-vfio data DEVICE +1 sealed'
	[vfio]='file-vfio compatible DEVICE ^1 sealed'
	[iommufd]='file-iommufd compatible DEVICE ^1 sealed'
	[memfd]='file-memfd compatible DEVICE ^1 sealed'
	[size]='memfd size DEVICE ^0x1000'
	[run]='run pfn DEVICE ^1'
	[page]='list first DEVICE +1'
	[pages]='memfd total_pages DEVICE =0xffffffff sealed'
	[flb]='flb name all ^1'
	[list]='luo sessions all =0xfffffffff000'
	[other]=''
)

if damaged scalable name address number next block token data vfio iommufd memfd; then
	for name in name address number next block token; do
		is "$lab_what: $name: the session is lost" "$(fact "$name-retrieved" | cut -d ' ' -f 1)" ENOENT
		is "$lab_what: $name: its device is stopped, and an ordinary one" "$(fact "$name-is"), $(fact "$name-after")" "none 0, none"
	done
	is "$lab_what: the log has each of these sessions" "$(grep -c 'session\[[a-z]*\] is lost, its records' <<<"$log")" 6
	is "$lab_what: data: a file that has not its own data is lost, and with it its device" \
		"$(fact data-retrieved), $(fact data-is), $(fact data-finished)" "ok ok ok EIO, none 0, ok"
	is "$lab_what: vfio: so is a file of an unknown kind" \
		"$(fact vfio-retrieved), $(fact vfio-is), $(fact vfio-finished)" "ok ok ok EIO, none 0, ok"
	is "$lab_what: iommufd: and a device whose iommufd is one" \
		"$(fact iommufd-retrieved), $(fact iommufd-is), $(fact iommufd-finished), $(fact iommufd-after)" \
		"ok ok EIO EIO, lost file 0, ok, none"
	is "$lab_what: memfd: memory of an unknown kind is lost, its device comes home" \
		"$(fact memfd-retrieved), $(fact memfd-is), $(fact memfd-moved), $(fact memfd-finished)" \
		"ok EIO ok ok, retrieved 1, ok, ok"
	comes_home good
fi
if damaged first-stage size run page pages; then
	for name in size run page pages; do
		is "$lab_what: $name: the memory is lost, its device comes home, and its session finishes" \
			"$(fact "$name-retrieved"), $(fact "$name-is"), $(fact "$name-moved"), $(fact "$name-finished")" \
			"ok EINVAL ok ok, retrieved 1, ok, ok"
	done
	comes_home good
fi
# A device that nobody knows of any more may come into an identity domain, in which it
# would write to this kernel's memory: that of the guard would tell.
through=(--incoming-append iommu=pt)
for mode in legacy amd; do
	more=("${through[@]}")
	[ "$mode" != amd ] || more+=(--qemu -global --qemu edu.dma_mask=0xffffffff)
	if damaged "$mode" flb other; then
		for name in flb other good; do
			is "$lab_what: $name: without what its sessions share, no device comes home, and its session finishes" \
				"$(fact "$name-retrieved" | cut -d ' ' -f 1,2,4), $(fact "$name-is"), $(fact "$name-finished")" "ok ok EIO, none 0, ok"
		done
	fi
	if damaged "$mode" list other; then
		for name in list other good; do
			is "$lab_what: $name: without the list of the sessions, none is there" \
				"$(fact "$name-retrieved" | cut -d ' ' -f 1), $(fact "$name-is")" "ENOENT, none 0"
		done
	fi
done
tap_done
