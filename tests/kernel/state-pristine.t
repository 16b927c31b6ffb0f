#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# The next user of a device finds it as its user before the live update did, not
# with what that one has set in configuration space: also after two live updates.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/kernel/dma-session.sh
. "$here/dma-session.sh"

# All stages: what a user can set, as the device has it
cat >"$tap_scratch/state" <<'END'
config() { od -A n -t "x$2" -j "$(($1))" -N "$2" "/sys/bus/pci/devices/$LAB_DEVICES/config" | xargs; }
express() {
	local where=$((0x$(config 0x34 1)))
	while [ $((0x$(config $where 1))) != 16 ]; do
		where=$((0x$(config $((where + 1)) 1)))
	done
	echo $where
}
# Command, Cache Line Size, Latency Timer, Device Control
state() { echo "$(config 0x4 2) $(config 0xc 1) $(config 0xd 1) $(config $(($(express) + 8)) 2)"; }
END

stage before <<'END'
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
. "$STATE"
bind-vfio "$LAB_DEVICES" >/dev/null
# A user before, who does nothing
dma_session
dma device d "$LAB_DEVICES"
dma close-device d
note pristine "$(state)"
dma_killed

dma_preserved_device state "$LAB_DEVICES" || exit
# System errors and parity; lines of 64 bytes; errors not reported
dma config d 0x4 0x546
dma config d 0xc 0x4010
dma config d $(($(express) + 8)) 0x2010
note set "$(state)"
dma hold
END
before=$stage

# Runs in two kernels
stage after <<'END'
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
. "$STATE"
dma_session
name=state
[ ! -e "$LAB_RESULTS/second" ] || name=second
dma retrieve-session $name
dma retrieve memory 1
dma retrieve iommufd 2
dma retrieve d 3
dma bind d
note kept "$(state)"
dma domain two d
dma map two 0x1000000
dma move d two
dma finish
if [ ! -e "$LAB_RESULTS/second" ]; then
	: >"$LAB_RESULTS/second"
	dma mark two 1
	dma_preserve second || exit
	dma hold
	kexec -s -l "$LAB_INCOMING" --command-line="$LAB_INCOMING_CMDLINE" && kexec -e
	exit 1
fi
dma close-device d
note closed "$(state)"
dma_killed
dma_session
dma device d "$LAB_DEVICES"
dma close-device d
note next "$(state)"
note log "$(dmesg | grep -c 'its state before its user had it')"
END

lab_run --mode scalable --devices igb --env STATE="$tap_scratch/state" "$before" "$stage"
ok "a user can change the state of a device" [ "$(fact set)" != "$(fact pristine)" ]
is "what it has set stays through two live updates" "$(fact kept | sort -u)" "$(fact set)"
is "when it closes the device, that is as it was before it" "$(fact closed)" "$(fact pristine)"
is "the next user leaves it so" "$(fact next)" "$(fact pristine)"
is "nothing is said of a state that is not known" "$(fact log)" 0
tap_done
