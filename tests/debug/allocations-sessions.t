#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Whatever allocation fails while a session is created or retrieved, memory is preserved or
# retrieved, the reboot call freezes what is preserved, or the first open of /dev/liveupdate
# makes the sessions: nothing is lost, and the same call succeeds later. Needs the debug
# kernel, which also sees what leaks.

# shellcheck source=tests/lab/tap.sh
. "$(dirname "$0")/../lab/tap.sh"

stage outgoing <<'END'
ready=/run/ready
"$LAB_BUILD"/tests/kernel/allocations-sessions outgoing $ready $(bind-vfio $LAB_DEVICES) &
until [ -e $ready ]; do
	kill -0 $! || exit 1
	sleep 0.05
done
END
outgoing=$stage
stage incoming <<'END'
bind-vfio $LAB_DEVICES >/dev/null
"$LAB_BUILD"/tests/kernel/allocations-sessions incoming
END
for mode in ${MODES:-scalable}; do
	lab_try --mode "$mode" --devices edu,edu --append "hugepages=48 vfio_pci.nointxmask=1" "$outgoing" "$stage"
	stage_tap 1
	stage_tap 2
	ok "$mode: the kernels have nothing to complain of" [ "$lab_status" = 0 ]
done

tap_done
