#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# What came with a live update and is not finished cannot be handed on. The reboot
# call refuses to lose it, whether somebody has retrieved it yet or not, and goes once
# the session has finished.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/kernel/dma-session.sh
. "$here/dma-session.sh"

stage before <<'END'
set -e
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
bind-vfio $LAB_DEVICES >/dev/null
dma_preserved_device vm1 "$LAB_DEVICES" 4
dma hold
END
before=$stage
# The third kernel runs it, too.
stage after <<'END'
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
state() { cat "/sys/bus/pci/devices/$LAB_DEVICES/liveupdate"; }
if [ -e "$LAB_RESULTS/booted" ]; then
	note third "$(state)"
	exit
fi
: >"$LAB_RESULTS/booted"
jump() { # WHEN
	log_begins
	kexec -e 2>/dev/null
	note "$1" "jumped $?, $(state), master $(is_master "$LAB_DEVICES")"
	note "$1-log" "$(log | sed -n 's/.*the image loaded/the image loaded/p')"
}
kexec -s -l "$LAB_INCOMING" --command-line="$LAB_INCOMING_CMDLINE"
jump waiting
dma_session
dma retrieve-session vm1
dma retrieve memory 1
dma retrieve iommufd 2
dma retrieve d 3
dma bind d
dma domain two d
dma map two 0x1000000
jump retrieved
dma move d two
dma finish
sync
kexec -e
END

for mode in ${MODES:-legacy}; do
	lab_run --mode "$mode" --devices edu "$before" "$stage" || continue
	for when in waiting retrieved; do
		is "$mode, $when: the reboot call refuses" "$(fact $when)" "jumped 255, $when, master 1"
		like "$mode, $when: it names the session, and says what to do" "$(fact $when-log)" \
			"cannot take over 'vm1': it came with the last live update, .*; retrieve and finish that session first"
	done
	is "$mode: once the session has finished it jumps" "$(fact third)" none
done
tap_done
