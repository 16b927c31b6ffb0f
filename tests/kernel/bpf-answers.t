#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# After a live update, BPF programs that only bpftool loaded give the answers
# that lutrace gives, whether they saw a record live, replayed or both.

# shellcheck source=tests/lab/tap.sh
. "$(dirname "$0")/../lab/tap.sh"

stage before <<'END'
lutrace snapshot --all >/dev/null || exit 1	# a session with a memfd
echo pause >/sys/kernel/liveupdate/ledger/mark
END
before=$stage
stage after <<'END'
set -e
bpffs=/sys/fs/bpf
for program in step_latency blackout; do
	bpftool prog loadall "$LAB_BUILD/bpf/$program.bpf.o" $bpffs/$program \
		autoattach pinmaps $bpffs/$program/maps
done
dump() { bpftool -j map dump pinned "$bpffs/$1" >"$LAB_RESULTS/$2.json"; }

lutrace verify >/dev/null || [ $? = 1 ]		# retrieves and finishes, live
echo resume >/sys/kernel/liveupdate/ledger/mark
dump blackout/maps/blackout live
echo all >/sys/kernel/liveupdate/ledger/replay
dump blackout/maps/blackout replayed
dump step_latency/maps/records once
echo all >/sys/kernel/liveupdate/ledger/replay
dump blackout/maps/blackout again
dump step_latency/maps/records twice
dump step_latency/maps/steps steps
lutrace time -j >"$LAB_RESULTS/time.json"
lutrace steps -j >"$LAB_RESULTS/lutrace-steps.json"
END
lab_run --timeout 400 "$before" "$stage" || tap_done

blackout() { lab_json "$1.json" ".[0].formatted.value$2"; }

is "without the outgoing kernel's records the blackout is unknown" "$(blackout live '.known')" 0
is "and has no number" "$(blackout live '.ns')" 0
is "after a replay it is known" "$(blackout replayed '.known')" 1
is "its phases add up to it exactly" \
	"$(blackout replayed ' | [.quiesce, .freeze, .shutdown, .jump, .early_boot, .restore, .kernel_init, .userspace, .retrieve | .ns] | add')" \
	"$(blackout replayed .ns)"
is "a second replay changes nothing" "$(cat "$lab_results/again.json")" "$(cat "$lab_results/replayed.json")"
is "lutrace says the same" "$(lab_json time.json '[.. | objects | select(has("phases")) | .ns][0]')" \
	"$(blackout replayed .ns)"

is "a second replay counts no record again" \
	"$(lab_json twice.json '.[0].formatted.value.records')" "$(lab_json once.json '.[0].formatted.value.records')"
is "every end found its begin" "$(lab_json twice.json '.[0].formatted.value | .unpaired + .unclocked')" 0
is "the reboot's device shutdown was timed, though nobody could trace it" "$(lab_json steps.json \
	'[.[].formatted | select(.key == "LIVEUPDATE_STEP_DEVICE_SHUTDOWN")][0].value | .timed == 1 and .max_ns > 0')" true
tap_done
