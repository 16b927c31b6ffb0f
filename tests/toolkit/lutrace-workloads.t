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
make_ledgers workloads workloads:40 unnamed handover
cd "$tap_scratch" || exit 1
same() { diff -u "$1" "$2" >&2; }

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
schema "a recording is what the schema says" handover workloads.json
is "time of a recording is that of its ledgers" "$("$lutrace" time workloads.json)" "$(cat workloads.txt)"
like "report prints them, too" "$("$lutrace" report workloads.json)" '  vm2 +9.000 ms +2.226 s'
is "without names there is no table" "$("$lutrace" time -l unnamed | grep -c workload)" 0

### More than the 512 names that a probe has room for: all are told apart, and the pause of the host is right
for count in 512 513 20000; do
	mkdir -p "names:$count"
	"$build/tests/unit/make-ledger" "workloads:$count" "names:$count" || exit 1
	"$lutrace" time -j -l "names:$count" >names.json
	is "$count workloads: the pause is that of the host" "$? $(jq .blackout.ns names.json)" "0 2234567890"
	is "and each of them has its own" "$(jq -c '.blackout.workloads | [length, (map(select(.ns)) | length), (map(.name) | unique | length),
		(.[] | select(.name == "vm'"$count"'").ns)]' names.json)" "[$((count + 2)),$count,$((count + 2)),2225567890]"
done
"$lutrace" export -t - -l names:513 >names.prom
is "metrics count all of them" "$(grep '^liveupdate_last_workloads' names.prom | xargs)" \
	'liveupdate_last_workloads{pause=known} 513 liveupdate_last_workloads{pause=unknown} 2'
is "and know the pause" "$(grep -c '^liveupdate_last_blackout_known 1$' names.prom)" 1
like "a picture says how many it leaves out" "$("$lutrace" plot -l names:513)" '>501 with shorter pauses, 2 with an unknown pause<'
like "so does a page" "$("$lutrace" report --html -l names:513)" '>3 more rows are not shown\.<'

### Sets
# later NUMBER: another live update, of another second
later() { sed -E "s/(\"wall_ns\": ?\"0x[0-9a-f]*)[0-9a-f]{2}\"/\1$(printf %02x "$1")\"/g"; }
# set_of NAME PAUSE...: recordings in which the pause of vm2 takes so many milliseconds more
set_of() {
	local name=$1 number=0 more
	shift
	mkdir -p "$name"
	for more; do
		number=$((number + 1))
		"$build/tests/unit/make-ledger" "workloads-late:$more" ledger &&
			"$lutrace" record -l ledger | later "$number" >"$name/000$number.json" || exit 1
	done
}
mkdir -p ledger
set_of before 0 1 2 3 4 5 6 7
set_of after 400 401 402 403 404 405 406 407
"$lutrace" bench -j before >bench.json
schema "a set's answer is what the schema says" bench bench.json
is "a set has the pauses of each workload" \
	"$(jq -c '.workloads[] | [.name, .count, .p50_ns, .max_ns, .unknown]' bench.json)" \
	'["gone",0,null,null,8]
["new",0,null,null,8]
["vm1",8,1234567890,1234567890,0]
["vm2",8,2228567890,2232567890,0]'
is "the blackout is that of the host" "$(jq -c '.phases[0] | [.name, .p50_ns]' bench.json)" '["blackout",2237567890]'
like "bench prints them" "$("$lutrace" bench before)" '^  vm2 +8 +2\.229 s +2\.233 s +- +2\.233 s'
like "and those whose pause is unknown" "$("$lutrace" bench before)" '^  gone .* 8$'
"$lutrace" diff -j before after >diff.json
is "diff tells which workload became slower" "$? $(jq -c '[.workloads[] | select(.change == "slower") | .name]' diff.json)" '1 ["vm2"]'
schema "as the schema has it" diff diff.json
is "and is sure of it" "$(jq -c '.workloads[] | select(.name == "vm2") |
	[(.p50_p * 12870 | round), (.ratio_low * 1000 | round), (.ratio_high * 1000 | round)]' diff.json)" '[2,1176,1183]'
