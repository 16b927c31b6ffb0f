#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Without a kexec there is nobody to continue for: a device that is preserved, or that
# waits for its owner, masters the bus no more when its translation is switched off.

# shellcheck source=tests/lab/tap.sh
. "$(dirname "$0")/../lab/tap.sh"

stage preserve <<'END'
set -- $LAB_DEVICES
echo "$1" >"$LAB_RESULTS/device"
"$LAB_BUILD"/tests/kernel/waiting preserve "$(bind-vfio "$1")" >/tmp/out &
for i in $(seq 100); do grep -q preserved /tmp/out && exit 0; sleep 0.1; done
exit 1
END
preserve=$stage
stage wait <<'END'
set -- $LAB_DEVICES
od -An -tx1 -j4 -N1 "/sys/bus/pci/devices/$1/config" | tr -d " " >"$LAB_RESULTS/command"
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
	lab_run --mode "$mode" --devices igb --trace "$tap_scratch/trace" "$preserve" || continue
	stops "$mode: power-off with a preserved device"
	lab_run --mode "$mode" --devices igb --trace "$tap_scratch/trace" "$preserve" "$stage" || continue
	ok "$mode: the device goes on in the next kernel" \
		[ $((0x$(cat "$lab_results/command") & 4)) = 4 ]
	stops "$mode: power-off with a device that waits"
done
tap_done
