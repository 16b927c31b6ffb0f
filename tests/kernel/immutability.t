#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# A preserved IOAS, HWPT and device refuse every change with EBUSY until their
# session is closed, also to whoever races with preserving them.

# shellcheck source=tests/lab/tap.sh
. "$(dirname "$0")/../lab/tap.sh"

stage outgoing <<'END'
cdev=$(bind-vfio $LAB_DEVICES)
"$LAB_BUILD"/tests/kernel/immutability "$cdev" "$(readlink -f /sys/bus/pci/devices/$LAB_DEVICES)"
END
lab_try --mode legacy --devices igb "$stage"
stage_tap 1
ok "the run succeeds" [ "$lab_status" = 0 ]

tap_done
