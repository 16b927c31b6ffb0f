#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# A host with several workloads: the pause of each, and that of the host, which is
# from the first pause to the last resume, in every form in which lutrace says it.

set -u
project=$(cd "$(dirname "$(readlink -f "$0")")/../.." && pwd)
# shellcheck source=tests/lab/tap.sh
. "$project/tests/lab/tap.sh"
build=${BUILD:-$project/build}
lutrace=$build/bin/lutrace
golden=$project/tests/toolkit/golden

export LC_ALL=C
for scenario in workloads workloads:40 unnamed handover; do
	mkdir -p "$tap_scratch/$scenario"
	"$build/tests/unit/make-ledger" "$scenario" "$tap_scratch/$scenario" || exit 1
done
cd "$tap_scratch" || exit 1
same() { diff -u "$1" "$2" >&2; }
# status COMMAND...: its exit status
status() {
	"$@" >/dev/null 2>&1
	echo $?
}

is "marks without names of two workloads: first pause to last resume" \
	"$("$lutrace" time -j -l unnamed | jq -c '.blackout | [.ns, .from, .to, .workloads]')" \
	'[2234567890,"pause-mark","resume-mark",[]]'
is "with names it is the same" "$("$lutrace" time -j -l workloads | jq .blackout.ns)" 2234567890
is "and each workload has its own" \
	"$("$lutrace" time -j -l workloads | jq -c '.blackout.workloads[] | select(.ns) | [.name, .begin_ns, .ns]')" \
	'["vm1",0,1234567890]
["vm2",9000000,2225567890]'
is "one that was not resumed, or not paused, is unknown, and says so" \
	"$("$lutrace" time -j -l workloads | jq -c '.blackout.workloads[] | select(.ns | not) | [.name, .begin_ns, .unknown]')" \
	'["gone",null,"it was paused, but no mark says that it was resumed"]
["new",null,"it was resumed, but no mark says when it was paused"]'
is "the pause of the host is known all the same" "$(status "$lutrace" time -l workloads)" 0
"$lutrace" time -l workloads >workloads.txt
ok "time prints them as a table" same "$golden/workloads.txt" workloads.txt
"$lutrace" record -l workloads -o workloads.json
ok "a recording is what the schema says" "$build/tests/unit/check-schema" \
	"$project/docs/handover.schema.json" workloads.json
is "time of a recording is that of its ledgers" "$("$lutrace" time workloads.json)" "$(cat workloads.txt)"
like "report prints them, too" "$("$lutrace" report workloads.json)" '  vm2 +9.000 ms +2.226 s'
is "without names there is no table" "$("$lutrace" time -l unnamed | grep -c workload)" 0

tap_done
