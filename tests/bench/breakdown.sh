# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# For the questions that take the blackout of a minimal host apart: its devices are
# QEMU's teaching device, each behind a root port of its own, each in an IOMMU group and a
# page table of its own, in one session. From the ledger, between the mark "pause"
# right before the kexec and the mark "resume" in the first program that the incoming kernel
# starts. Sourced after bench.sh.

[ -x "$BUILD/tests/kernel/dma-session" ] || die "$BUILD/tests/kernel/dma-session is not built; 'make build' builds everything"

stage outgoing <<'END'
set -e
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
devices=()
for device in /sys/bus/pci/devices/*; do
	# QEMU's edu
	[ "$(cat "$device/vendor" "$device/device" | xargs)" != "0x1234 0x11e8" ] || devices+=("${device##*/}")
done
echo ${#devices[@]} >"$LAB_RESULTS/devices"
nproc >"$LAB_RESULTS/cpus"
devices=("${devices[@]:0:BENCH_PRESERVED}")
bind-vfio "${devices[@]}" >/dev/null
if [ -n "$BENCH_PROBES" ]; then
	lutrace probes --attach >"$LAB_RESULTS/attach.txt"
fi
dma_session
dma memory 16
for number in "${!devices[@]}"; do
	dma device "d$number" "${devices[number]}"
	dma domain "h$number" "d$number"
	dma map "h$number" 0x1000000
	dma attach "d$number" "h$number"
	dma mark "h$number" $((number + 1))
done
dma session bench
dma preserve memory 1
dma preserve iommufd 2
for number in "${!devices[@]}"; do
	dma preserve "d$number" $((number + 3))
done
echo pause >/sys/kernel/liveupdate/ledger/mark
dma hold
END
outgoing=$stage
stage incoming <<'END'
echo resume >/sys/kernel/liveupdate/ledger/mark
keep_ledger
END

: >"$scratch/rows"
# measure NAME DEVICES PRESERVED PROBES [MIB [CPUS]]: a line of JSON more in $scratch/rows
measure() {
	local arguments mib=${5:-4096} cpus=${6:-1}
	mapfile -t arguments < <(hardware "$2")
	say "$2 devices, $3 preserved${4:+, probes attached}, $mib MiB, $cpus CPUs"
	lab "$1" "${icount[@]}" --cpus "$cpus" --memory "$mib" "${arguments[@]}" --incoming "$kernel" \
		--env BENCH_PRESERVED="$3" --env BENCH_PROBES="$4" "$outgoing" "$stage"
	[ "$(cat "$run/devices")" = "$2" ] || { echo "$question: the guest found $(cat "$run/devices") devices" >&2; exit 1; }
	"$BUILD/bin/lutrace" record --ledger "$run/ledger" --output "$run/handover.json" &&
		jq -c --argjson devices "$2" --argjson preserved "$3" --arg probes "$4" --argjson mib "$mib" --argjson cpus "$cpus" '
			def total($step): [.steps[] | select(.step == $step) | .ns] | add // 0;
			{ devices: $devices, preserved: $preserved, probes: ($probes != ""), mib: $mib, cpus: $cpus, blackout_ns: .blackout.ns, unknown: .blackout.unknown,
			  phases: (.blackout.phases | map({key: .name, value: .ns}) | from_entries),
			  setup: ([.steps[] | select(.step == "setup" and .kernel == "incoming") | {key: .object, value: .ns}] | from_entries),
			  steps: ([.steps[].step] | unique | map(. as $step | {key: ., value: 0}) | from_entries),
			  records: (.steps | length) } as $row
			| $row + { steps: (. as $all | $row.steps | with_entries(.key as $step | .value = ($all | total($step)))) }' \
			"$run/handover.json" >>"$scratch/rows" || exit 1
}
