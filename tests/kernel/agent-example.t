#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# The example of an agent (tools/agent) without systemd: it holds a session with memory,
# iommufd and device until the jump, asks for it by name in the next kernel, moves the
# device to a new page table, and is ready for the next live update. So is one that is given
# the session after another one has ended that moved the device, with and without giving up
# the old page table, and one whose memory is lost. Its unit starts it. With systemd's store
# it is tried in tests/debian/fdstore.t.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/kernel/dma-session.sh
. "$here/dma-session.sh"

stage before <<'END'
set -e
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
bind-vfio $LAB_DEVICES
"$LAB_BUILD/bin/liveupdate-agent" guests "$LAB_DEVICES" >/tmp/agent 2>&1 &
until grep -q ^session /tmp/agent; do sleep 0.05; done
note agent "$(cat /tmp/agent)"
END
before=$stage

# The tokens are those of tools/workload/session.h.
stage after <<'END'
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
if [ -z "$MOVED" ]; then
	"$LAB_BUILD/bin/liveupdate-agent" guests "$LAB_DEVICES" >/tmp/agent 2>&1 &
	until grep -q ^session /tmp/agent; do sleep 0.05; done
	note agent "$(grep ^session /tmp/agent)"
	note lost "$(grep lost /tmp/agent)"
else
	bind-vfio $LAB_DEVICES
	dma_session
	for call in "retrieve-session guests" "retrieve memory 1" "retrieve iommufd 2" "retrieve d 3" "bind d" \
		"restore old 1" "domain new d" "map new 0x100000000" "move d new"; do
		dma $call
	done
	[ $MOVED = attached ] || dma destroy old
	echo "become guests $LAB_BUILD/bin/liveupdate-agent guests $LAB_DEVICES" >&$dma_to
	read -r answer <&$dma_from
	note agent "$answer"
	note state "$(cat /sys/bus/pci/devices/$LAB_DEVICES/liveupdate)"
fi
note unfinished "$(lutrace doctor --sessions -j | jq -c '[.checks[] | select(.kind == "unfinished").session]')"
note faults "$(dmesg | grep -c 'DMAR:.*fault')"
END

for moved in "" attached destroyed; do
	what=${moved:-agent} lab_what=$what
	lab_run --mode scalable --devices igb --env MOVED="$moved" "$before" "$stage" || continue
	is "$what: the session was new, the device crossed, and its session is over" "$(fact agent)" \
		$'session guests is new, live updates so far: 0\nsession guests came back, live updates so far: 1'
	is "$what: nothing stands in the way of the next" "$(fact unfinished)" '[]'
	is "$what: no DMA was refused" "$(fact faults)" 0
done

# shellcheck disable=SC2016 # the laboratory's shell expands it
damage='"$LAB_BUILD/tests/kernel/damage-random" "$LAB_RAM" one memfd size 0000:0100 ^0x1000 >"$LAB_RESULTS/damage" || exit 1'
lab_what="memory is lost"
lab_run --mode scalable --devices igb --append nokaslr --at-jump "$damage" --env MOVED= "$before" "$stage" && {
	like "$lab_what: the agent says so" "$(fact lost)" 'the memory is lost'
	like "$lab_what: its device comes home, and its session is over" "$(fact agent)" 'session guests came back'
	is "$lab_what: nothing stands in the way of the next" "$(fact unfinished)" '[]'
}

# The words of the unit are a command line of the program: it gets as far as the session.
read -ra words < <(sed -n 's/^ExecStart=@//p' "$here/../../tools/systemd/examples/liveupdate-agent.service")
said=$(exec -a "${words[1]}" "${BUILD:-$here/../../build}/bin/liveupdate-agent" "${words[@]:2}" 2>&1)
is "its unit starts it" "$(grep -c usage <<<"$said")" 0
tap_done
