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
END
incoming=${BUILD:-$(dirname "$0")/../../build}/linux/successor/arch/x86/boot/bzImage
lab_try --mode scalable --devices igb2 --incoming "$incoming" "$stage"
stage_tap 1
ok "the run succeeds" [ "$lab_status" = 0 ]

like "the log names INTx" "$(cat "$lab_results/dmesg-outgoing.log")" \
	"cannot cross a live update: its user has INTx enabled, vector 0"

tap_done
