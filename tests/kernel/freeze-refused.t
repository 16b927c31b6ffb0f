#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# A device with INTx enabled does not cross: the reboot call fails, the log says
# why, and all goes on as before. MSI and MSI-X are masked in the device by the
# freeze, and unmasked when the reboot call fails.

# shellcheck source=tests/lab/tap.sh
. "$(dirname "$0")/../lab/tap.sh"

stage outgoing <<'END'
set -- $LAB_DEVICES
"$LAB_BUILD"/tests/kernel/freeze-refused "$(bind-vfio "$1")" "/sys/bus/pci/devices/$1" \
	"$(bind-vfio "$2")" "/sys/bus/pci/devices/$2"
status=$?
lutrace postmortem -j >"$LAB_RESULTS/postmortem.json"
echo $? >"$LAB_RESULTS/postmortem.exit"
exit $status
END
incoming=${BUILD:-$(dirname "$0")/../../build}/linux/successor/arch/x86/boot/bzImage
lab_try --mode scalable --devices igb2 --incoming "$incoming" "$stage"
stage_tap 1
ok "the run succeeds" [ "$lab_status" = 0 ]

like "the log names INTx" "$(cat "$lab_results/dmesg-outgoing.log")" \
	"cannot cross a live update: its user has INTx enabled, vector 0"
is "the post-mortem names the step, the device and the reason" "$(lab_json postmortem.json .summary)" \
	"The live update failed: device-freeze of 0000:02:00.0 failed with EBUSY (Device or resource busy); nothing is preserved any more, and the host goes on."
is "what it was part of" "$(lab_json postmortem.json '.failures[-1].within | join(", ")')" \
	"file-freeze of 3 (vfio-pci-v1), serialize, reboot"
like "and shows what the log says of it" "$(lab_json postmortem.json '.log[]')" 'its user has INTx enabled'
is "that is not good" "$(cat "$lab_results/postmortem.exit")" 1

tap_done
