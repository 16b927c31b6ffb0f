#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Trace events are what the format asks for, and say what the ledgers say.

set -u
project=$(cd "$(dirname "$(readlink -f "$0")")/../.." && pwd)
# shellcheck source=tests/lab/tap.sh
. "$project/tests/lab/tap.sh"
build=${BUILD:-$project/build}
lutrace=$build/bin/lutrace

make_ledgers handover cold running no-marks together
cd "$tap_scratch" || exit 1

# holds SENTENCE FILE FILTER: a filter of jq yields true
holds() { is "$1" "$(jq -c "$3" "$2")" true; }

# What each event has to have, by its phase ("ph").
# shellcheck disable=SC2016
valid='.traceEvents | length > 0 and all(
	(.ph | IN("M", "X", "b", "e", "n", "s", "f", "i")) and
	(.pid | type == "number") and (.tid | type == "number") and (.name | type == "string") and
	(.ph == "M" or ((.ts | type == "number" and . >= 0) and (.cat | type == "string"))) and
	(.ph != "X" or (.dur | type == "number" and . >= 0)) and
	(([.ph] | inside(["b", "e", "n"]) | not) or (.id2.local | type == "string" and . != "")) and
	(([.ph] | inside(["s", "f"]) | not) or has("id")))'
# In the order of time, what begins on a track ends on it, last first, by name.
# shellcheck disable=SC2016
nested='[.traceEvents[] | select(.ph == "b" or .ph == "e")] | group_by([.pid, .cat, .id2.local]) |
	all(reduce (sort_by(.ts) | .[]) as $event ({ good: true, open: [] };
		if $event.ph == "b" then .open += [$event.name]
		else .good = (.good and .open[-1] == $event.name) | .open = .open[:-1] end) |
		.good and .open == [])'

for scenario in handover cold running no-marks together; do
	file=$scenario.trace.json
	"$lutrace" report --chrome -l "$scenario" -o "$file"
	holds "$scenario: each event has the members that its type needs" "$file" "$valid"
	holds "$scenario: what begins on a track ends on it, nested" "$file" "$nested"
	is "$scenario: every step is there, with its number" \
		"$(jq -c '[.traceEvents[] | select(.ph == "b" or .ph == "n") | .args.sequence] | sort' "$file")" \
		"$("$lutrace" steps --list -j -l "$scenario" | jq -c '[.steps[].sequence] | sort')"
done

file=handover.trace.json
# shellcheck disable=SC2016
holds "one arrow goes from a slice of the outgoing kernel to one of the incoming" "$file" \
	'.traceEvents as $all | def around: . as $flow | $all | map(select(.ph == "X" and
		.pid == $flow.pid and .tid == $flow.tid and .ts <= $flow.ts and
		$flow.ts <= .ts + .dur)) | length > 0;
	($all | map(select(.ph == "s"))) as $from | ($all | map(select(.ph == "f"))) as $to |
	($from | length == 1) and ($to | length == 1) and $from[0].id == $to[0].id and
	$from[0].pid != $to[0].pid and $from[0].ts < $to[0].ts and
	($from[0] | around) and ($to[0] | around) and $to[0].bp == "e"'
is "there is a process for each kernel" \
	"$(jq -r '.traceEvents[] | select(.name == "process_name") | .args.name' "$file")" \
	$'outgoing: Linux 7.3.4\nincoming: Linux 7.3.4-successor'
is "the phases add up to the blackout" \
	"$(jq '[.traceEvents[] | select(.cat == "phase") | .dur * 1000 | round] | add' "$file")" \
	"$("$lutrace" time -j -l handover | jq .blackout.ns)"
is "a step keeps its time, its return code and its parent" \
	"$(jq -c '.traceEvents[] | select(.ph == "b" and .name == "memfd-retrieve") |
		[.args.parent, .args.ret, .args.count]' "$file")" '[32,0,1024]'
holds "marks are lines over everything" "$file" \
	'[.traceEvents[] | select(.ph == "i" and .s == "g") | .name] == ["pause", "resume"]'
holds "without a jump there is no arrow" cold.trace.json \
	'[.traceEvents[] | select(.ph == "s" or .ph == "f")] == []'
holds "without a known blackout the arrow has slices all the same" running.trace.json \
	'[.traceEvents[] | select(.ph == "X") | .name] == ["jump", "boot"]'
is "steps of one object that follow each other share a track" \
	"$(jq -r '.traceEvents[] | select(.ph == "b" and .name == "device-shutdown") | .id2.local' "$file")" \
	kernel
holds "steps of one object at the same time get tracks of their own" together.trace.json \
	'[.traceEvents[] | select(.ph == "b" and .name == "domain-restore" and
		(.id2.local | startswith("0x77000"))) | .id2.local] | unique | length == 12'
"$lutrace" report --chrome -l cold >/dev/null
is "an unknown blackout exits with 2" $? 2
"$lutrace" report -o file -l handover 2>/dev/null
is "--output without --chrome is an error" $? 1

tap_done
