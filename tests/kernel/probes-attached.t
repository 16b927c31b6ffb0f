#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Probes that bpftool attached, and nobody else, collect from the first event on in
# both kernels; lutrace reads their maps, and tells what they cost. A device that
# faults is named, with the phase of the live update in which it did.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/kernel/dma-session.sh
. "$here/dma-session.sh"

stage before <<'END'
set -e
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
read -r kept other <<<"$LAB_DEVICES"
pins=/sys/fs/bpf/somebody
mkdir $pins
echo 1 >/proc/sys/kernel/bpf_stats_enabled
for probe in dma_faults step_latency; do
	bpftool prog loadall "$LAB_BUILD/bpf/$probe.bpf.o" $pins/$probe autoattach pinmaps $pins/$probe/maps
done
bind-vfio "$kept" "$other"
dma_session
dma memory 16
dma device kept "$kept"
dma device other "$other"
dma domain one kept
dma map one 0x1000000
dma attach kept one
dma domain two other
dma attach other two
dma load "$kept" 0x7000000
dma store "$other" 0x7001000
lutrace faults --pinned $pins -j >"$LAB_RESULTS/unknown.json" || note unknown $?
echo all >/sys/kernel/liveupdate/ledger/replay
lutrace faults --pinned $pins -j >"$LAB_RESULTS/before.json"
dma mark one 1
dma session faults
dma preserve memory 1
dma preserve iommufd 2
dma preserve kept 3
dma store "$other" 0x7002000
lutrace faults --pinned $pins -j >"$LAB_RESULTS/others.json"
note others "$(lutrace faults --pinned $pins >/dev/null; echo $?)"
dma store "$kept" 0x7003000
lutrace faults --pinned $pins -j >"$LAB_RESULTS/preserved.json" || note preserved $?
lutrace probes --pinned $pins -j >"$LAB_RESULTS/cost.json"
lutrace steps --pinned $pins -j >"$LAB_RESULTS/steps-outgoing.json"
lutrace export --probes $pins --textfile "$LAB_RESULTS/metrics"
echo pause >/sys/kernel/liveupdate/ledger/mark
dma hold
END
before=$stage
stage after <<'END'
set -e
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
read -r kept other <<<"$LAB_DEVICES"
note none "$(lutrace faults 2>/dev/null >/dev/null; echo $?)"
lutrace probes --attach >"$LAB_RESULTS/attach.txt"
lutrace probes --attach >"$LAB_RESULTS/again.txt" || note again $?
dma_session
dma store "$kept" 0x7004000
lutrace faults -j >"$LAB_RESULTS/unknown-again.json" || note unknown-again $?
echo resume >/sys/kernel/liveupdate/ledger/mark
echo all >/sys/kernel/liveupdate/ledger/replay
make_master "$other"
dma store "$other" 0x7005000
lutrace faults -j >"$LAB_RESULTS/restored.json" || note restored $?
lutrace changes -j >"$LAB_RESULTS/changes.json"
lutrace time -j >"$LAB_RESULTS/time.json"
lutrace time -j --pinned /sys/fs/bpf/lutrace >"$LAB_RESULTS/time-pinned.json"
lutrace steps -j >"$LAB_RESULTS/steps.json"
lutrace steps -j --pinned /sys/fs/bpf/lutrace/step_latency >"$LAB_RESULTS/steps-pinned.json"
lutrace steps -H --pinned /sys/fs/bpf/lutrace >"$LAB_RESULTS/histogram.txt"
lutrace walk -j --device "$kept" >/dev/null
lutrace probes --measure 0.5 -j >"$LAB_RESULTS/measured.json"
# Somebody without a capability: nothing at first, then what the exporter's group may.
as_user() { setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all --bounding-set=-all "$@"; }
chmod 755 /sys/fs/bpf
note closed "$(as_user lutrace faults --pinned /sys/fs/bpf 2>&1; echo $?)"
chgrp -R 65534 /sys/fs/bpf/lutrace && chmod -R g+rX /sys/fs/bpf/lutrace
as_user lutrace faults -j --pinned /sys/fs/bpf/lutrace >"$LAB_RESULTS/faults-user.json" || note open $?
as_user lutrace time -j --pinned /sys/fs/bpf/lutrace >"$LAB_RESULTS/time-user.json"
as_user lutrace probes --pinned /sys/fs/bpf/lutrace >"$LAB_RESULTS/probes-user.txt"
mkdir -m 777 /tmp/user
lutrace record >/tmp/user/recording
as_user lutrace export --probes /sys/fs/bpf/lutrace --textfile /tmp/user/metrics /tmp/user/recording
cp /tmp/user/metrics "$LAB_RESULTS/metrics-user"
rm -r /sys/fs/bpf/lutrace/dma_faults
# The kernel frees programs a moment later.
for _ in {1..50}; do
	detached=0
	lutrace faults >/dev/null 2>&1 || detached=$?
	[ $detached != 2 ] || break
	sleep 0.1
