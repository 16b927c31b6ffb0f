#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Without marks the pause ends when all sessions are finished. Before that it is
# unknown, for lutrace and for the BPF program alike.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/kernel/dma-session.sh
. "$here/dma-session.sh"

stage before <<'END'
for n in 1 2; do
	"$LAB_BUILD"/tests/kernel/memfd-session preserve "session$n" 1 16 >/tmp/out$n &
	for i in $(seq 100); do grep -q preserved /tmp/out$n && break; sleep 0.1; done
done
END
before=$stage
stage after <<'END'
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
bpffs=/sys/fs/bpf/blackout
bpftool prog loadall "$LAB_BUILD/bpf/blackout.bpf.o" $bpffs autoattach pinmaps $bpffs/maps || exit
look() {
	note "$1" "$(lutrace time | head -n 1; echo "exit ${PIPESTATUS[0]}")"
	echo all >/sys/kernel/liveupdate/ledger/replay
	bpftool -j map dump pinned $bpffs/maps/blackout >"$LAB_RESULTS/$1.json"
	lutrace time -j >"$LAB_RESULTS/$1-time.json"
	lutrace postmortem -j >"$LAB_RESULTS/$1-postmortem.json"
}
look none
"$LAB_BUILD"/tests/kernel/memfd-session retrieve session1 1 16
look one
"$LAB_BUILD"/tests/kernel/memfd-session retrieve session2 1 16
look both
END
lab_run "$before" "$stage" || tap_done

bpf() { lab_json "$1.json" ".[0].formatted.value.$2"; }
reason() { lab_json "$1-time.json" .blackout.unknown; }

is "before any session is retrieved the pause is unknown" "$(reason none)" \
	"neither a resume mark nor a finished session yet"
is "so it is when one of two is finished" "$(reason one)" "no resume mark, and not all sessions are finished"
is "there is no number then" "$(lab_json one-time.json .blackout.ns)" null
is "the BPF program says so, too" "$(bpf one known) $(bpf one ns) $(bpf one reason)" \
	'0 0 BLACKOUT_REASON_UNFINISHED'
is "post-mortem says what is missing" "$(lab_json one-postmortem.json .summary)" \
	"The live update is not finished: not all sessions are finished."
is "it is known when both are finished" "$(reason both)" null
is "from the reboot call to the last session" "$(lab_json both-time.json '.blackout.from + " " + .blackout.to')" \
	"reboot-call session-finish"
is "the BPF program gives the same number" "$(bpf both ns)" "$(lab_json both-time.json .blackout.ns)"
is "post-mortem finds nothing missing" "$(lab_json both-postmortem.json .summary)" "The live update was finished."
tap_done
