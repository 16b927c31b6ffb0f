#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# A tracer that is attached long after the jump sees the whole handover when
# the ledgers are replayed: ftrace, perf, bpftrace, and a BPF program that
# bpftool loads.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/kernel/ledger.sh
. "$here/ledger.sh"

stage before <<'END'
echo pause >/sys/kernel/liveupdate/ledger/mark
END
before=$stage
stage after <<'END'
set -e
cd /sys/kernel/liveupdate/ledger
echo resume >mark
cat previous current >/dev/null
cp previous "$LAB_RESULTS/previous"
cp current "$LAB_RESULTS/current"

# ftrace
tracing=/sys/kernel/tracing
echo 1 >$tracing/events/liveupdate/enable
echo all >replay
echo 0 >$tracing/events/liveupdate/enable
cp $tracing/trace "$LAB_RESULTS/ftrace"

# perf
perf record -q -o /tmp/perf.data -e 'liveupdate:*' -- sh -c 'echo all >replay'
perf script -i /tmp/perf.data >"$LAB_RESULTS/perf"
# bpftrace starts what -c names once its probes are attached, and ends with it
cat >/tmp/replay <<'SCRIPT'
echo all >replay
sleep 1
SCRIPT
bpftrace -c '/bin/sh /tmp/replay' -e '
tracepoint:liveupdate:liveupdate_step_begin,
tracepoint:liveupdate:liveupdate_step_end /args->replayed/ {
	printf("%llu %llu %llu %d\n", args->sequence, args->cycles, args->ref, args->step);
}' >"$LAB_RESULTS/bpftrace" 2>"$LAB_RESULTS/bpftrace.errors"
# BPF by bpftool: no user space of ours
bpffs=/sys/fs/bpf/step_latency
mkdir $bpffs
bpftool prog loadall "$LAB_BUILD"/bpf/step_latency.bpf.o $bpffs autoattach pinmaps $bpffs
echo all >replay
bpftool -j map dump pinned $bpffs/records >"$LAB_RESULTS/records.json"
bpftool -j map dump pinned $bpffs/steps >"$LAB_RESULTS/steps.json"
END

lab_run "$before" "$stage" || tap_done
{
	ledger_records "$lab_results/previous"
	ledger_records "$lab_results/current"
} >"$tap_scratch/records"
records=$(wc -l <"$tap_scratch/records")
steps=$(awk '{ print $1, $2, $3, $4, $5 }' "$tap_scratch/records")

# formatted FILE: the same five fields out of what ftrace and perf print
formatted() {
	sed -n 's/.*liveupdate_step.*sequence=\([0-9]*\) cycles=\([0-9]*\) ref=\([0-9]*\) step=\([^ ]*\) edge=\([^ ]*\) .*replayed=1.*/\1 \2 \3 \4 \5/p' "$1"
}

ok "there is something to replay" [ "$records" -gt 10 ]
is "ftrace sees every record with its number, time, step and edge" "$(formatted "$lab_results/ftrace")" "$steps"
is "perf sees every record with its number, time, step and edge" "$(formatted "$lab_results/perf" | sort -n)" "$steps"
is "bpftrace sees every record with its number and time" \
	"$(grep -E '^[0-9]' "$lab_results/bpftrace" | cut -d ' ' -f 1-3 | sort -n)" "$(cut -d ' ' -f 1-3 <<<"$steps")"
is "a BPF program that bpftool loaded counts every end and every instant" \
	"$(lab_json records.json '.[0].formatted.value.records')" \
	"$(awk '$5 != "begin"' "$tap_scratch/records" | wc -l)"
is "and knows the steps" "$(lab_json steps.json '.[].formatted.key' | sed 's/^LIVEUPDATE_STEP_//' | sort -u)" \
	"$(awk '$5 != "begin" { gsub("-", "_", $4); print toupper($4) }' "$tap_scratch/records" | sort -u)"

tap_done
