# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# What every measurement needs: source it, run the laboratory, write results.
#
#	. "$(dirname "$0")/bench.sh"
#	stage before <<'END'
#	...
#	END
#	lab NAME --icount "$stage"
#	... | result
#	table <<<"$tsv"
#
# BENCH_RESULTS is where results go; BENCH_ROUNDS overrides how often a
# measurement is repeated; BENCH_MODE is the IOMMU mode.

set -u -o pipefail

bench=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
project=$(cd "$bench/../.." && pwd)
export BUILD=${BUILD:-$project/build}
question=$(basename "$0")
results=${BENCH_RESULTS:-$BUILD/bench}
mode=${BENCH_MODE:-scalable}
mkdir -p "$results" || exit 2

# Both kernels are the same build: one with the debugging options of the
# laboratory's successor would be measured for those.
kernel=${OUTGOING:-$BUILD/linux/lab/arch/x86/boot/bzImage}

scratch=$(mktemp -d "${TMPDIR:-/tmp}/bench.XXXXXX") || exit 2
trap 'rm -rf "$scratch"' EXIT

die() { echo "$question: $*" >&2; exit 2; }
say() { echo "# $question: $*" >&2; }

for program in bin/lutrace bin/lu-workload tests/bench/{moment,step_cost,table_pages,verify_rate}; do
	[ -x "$BUILD/$program" ] || die "$BUILD/$program is not built; 'make build' builds everything"
done

# stage NAME: read a stage script from standard input; its path in $stage
stage() {
	stage=$scratch/$1
	{
		printf '#!/bin/bash\n. "%s/workload.sh"\n' "$bench"
		cat
	} >"$stage"
	chmod +x "$stage"
}

# Instruction counting: the guest's clock advances by a nanosecond with each
# instruction. One CPU, as nothing is to happen beside what is measured.
# shellcheck disable=SC2034
icount=(--icount --cpus 1 --timeout 1800)

# lab NAME OPTION... STAGE1 [STAGE2]: one run; what it left is in $run
lab() {
	run=$results/$question/$1
	shift
	"$project/tests/lab/run" --mode "$mode" --results "$run" --outgoing "$kernel" "$@" ||
		{ echo "$question: the run failed; what it left is in $run" >&2; exit 1; }
}

# hardware N: QEMU's arguments for N teaching devices (edu), each behind a root port of its own
hardware() {
	local n
	for ((n = 0; n < $1; n++)); do
		printf -- '--qemu\n-device\n--qemu\npcie-root-port,id=bench%d,chassis=%d,addr=%02x.%d,multifunction=on\n' \
			"$n" $((n + 1)) $((16 + n / 8)) $((n % 8))
		printf -- '--qemu\n-device\n--qemu\nedu,bus=bench%d\n' "$n"
	done
}

# result: write the measurement's JSON, from standard input, with what it was
# measured with
result() {
	jq --arg question "$question" --arg mode "$mode" --slurpfile machine "$results/machine.json" \
		'{question: $question, iommu_mode: $mode, machine: $machine[0]} + .' >"$results/$question.json"
}

# table: lines of tab-separated fields as a table; the first column left-aligned
table() {
	awk -F '\t' '
		{ for (i = 1; i <= NF; i++) { cell[NR, i] = $i; if (length($i) > width[i]) width[i] = length($i) }
		  if (NF > columns) columns = NF }
		END { for (n = 1; n <= NR; n++) {
			line = sprintf("  %-*s", width[1], cell[n, 1])
			for (i = 2; i <= columns; i++) line = line sprintf("  %*s", width[i], cell[n, i])
			sub(/ +$/, "", line); print line } }'
}

# For jq programs
# shellcheck disable=SC2034
statistics='def median: sort | if length % 2 == 1 then .[length / 2 | floor]
		else (.[length / 2 - 1] + .[length / 2]) / 2 end;
	def quartiles: sort | [.[(length - 1) / 4 | round], median, .[(length - 1) * 3 / 4 | round]];
	def rounded($digits): . * pow(10; $digits) | round / pow(10; $digits);
	def time: if . >= 1e9 then "\(. / 1e9 | rounded(2)) s"
		elif . >= 1e6 then "\(. / 1e6 | rounded(2)) ms"
		else "\(. / 1e3 | rounded(1)) us" end;'

# The kernel cannot name its machine: describe it in words, once for a run.
describe_machine() {
	local cpu qemu accel=tcg
	cpu=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)
	qemu=$(qemu-system-x86_64 --version | sed -n '1s/.*version \([^ ]*\).*/\1/p')
	grep -qs works "$BUILD/lab-kvm" && accel=kvm
	jq -n --arg cpu "${cpu:-unknown}" --argjson cpus "$(nproc)" \
		--argjson memory "$(awk '/^MemTotal/ { print $2 }' /proc/meminfo)" \
		--arg qemu "$qemu" --arg accel "${LAB_ACCEL:-$accel}" --arg load "$(cut -d ' ' -f 1-3 /proc/loadavg)" \
		'{cpu: $cpu, cpus: $cpus, memory_kib: $memory, qemu: $qemu, accelerator: $accel, load_average: $load}' \
		>"$results/machine.json"
}
[ -n "${BENCH_DESCRIBED:-}" ] && [ -e "$results/machine.json" ] || describe_machine
