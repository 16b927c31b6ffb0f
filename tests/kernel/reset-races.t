#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Preserving a device waits for a reset that is going on, and a reset that comes
# later is refused, whoever is quicker: no reset goes on in a preserved device.

# shellcheck source=tests/lab/tap.sh
. "$(dirname "$0")/../lab/tap.sh"

stage races <<'END'
"$LAB_BUILD"/tests/kernel/reset-races "$(bind-vfio "$LAB_DEVICES")" "/sys/bus/pci/devices/$LAB_DEVICES" 40
END
lab_try --mode scalable --devices igb "$stage"
stage_tap 1
ok "the run succeeds" [ "$lab_status" = 0 ]
tap_done
