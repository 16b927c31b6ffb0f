#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# All that a preserved page table maps is what a memfd of the session holds, whatever
# the sizes of leaves and folios, and to find that out does not take longer than its
# leaves and folios are many: 300 instructions for each (docs/benchmarks.md).

# shellcheck source=tests/lab/tap.sh
. "$(dirname "$0")/../lab/tap.sh"
project=$(cd "$(dirname "$(readlink -f "$0")")/../.." && pwd)
build=${BUILD:-$project/build}

# Tokens say which is which: LEAF-KIB GIB AREA-KIB MEMORY-MIB TOKEN
stage outgoing <<'END'
cdev=$(bind-vfio $LAB_DEVICES)
memory=$LAB_BUILD/tests/kernel/preserve-memory
"$memory" "$cdev"
status=$?
# Before the measurements, whose ledger counts are then all of them
"$memory" "$cdev" 4 1 65536 64 0x4001 || status=1
"$memory" "$cdev" 2048 16 65536 64 0x4002 || status=1
"$memory" "$cdev" 4 1 64 64 0x4003 || status=1
mkdir -p "$LAB_RESULTS/ledger"
cat /sys/kernel/liveupdate/ledger/current >"$LAB_RESULTS/ledger/current"
exit $status
END
lab_try --mode scalable --devices igb --icount --cpus 1 "$stage"
stage_tap 1
ok "the run succeeds" [ "$lab_status" = 0 ]

log=$(cat "$lab_results/dmesg-outgoing.log")
like "the log says which page in the middle is another memfd's" "$log" \
	'IOVA 0x1007000-0x1007fff is of a memfd that the session does not hold yet'
like "where a small page was replaced" "$log" \
	'IOVA 0x1207000-0x15fffff maps a page that is not in its memfd any more'
like "where the last page was" "$log" \
	'IOVA 0x15ff000-0x15fffff maps a page that is not in its memfd any more'
like "where a huge page was" "$log" \
	'IOVA 0x1200000-0x15fffff maps a page that is not in its memfd any more'
like "where a part of one was" "$log" \
	'IOVA 0x1200000-0x1208fff maps a page that is not in its memfd any more'

"$build/bin/lutrace" record --ledger "$lab_results/ledger" --output "$lab_results/handover.json" >/dev/null ||
	diag "the ledger cannot be read"
# instructions TOKEN LEAVES: of the check, for each leaf; what preserving the page
# table takes is another step within it
instructions() {
	jq --arg token "$(($1))" --argjson leaves "$2" '
		(.steps[] | select(.step == "hwpt-preserve" and .ret == 0 and .object == $token)) as $check
		| ([.steps[] | select(.step == "domain-preserve" and .parent == $check.sequence) | .ns] | add // 0) as $tables
		| ($check.ns - $tables) / $leaves | floor' "$lab_results/handover.json"
}
# at_most SENTENCE TOKEN LEAVES LIMIT
at_most() {
	local each
	each=$(instructions "$2" "$3")
	ok "$1: ${each:-unknown} instructions, at most $4" [ "${each:-$(($4 + 1))}" -le "$4" ]
}
if has_figures; then
	at_most "for a leaf of 4 KiB" 0x4001 262144 300
	at_most "for a leaf of 2 MiB" 0x4002 8192 300
	at_most "for an area of 64 KiB in leaves of 4 KiB" 0x4003 16384 4800
fi
tap_done
