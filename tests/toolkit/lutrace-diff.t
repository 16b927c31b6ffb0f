#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# lutrace diff tells what became slower, and nothing that it cannot know.

set -u
project=$(cd "$(dirname "$(readlink -f "$0")")/../.." && pwd)
# shellcheck source=tests/lab/tap.sh
. "$project/tests/lab/tap.sh"
build=${BUILD:-$project/build}
lutrace=$build/bin/lutrace
golden=$project/tests/toolkit/golden
export LC_ALL=C

cd "$tap_scratch" || exit 1
# one SCENARIO NAME: a recording
one() {
	mkdir -p "ledger-$2"
	"$build/tests/unit/make-ledger" "$1" "ledger-$2" && "$lutrace" record -l "ledger-$2" -o "$2.json"
}
# set NAME FROM TO: ledgers of live updates whose jump takes 125 ms and N tenths more
set_of() {
	local i
	for ((i = $2; i <= $3; i++)); do
		mkdir -p "$1/$i"
		"$build/tests/unit/make-ledger" "late:$i" "$1/$i" || exit 1
	done
}
one handover handover && one no-marks no-marks && one running running && one late:300 late || exit 1
set_of few 0 4
set_of slow 300 304
set_of hundred 0 99
set_of later 20 119

"$lutrace" diff few slow >diff.txt
is "what is slower than the limit, and not by chance, exits with 1" $? 1
ok "and is marked" diff -u "$golden/diff.txt" diff.txt
is "the same twice exits with 0" "$(status "$lutrace" diff few few)" 0
is "what is faster exits with 0" "$(status "$lutrace" diff slow few)" 0
is "and says so" "$("$lutrace" diff -j slow few | jq -c '[(.phases + .steps)[] | select(.change == "faster") | .name]')" '["jump"]'
is "a limit above the difference is not reached" "$(status "$lutrace" diff --limit 30 few slow)" 0
is "nor does a difference count that is too short" \
	"$(status "$lutrace" diff --minimum 40000 few slow)" 0
is "the regression is the jump alone" "$("$lutrace" diff -j few slow |
	jq -c '[(.phases + .steps)[] | select(.regression) | .name]')" '["jump"]'

### Chance
"$lutrace" diff handover.json late.json >single.txt
is "of one live update before and one after nothing can be said: 2" $? 2
ok "and how many are needed is told" diff -u "$golden/diff-single.txt" single.txt
is "not even that they are the same" "$(status "$lutrace" diff handover.json handover.json)" 2
# Three of each could be chance in one of ten cases, whatever they are; four cannot.
for number in 2 3; do
	mkdir -p few-$number slow-$number
	for ((i = 0; i <= number; i++)); do
		ln -s "../few/$i" few-$number/ && ln -s "../slow/$((300 + i))" slow-$number/
	done
done
"$lutrace" diff -j few-2 slow-2 >three.json
is "nor of three" "$? $(jq -c '[.statistics.enough, .statistics.needed, .regression]' three.json)" '2 [false,4,false]'
is "though it is more than the limit" "$(jq -c '.phases[] | select(.name == "jump") | [.change, .regression, .ratio_low]' three.json)" \
	'["perhaps-slower",null,null]'
