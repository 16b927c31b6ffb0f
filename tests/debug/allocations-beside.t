#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Two devices cross with one iommufd, and one of them is lost, since another one is in its
# place. Whatever allocation of retrieving the iommufd fails: the page table of the lost
# device may be gone by then, and the other device comes home. Needs the debug kernel.

# shellcheck source=tests/lab/tap.sh
. "$(dirname "$0")/../lab/tap.sh"

stage outgoing <<'END'
ready=/run/ready
read -r other lost <<<"$(bind-vfio $LAB_DEVICES | xargs)"
"$LAB_BUILD"/tests/kernel/allocations-beside outgoing $ready "$lost" "$other" &
until [ -e $ready ]; do
	kill -0 $! || exit 1
	sleep 0.05
done
"$LAB_BUILD"/tests/kernel/damage-record second-vendor
END
outgoing=$stage
stage incoming <<'END'
"$LAB_BUILD"/tests/kernel/allocations-beside incoming
END
for mode in ${MODES:-scalable}; do
	lab_try --mode "$mode" --devices edu,edu "$outgoing" "$stage"
	stage_tap 2
	ok "$mode: the kernels have nothing to complain of" [ "$lab_status" = 0 ]
done

tap_done
