#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Whatever allocation fails, in either kernel: the call says so, everything is as
# it was, and the same call succeeds later. Needs the debug kernel, which also sees
# what leaks.

# shellcheck source=tests/lab/tap.sh
. "$(dirname "$0")/../lab/tap.sh"

stage outgoing <<'END'
ready=/run/ready
"$LAB_BUILD"/tests/kernel/allocations-fail outgoing $ready $(bind-vfio $LAB_DEVICES) &
until [ -e $ready ]; do
	kill -0 $! || exit 1
	sleep 0.05
done
END
outgoing=$stage
stage incoming <<'END'
"$LAB_BUILD"/tests/kernel/allocations-fail incoming $(wc -w <<<"$LAB_DEVICES")
END
for mode in ${MODES:-legacy scalable first-stage}; do
	lab_try --mode $mode --devices edu,edu,edu,edu,edu,edu,edu,edu "$outgoing" "$stage"
	stage_tap 1
	stage_tap 2
	ok "$mode: the kernels have nothing to complain of" [ "$lab_status" = 0 ]
done

tap_done
