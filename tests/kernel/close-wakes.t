#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Who closes a device waits for a page table that is being allocated for it, and is woken then.

# shellcheck source=tests/lab/tap.sh
. "$(dirname "$0")/../lab/tap.sh"

stage closes <<'END'
"$LAB_BUILD"/tests/kernel/close-wakes "$(bind-vfio "$LAB_DEVICES")" 60 "$((5 * LAB_SLOWER))"
END
lab_try --mode scalable --devices edu "$stage"
stage_tap 1
ok "the run succeeds" [ "$lab_status" = 0 ]
tap_done
