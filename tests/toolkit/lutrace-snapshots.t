#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Snapshot files are walked and compared without the machine that they are of.

set -u
project=$(cd "$(dirname "$(readlink -f "$0")")/../.." && pwd)
# shellcheck source=tests/lab/tap.sh
. "$project/tests/lab/tap.sh"
build=${BUILD:-$project/build}
lutrace=$build/bin/lutrace
export LC_ALL=C
cd "$tap_scratch" || exit 1

layouts="legacy second-stage first-stage amd"
for layout in $layouts; do
	for change in none moved unmapped mapped read-only split tables device; do
		"$build/tests/unit/make-snapshot" "$layout" "$change" "$layout-$change" || exit 1
	done
done
for change in last beyond; do
	"$build/tests/unit/make-snapshot" amd "$change" "amd-$change" || exit 1
done
# changed LAYOUT CHANGE FILTER: what diff says in JSON, with its exit status
changed() {
	timeout 60 "$lutrace" diff -j "$1-none" "$1-$2" >diff.json
	echo "$? $(jq -c "$3" diff.json)"
	cp diff.json "diff-$1-$2.json"
}

### walk
for layout in $layouts; do
	"$lutrace" walk -j --snapshot "$layout-none" >walk.json
	is "$layout: walk lists the devices of a snapshot" "$(jq -c '.devices[] | [.device, .table_pages, .leaf_entries]' walk.json)" \
		'["0000:01:00.0",5,12]'
	"$lutrace" walk -j --snapshot "$layout-none" --device 0000:01:00.0 >entries.json
	schema "$layout: answers are what the schema says" walk walk.json entries.json
	is "$layout: with a device, every entry" "$(jq '[.entries[] | select(.kind == "table-entry")] | length' entries.json)" 16
	is "$layout: or those of an address" \
		"$("$lutrace" walk -j --snapshot "$layout-none" -d 01:00.0 -i 0x3000 | jq -c '[.entries[] | select(.kind == "table-entry") | .level]')" \
		'[4,3,2,1]'
done
is "of another device it has nothing: 2" "$(status "$lutrace" walk --snapshot legacy-none -d 02:00.0)" 2
is "and of a PASID that nothing is attached to: 2" "$("$lutrace" walk --snapshot legacy-none -d 01:00.0 -P 5 2>&1; echo $?)" \
	'lutrace: no table of PASID 5 is there; without --device it is told of which
2'
is "of the one that is there, all" "$("$lutrace" walk -j --snapshot legacy-none -d 01:00.0 -P 0 | jq '.entries | length')" \
	"$("$lutrace" walk -j --snapshot legacy-none -d 01:00.0 | jq '.entries | length')"
is "of two devices one can be had" \
	"$("$lutrace" walk -j --snapshot second-stage-device -d 01:01.0 | jq -c '[.devices[].device]')" '["0000:01:01.0"]'
is "where one is missing, it is named: 2" \
	"$("$lutrace" walk --snapshot legacy-none -d 01:00.0 -d 02:00.0 2>&1; echo $?)" \
	'lutrace: legacy-none is not of 0000:02:00.0; without --device it is told of which
2'
is "what is no snapshot is not walked: 2" "$(status "$lutrace" walk --snapshot "$0")" 2
is "nor is a snapshot and a dump at once" "$(status "$lutrace" walk --snapshot a --vmcore b --vmlinux c)" 1

