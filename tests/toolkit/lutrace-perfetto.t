#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# What 'lutrace report --perfetto' writes: protoc decodes it by the schema, and what
# comes out is read as Perfetto reads it, and is what the ledgers say.

set -u
project=$(cd "$(dirname "$(readlink -f "$0")")/../.." && pwd)
# shellcheck source=tests/lab/tap.sh
. "$project/tests/lab/tap.sh"
build=${BUILD:-$project/build}
lutrace=$build/bin/lutrace
export LC_ALL=C
command -v protoc >/dev/null || skip_all "no protoc (protobuf-compiler)"

cd "$tap_scratch" || exit 1
scenarios=(handover cold running no-marks together nested workloads open:300 crowded:3000)
make_ledgers "${scenarios[@]}"

# What protoc prints, as JSON: {tracks, slices, instants, flows, clocks, faults}. Slices
# are made of events in the order of the file, each end that of the innermost one.
cat >read.py <<'END'
import json, re, sys

stack, faults = [{}], []
for line in sys.stdin:
    line = line.strip()
    if line.endswith("{"):
        inner = {}
        stack[-1].setdefault(line[:-1].strip(), []).append(inner)
        stack.append(inner)
    elif line == "}":
        stack.pop()
    else:
        key, value = line.split(": ", 1)
        if key.isdigit():
            faults.append(f"field {key} is not in the schema")
        value = json.loads(value) if value.startswith('"') else value if value.startswith("TYPE") else \
            value == "true" if value in ("true", "false") else int(value)
        stack[-1].setdefault(key, []).append(value)

out = {"tracks": {}, "slices": [], "instants": [], "flows": {}, "clocks": [], "faults": faults}
open_slices, last, first = {}, 0, True


def one(message, key, otherwise=None):
    return message.get(key, [otherwise])[0]


def arguments(event):
    notes = event.get("debug_annotations", [])
    return {one(n, "name"): next(v[0] for k, v in n.items() if k != "name") for n in notes}


for packet in stack[0].get("packet", []):
    if one(packet, "trusted_packet_sequence_id") != 1:
        faults.append("a packet of no sequence")
    if first and (one(packet, "sequence_flags") != 1 or not one(packet, "first_packet_on_sequence")):
        faults.append("the first packet does not say so")
    first = False
    for track in packet.get("track_descriptor", []):
        uuid = one(track, "uuid")
        if uuid in out["tracks"]:
            faults.append(f"two tracks {uuid}")
        parent = one(track, "parent_uuid")
        if parent and parent not in out["tracks"]:
            faults.append(f"track {uuid} comes before its parent")
        process, thread = one(track, "process", {}), one(track, "thread", {})
        out["tracks"][uuid] = {"name": one(track, "name") or one(process, "process_name") or one(thread, "thread_name"),
                               "process": uuid if process else parent, "pid": one(process, "pid"),
                               "tid": one(thread, "tid")}
    for snapshot in packet.get("clock_snapshot", []):
        out["clocks"].append({one(c, "clock_id"): one(c, "timestamp") for c in snapshot["clocks"]})
    for event in packet.get("track_event", []):
        at, uuid, kind = one(packet, "timestamp"), one(event, "track_uuid"), one(event, "type")
        if at < last:
            faults.append("events are not in the order of time")
        last = at
        if uuid not in out["tracks"]:
            faults.append(f"no track {uuid}")
        what = {"name": one(event, "name"), "category": one(event, "categories"), "at": at, "track": uuid,
                "args": arguments(event)}
        for flow in event.get("flow_ids", []) + event.get("terminating_flow_ids", []):
            out["flows"].setdefault(flow, []).append([what["name"], uuid, "ends" if "terminating_flow_ids" in event else "goes on"])
        if kind == "TYPE_SLICE_BEGIN":
            open_slices.setdefault(uuid, []).append(what)
        elif kind == "TYPE_INSTANT":
            out["instants"].append(what)
        elif not open_slices.get(uuid):
            faults.append(f"an end without a begin on track {uuid}")
        else:
            begun = open_slices[uuid].pop()
            out["slices"].append(dict(begun, ns=at - begun["at"]))
for uuid, left in open_slices.items():
    faults.extend(f"{what['name']} on track {uuid} has no end" for what in left)
json.dump(out, sys.stdout)
END

