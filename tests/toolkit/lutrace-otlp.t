#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# What 'lutrace report --otlp' writes is what OTLP asks for, and what the ledgers say.

set -u
project=$(cd "$(dirname "$(readlink -f "$0")")/../.." && pwd)
# shellcheck source=tests/lab/tap.sh
. "$project/tests/lab/tap.sh"
build=${BUILD:-$project/build}
lutrace=$build/bin/lutrace
export LC_ALL=C

cd "$tap_scratch" || exit 1
scenarios=(handover cold running no-marks nested deep:40 together workloads open:300 parts slow half-finished)
make_ledgers "${scenarios[@]}"
for scenario in "${scenarios[@]}"; do
	"$lutrace" report --otlp -l "$scenario" -o "$scenario.json"
	# Spans with the side that they are of, and their attributes by name.
	jq -c '[.resourceSpans[] | (.resource.attributes[] | select(.key == "liveupdate.side").value.stringValue) as $side |
		.scopeSpans[].spans[] | . + {side: $side, has: ([.attributes[]? | {(.key): (.value | to_entries[0].value)}] | add // {})}]' \
		"$scenario.json" >"$scenario.spans"
done
schema "documents are what the schema says" otlp "${scenarios[@]/%/.json}"
# 64-bit numbers are compared as texts of one length: jq's are not exact.
for scenario in "${scenarios[@]}"; do
	is "$scenario: one trace, in which each span has a name of its own and a parent in it, but for one root" \
		"$(jq -c '(map(.spanId)) as $ids | [(map(.traceId) | unique | length), ($ids | length == (unique | length)),
			(map(select(.parentSpanId == null)) | length), all(.parentSpanId == null or (.parentSpanId | IN($ids[])))]' \
			"$scenario.spans")" '[1,true,1,true]'
	is "$scenario: nothing ends before it begins" \
		"$(jq 'all((.startTimeUnixNano | length == 19) and .startTimeUnixNano <= .endTimeUnixNano)' "$scenario.spans")" true
	# Collectors put a trace together as it comes in, and take a child that begins first for a wrong clock.
	is "$scenario: parents are written before their children, and none begins later or ends earlier than one" \
		"$(jq -c '(to_entries | map({(.value.spanId): (.value + {place: .key})}) | add) as $all | [to_entries[] | .key as $place | .value |
			. as $child | select(.parentSpanId) | $all[.parentSpanId] | select(.place > $place or
			.startTimeUnixNano > $child.startTimeUnixNano or .endTimeUnixNano < $child.endTimeUnixNano) | [.name, $child.name]]' \
			"$scenario.spans")" '[]'
	is "$scenario: every step is a span or an event, with its number" \
		"$(jq -c '[.[] | .has["liveupdate.sequence"], (.events[]?.attributes[]? | select(.key == "liveupdate.sequence").value.intValue) |
			strings | tonumber] | sort' "$scenario.spans")" \
		"$("$lutrace" steps --list -j -l "$scenario" | jq -c '[.steps[].sequence] | sort')"
done

file=handover.spans
# nanoseconds TEXT TEXT: between two times
nanoseconds() { echo $(($2 - $1)); }
is "two resources are the two kernels" "$(jq -c '.resourceSpans[].resource.attributes |
	map({(.key): .value.stringValue}) | add | [.["service.name"], .["service.version"], .["liveupdate.side"]]' handover.json)" \
	'["linux","7.3.4","outgoing"]
["linux","7.3.4-successor","incoming"]'
is "a link goes across the jump: from the incoming kernel to the outgoing one" \
	"$(jq -c '(.[] | select(.name == "outgoing kernel")) as $to | [.[] | select(.links) | [.name, .side, (.links | length),
		.links[0].spanId == $to.spanId, .links[0].traceId == $to.traceId]]' $file)" '[["incoming kernel","incoming",1,true,true]]'
