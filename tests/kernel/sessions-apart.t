#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# While the memory of one session is retrieved, others retrieve and finish theirs: nobody
# waits for a session that somebody else has.

# shellcheck source=tests/lab/tap.sh
. "$(dirname "$0")/../lab/tap.sh"

stage outgoing <<'END'
"$LAB_BUILD"/tests/kernel/sessions-apart preserve 1024 >/run/said &
until grep -q preserved /run/said; do
	kill -0 $! || exit 1
	sleep 0.05
done
END
outgoing=$stage
stage incoming <<'END'
"$LAB_BUILD"/tests/kernel/sessions-apart retrieve
END
lab_run --mode scalable --memory 3072 "$outgoing" "$stage"
stage_tap 2
tap_done
