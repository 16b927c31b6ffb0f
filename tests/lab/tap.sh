# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# TAP for tests in bash: source it, say what is true, end with tap_done.
#
#	. "$(dirname "$0")/../lab/tap.sh"
#	lab_run --mode legacy stage1 stage2
#	ok "the workload goes on" [ "$(lab_json 2.json .lost)" = 0 ]
#	tap_done

tap_count=0
tap_failed=0
tap_directory=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
# Kept when the test is over: build/tests/results/NAME says what happened.
tap_scratch=${BUILD:-$tap_directory/../../build}/tests/results/$(basename "$0" .t)
rm -rf "$tap_scratch"
mkdir -p "$tap_scratch" && tap_scratch=$(readlink -f "$tap_scratch") || exit 1

# diag TEXT: a comment line
diag() { printf '%s\n' "$*" | sed 's/^/# /' >&2; }

# ok SENTENCE COMMAND...: the sentence is true if the command succeeds
ok() {
	local sentence=$1
	shift
	tap_count=$((tap_count + 1))
	if "$@"; then
		printf 'ok %d - %s\n' "$tap_count" "$sentence"
		return 0
	fi
	tap_failed=$((tap_failed + 1))
	printf 'not ok %d - %s\n' "$tap_count" "$sentence"
	diag "failed: ${*@Q}"
	return 1
}

# not COMMAND...: succeeds if the command fails
not() { ! "$@"; }

# is SENTENCE GOT EXPECTED: two strings are the same
is() {
	if ! ok "$1" [ "$2" = "$3" ]; then
		diag "     got: $2"
		diag "expected: $3"
		return 1
	fi
}

# like SENTENCE TEXT REGEX: a text matches an extended regular expression
like() {
	if ! ok "$1" grep -qE -e "$3" <<<"$2"; then
		diag "     got: $2"
		return 1
	fi
}

# status COMMAND...: its exit status, and in $tap_scratch/said what it said
status() {
	"$@" >"$tap_scratch/said" 2>&1
	echo $?
}

# make_ledgers SCENARIO...: the ledgers of each (tests/unit/make_ledger.c), in a directory of
# the scratch directory that is named as it is
make_ledgers() {
	local scenario
	for scenario; do
		mkdir -p "$tap_scratch/$scenario"
		"${BUILD:-$tap_directory/../../build}/tests/unit/make-ledger" "$scenario" "$tap_scratch/$scenario" || exit 1
	done
}

# schema SENTENCE NAME FILE...: documents are what docs/schema/NAME.json says
schema() {
	ok "$1" "$tap_directory/../toolkit/schema" "${@:2}"
}

# skip_all REASON: end the test, which cannot run here; only for a missing
# ability of the machine, and the reason names it
skip_all() {
	printf '1..0 # SKIP %s\n' "$*"
	exit 0
}

# skip SENTENCE REASON: an assertion that cannot be made on this machine
skip() {
	tap_count=$((tap_count + 1))
	printf 'ok %d - %s # SKIP %s\n' "$tap_count" "$1" "$2"
}

# A kernel that finds its own mistakes takes more for everything: no figures are asked of it.
has_figures() { [ "${LAB_SLOWER:-1}" = 1 ]; }

# crashkernel MIB: the word for so much; a kernel that finds its own mistakes needs more
crashkernel() { echo "crashkernel=$(($1 + (${LAB_SLOWER:-1} > 3 ? 640 : 0)))M"; }

# no_namespaces: why no root can be entered in namespaces of its own; fails if it can.
# A chroot has no root of mounts to make private, a container not the right to.
no_namespaces() {
	local said
	said=$(unshare --mount --pid --fork true 2>&1) && return 1
	echo "no namespaces can be made here (${said#unshare: })"
}

# tap_done: print the plan; the last line of a test
tap_done() {
	printf '1..%d\n' "$tap_count"
	exit $((tap_failed != 0))
}

# lab_run OPTION... STAGE1 [STAGE2]: run the laboratory; results in $lab_results,
# and a test line that says whether the run itself went well
lab_results=
lab_run() {
	lab_try "$@"
	ok "the laboratory run succeeds${lab_what:+: $lab_what}" [ "$lab_status" = 0 ]
}

# lab_try OPTION... STAGE1 [STAGE2]: the same without a test line; status in
# $lab_status, for runs that are meant to fail
lab_runs=0
lab_status=
lab_try() {
	lab_runs=$((lab_runs + 1))
	lab_results=$tap_scratch/run$lab_runs
	lab_status=0
	"$tap_directory/run" --results "$lab_results" "$@" || lab_status=$?
}

# one_kernel: one is outgoing and incoming kernel (tests/run-debug)
one_kernel() {
	local linux=${BUILD:-$tap_directory/../../build}/linux
	[ "$linux/lab" -ef "$linux/successor" ]
}

# is_another OUTGOING INCOMING: the releases of two kernels are not the same, unless
# there is one kernel for both
is_another() {
	if one_kernel; then
		is "the kernel hands over to itself" "$2" "$1"
	else
		ok "the incoming kernel is another one" [ "$1" != "$2" ]
	fi
}

# stage NAME: read a stage script from standard input; its path in $stage
# (a test needs no files beside it)
stage() {
	stage=$tap_scratch/$1
	{
		printf '#!/bin/bash\n'
		cat
	} >"$stage"
	chmod +x "$stage"
}

# lab_json FILE FILTER: a value of a JSON file in the results
lab_json() { jq -r "$2" "$lab_results/$1"; }

# repeat_tap FILE: repeat the TAP lines in a file, numbered on: for assertions that
# are made elsewhere by a program that prints TAP
repeat_tap() {
	local line
	while IFS= read -r line; do
		case $line in
		'ok '*|'not ok '*)
			tap_count=$((tap_count + 1))
			[ "${line%% *}" = ok ] || tap_failed=$((tap_failed + 1))
			sed -E "s/^((not )?ok) +[0-9]* *-? */\1 $tap_count - /" <<<"$line" ;;
		[0-9]*..[0-9]*|'TAP '*) ;;
		*)	diag "$line" ;;
		esac
	done <"$1"
}

# stage_tap N: the same with what stage N printed in the guest
stage_tap() { repeat_tap "$lab_results/stage$1.log"; }
