#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Without a kexec there is nobody to continue for: a device that is preserved, or that
# waits for its owner, masters the bus no more when its translation is switched off.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/kernel/dma-session.sh
. "$here/dma-session.sh"

stage preserve <<'END'
set -e
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
echo "$LAB_DEVICES" >"$LAB_RESULTS/device"
bind-vfio $LAB_DEVICES >/dev/null
dma_preserved_device goes-off "$LAB_DEVICES" 4
dma hold
END
preserve=$stage
stage waits <<'END'
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
note master "$(is_master "$LAB_DEVICES")"
END

# The device's command register when translation went off for the last time.
command_at_the_end() { # TRACE DEVICE
	awk -v device="${2#*:}" '
		index($0, "pci_cfg_write ") && index($0, device " @0x4 ") { command = $NF }
		/vtd_dmar_enable enable 1/ { seen = "" }
		/vtd_dmar_enable enable 0/ { seen = command }
		END { print seen }' "$1"
}
stops() { # WHAT
	local command
	command=$(command_at_the_end "$tap_scratch/trace" "$(cat "$lab_results/device")")
	like "$1: translation is switched off" "$command" '^0x[0-9a-f]+$'
	ok "$1: and the device masters the bus no more" [ $((command & 4)) = 0 ]
}

for mode in ${MODES:-scalable}; do
	lab_run --mode "$mode" --devices edu --trace "$tap_scratch/trace" "$preserve" || continue
	stops "$mode: power-off with a preserved device"
	lab_run --mode "$mode" --devices edu --trace "$tap_scratch/trace" "$preserve" "$stage" || continue
	is "$mode: the device goes on in the next kernel" "$(fact master)" 1
	stops "$mode: power-off with a device that waits"
done
tap_done
