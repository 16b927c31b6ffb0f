#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# systemctl kexec: systemd-shutdown ends all processes before it calls reboot. An agent
# that is marked outlives that, and its device runs on; so does who holds a snapshot. The
# session of one that is not is given up, as doctor said it would be and postmortem says
# that it was.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/kernel/dma-session.sh
. "$here/dma-session.sh"
[ -x /lib/systemd/systemd-shutdown ] || skip_all "systemd is not installed"

stage before <<'END'
set -e
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
bind-vfio $LAB_DEVICES
DMA_NAME=@agent dma_preserved_device guests "$LAB_DEVICES"
dma write 0x0 0x4711
dma load "$LAB_DEVICES" 0x1000000
dma hold
lutrace snapshot -d "$LAB_DEVICES"
# An agent that nobody has marked
"$LAB_BUILD/tests/kernel/dma-session" >/tmp/other <<'COMMANDS' &
memory 4
session other
preserve memory 1
hold
COMMANDS
until [ "$(grep -c ok /tmp/other)" = 4 ]; do sleep 0.05; done
mkdir -p /run/systemd/system
lutrace doctor --sessions -j >"$LAB_RESULTS/doctor.json" || :
END
before=$stage
stage after <<'END'
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
dma_session
note other "$(dma try retrieve-session other)"
dma retrieve-session guests
dma retrieve memory 1
dma retrieve iommufd 2
dma retrieve d 3
dma store "$LAB_DEVICES" 0x1001000
note value "$(dma read 0x1000)"
lutrace verify >"$LAB_RESULTS/verify" 2>&1
lutrace postmortem -j >"$LAB_RESULTS/postmortem.json"
note postmortem $?
END
# The root of the machine is the host's, which may be a container: systemd would not jump
# out of one. An empty variable says that it is none.
shutdown="env container= /lib/systemd/systemd-shutdown kexec --timeout 10s"
lab_run --mode scalable --devices edu --jump "$shutdown" "$before" "$stage" || {
	diag "$(cat "$lab_results/jump.log")"
	tap_done
}
is "the session of a process that is not marked is gone" "$(fact other)" ENOENT
is "doctor knew whose" "$(lab_json doctor.json '[.checks[] | select(.kind == "holder").session] | join(" ")')" other
like "postmortem says that it was given up" "$(lab_json postmortem.json .summary)" \
	'; the session other was given up [0-9.]+ s before the reboot call\.$'
is "which is no success" "$(fact postmortem)" 1
is "its files are counted" "$(lab_json postmortem.json '.given_up[] | "\(.session) \(.files)"')" "other 1"
schema "as the schema has it" postmortem "$lab_results/postmortem.json"
is "the device of the one that is did DMA in the incoming kernel" "$(fact value)" 0x4711
like "the snapshot's holder stays, too, and the tables are the same" "$(cat "$lab_results/verify")" 'identical'
tap_done
