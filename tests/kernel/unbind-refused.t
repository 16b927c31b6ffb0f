#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# A driver is not unbound from a device that is preserved or retrieved, nor from
# the bridge above it: it would wait for the file that the session has, with the
# lock that the reboot call needs. Unbinding that has begun before refuses to
# preserve the device, and ends when its file is closed. While it has not ended, of any
# device, the reboot call fails. Between the freeze and the jump it is refused as before.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/kernel/dma-session.sh
. "$here/dma-session.sh"

# Both stages: unbind NAME BDF, noted with what it answers; it may never end
cat >"$tap_scratch/unbind" <<'END'
unbinds() {
	local tries
	rm -f /run/answer
	{
		if (echo "$2" >"/sys/bus/pci/devices/$2/driver/unbind") 2>/run/error; then
			echo ok >/run/error
		fi
		mv /run/error /run/answer
	} &
	for ((tries = 0; tries < 30 * LAB_SLOWER; tries++)); do
		[ ! -e /run/answer ] || break
		sleep 0.1
	done
	note "$1" "$(sed 's/.*: //' /run/answer || echo hangs)"
}
END

stage before <<'END'
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
. "$UNBIND"
read -r kept other <<<"$LAB_DEVICES"
read -r bridge _ <<<"$LAB_BRIDGES"

# Unbinding first: it waits for the user, who tries to preserve the device
bind-vfio "$other" >/dev/null
dma_session
dma memory 16
dma device d "$other"
dma domain one d
dma map one 0x1000000
dma attach d one
dma mark one 1
dma session unbinding
dma preserve memory 1
dma preserve iommufd 2
echo "$other" >"/sys/bus/pci/devices/$other/driver/unbind" &
unbinding=$!
until [ ! -e "/sys/bus/pci/devices/$other/vfio-dev" ]; do sleep 0.05; done
note unbinding-preserve "$(dma try preserve d 3)"
note unbinding-log "$(dmesg | grep -c "$other: cannot be preserved: its driver is being unbound")"
dma_killed
wait "$unbinding"
note unbinding-ends $?
[ -e "/sys/bus/pci/devices/$other/driver" ] && note unbinding-driver still

bind-vfio "$kept" >/dev/null
dma_preserved_device unbind "$kept" || exit
dma write 0x0 0x2222
dma load "$kept" 0x1000000
unbinds out "$kept"
unbinds out-bridge "$bridge"
dma store "$kept" 0x1001000
note out-works "$(dma read 0x1000)"

# Another device is being unbound, and its user is in no hurry: the reboot call would
# wait for that, too.
bind-vfio "$other" >/dev/null
dma_holder "$other"
echo "$other" >"/sys/bus/pci/devices/$other/driver/unbind" &
unbinding=$!
until [ ! -e "/sys/bus/pci/devices/$other/vfio-dev" ]; do sleep 0.05; done
note other-obstacle "$(grep -c "$other: .*unbound from its driver" /sys/kernel/liveupdate/obstacles)"
log_begins
note other-jump "$(kexec -e 2>&1 | sed 's/.*: //')"
note other-log "$(log | grep -c "$other: liveupdate: $kept cannot cross: this device is being removed, or unbound")"
kill -KILL "$holder"
wait "$unbinding"
dma store "$kept" 0x1001000
note other-works "$(dma read 0x1000)"
"$LAB_BUILD/tests/kernel/unbind-frozen" "/sys/bus/pci/devices/$kept" "$LAB_RESULTS/frozen" &
dma hold
END
before=$stage

stage after <<'END'
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
. "$UNBIND"
read -r kept other <<<"$LAB_DEVICES"
read -r bridge _ <<<"$LAB_BRIDGES"
unbinds in "$kept"
for word in 1 0; do
	note in-enable "$( (echo $word >"/sys/bus/pci/devices/$kept/enable") 2>&1 | sed 's/.*: //')"
done
note in-master "$(is_master "$kept")"
bind-vfio "$kept" >/dev/null
note in-driver "$(basename "$(readlink "/sys/bus/pci/devices/$kept/driver")")"
unbinds in-bridge "$bridge"
dma_session
dma retrieve-session unbind
dma retrieve memory 1
dma retrieve iommufd 2
dma retrieve d 3
unbinds back "$kept"
unbinds back-bridge "$bridge"
dma bind d
dma store "$kept" 0x1001000
note back-works "$(dma read 0x1000)"
dma domain two d
dma map two 0x1000000
dma move d two
dma finish
dma close-device d
unbinds end "$kept"
END

lab_run --mode scalable --devices edu,edu --timeout 120 --env UNBIND="$tap_scratch/unbind" \
	--trace "$tap_scratch/trace" "$before" "$stage"
busy="Device or resource busy"
is "a device whose driver is being unbound is not preserved" "$(fact unbinding-preserve)" ENODEV
is "the log says so" "$(fact unbinding-log)" 1
is "unbinding ends when the device's file is closed" "$(fact unbinding-ends)" 0
is "and has unbound the driver" "$(fact unbinding-driver)" ""
is "unbinding a preserved device is refused" "$(fact out)" "$busy"
is "and so is the driver of the bridge above" "$(fact out-bridge)" "$busy"
is "the device does DMA" "$(fact out-works)" 0x2222
is "another device that is being unbound is an obstacle" "$(fact other-obstacle)" 1
is "the reboot call fails, and does not wait for it" "$(fact other-jump)" "$busy"
is "the log names it" "$(fact other-log)" 1
is "the device does DMA" "$(fact other-works)" 0x2222
is "and so is unbinding it after the freeze, and the jump goes on" "$(cat "$lab_results/frozen")" EBUSY
is "a device that waits can lose its driver, which has not touched it" "$(fact in)" ok
is "without a driver it is neither enabled nor disabled" "$(fact in-enable | sort -u)" "$busy"
is "and masters the bus" "$(fact in-master)" 1
is "it gets its driver again" "$(fact in-driver)" vfio-pci
is "the driver of the bridge above is not unbound" "$(fact in-bridge)" "$busy"
is "unbinding a device that is retrieved is refused" "$(fact back)" "$busy"
is "and so is the driver of the bridge above" "$(fact back-bridge)" "$busy"
is "the device does DMA" "$(fact back-works)" 0x2222
is "a device whose session is finished can be unbound" "$(fact end)" ok
is "no access faults" "$(grep -c vtd_dmar_fault "$tap_scratch/trace")" 0
tap_done
