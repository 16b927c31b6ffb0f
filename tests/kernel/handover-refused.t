#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# A kernel that cannot find or keep the memory that was preserved does not use any
# of it: while a device may be doing DMA to it, the kernel panics at once and says
# why. Where no session crosses, it boots without the handover.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/kernel/dma-session.sh
. "$here/dma-session.sh"

stage before <<'END'
set -e
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
bind-vfio $LAB_DEVICES
[ "$SESSION" = none ] || dma_preserved_device handover "$LAB_DEVICES" 4
[ "$SESSION" = none ] || dma hold
"$LAB_BUILD/tests/kernel/damage-handover" "$DAMAGE"
END
before=$stage
stage after <<'END'
echo "the incoming kernel runs"
END
after=$stage

# What boots quickest: there are many runs. A console for what is said this early.
machine=(--cpus 1 --memory 512 --devices edu --mode legacy --timeout 60 --incoming-append "earlyprintk=serial,ttyS1,115200")
lab_run --env DAMAGE=nothing "${machine[@]}" "$before" "$after"

# refused WHAT MESSAGE: the damage, and what the panic says
refused() {
	lab_try --env DAMAGE="$1" "${machine[@]}" "$before" "$after" 2>"$tap_scratch/said"
	is "$1: the incoming kernel panics before user space" \
		"$lab_status $(cat "$lab_results/stage2.exit" 2>/dev/null)" "3 "
	like "$1: it says why" "$(grep -a 'Kernel panic' "$lab_results/console-incoming.log")" "KHO: $2.*Reset the machine" ||
		diag "$(cat "$tap_scratch/said")"
}

refused node "preserved memory cannot be reserved"
refused block "preserved memory cannot be reserved"

# Nothing was preserved that could be lost.
lab_try --allow-warnings --env SESSION=none --env DAMAGE=block "${machine[@]}" "$before" "$after"
is "without a session the incoming kernel boots" "$lab_status" 0
like "and says that it does without the handover" \
	"$(grep -a 'KHO:' "$lab_results/console-incoming.log")" "the handover is not used"
tap_done