"$lutrace" diff -j few-3 slow-3 >four.json
is "of four it can" "$? $(jq -c '.phases[] | select(.name == "jump") | [.change, (.p50_p * 70 | round)]' four.json)" '1 ["slower",2]'
# The jump takes 125 ms and N tenths; those after are mostly later, but not all.
mkdir noise-before noise-after
for i in 0 1 100 400 500 600 700 800; do
	"$build/tests/unit/make-ledger" "late:$i" ledger-late && mkdir "noise-before/$i" && cp ledger-late/* "noise-before/$i/"
done
for i in 2 3 300 650 660 700 900 950; do
	"$build/tests/unit/make-ledger" "late:$i" ledger-late && mkdir "noise-after/$i" && cp ledger-late/* "noise-after/$i/"
done
"$lutrace" diff noise-before noise-after --limit 5 >noise.txt
is "what is more than the limit, but may be chance, is no regression" $? 0
like "it is marked so" "$(cat noise.txt)" '^  jump .* 1\.152  0\.[0-9]* to 1\.[0-9]* +0\.[3-9][0-9]* +slower[?]'
like "and that is told" "$(cat noise.txt)" '^"[?]" is more than the limit, but may be chance: p is above 0\.05'

"$lutrace" diff -j hundred later >hundred.json
is "within the limit there is no regression" $? 0
is "percentiles are values that were measured" \
	"$(jq -c '.phases[] | select(.name == "jump") | [.before.count, .before.p50_ns,
		.before.p99_ns, .before.max_ns, .after.p50_ns]' hundred.json)" \
	'[100,129900000,134800000,134900000,131900000]'
is "the ratio is that of the medians" \
	"$(jq '.phases[] | select(.name == "jump") | .ratio * 1000000 | round' hundred.json)" 1015396
is "a limit of one percent finds it" "$(status "$lutrace" diff -l 1 hundred later)" 1
rm -r hundred/99
is "of fewer than a hundred values there is no 99th percentile" \
	"$("$lutrace" diff -j hundred later | jq -c '.phases[] | select(.name == "jump") |
		[.before.count, .before.p50_ns, .before.p99_ns]')" '[99,129900000,null]'
like "and it says so" "$("$lutrace" diff handover.json late.json)" '^Not enough runs for a 99th'
is "the ratio is between two bounds" "$(jq -c '.phases[] | select(.name == "jump") |
	[.ratio_low, .ratio_high | . * 10000 | round]' hundred.json)" '[9977,10334]'
is "one slow run of a hundred is no regression of the median" "$(
	mkdir -p hundred/slow
	"$build/tests/unit/make-ledger" late:9000 hundred/slow
	status "$lutrace" diff later hundred)" 0

is "pauses between marks and without marks are not compared: 2" \
	"$(status "$lutrace" diff handover.json no-marks.json)" 2
is "and have no ratio" "$("$lutrace" diff -j handover.json no-marks.json |
	jq -c '[.phases[] | .ratio, .regression] | unique')" '[null]'
# Only where they begin, only where they end.
for mark in pause resume; do
	jq --arg mark $mark 'del(.ledgers[].records[] | select(.name == $mark))' handover.json >no-$mark.json
	is "nor are those of which only some have the mark $mark: 2" \
		"$(status "$lutrace" diff handover.json no-$mark.json) $(status "$lutrace" diff no-$mark.json handover.json)" '2 2'
	is "two without it are" "$("$lutrace" diff -j no-$mark.json no-$mark.json | jq .incomparable)" null
done
is "an update that did not end, after one that did, is a regression" \
	"$(status "$lutrace" diff handover.json running.json)" 1
is "where none ended, the pauses are not compared: 2" \
	"$(status "$lutrace" diff running.json running.json)" 2
is "sets may be named file by file; what is named twice counts once" "$("$lutrace" diff -b handover.json -b late.json \
	-a late.json -a handover.json -a late.json -j 2>/dev/null | jq -c '[.before.runs, .after.runs]')" '[2,2]'

mkdir -p mixed/below && cp handover.json mixed/below/ && cp late.json mixed/
echo '{"verdict":"identical"}' >mixed/identity.json
cp -r ledger-late mixed/ledger
is "a directory stands for the recordings below it, and nothing else" \
	"$("$lutrace" diff -j mixed late.json | jq .before.runs)" 2
mkdir -p empty
is "one without any is an error" "$(status "$lutrace" diff empty late.json)" 1
is "so is a set that is not named" "$(status "$lutrace" diff late.json)" 1
echo '{"version":1,"ledgers":{"outgoing":{"records":7}}}' >mixed/damaged.json
is "and a damaged recording in a directory" "$(status "$lutrace" diff mixed late.json)" 1


### What is in a set
mkdir copies-before copies-after
for i in 1 2 3 4 5; do
	cp handover.json copies-before/$i.json
	cp late.json copies-after/$i.json
done
"$lutrace" diff -j -b copies-before -b copies-before -a copies-after >copies.json 2>copies.err
is "copies of a recording are one live update, of which nothing can be said" \
	"$? $(jq -c '[.before.runs, .before.copies, .after.runs, .after.copies]' copies.json)" '2 [1,9,1,4]'
is "each is named" "$(grep -c ' is left out: it is of a live update that the set has already$' copies.err)" 13
like "and counted" "$("$lutrace" diff copies-before copies-after 2>/dev/null)" '^before  1 run, .*; 4 more recordings are of the same live updates$'
jq '.ledgers.incoming.records |= .[:-2]' handover.json >copies-before/later.json
is "so is one that was made earlier" "$("$lutrace" diff -j copies-before copies-after 2>/dev/null | jq -c '[.before.runs, .before.copies]')" '[1,5]'
mkdir damaged
for i in 0 1 2 3 4; do
	"$lutrace" record -l few/$i -o damaged/$i.json
done
head -c 3000 damaged/0.json >damaged/bad.json
: >damaged/empty.json
echo '{"version": 1}' >damaged/other.json
echo text >damaged/notes.txt
"$lutrace" diff -j damaged few >damaged.json 2>damaged.err
is "what cannot be parsed is left out and counted" "$(jq -c '[.before.runs, .before.unreadable]' damaged.json)" '[5,2]'
like "it is named" "$(cat damaged.err)" 'lutrace: damaged/bad.json is left out: '
is "as is what is empty; other documents are not" "$(grep -o 'damaged/[a-z.]*' damaged.err | xargs)" 'damaged/bad.json damaged/empty.json'
like "a line says so" "$("$lutrace" diff damaged few 2>/dev/null)" '; 2 files cannot be read$'
schema "such answers are what the schema says" diff copies.json damaged.json

tap_done
