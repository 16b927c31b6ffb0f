#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Two workloads are paused and resumed one after the other: each has its own pause,
# the host's is from the first pause to the last resume, and a BPF program that saw
# all of it live or replayed says what the ledgers say; where a name is longer than what it
# has of names, it says that it does not know.

# shellcheck source=tests/lab/tap.sh
. "$(dirname "$0")/../lab/tap.sh"

stage before <<'END'
lutrace snapshot --all >/dev/null || exit 1	# a session with a memfd
lutrace mark pause:vm1; lutrace mark resume:vm1	# an attempt that nothing came of
lutrace mark pause:vm1
sleep 0.2
lutrace mark pause:vm2
lutrace mark pause:gone
for i in $(seq 40); do echo "pause:w$i" >/sys/kernel/liveupdate/ledger/mark; done
lutrace mark "pause:$(printf 'n%.0s' $(seq 57))" >"$LAB_RESULTS/long" 2>&1
echo "exit $?" >>"$LAB_RESULTS/long"
END
before=$stage
stage after <<'END'
bpffs=/sys/fs/bpf
set -e
bpftool prog loadall "$LAB_BUILD/bpf/blackout.bpf.o" $bpffs/blackout autoattach pinmaps $bpffs/blackout/maps
dump() { bpftool -j map dump pinned "$bpffs/blackout/maps/$1" >"$LAB_RESULTS/$1-$2.json"; }
answers() { lutrace time -j --pinned $bpffs/blackout | tail -n 1 >"$LAB_RESULTS/$1.json"; }

lutrace verify >/dev/null || [ $? = 1 ]		# retrieves and finishes
lutrace mark resume:vm1
echo all >/sys/kernel/liveupdate/ledger/replay
lutrace time -j >"$LAB_RESULTS/half-ledger.json"
answers half
sleep 0.3
lutrace mark resume:vm2
lutrace mark resume:new
# Many at the same time, on all CPUs.
for cpu in 0 1; do
	taskset -c $cpu sh -c "for i in \$(seq $((1 + cpu)) 2 40 | tr '\n' ' '); do echo resume:w\$i >/sys/kernel/liveupdate/ledger/mark; done" &
done
wait
answers live
lutrace mark pause:vm2; lutrace mark resume:vm2	# of another time
echo all >/sys/kernel/liveupdate/ledger/replay
answers replayed
dump workloads replayed
lutrace time -j >"$LAB_RESULTS/ledger.json"
lutrace time >"$LAB_RESULTS/time.txt"
END
lab_run --timeout 400 "$before" "$stage" || tap_done

# What both say: all but the kernel's names and the time of day, which BPF does not know.
# What lies in a named step is known from the ledger alone.
answer() { lab_json "$1.json" '.blackout | del(.explained, .leaves, .phases[].unexplained_ns) | tostring'; }
pauses() { lab_json "$1.json" "[.blackout.workloads[] | $2] | tostring"; }

is "a name that a resume has no room for is refused" "$(cat "$lab_results/long")" \
	"lutrace: the mark 'pause:$(printf 'n%.0s' {1..57})' was not written: it is too long: a mark has at most 63 characters, a name in it 56; use a shorter name
exit 1"
is "workloads that were paused or resumed are listed, by name" \
	"$(pauses ledger 'select(.name | startswith("w") | not) | .name')" '["gone","new","vm1","vm2"]'
is "those that were both have a pause" "$(pauses ledger 'select(.ns and (.name | startswith("w") | not)) | .name')" '["vm1","vm2"]'
is "however many there are" "$(lab_json ledger.json '[.blackout.workloads[] | select(.ns)] | length')" 42
is "the others say what is missing" "$(pauses ledger 'select(.ns | not) | .unknown')" \
	'["it was paused, but no mark says that it was resumed","it was resumed, but no mark says when it was paused"]'
is "the host's pause begins with the first of them" "$(pauses ledger 'select(.name == "vm1") | .begin_ns')" '[0]'
is "and ends with the last" "$(lab_json ledger.json '.blackout as $host |
	([$host.workloads[] | select(.ns) | .begin_ns + .ns] | max) - $host.ns | . >= -2 and . <= 2')" true
is "which is long after the first resume" \
	"$(lab_json ledger.json '.blackout.ns - (.blackout.workloads[] | select(.name == "vm1") | .ns) > 3e8')" true
is "the second was paused later than the first" \
	"$(lab_json ledger.json '.blackout.workloads[] | select(.name == "vm2") | .begin_ns >= 2e8')" true
is "phases add up to the host's pause" "$(lab_json ledger.json '.blackout.ns == ([.blackout.phases[].ns] | add)')" true
is "from mark to mark" "$(lab_json ledger.json '.blackout | .from + " " + .to')" "pause-mark resume-mark"

is "BPF says the same from records that it saw live" "$(answer live)" "$(answer ledger)"
is "and from a replay" "$(answer replayed)" "$(answer ledger)"
is "while one is not resumed yet, too" "$(answer half)" "$(answer half-ledger)"
is "whose pause is unknown then" "$(pauses half 'select(.name == "vm2") | .ns')" '[null]'
is "bpftool prints the pauses by name" \
	"$(lab_json workloads-replayed.json '[.[].formatted.value.pause | select(.known == 1) | .ns] | sort | tostring')" \
	"$(lab_json ledger.json '[.blackout.workloads[].ns | numbers] | sort | tostring')"
like "lutrace time prints them" "$(cat "$lab_results/time.txt")" '  vm2 .* s'

stage before <<'END'
lutrace snapshot --all >/dev/null || exit 1
lutrace mark pause:instance-00000012
END
before=$stage
stage after <<'END'
set -e
bpftool prog loadall "$LAB_BUILD/bpf/blackout.bpf.o" /sys/fs/bpf/blackout autoattach pinmaps /sys/fs/bpf/blackout/maps
lutrace verify >/dev/null || [ $? = 1 ]
lutrace mark resume:instance-00000012
echo all >/sys/kernel/liveupdate/ledger/replay
lutrace time -j >"$LAB_RESULTS/ledger.json"
lutrace time --pinned /sys/fs/bpf/blackout >"$LAB_RESULTS/bpf.txt" 2>&1 || echo "exit $?" >>"$LAB_RESULTS/bpf.txt"
END
lab_run "$before" "$stage" || tap_done
is "the ledger has a long name" "$(pauses ledger 'select(.ns) | .name')" '["instance-00000012"]'
like "BPF does not have it, and says so" "$(cat "$lab_results/bpf.txt")" 'more workloads than are told apart'
like "and that it does not know" "$(cat "$lab_results/bpf.txt")" 'exit 2'
tap_done
