#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Whatever was preserved so far, closing the session leaves the system as it
# was, and the device works on.

# shellcheck source=tests/lab/tap.sh
. "$(dirname "$0")/../lab/tap.sh"

stage outgoing <<'END'
"$LAB_BUILD"/tests/kernel/preserve-undone "$(bind-vfio $LAB_DEVICES)"
status=$?
# Nobody holds on to the device.
echo "$LAB_DEVICES" >/sys/bus/pci/drivers/vfio-pci/unbind || exit 1
exit $status
END
for mode in legacy scalable first-stage; do
	lab_try --mode "$mode" --devices igb "$stage"
	stage_tap 1
	ok "$mode: the run succeeds, and the driver can be unbound" [ "$lab_status" = 0 ]
done

tap_done
