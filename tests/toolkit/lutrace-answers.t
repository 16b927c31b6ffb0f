#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# What lutrace answers about ledgers whose content is known, as text and as JSON.

set -u
project=$(cd "$(dirname "$(readlink -f "$0")")/../.." && pwd)
# shellcheck source=tests/lab/tap.sh
. "$project/tests/lab/tap.sh"
build=${BUILD:-$project/build}
lutrace=$build/bin/lutrace
golden=$project/tests/toolkit/golden

export LC_ALL=C
make_ledgers handover cold running no-marks nested deep large damaged \
	half-finished full-mark full-version-1 full-files
cd "$tap_scratch" || exit 1

# golden SENTENCE NAME COMMAND...: it prints what tests/toolkit/golden/NAME holds
golden() {
	local sentence=$1 name=$2
	shift 2
	"$@" >"$name" 2>&1
	ok "$sentence" same "$golden/$name" "$name"
}
# same EXPECTED GOT: what differs is not TAP
same() { diff -u "$1" "$2" >&2; }

"$lutrace" record -l handover -o handover.json
golden "time prints the phases" time.txt "$lutrace" time -l handover
golden "without marks the reboot call and the finish bound the blackout" \
	time-no-marks.txt "$lutrace" time -l no-marks
golden "blame prints the steps of the blackout, longest first" blame.txt \
	"$lutrace" blame -l handover
golden "blame --all --self prints all of them by their own time" blame-self.txt \
	"$lutrace" blame --all --self -l handover
golden "blame --objects prints what each object took" blame-objects.txt \
	"$lutrace" blame --all --objects -l handover
golden "critical-chain prints phases and what was part of what" chain.txt \
	"$lutrace" critical-chain -l handover
golden "critical-chain --step prints what leads to a step" chain-step.txt \
	"$lutrace" critical-chain --all --step memfd-retrieve -l handover
golden "critical-chain of an unknown blackout prints what there is" chain-running.txt \
	"$lutrace" critical-chain -l running
golden "steps prints each kind of step" steps.txt "$lutrace" steps -l handover
golden "steps --list nests steps" list.txt "$lutrace" steps --list -l handover
golden "steps --histogram prints them as bpftrace does" histogram.txt \
	"$lutrace" steps --histogram --step domain-restore -l large
golden "report prints a recording" report.txt "$lutrace" report handover.json
golden "time of a recording is that of its ledgers" time.txt "$lutrace" time handover.json

is "every nanosecond of a step is blamed once" \
	"$("$lutrace" blame -a -j -l handover | jq '[.steps[].self_ns] | add')" \
	"$("$lutrace" steps -L -j -l handover | jq '[.steps[] | select(.step == "reboot").sequence] as
		[$open] | [.steps[] | select(.parent == null or .parent == $open) | .ns] | add')"
is "blame -n limits the lines" "$("$lutrace" blame -n 3 -j -l handover | jq '.steps | length')" 3
is "what a step without an object took is blamed on that of the step around it" \
	"$("$lutrace" blame -a -O -j -l nested | jq -c '.objects[] | select(.kind == "file" and
		.object == "77") | [.count, .self_ns]')" '[2,5000]'
is "a phase is its steps and the time in no step" \
	"$("$lutrace" critical-chain -a -j -l handover | jq -c '.chain[] | select(.phase == "shutdown") |
		.ns == .self_ns + ([.steps[].ns] | add)')" true
is "the phases of critical-chain are those of time" \
	"$("$lutrace" critical-chain -j -l handover | jq -c '[.chain[] | [.phase, .begin_ns, .ns]]')" \
	"$("$lutrace" time -j -l handover | jq -c '[.blackout.phases[] | [.name, .begin_ns, .ns]]')"
is "every step of the blackout is in the chain once" \
	"$("$lutrace" critical-chain -a -j -l handover | jq -c '[.. | .sequence? // empty] | sort')" \
	"$("$lutrace" steps -L -j -l handover | jq -c '
		[.steps[] | select(.begin_ns >= 0 and .begin_ns < 1234567890) | .sequence] | sort')"
is "an unknown blackout has a chain, and exits with 2" \
	"$(status "$lutrace" critical-chain -l running)" 2
like "the tree is drawn where the terminal can" \
	"$(LC_ALL=C.UTF-8 "$lutrace" critical-chain -l handover)" '├─quiesce @0 ns'
is "steps nested without end are cut off, not followed" \
	"$("$lutrace" critical-chain -a -j -l deep | jq '[.. | select(.step? == "file-retrieve")] | length')" 20

is "time is the default verb" "$("$lutrace" time -l handover -j)" \
	"$("$lutrace" time -j -l handover)"
