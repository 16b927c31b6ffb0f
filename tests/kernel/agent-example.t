#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# The example of an agent (tools/agent) without systemd: it holds a session with memory,
# iommufd and device until the jump, asks for it by name in the next kernel, moves the
# device to a new page table, and is ready for the next live update. With systemd's store it
# is tried in tests/debian/fdstore.t.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/kernel/dma-session.sh
. "$here/dma-session.sh"

# agent: start the example, and wait until it says what it has
stage agent <<'END'
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
"$LAB_BUILD/bin/liveupdate-agent" guests "$LAB_DEVICES" >/tmp/agent 2>&1 &
until [ -s /tmp/agent ]; do sleep 0.05; done
note agent "$(cat /tmp/agent)"
END
agent=$stage
stage before <<END
set -e
bind-vfio \$LAB_DEVICES
. $agent
END
before=$stage
stage after <<END
. $agent
note unfinished "\$(lutrace doctor --sessions -j | jq -c '[.checks[] | select(.kind == "unfinished").session]')"
note faults "\$(dmesg | grep -c 'DMAR:.*fault')"
lutrace time -j >"\$LAB_RESULTS/time.json"
END
lab_run --mode scalable --devices igb "$before" "$stage" || tap_done
is "the session was new, the device crossed, and its session is over" "$(fact agent)" \
	$'session guests is new, live updates so far: 0\nsession guests came back, live updates so far: 1'
is "nothing stands in the way of the next" "$(fact unfinished)" '[]'
is "no DMA was refused" "$(fact faults)" 0
tap_done
