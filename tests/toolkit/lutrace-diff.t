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
set_of hundred 0 99
set_of later 20 119

# status COMMAND...: its exit status
status() {
	"$@" >/dev/null 2>&1
	echo $?
}

"$lutrace" diff handover.json late.json >diff.txt
is "what is slower than the limit exits with 1" $? 1
ok "and is marked" diff -u "$golden/diff.txt" diff.txt
is "the same twice exits with 0" "$(status "$lutrace" diff handover.json handover.json)" 0
is "what is faster exits with 0" "$(status "$lutrace" diff late.json handover.json)" 0
is "a limit above the difference is not reached" \
	"$(status "$lutrace" diff --limit 30 handover.json late.json)" 0
is "nor does a difference count that is too short" \
	"$(status "$lutrace" diff --minimum 40000 handover.json late.json)" 0
is "the regression is the jump alone" "$("$lutrace" diff -j handover.json late.json |
	jq -c '[(.phases + .steps)[] | select(.regression) | .name]')" '["jump"]'

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
	is "two without it are: 0" "$(status "$lutrace" diff no-$mark.json no-$mark.json)" 0
done
is "an update that did not end, after one that did, is a regression" \
	"$(status "$lutrace" diff handover.json running.json)" 1
is "where none ended, the pauses are not compared: 2" \
	"$(status "$lutrace" diff running.json running.json)" 2
is "sets may be named file by file" "$("$lutrace" diff -b handover.json -b late.json \
	-a late.json -a handover.json -a late.json -j | jq -c '[.before.runs, .after.runs]')" '[2,3]'

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

tap_done
