#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Linux as it is, without the overlay, as outgoing and as incoming kernel: it has LUO and
# KHO, and keeps no ledger. 'lutrace mark --keep' keeps one, and all verbs answer from it;
# what was not seen is unknown and says so. 'make test-stock' runs this.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/kernel/dma-session.sh
. "$here/../kernel/dma-session.sh"
# shellcheck source=tests/kernel/ledger-kept.sh
. "$here/../kernel/ledger-kept.sh"

kept_stages
lab_run --timeout 600 --outgoing "$OUTGOING" --incoming "$INCOMING" "$kept_before" "$kept_after" || tap_done
kept_is
like "step_latency is attached to the functions" "$(cat "$lab_results/attach.txt")" '^step_latency is attached'
like "blackout is not, and says why" "$(cat "$lab_results/attach.txt")" 'blackout is not attached: this kernel has no trace events'
is "it counts the steps of the agent" "$(lab_json pinned.json '[.steps[] | select(.step | test("preserve|create")) |
	"\(.step) \(.count) \(.errors) \(.total_ns > 0)"] | sort | join(", ")')" \
	"file-preserve 1 0 true, memfd-preserve 1 0 true, session-create 1 0 true"
tap_done
