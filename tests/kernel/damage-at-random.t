#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Handovers of which fields are damaged at random, the last moment before the jump: no
# kernel crashes or hangs, no memory of anybody else is written to, a device is what its
# records still say or is isolated, and one that nothing is wrong with comes home.
# make test-damage does that a hundred times; DAMAGE_SEED= draws others.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/kernel/dma-session.sh
. "$here/dma-session.sh"
# shellcheck source=tests/damage/handovers.sh
. "$here/../damage/handovers.sh"

first=${DAMAGE_SEED:-1}
for seed in "$first" $((first + 1)) $((first + 2)); do
	damage_options "$seed" 3
	lab_try "${options[@]}" "$here/../damage/before" "$here/../damage/after" 2>"$tap_scratch/said"
	is "seed $seed: nobody but the devices concerned is affected" "$(damage_verdict "$lab_results" "$lab_status")" "" ||
		diag "$(cat "$lab_results/damage" "$lab_results/facts" "$tap_scratch/said")"
done
tap_done