is "without a kernel before there is none" "$(jq -c '[.[] | select(.links)] | length' cold.spans)" 0
# shellcheck disable=SC2046  # two times
is "the blackout is as long as it is" \
	"$(nanoseconds $(jq -r '.[] | select(.name == "blackout") | .startTimeUnixNano, .endTimeUnixNano' $file))" \
	"$("$lutrace" time -j -l handover | jq .blackout.ns)"
is "it begins when the wall clock said so" "$(jq -r '.[] | select(.name == "blackout").startTimeUnixNano[:13]' $file)" \
	"$(date -d "$("$lutrace" time -j -l handover | jq -r .time)" +%s%3N)"
is "its phases are below it, each in its kernel" "$(jq -c '(.[] | select(.name == "blackout").spanId) as $id |
	[.[] | select(.parentSpanId == $id) | .side[:3] + " " + .name]' $file)" \
	'["out quiesce","out freeze","out shutdown","out jump","inc early-boot","inc restore","inc kernel-init","inc userspace","inc retrieve"]'
is "where it is unknown there is none" "$(jq '[.[] | select(.name == "blackout")] | length' running.spans)" 0
is "a step is below the step that it is part of" "$(jq -r '(map({(.spanId): .name}) | add) as $names | .[] |
	select(.name == "memfd-retrieve") | $names[.parentSpanId]' $file)" session-retrieve
is "or below its kernel" "$(jq -r '(map({(.spanId): .name}) | add) as $names | .[] |
	select(.name == "kho-reserve") | $names[.parentSpanId]' $file)" "incoming kernel"
is "it has its object and its count" "$(jq -c '.[] | select(.name == "memfd-retrieve").has | [.["liveupdate.kind"], .["liveupdate.object"], .["liveupdate.count"]]' $file)" \
	'["file","1","1024"]'
is "one that failed has the status of an error" "$(jq -c '[.[] | select(.status) | [.name, .status.code, .status.message]]' $file)" \
	'[["file-preserve",2,"EINVAL"]]'
is "one that never ended says so" "$(jq '[.[] | select(.name == "domain-restore" and .has["liveupdate.ended"] == false)] | length' open:300.spans)" 300
is "moments are events of what is around them" "$(jq -c '[.[] | .name as $name | .events[]? | select(.name | IN("jump", "pause", "boot")) | [$name, .name]]' $file)" \
	'[["outgoing kernel","boot"],["outgoing kernel","pause"],["reboot","jump"],["incoming kernel","boot"]]'
is "the pause of each workload is a span" "$(jq -c '[.[] | select(.name == "workload paused") | [.has["liveupdate.workload"], .side]]' workloads.spans)" \
	'[["vm1","outgoing"],["vm2","outgoing"]]'

"$lutrace" record -l handover -o recording.json
"$lutrace" report --otlp recording.json >again.json
ok "a recording gives the same identifiers as its ledgers" cmp again.json handover.json
jq -c '.ledgers.incoming.records |= .[:-2]' recording.json >earlier.json
is "so does one that was made earlier" "$("$lutrace" report --otlp earlier.json | jq -c '[.resourceSpans[].scopeSpans[].spans[] | select(.name == "live update" or .name == "memfd-retrieve").spanId]')" \
	"$(jq -c '[.resourceSpans[].scopeSpans[].spans[] | select(.name == "live update" or .name == "memfd-retrieve").spanId]' handover.json)"
ok "another live update has others" [ "$(jq -r '.[0].traceId' handover.spans)" != "$(jq -r '.[0].traceId' cold.spans)" ]
jq -c '.ledgers[].wall_ns? |= 0 | .ledgers[].wall_cycles? |= 0' recording.json >no-wall.json
"$lutrace" report --otlp no-wall.json >/dev/null 2>err
is "without a wall clock there are no spans" "$? $(cat err)" \
	"2 lutrace: no kernel recorded what the wall clock was, by which spans are timed"
tap_done
