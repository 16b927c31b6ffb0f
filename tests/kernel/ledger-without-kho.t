#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# With KHO and live update switched off, a kernel keeps a ledger all the same;
# it is not carried to the next kernel. Where KHO has switched itself off, the demonstration
# says so, and why.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/kernel/ledger.sh
. "$here/ledger.sh"
# shellcheck source=tests/kernel/dma-continues.sh
. "$here/dma-continues.sh"

stage before <<'END'
set -e
cd /sys/kernel/liveupdate/ledger
[ ! -e previous ]
echo alone >mark
echo 1 >/sys/kernel/tracing/events/liveupdate/enable
echo all >replay
cat current >"$LAB_RESULTS/current"
grep -o 'step=.*' /sys/kernel/tracing/trace >"$LAB_RESULTS/trace"
END
before=$stage
stage after <<'END'
cd /sys/kernel/liveupdate/ledger || exit 1
[ ! -e previous ]
END

lab_run --append "kho=off liveupdate=off" "$before" "$stage" || tap_done
is "boot, init and marks are recorded" \
	"$(ledger_without_parts "$lab_results/current" | awk '{ printf "%s:%s ", $4, $10 }')" \
	"boot: init: user-mark:alone "
is "and replayed, with all parts of boot" "$(grep -c 'replayed=1' "$lab_results/trace")" \
	"$(ledger_header "$lab_results/current" count)"

# The debug kernel's words say how much room there is.
LAB_WORDS='' demonstration --mode legacy -- --append kho_scratch=64G,64G,64G
is "without room for KHO the demonstration fails" "$demo_status" 1
like "and says why" "$(cat "$tap_scratch/screen")" 'no /dev/liveupdate, so that nothing can be preserved'
like "in the kernel's words" "$(cat "$tap_scratch/screen")" 'KHO: Failed to reserve .*scratch'
tap_done
