#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# A controller that somebody has switched off in between is not the one that was left: the
# driver says so, and neither sets it up anew nor calls its commands completed.

# shellcheck source=tests/lab/tap.sh
. "$(dirname "$0")/../lab/tap.sh"
stage before <<'END'
. "$LAB_PROJECT/tests/kernel/workload.sh"
bind-vfio "$LAB_DEVICES" >/dev/null || exit
workload disk start --device "$LAB_DEVICES"
workload_reaches disk ready || exit
workload_go_on disk
workload_reaches disk paused
END
before=$stage
stage after <<'END'
# shellcheck source=tests/kernel/igb.sh
. "$LAB_PROJECT/tests/kernel/igb.sh"
configuration=$(($(igb_bar "$LAB_DEVICES" 0) + 0x14))	# CC
bind-vfio "$LAB_DEVICES" >/dev/null || exit
busybox devmem $configuration >"$LAB_RESULTS/configuration"
busybox devmem $configuration 32 0
timeout 60 lu-workload resume >"$LAB_RESULTS/said" 2>&1
echo $? >"$LAB_RESULTS/exit"
END
lab_run --mode scalable --devices nvme "$before" "$stage" || tap_done
is "the controller has been enabled all along" "$(cat "$lab_results/configuration")" 0x00460001
is "the driver does not take it over when it is not any more" "$(cat "$lab_results/exit")" 1
like "and says why" "$(cat "$lab_results/said")" \
	'the controller is not as it was left: configuration 0, status 0, admin queue at 0x100000000'
rm -f "$lab_results/disk0"
tap_done
