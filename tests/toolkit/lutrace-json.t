#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Every answer in JSON is what its schema in docs/schema says. The tests in the laboratory
# look at those that need a kernel with live update, an IOMMU, or a dump.

set -u
project=$(cd "$(dirname "$(readlink -f "$0")")/../.." && pwd)
# shellcheck source=tests/lab/tap.sh
. "$project/tests/lab/tap.sh"
build=${BUILD:-$project/build}
lutrace=$build/bin/lutrace
schemas=$project/docs/schema
data=$project/tests/dashboards/data
export LC_ALL=C
cd "$tap_scratch" || exit 1

ledgers=(handover cold running no-marks nested deep large:300 open:300 refused-reboot died-frozen died-restoring
	unfinished half-finished full-mark full-version-1 full-files full-cold)
make_ledgers "${ledgers[@]}"

### The schemas
ok "all schemas are schemas" "$project/tests/toolkit/schema"
# plot draws, mark writes, and neither has an answer in JSON; a recording is record's and report's.
is "every verb has one" "$("$lutrace" --help | sed -n 's/^  \([a-z-]*\) .*/\1/p' | while IFS= read -r verb; do
	case $verb in plot | mark) continue ;; record | report) name=handover ;; *) name=$verb ;; esac
	[ -e "$schemas/$name.json" ] || echo "$verb"
