#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# A kernel that cannot keep the memory that was preserved, to which a device may be
# doing DMA, panics before it hands any of it out, and says why.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/kernel/dma-session.sh
. "$here/dma-session.sh"

stage before <<'END'
set -e
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
bind-vfio $LAB_DEVICES
dma_preserved_device handover "$LAB_DEVICES" 4
dma hold
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
	like "$1: the incoming kernel panics before user space" \
		"$lab_status $(cat "$lab_results/stage2.exit" 2>/dev/null)" "^(${3:-3}) \$"
	like "$1: it says why" "$(grep -a 'Kernel panic' "$lab_results/console-incoming.log")" "KHO: $2.*Reset the machine" ||
		diag "$(cat "$tap_scratch/said")"
}

refused node "preserved memory cannot be reserved"
refused block "preserved memory cannot be reserved"

# A block that is lost from the tree is no contradiction: only its sum tells.
# QEMU does not end when its debugger is still there.
machine+=(--timeout 30 --append nokaslr --at-jump '"$LAB_BUILD/tests/kernel/damage-handover" bit "$LAB_RAM"')
refused nothing "the tree of preserved memory cannot be read" "3|124"
like "and what is wrong" "$(cat "$lab_results/console-incoming.log")" "KHO: the tree of preserved memory is not as the previous kernel left it"

tap_done