is "a known blackout exits with 0" "$(status "$lutrace" time -l handover)" 0
is "a cold boot has no blackout: 2" "$(status "$lutrace" time -l cold)" 2
is "a workload not yet resumed has none: 2" "$(status "$lutrace" time -l running)" 2
is "a damaged ledger exits with 1" "$(status "$lutrace" time -l damaged)" 1
is "an unknown blackout has no number" \
	"$("$lutrace" time -l running -j | jq -c '[.blackout.ns, .blackout.phases]')" '[null,[]]'
like "and says why" "$("$lutrace" time -l running -j | jq -r .blackout.unknown)" 'resume mark'
is "nor has one of which a session is not finished" "$(status "$lutrace" time -l half-finished)" 2
is "which is why" "$("$lutrace" time -l half-finished)" \
	"Blackout: unknown, no resume mark, and not all sessions are finished"
for scenario in full-mark full-version-1; do
	is "a record that was dropped and may be its end makes it unknown: $scenario" \
		"$("$lutrace" time -l $scenario; echo $?)" \
		"Blackout: unknown, the ledger was full, and a record that was dropped may be a boundary
2"
	"$lutrace" record -l $scenario -o $scenario.json
	is "a recording of that says the same" "$("$lutrace" time $scenario.json)" "$("$lutrace" time -l $scenario)"
done
is "others make no difference" "$("$lutrace" time -l full-files)" "$("$lutrace" time -l handover)"

schema "a recording is what the schema says" handover handover.json
for scenario in cold running no-marks large half-finished full-mark full-version-1 full-files; do
	"$lutrace" record -l "$scenario" -o "$scenario.json"
	schema "so is that of the scenario $scenario" handover "$scenario.json"
done
is "phases add up to the nanosecond" \
	"$(jq '.blackout.ns == ([.blackout.phases[].ns] | add)' handover.json)" true
is "and are adjacent" "$(jq '.blackout.phases | [foreach .[] as $phase ({ end: 0 };
	{ good: (.end == $phase.begin_ns), end: ($phase.begin_ns + $phase.ns) }; .good)] | all' \
	handover.json)" true
"$lutrace" report -j handover.json >again.json
ok "report -j prints the recording" cmp handover.json <(tr -d '\n' <again.json)
is "-p is the same, indented" "$("$lutrace" report -p handover.json | jq -c .)" \
	"$(jq -c . handover.json)"
is "every step of both kernels is in it" "$(jq '.steps | length' handover.json)" \
	"$("$lutrace" steps -l handover -j | jq '[.steps[].count] | add')"

# A JSON tool with doubles in between must not change a record.
jq . handover.json >jq.json
ok "a recording that jq rewrote is the same" \
	cmp again.json <("$lutrace" report -j jq.json)

jq -S '.generator = "a \"steps\": [ {" | .dma = { "steps": [] }' handover.json |
	jq 'del(.dma)' >sorted.json
ok "so is one with its members in another order, and brackets in texts" \
	cmp again.json <("$lutrace" report -j sorted.json)
head -c "$(($(stat -c %s handover.json) / 2))" handover.json >cut.json
is "one that was cut off is an error" "$(status "$lutrace" time cut.json)" 1

echo '{"dma":{"sent":10,"received":9,"lost":1,"during_blackout":4,"faults":0},
	"session":{"name":"s","retrieve":{"result":"ok","ns":10000},"finished":false,
	"files":[{"file":"memfd","token":1,"result":"ok","ns":20000},
	{"file":"device","token":3,"result":"EBUSY","ns":5}],
	"replace":{"result":"ok","ns":1500000},"finish":{"result":"EBUSY","ns":7}}}' >dma.json
echo '{"verdict":"identical","domains":1,"table_pages":3,"leaf_entries":5,"digest":"0f","differences":[]}' \
	>identity.json
"$lutrace" record -l handover -i identity.json -m dma.json -o merged.json
is "identity and dma are merged in" "$(jq -c '[.identity.verdict, .dma.lost, .referee]' merged.json)" \
	'["identical",1,null]'
echo '{"referee":{"translation_off":0,"faults":0,"memory_identical":true}}' >referee.json
"$lutrace" record merged.json -m referee.json -o merged.json
is "and stay when more is merged into a recording" \
	"$(jq -c '[.identity.verdict, .dma.lost, .referee.memory_identical]' merged.json)" \
	'["identical",1,true]'
schema "which is still what the schema says" handover merged.json
golden "report prints what was merged in" merged.txt "$lutrace" report merged.json
echo '{"blackout":{"ns":1}}' >forged.json
is "figures of the ledger cannot be merged in" \
	"$(status "$lutrace" record -l handover -m forged.json)" 1

"$lutrace" plot handover.json -o timeline.svg
ok "plot writes well-formed SVG" xmllint --noout timeline.svg
"$lutrace" plot --all -l large -o large.svg
ok "of a large ledger, too" xmllint --noout large.svg

tap_done