### diff
for layout in $layouts; do
	is "$layout: a snapshot is the same as itself" "$(changed "$layout" none '[.verdict, .difference_count, .devices[].change]')" '0 ["identical",0,"none"]'
	is "$layout: memory that is elsewhere is found" \
		"$(changed "$layout" moved '[.verdict, .difference_count, .differing_bytes, (.differences[0] | .iova, .last, .change, .old[:9], .new[:9])]')" \
		'1 ["different",1,4096,"0x3000","0x3fff","moved","0x7003000","0xa000000"]'
	is "$layout: so is what is not mapped any more, as one range" \
		"$(changed "$layout" unmapped '[.difference_count, (.differences[0] | .iova, .last, .change, .new)]')" \
		'1 [1,"0x8000","0x9fff","unmapped",null]'
	is "$layout: and what is mapped now" "$(changed "$layout" mapped '[.difference_count, (.differences[0] | .iova, .last, .change, .old)]')" \
		'1 [1,"0xa000","0xafff","mapped",null]'
	is "$layout: and rights" "$(changed "$layout" read-only '[.differences[] | .iova, .last, .change, (.old[10:12]), (.new[10:12])]')" \
		'1 ["0","0xfff","rights","rw","r-"]'
	is "$layout: the same memory in pages of another size is the same mapping" \
		"$(changed "$layout" split '[.verdict, .difference_count, .devices[].change]')" '0 ["tables-moved",0,"tables"]'
	is "$layout: so is the same by a table elsewhere" \
		"$(changed "$layout" tables '[.verdict, .difference_count, .devices[].change]')" '0 ["tables-moved",0,"tables"]'
	is "$layout: a device more is a difference" \
		"$(changed "$layout" device '[.verdict, (.devices[] | [.device, .change, .before == null])]')" \
		'1 ["different",["0000:01:00.0","none",false],["0000:01:01.0","new",true]]'
done
is "the last byte of 64 bits is mapped on one side alone" \
	"$(changed amd last '[.difference_count, (.differences[0] | .iova, .last, .change, .old)]')" \
	'1 [1,"0xfe00000000000000","0xffffffffffffffff","mapped",null]'
is "or was" "$(timeout 60 "$lutrace" diff -j amd-last amd-none | jq -c '[.differences[] | .last, .change]')" '["0xffffffffffffffff","unmapped"]'
is "an entry that no address comes to maps nothing" \
	"$(timeout 60 "$lutrace" diff -j amd-last amd-beyond | jq -c '[.verdict, .difference_count]')" '["tables-moved",0]'
is "nor is it shown" "$("$lutrace" walk -j -s amd-beyond -d 01:00.0 | jq -c '[.entries[] | select(.level == 6) | .iova]')" \
	"$("$lutrace" walk -j -s amd-last -d 01:00.0 | jq -c '[.entries[] | select(.level == 6) | .iova]')"
schema "answers are what the schema says" diff-snapshots diff-*.json
"$lutrace" diff second-stage-none second-stage-moved >moved.txt
like "it says where in words" "$(cat moved.txt)" '^  0000:01:00.0 IOVA 0x3000-0x3fff: 0x7003000 rw -> 0xa000000 rw$'
like "and what that amounts to" "$(tail -n 1 moved.txt)" '^What is mapped differs\.$'
like "no more than asked for" "$("$lutrace" diff -n 0 legacy-none legacy-moved)" '1 more; --differences N shows N'
is "of two modes the memory is compared" "$("$lutrace" diff -j legacy-none first-stage-none | jq -c '[.verdict, .difference_count]')" '["tables-moved",0]'

### What is damaged
cp second-stage-none damaged
like "one that is not there is not said to be none" "$("$lutrace" diff legacy-none missing 2>&1)" \
	'^lutrace: cannot read missing: No such file or directory$'
like "snapshots are no sets" "$("$lutrace" diff --before legacy-none --after legacy-none 2>&1)" \
	'^lutrace: legacy-none is a snapshot: two of them are named without --before and --after$'

# A byte of a page, which the checksum of the snapshot is not of.
printf '\xff' | dd of=damaged bs=1 seek=260 conv=notrunc status=none
"$lutrace" walk --snapshot damaged -d 01:00.0 >/dev/null 2>err
like "a page that was changed is found by walk" "$? $(cat err)" '^2 .*damaged'
"$lutrace" diff damaged second-stage-none >/dev/null 2>err
like "and by diff" "$? $(cat err)" '^1 .*damaged'
head -c 300 second-stage-none >short
is "one that is cut short is refused" "$(status "$lutrace" diff short second-stage-none) $(status "$lutrace" walk -s short)" '1 2'
mkdir ledger && "$build/tests/unit/make-ledger" handover ledger
"$lutrace" record -l ledger -o recording.json
"$lutrace" diff second-stage-none recording.json >/dev/null 2>err
is "a snapshot and a recording do not compare" "$? $(cat err)" "1 lutrace: second-stage-none is a snapshot, recording.json is none"
tap_done
