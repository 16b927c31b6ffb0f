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
tap_done