done
note detached $detached
# One of two programs cannot be pinned.
mkdir -p /sys/fs/bpf/half/step_latency
bpftool map create /sys/fs/bpf/half/step_latency/step_end type array key 4 value 4 entries 1 name other
lutrace probes --attach=/sys/fs/bpf/half >"$LAB_RESULTS/half.txt" || note half $?
note left "$(cd /sys/fs/bpf/half/step_latency && find . ! -type d)"
END
lab_run --mode "${MODE:-scalable}" --devices edu,edu --qemu -global --qemu edu.dma_mask=0xffffffff "$before" "$stage" ||
	tap_done

# list FILE: phase, device, access and address of each fault
list() { lab_json "$1.json" '[.list[] | "\(.phase) \(.device[5:]) \(.access) \(.address)"] | join(", ")'; }

before="before 01:00.0 read 0x7000000, before 02:00.0 write 0x7001000"
is "before a replay the phase is unknown" "$(list unknown)" "${before//before/unknown}"
is "so the answer is unknown, with the reason" "$(fact unknown) $(lab_json unknown.json .unknown)" \
	"2 the program does not know the phase of a fault"
is "a replay tells it, of faults in the past as well" "$(list before)" "$before"
is "the reason is that of VT-d" "$(lab_json before.json '.list[0].reason | test("not mapped readable|permitted|not present")')" true
others="preserved 02:00.0 write 0x7002000"
is "from the first preserve on faults are during the live update" "$(list others)" "$before, $others"
is "that a device faults which is not preserved is no bad answer" "$(fact others)" 0
is "that a preserved one does is" "$(fact preserved) $(lab_json preserved.json '.of_preserved')" "1 1"
is "it is named" "$(list preserved)" "$before, $others, preserved 01:00.0 write 0x7003000"
is "the preserved device is told from the other" \
	"$(lab_json preserved.json '[.devices[] | select(.preserved) | "\(.device) \(.count)"] | join(" ")')" "0000:01:00.0 2"

is "step_latency counted the steps as they were" "$(lab_json steps-outgoing.json \
	'[.steps[] | select(.step == "domain-preserve") | "\(.count) \(.errors)"] | join(" ")')" "1 0"
is "all programs are attached" "$(lab_json cost.json '[.programs[] | select(.attached).program] | sort | join(" ")')" \
	"fault_handled fault_phase_begin fault_phase_end fault_printed log_handled log_left logs_handled logs_left step_begin step_end"
is "what they cost is known" "$(lab_json cost.json \
	'[.programs[] | select(.program == "fault_handled")] | .[0] | .runs >= 4 and .run_ns > 0')" true
is "and that they lost nothing" "$(lab_json cost.json '[.probes[].lost] | add')" 0

# metric SAMPLE: what was exported of it
metric() { awk -v sample="$1" '$1 == sample { print $2 }' "$lab_results/metrics"; }
is "the faults are exported, by phase" "$(metric 'lutrace_probe_dma_faults_total{phase="before"}') $(
	metric 'lutrace_probe_dma_faults_total{phase="preserved"}')" "2 2"
is "so are the runs of each program" "$(metric 'lutrace_probe_runs_total{program="fault_handled"}')" \
	"$(lab_json cost.json '.programs[] | select(.program == "fault_handled").runs')"
