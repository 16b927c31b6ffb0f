#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# A host goes back to a kernel that reads another layout of the state, with nothing
# preserved: it finds none, and boots. One that reads this layout finds it.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/kernel/dma-session.sh
. "$here/dma-session.sh"
# shellcheck source=tests/kernel/successor.sh
. "$here/successor.sh"

image_says luo-v6 luo-v9 "$tap_scratch/other"

stage before <<'END'
set -e
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
# A session that held something, and is over
dma_session
dma memory 16
dma session over
dma preserve memory 1
dma_killed
kexec -s -l "${OTHER:-$LAB_INCOMING}" --command-line="$LAB_INCOMING_CMDLINE"
END
before=$stage
stage after <<'END'
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
note state "$(ls /sys/kernel/debug/kho/in/sub_fdts | grep -c '^LUO$')"
dma_session
dma memory 16
dma session next
note preserve "$(dma try preserve memory 1)"
END

lab_what="another layout"
lab_run --env OTHER="$tap_scratch/other" "$before" "$stage" && {
	is "$lab_what: no state is handed over" "$(fact state)" 0
	is "$lab_what: and the next live update has all it needs" "$(fact preserve)" ok
}
lab_what="this layout"
lab_run "$before" "$stage" && {
	is "$lab_what: the state is handed over" "$(fact state)" 1
	is "$lab_what: and the next live update has all it needs" "$(fact preserve)" ok
}
tap_done