like "in its table, too" "$("$lutrace" diff before after)" '^  vm2 +2\.229 s +2\.629 s  1\.179  1\.176 to 1\.183  <0\.001  SLOWER'
"$lutrace" diff -j before before >same.json
is "the same is none" "$? $(jq -c '[.workloads[].change]' same.json)" '0 [null,null,"none","none"]'
later 9 <workloads.json >after/0009.json
for i in 1 2 3 4 5 6 7 8 9; do
	jq -c '(.ledgers[].records[] | select(.name == "pause:vm2" or .name == "resume:vm2").name) |= sub("vm2"; "vm3")' \
		"after/000$i.json" >renamed.json && mv renamed.json "after/000$i.json"
done
is "workloads that came and went are no regression" \
	"$("$lutrace" diff -j before after | jq -c '[.workloads[] | select(.name | test("vm[23]")) | [.name, .change]]')" \
	'[["vm2","gone"],["vm3","new"]]'
"$lutrace" record -l workloads:40 -o many.json
like "of many the longest are printed" "$("$lutrace" bench many.json)" '^  \(22 more, with shorter pauses; -j lists all\)$'

### Pictures
# texts FILE: tooltips and labels, in the order of the document
texts() { xmllint --xpath "//*[local-name()='title' or local-name()='text']/text()" "$1"; }
"$lutrace" plot -l workloads -o plot.svg
ok "plot draws a picture that is well-formed" xmllint --noout plot.svg
is "with a bar for each workload whose pause is known" \
	"$(texts plot.svg | grep ': paused at')" \
	$'vm1: paused at 0 ns, for 1.235 s\nvm2: paused at 9.000 ms, for 2.226 s'
is "as long as it is" "$(grep -oE 'class="workload" x="[0-9.]+" y="[0-9]+" width="[0-9.]+"' plot.svg |
	tr '"' ' ' | awk '{ width[NR] = $8 } END { printf "%.2f", width[2] / width[1] }')" 1.80
like "and the number of those whose pause is not" "$(texts plot.svg)" '2 with an unknown pause'
is "marks of workloads are in the bars alone" "$(texts plot.svg | grep -cE '^(pause|resume)')" 0
"$lutrace" plot -l workloads:40 -o many.svg
is "of many it draws the longest" "$(grep -c 'class="workload"' many.svg) $(texts many.svg | grep -o '28 with.*')" \
	"12 28 with shorter pauses, 2 with an unknown pause"
is "without names there are no bars" "$("$lutrace" plot -l unnamed | grep -c 'class="workload"')" 0

"$lutrace" report --chrome -l workloads -o trace.json
is "each pause is a slice of the trace" "$(jq -c '[.traceEvents[] | select(.cat == "workload")] |
	group_by(.id2.local)[] | [.[0].name, (map(.ph) | join("")), ((.[1].ts - .[0].ts) * 1000 | round), .[0].args.ns]' trace.json)" \
	'["vm1","be",1234567890,1234567890]
["vm2","be",2225567890,2225567890]'
is "in one process" "$(jq -c '[.traceEvents[] | select(.cat == "workload").pid] | unique' trace.json)" '[1]'

"$lutrace" report --html -l workloads -o page.html
# As lutrace-report-html.t has the phases: the section, without its markup.
section() { sed -n "/id=\"phases\"/,/<\/section>/p" "$1" | sed 's/<[^>]*>/ /g; s/  */ /g'; }
like "the page has a table of them" "$(section page.html)" 'vm2 9.000 ms 2.226 s'
like "with the reason where a pause is unknown" "$(section page.html)" 'gone - - it was paused, but no mark says that it was resumed'
is "without names it has none" "$("$lutrace" report --html -l unnamed | grep -c 'pause of each workload')" 0

tap_done