is "and their time, in seconds" "$(metric 'lutrace_probe_run_duration_seconds_total{program="fault_handled"}' | awk '{ printf "%.0f", $1 * 1e9 }')" \
	"$(lab_json cost.json '.programs[] | select(.program == "fault_handled").run_ns')"
is "where nothing is attached there is no answer" "$(fact none)" 2
is "all five probes can be attached" "$(grep -c ' is attached, and pinned in /sys/fs/bpf/lutrace/' "$lab_results/attach.txt")" 5
is "who attaches them again is told of each what to remove" "$(fact again) $(grep -c \
	' is not attached: it is pinned already; to attach it anew, remove /sys/fs/bpf/lutrace/' "$lab_results/again.txt")" "1 5"
is "in the incoming kernel the phase is unknown at first" "$(list unknown-again)" "unknown 01:00.0 write 0x7004000"
is "and with it the answer" "$(fact unknown-again)" 2
is "then it is restored" "$(list restored)" "restored 01:00.0 write 0x7004000, restored 02:00.0 write 0x7005000"
is "and only the preserved device is to blame" "$(fact restored) $(lab_json restored.json .of_preserved)" "1 1"
like "who may not read the pins is not told that nothing is attached" "$(fact closed)" \
	'nobody but its owner may read all that is pinned below /sys/fs/bpf.*'$'\n''2$'
is "who may read them has the answers, without a capability" "$(fact open) $(lab_json faults-user.json '"\(.list) \(.of_preserved)"')" \
	"1 $(lab_json restored.json '"\(.list) \(.of_preserved)"')"
is "the pause, too" "$(lab_json time-user.json .)" "$(lab_json time-pinned.json .)"
is "and learns what is pinned" "$(grep -c 'is pinned; only root may look at its programs' "$lab_results/probes-user.txt")" 5
is "so does an exporter" "$(grep -E '^lutrace_probe_(preserved_dma_faults|changes)_total' "$lab_results/metrics-user" | xargs)" \
	"lutrace_probe_changes_total 0 lutrace_probe_preserved_dma_faults_total 1"
is "no page table was changed" "$(lab_json changes.json '.changes')" 0
# What lies in a named step is known from the ledger alone.
measured='.blackout | del(.explained, .leaves, .phases[].unexplained_ns)'
is "the pause is what lutrace says" "$(lab_json time-pinned.json "$measured")" "$(lab_json time.json "$measured")"
# Each is rounded down to a nanosecond: the one its duration, the other both its ends.
counted() { lab_json "$1.json" '.steps[] | select(.step | test("restore|reclaim|jump|keep")) | "\(.step) \(.count) \(.objects)"'; }
is "so are the steps" "$(counted steps-pinned)" "$(counted steps)"
like "there are some" "$(counted steps-pinned)" '^domain-restore 1 [1-9]'
is "with their durations" "$(jq -s '(.[0].steps | INDEX(.step)) as $other | [.[1].steps[] |
	select(.step | test("restore")) | .max_ns - $other[.step].max_ns | fabs <= 1] | length > 1 and all' \
	"$lab_results"/steps.json "$lab_results"/steps-pinned.json)" true
in_results() { printf "$lab_results/%s.json\n" "$@"; }
mapfile -t answers < <(in_results unknown before others preserved unknown-again restored)
schema "all answers of faults are what their schema says" faults "${answers[@]}"
schema "so is that of changes" changes "$lab_results/changes.json"
mapfile -t answers < <(in_results cost measured)
schema "those of probes" probes "${answers[@]}"
mapfile -t answers < <(in_results steps steps-pinned steps-outgoing)
schema "those of steps" steps "${answers[@]}"
mapfile -t answers < <(in_results time time-pinned)
schema "and those of time" time "${answers[@]}"
like "a histogram is drawn of them" "$(cat "$lab_results/histogram.txt")" '^@ns\[iommu-restore\]:'
is "a measurement counts without a sysctl" "$(lab_json measured.json '"\(.statistics) \(.measured)"')" "false true"
is "who removes the pins detaches" "$(fact detached)" 2
like "a probe of which a part cannot be attached is not" "$(fact half) $(cat "$lab_results/half.txt")" \
	'^1 step_latency is not attached: it is pinned already'
is "nothing of it stays, and what was there does" "$(fact left)" ./step_end
tap_done
