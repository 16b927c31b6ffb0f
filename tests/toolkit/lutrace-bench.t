#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# lutrace bench: sets of recordings with their environments, shown and compared; and
# what it does with a laboratory, which is a script here.

set -u
project=$(cd "$(dirname "$(readlink -f "$0")")/../.." && pwd)
# shellcheck source=tests/lab/tap.sh
. "$project/tests/lab/tap.sh"
build=${BUILD:-$project/build}
lutrace=$build/bin/lutrace
golden=$project/tests/toolkit/golden
export LC_ALL=C
cd "$tap_scratch" || exit 1

allowed() { "$project/tests/toolkit/schema" "$1" "$2"; }

# environment RELEASE PROBES: as 'lutrace bench --end' writes it
environment() {
	jq -n --arg release "$1" --argjson probes "$2" '{
		lutrace: "0.1", release: "7.3.4", version: "#1", cmdline: "kho=on liveupdate=on",
		machine: {hypervisor: null, cpu: "A CPU", cpus: 64, memory_kib: 1073741824},
		iommus: 2, iommu_mode: "scalable mode, second stage",
		devices: [{address: "0000:01:00.0", vendor: "0x8086", device: "0x10c9"}],
		probes: $probes, clocksource: "tsc", load_average: "0.1", boot_id: "1"} | {environment: {
		outgoing: ., incoming: (. + {release: $release, boot_id: "2"}),
		preserved: {memory_pages: 262144, domains: 1, table_pages: 520, devices: 1}}}'
}
# set_of NAME FROM TO RELEASE PROBES: live updates whose jump takes 125 ms and N tenths more
set_of() {
	local i number=0
	environment "$4" "$5" >environment.json
	mkdir -p "$1"
	for ((i = $2; i <= $3; i++)); do
		number=$((number + 1))
		rm -rf ledger && mkdir ledger
		"$build/tests/unit/make-ledger" "late:$i" ledger &&
			"$lutrace" record -l ledger -m environment.json -o "$1/000$number.json" || exit 1
	done
}
set_of old 0 4 7.3.4-next '[]'
set_of new 300 304 7.3.5-next '["blackout","step_latency"]'

"$lutrace" bench old >bench.txt
is "a set is shown" $? 0
ok "as percentiles, phase by phase and step by step" diff -u "$golden/bench.txt" bench.txt
ok "its recordings are allowed by their schema" allowed handover old/0001.json
"$lutrace" bench -j old >bench.json
ok "and the answer by its own" allowed bench bench.json
is "the median is that of the values" "$(jq '.phases[] | select(.name == "jump") | .p50_ns, .p90_ns, .p99_ns, .max_ns' bench.json | xargs)" \
	"125200000 125400000 null 125400000"

"$lutrace" bench --compare old new >compare.txt
is "a slower set is a regression" $? 1
ok "and what differs is named" diff -u "$golden/bench-compare.txt" compare.txt
"$lutrace" bench -j --compare old new >compare.json
ok "the answer is allowed, too" allowed bench compare.json
is "it is what diff says" "$(jq -c '.comparison | del(.environment_differs)' compare.json)" "$("$lutrace" diff -j old new | jq -c .)"
is "differences of environment have names" "$(jq -r '.comparison.environment_differs | join(" ")' compare.json)" \
	"outgoing.probes incoming.release incoming.probes"
is "within a limit there is no regression" "$(status "$lutrace" bench --limit 50 --compare old new)" 0
is "the same set twice is none" "$(status "$lutrace" bench --compare new new)" 0
"$lutrace" bench --plot plot.svg --compare old new >/dev/null
ok "the median updates of both are drawn" xmllint --noout plot.svg
like "one over the other" "$(cat plot.svg)" '7\.3'
"$lutrace" bench --plot one.svg old >/dev/null
ok "or that of one" xmllint --noout one.svg

jq '.environment.incoming.cmdline += " tsc_early_khz=2445428 tsc=reliable"' old/0001.json >one.json
sed 's/tsc_early_khz=2445428/tsc_early_khz=2445431/; s/1073741824/1073741804/' one.json >other.json
is "a frequency that was measured anew and a page of memory are no difference" \
	"$("$lutrace" bench -j --compare one.json other.json | jq -c .comparison.environment_differs)" "[]"
is "another word of the command line is" \
	"$("$lutrace" bench -j --compare one.json old/0001.json | jq -c .comparison.environment_differs)" '["incoming.cmdline"]'

mkdir copies
for i in 1 2 3 4 5; do
	cp new/0001.json copies/000$i.json
done
is "copies of one recording are one live update" "$("$lutrace" bench -j copies 2>copies.err | jq -c '.updates | [.runs, .copies]')" '[1,4]'
is "they are named" "$(grep -c 'is left out' copies.err)" 4
cp new/0001.json old/0006.json
like "a set of several environments says so" "$("$lutrace" bench old)" '^\(not the same in all: outgoing.probes, incoming.release'
is "a directory without a set is an error" "$(status "$lutrace" bench .)" 1
echo '{}' >old/0007.json
is "so is a set with something else in it" "$(status "$lutrace" bench old)" 1
rm -rf ledger && mkdir ledger running && "$build/tests/unit/make-ledger" running ledger &&
	"$lutrace" record -l ledger -o running/0001.json
is "where no blackout is known there is no answer" "$(status "$lutrace" bench running)" 2

# The hooks; that they fit together is seen where there is a live update (bench-lab.t).
ok "a side is remembered" "$lutrace" bench --begin --state state
ok "as the schema has it" allowed handover <(jq --slurpfile side state/begin.json \
	'.environment = {outgoing: $side[0], incoming: $side[0], preserved: {memory_pages: 0, domains: 0, table_pages: 0, devices: 0}}' new/0001.json)
is "without a live update there is no end" "$(status "$lutrace" bench --end --state state ended)" 2
is "and nothing is added" "$(ls ended 2>/dev/null)" ""
is "hooks and the laboratory exclude each other" "$(status "$lutrace" bench --begin --end)" 1

# A laboratory whose third live update fails.
mkdir -p checkout/tests/lab
cat >checkout/tests/lab/demo <<'END'
#!/bin/sh
echo "$@"
echo >>count
mkdir -p "$2" && sed -E "s/(\"wall_ns\": ?\"0x[0-9a-f]+)[0-9a-f]\"/\1$(wc -l <count)\"/g" "$FROM" >"$2/handover.json"
[ "$(wc -l <count)" != 3 ]
END
chmod +x checkout/tests/lab/demo
export FROM=$tap_scratch/new/0002.json
"$lutrace" bench -j --lab checkout --count 2 measured -- --mode legacy -- --devices igb >lab.json 2>lab.err
is "live updates in the laboratory make a set" "$? $(jq .updates.runs lab.json)" "0 2"
is "which is told of after each" "$(grep -c '^live update [12] of 2 done, .* s to go$' lab.err)" 2
like "the laboratory gets its options" "$(cat measured/0001.log)" '--results measured/last --mode legacy -- --devices igb$'
is "one that fails is a failure" "$(status "$lutrace" bench --lab checkout -n 2 measured)" 1
is "and not counted, the other one is" "$(cd measured && echo *)" \
	"0001.json 0001.log 0002.json 0002.log 0003-failed.log 0003.json 0003.log last"
is "where there is no laboratory it says so" "$(status "$lutrace" bench --lab state -n 1 measured)" 1
tap_done
