#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# MSI-X of a preserved device is masked in the device by the freeze, stays set up
# in the next kernel, and signals its user once when it listens again. INTx is masked
# by INTx Disable, and signals as well: what the device raised before the jump arrives
# after it.

# shellcheck source=tests/lab/tap.sh
. "$(dirname "$0")/../lab/tap.sh"

stage outgoing <<'END'
ready=/run/ready
"$LAB_BUILD"/tests/kernel/interrupts-carried outgoing "$(bind-vfio "$LAB_DEVICES")" $ready &
until [ -e $ready ]; do
	kill -0 $! || exit 1
	sleep 0.05
done
END
outgoing=$stage
stage incoming <<'END'
"$LAB_BUILD"/tests/kernel/interrupts-carried incoming "/sys/bus/pci/devices/$LAB_DEVICES"
END
lab_try --mode scalable --devices igb "$outgoing" "$stage"
stage_tap 2
ok "the run succeeds" [ "$lab_status" = 0 ]

stage outgoing <<'END'
ready=/run/ready
"$LAB_BUILD"/tests/kernel/interrupts-carried outgoing "$(bind-vfio "$LAB_DEVICES")" $ready intx &
until [ -e $ready ]; do
	kill -0 $! || exit 1
	sleep 0.05
done
END
outgoing=$stage
stage incoming <<'END'
"$LAB_BUILD"/tests/kernel/interrupts-carried incoming "/sys/bus/pci/devices/$LAB_DEVICES" intx
END
lab_try --mode scalable --devices edu "$outgoing" "$stage"
stage_tap 2
ok "with INTx the run succeeds" [ "$lab_status" = 0 ]

tap_done