done)" ''
schema "what a recording was is still one" handover "$data"/*/*.json

### Answers
# answer SCHEMA COMMAND...: keep its answer, as a file with the name of the command
answer() {
	local name=$1
	shift
	mkdir -p "answers/$name"
	"$lutrace" "$@" -j >"answers/$name/$(printf '%s ' "$@" | tr / _).json" 2>/dev/null
}
for scenario in "${ledgers[@]}"; do
	answer time time -l "$scenario"
	answer blame blame --all -l "$scenario"
	answer blame blame --objects -l "$scenario"
	answer critical-chain critical-chain --all -l "$scenario"
	answer advise advise --least 0 -l "$scenario"
	answer steps steps -l "$scenario"
	answer steps steps --list -l "$scenario"
	answer handover report -l "$scenario"
	answer check check -b 1s -l "$scenario"
	answer postmortem postmortem -l "$scenario"
	"$lutrace" record -l "$scenario" -m "$project/tests/toolkit/evidence.json" -o "$scenario.json"
	answer handover report "$scenario.json"
	answer check check "$scenario.json"
	mkdir -p answers/otlp
	"$lutrace" report --otlp -l "$scenario" -o "answers/otlp/$scenario.json" 2>/dev/null
done
answer advise advise --remedies
answer critical-chain critical-chain --step memfd-retrieve -l handover
answer handover report --budget 1s handover.json
answer steps steps --step domain-restore -l large:300
answer diff diff handover.json no-marks.json
answer diff diff handover cold
for change in none moved; do
	"$build/tests/unit/make-snapshot" legacy "$change" "snapshot-$change" || exit 1
done
answer diff-snapshots diff snapshot-none snapshot-moved
answer walk walk --snapshot snapshot-none
mkdir set
cp handover.json set/0001.json
cp full-files.json set/0002.json
answer bench bench set
answer bench bench set --compare set
answer export export --metrics
answer prune prune --dry-run --keep 1 set
answer check check --acknowledge --who somebody set/0002.json
mkdir answers/acknowledgement
cp set/0002.json.acknowledged answers/acknowledgement/file.json
answer check check --undo set/0002.json

# A machine made of files.
root=$tap_scratch/machine
mkdir -p "$root"/{proc/sys/kernel,sys/kernel/liveupdate/ledger,sys/class/iommu/dmar0,sys/kernel/debug/kho/in/sub_fdts/a,sys/module/liveupdate/parameters,sys/bus/pci/devices/0000:01:00.0}
echo 7.3.4 >"$root/proc/sys/kernel/osrelease"
echo 'quiet' >"$root/proc/cmdline"
echo waiting >"$root/sys/bus/pci/devices/0000:01:00.0/liveupdate"
printf 'veto\tguest\t3\tvfio-pci-v1\tit is busy; wait for it\nbusy\tguest\t-\t-\tit moves; try again\nmore\t5\n' \
	>"$root/sys/kernel/liveupdate/obstacles"
"$build/tests/unit/make-ledger" handover "$root/sys/kernel/liveupdate/ledger"
answer doctor doctor --root "$root"
answer doctor doctor --sessions --root "$root"
{ head -c $((0x202)) /dev/zero; printf HdrS; head -c 8192 /dev/zero; } >bzImage
answer doctor doctor --successor bzImage --root "$root"
rm bzImage
answer cmdline cmdline --root "$root"
answer postmortem postmortem --root "$root"

# This machine: an answer, or the error that it is not able to.
either() {
	local name=$1
	shift
	"$lutrace" "$@" -j >here.json 2>/dev/null
	if jq -e 'type == "object" and has("error")' here.json >/dev/null; then
		name=error
	fi
	mkdir -p "answers/$name"
	mv here.json "answers/$name/here: $*.json"
}
either doctor doctor
either cmdline cmdline
either probes probes
either changes changes
either faults faults
either snapshot snapshot -o snapshot
either verify verify --file nothing
either walk walk
either time time
answer error time nothing.json

mv -- *.json answers/handover
for folder in answers/*; do
	name=${folder#*/}
	schema "$name: $(find "$folder" -type f | wc -l) answers" "$name" "$folder"/*
done
is "the others are asked in the laboratory" "$(cd "$schemas" && for name in *.json; do
	name=${name%.json}
	[ "$name" = common ] || [ -e "$tap_scratch/answers/$name" ] ||
		grep -qE "^\s*schema .* $name " "$project"/tests/kernel/*.{t,sh} || echo "$name"
done)" ''
cp answers/handover/handover.json .

### What a schema allows, lutrace reads, and the other way round
# both POINTER VALUE: neither takes it
both() {
	jq -c --argjson value "$2" "$1 = \$value" handover.json >wrong.json
	is "neither takes $1 of $2" "$("$project/tests/toolkit/schema" handover wrong.json 2>/dev/null; echo $?) $(
		"$lutrace" report wrong.json >/dev/null 2>&1; echo $?)" '1 1'
}
both .version 2
both .identity '"identical"'
both .identity.verdict '"perhaps"'
both .identity.digest '"0x1"'
both '.identity.devices[0].pasid' 1048576
both '.identity.differences[0].level' '"1"'
both .dma '{"sent": 1}'
both .dma.during_replace -1
both .dma.replace.more 1
both .interrupts '{}'
both '.interrupts.vectors[0].type' '"INTx"'
both '.session' '{"name": "a", "files": []}'
both '.session.files[0].file' '"door"'
both '.session.bind.result' '"fine"'
both '.session.surprise' 1
both .referee.memory_identical '"yes"'
both .referee.faults '[]'
both .environment 7
both '.ledgers.outgoing.version' 3
both '.ledgers.outgoing.kept' '"yes"'
both '.ledgers.outgoing.records[0].cycles' '"0X12"'
both '.ledgers.incoming.records[0].edge' '"middle"'
# Figures in a recording are computed anew; whoever else reads it shall not find these.
for change in '.surprise = 1' '.kernel = "7.3.4"' '.time = "yesterday"' '.blackout.ns = 1.5' \
	'.blackout.from = "begin"' '.blackout.phases[0].name = "lunch"' '.steps[0].ret = 5' '.verdict.verdict = "fine"' \
	'del(.blackout)'; do
	jq -c "$change" handover.json >wrong.json
	ok "the schema does not allow $change" not "$project/tests/toolkit/schema" handover wrong.json 2>/dev/null
done

tap_done