for scenario in "${scenarios[@]}"; do
	"$lutrace" report --perfetto -l "$scenario" -o "$scenario.pftrace"
	protoc --decode=Trace -I "$project/tests/toolkit" perfetto.proto <"$scenario.pftrace" >"$scenario.txt" &&
		/usr/bin/python3 read.py <"$scenario.txt" >"$scenario.json" || exit 1
	is "$scenario: it is what the format asks for" "$(jq -c .faults "$scenario.json")" '[]'
	is "$scenario: every step is there, with its number" \
		"$(jq -c '[.slices[], .instants[] | .args.sequence | numbers] | sort' "$scenario.json")" \
		"$("$lutrace" steps --list -j -l "$scenario" | jq -c '[.steps[].sequence] | sort')"
done

file=handover.json
is "there is a process for each kernel" "$(jq -c '[.tracks[] | select(.pid) | [.pid, .name]]' $file)" \
	'[[1,"outgoing: Linux 7.3.4"],[2,"incoming: Linux 7.3.4-successor"]]'
is "and a thread in each" "$(jq -c '[.tracks[] | select(.tid) | [.tid, .name, .process]]' $file)" '[[1,"phases",1],[2,"phases",2]]'
is "one flow goes from the one kernel to the other" \
	"$(jq -c '.tracks as $tracks | [.flows[][] | [.[0], $tracks[.[1] | tostring].process, .[2]]]' $file)" \
	'[["jump",1,"goes on"],["boot",2,"ends"]]'
is "both ends are within phases" "$(jq -c '. as $all | [.instants[] | select(.category == "kexec") | . as $point |
	[$all.slices[] | select(.track == $point.track and .at <= $point.at and $point.at <= .at + .ns).name] | length > 0]' $file)" '[true,true]'
is "without a jump there is no flow" "$(jq -c .flows cold.json)" '{}'
is "the phases add up to the blackout" "$(jq '[.slices[] | select(.category == "phase").ns] | add' $file)" \
	"$("$lutrace" time -j -l handover | jq .blackout.ns)"
is "a step keeps its time, its return code and its parent" \
	"$(jq -c '.slices[] | select(.name == "memfd-retrieve") | [.ns, .args.parent, .args.ret, .args.count]' $file)" \
	'[19000000,32,0,1024]'
is "one that failed says so" "$(jq -c '.slices[] | select(.args.error) | [.name, .args.ret, .args.error]' $file)" \
	'["file-preserve",-22,"EINVAL"]'
is "one that never ended, too" "$(jq '[.slices[] | select(.name == "domain-restore" and .args.ended == false)] | length' open:300.json)" 300
is "marks are on a track of the trace" "$(jq -c '.tracks as $tracks | [.instants[] | select(.category == "mark") |
	[.name, $tracks[.track | tostring].name, $tracks[.track | tostring].process]]' $file)" \
	'[["pause","marks",null],["resume","marks",null]]'
is "steps are on the track of their object, in the process of their kernel" \
	"$(jq -c '.tracks as $tracks | [.slices[] | select(.name == "device-keep" or .name == "memfd-retrieve") |
		[.name, $tracks[.track | tostring].name, $tracks[.track | tostring].process]]' $file)" \
	'[["device-keep","0000:01:00.0",1],["memfd-retrieve","1",2]]'
is "steps of one object at the same time get tracks of their own" \
	"$(jq '[.slices[] | select(.name == "domain-restore" and .args.object == "0x77000").track] | unique | length' together.json)" 12
is "the pause of each workload is a slice" "$(jq -c '[.slices[] | select(.category == "workload") | [.name, .ns]] | sort' workloads.json)" \
	'[["vm1",1234567890],["vm2",2225567890]]'
is "the clock of the wall is that of the recording" \
	"$(jq '.clocks[0]["1"] - .clocks[0]["6"] + (.instants[] | select(.name == "pause").at) | . / 1000000 | floor' $file)" \
	"$(date -d "$("$lutrace" time -j -l handover | jq -r .time)" +%s%3N)"

"$lutrace" report --perfetto -l handover >stdout.pftrace
ok "it can be written to standard output" cmp stdout.pftrace handover.pftrace
not "$lutrace" report --perfetto --chrome -l handover >/dev/null 2>err
is "forms exclude each other" "$(cat err)" "lutrace: --chrome, --perfetto, --otlp and --html exclude each other"
"$lutrace" record -l handover | jq '.ledgers[].cycles_khz = 0' >no-clock.json
"$lutrace" report --perfetto no-clock.json >/dev/null 2>&1
is "without a clock there is none" $? 2
tap_done
