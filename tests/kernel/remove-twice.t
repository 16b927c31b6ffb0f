#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# A device that takes part in nothing is removed by several at once, and with the bridge
# above it: all of them come to an end, and a rescan brings it back. Who removes it has the
# lock, and who waits for the lock must not be waited for.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"

# shellcheck source=tests/kernel/dma-session.sh
. "$here/dma-session.sh"

stage only <<'END'
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
device=$(readlink -f "/sys/bus/pci/devices/$LAB_DEVICES")
# ends WHAT: all jobs do; the device is there again if the rescan came last
ends() {
	local tries
	for ((tries = 0; tries < 100 * LAB_SLOWER; tries++)); do
		[ -n "$(jobs -r)" ] || break
		sleep 0.1
	done
	if [ -n "$(jobs -r)" ]; then
		note "$1" hangs
		exit
	fi
}
for ((round = 0; round < 10; round++)); do
	echo 1 >/sys/bus/pci/rescan &
	for ((who = 0; who < 3; who++)); do
		echo 1 2>/dev/null >"$device/remove" &
	done
	ends twice
	echo 1 >/sys/bus/pci/rescan
	[ -e "$device" ] || note twice "is not back"

	echo 1 >/sys/bus/pci/rescan &
	echo 1 2>/dev/null >"${device%/*}/remove" &
	echo 1 2>/dev/null >"$device/remove" &
	ends bridge
	echo 1 >/sys/bus/pci/rescan
	[ -e "$device" ] || note bridge "is not back"
done 2>/dev/null
echo 1 >"$device/remove"
note end "$([ -e "$device" ] && echo stays || echo goes)"
END

lab_run --devices edu "$stage" && {
	is "several remove a device" "$(fact twice)" ""
	is "a device and the bridge above it are removed" "$(fact bridge)" ""
	is "the machine goes on, and the device goes" "$(fact end)" goes
	is "the kernel has nothing to complain of" "$(grep -E 'WARNING|BUG|Oops' "$lab_results"/dmesg-*.log)" ""
}
tap_done
