#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# The host's live update agent owns /dev/liveupdate. lutrace puts its snapshot
# into a session that the agent hands over, and finds it there afterwards.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/kernel/dma-session.sh
. "$here/dma-session.sh"

stage before <<'END'
set -e
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
bind-vfio $LAB_DEVICES
dma_preserved_device memory "$LAB_DEVICES"
dma hold

"$LAB_BUILD/tests/kernel/agent" create agent \
	sh -c 'lutrace snapshot -j
		echo own=$? >>"$LAB_RESULTS/facts"
		lutrace snapshot -j --session-fd 7 --token 42 >"$LAB_RESULTS/snapshot.json"
		echo kept=$? >>"$LAB_RESULTS/facts"
		lutrace snapshot -j --session-fd 7 --token 42
		echo again=$? >>"$LAB_RESULTS/facts"' >/tmp/agent.log 2>&1 &
until grep -q held /tmp/agent.log; do
	kill -0 $! || { cat /tmp/agent.log; exit 1; }
	sleep 0.1
done
END
before=$stage
stage after <<'END'
agent=$LAB_BUILD/tests/kernel/agent
"$agent" retrieve agent sh -c '
	lutrace verify -j --session-fd 7 --token 41 >"$LAB_RESULTS/wrong.json"
	echo wrong=$? >>"$LAB_RESULTS/facts"
	lutrace verify -j --session-fd 7 --token 42 >"$LAB_RESULTS/identity.json"'
echo "verdict=$?" >>"$LAB_RESULTS/facts"
"$agent" retrieve agent true
echo "finished=$?" >>"$LAB_RESULTS/facts"
true
END
# value NAME: what a stage noted
value() { sed -n "s/^$1=//p" "$lab_results/facts"; }

lab_run --mode scalable --devices edu "$before" "$stage"
is "a session of lutrace's own is not to be had while the agent owns the device" "$(value own)" 1
is "the snapshot goes into the agent's session" "$(value kept)" 0
is "under one token once" "$(value again)" 1
is "under a token that nobody gave there is none afterwards: unknown" "$(value wrong)" 2
is "under its token it is found, and the page tables are identical" \
	"$(value verdict) $(lab_json identity.json .verdict)" "0 identical"
is "it is the snapshot that was taken" "$(jq -s \
	'.[0].digest != null and .[0].digest == .[1].digest' \
	"$lab_results/identity.json" "$lab_results/snapshot.json")" true
schema "the snapshot's answer is what its schema says" snapshot "$lab_results/snapshot.json"
schema "so are the verdicts" verify "$lab_results/identity.json" "$lab_results/wrong.json"
is "the agent has finished its session itself" "$(value finished)" 1
tap_done
