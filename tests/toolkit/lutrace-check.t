#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# One verdict on a live update: text, JSON, the page, metrics and exit status say the
# same, and a pipeline can be gated on it.

set -u
project=$(cd "$(dirname "$(readlink -f "$0")")/../.." && pwd)
# shellcheck source=tests/lab/tap.sh
. "$project/tests/lab/tap.sh"
build=${BUILD:-$project/build}
lutrace=$build/bin/lutrace
export LC_ALL=C
cd "$tap_scratch" || exit 1

make_ledgers handover cold half-finished full-files
jq '.identity |= { verdict: "identical", domains: 1 } | .dma.lost = 0 | .dma.received = .dma.sent |
	.session.finish.result = "ok"' "$project/tests/toolkit/evidence.json" >evidence.json
"$lutrace" record -l handover -m evidence.json -o good.json || exit 1
jq '.dma += { corrupt: 57, duplicates: 33 } | .referee.bus_master_off = 4 |
	.session.finished = false' good.json >corrupt.json
"$lutrace" record -l handover -o unverified.json
jq '.identity.domains = 0' good.json >no-table.json
"$lutrace" record -l full-files -m evidence.json -o dropped.json
"$lutrace" record -l cold -m evidence.json -o cold.json
"$lutrace" record -l handover -m "$project/tests/toolkit/evidence.json" -o different.json
cp "$project/tests/dashboards/data/refused/recording.json" refused.json

# said_by FORM RECORDING: good, bad or unknown
said_by() {
	local sentence='s/^\(Verdict: *\)\?\(Good\|Bad\|Not proven\)\..*/\2/p'
	case $1 in
	text) "$lutrace" report "$2" | sed -n "$sentence" ;;
	check) "$lutrace" check "$2" | sed -n "$sentence" ;;
	json) "$lutrace" report -j "$2" | jq -r .verdict.verdict ;;
	recording) "$lutrace" record -f "$2" | jq -r .verdict.verdict ;;
	page) "$lutrace" report --html "$2" | sed -n 's/.*<p class="verdict \([a-z]*\)">.*/\1/p' ;;
	metrics) "$lutrace" export -t - "$2" | sed -n 's/^liveupdate_last_verdict{liveupdate_last_verdict="\(.*\)"} 1$/\1/p' ;;
	esac | sed 's/Not proven\|unsure/unknown/; s/./\l&/'
}
code_of() {
	"$@" >/dev/null 2>&1
	case $? in
	0) echo good ;;
	1) echo bad ;;
	2) echo unknown ;;
	*) echo "exit status $?" ;;
	esac
}
all() { # RECORDING VERDICT FORM...
	local form
	for form in "${@:3}" text check json recording page; do
		is "$1 is $2: $form" "$(said_by "$form" "$1.json")" "$2"
	done
	is "$1 is $2: check exits with it" "$(code_of "$lutrace" check "$1.json")" "$2"
	is "$1 is $2: report --check, too" "$(code_of "$lutrace" report --check "$1.json")" "$2"
	is "$1 is $2: of the page, too" "$(code_of "$lutrace" report --check --html "$1.json")" "$2"
	is "$1: the sentence is the same" "$("$lutrace" check "$1.json")" \
		"$("$lutrace" report "$1.json" | sed -n 's/^Verdict: *//p')"
	is "$1: in the page, too" "$("$lutrace" report --html "$1.json" | grep -o '<p class="verdict.*</p>' |
		sed 's/<[^>]*>//g')" "$("$lutrace" check "$1.json")"
}
all good good metrics
all corrupt bad metrics
all different bad metrics
all unverified unknown metrics
all dropped unknown metrics
# Without an incoming kernel there is no live update that metrics could be of.
all refused bad
is "a cold boot is unknown" "$(code_of "$lutrace" check cold.json)" unknown

like "the reasons are named" "$("$lutrace" check corrupt.json)" \
	'^Bad\. .*; 33 packets were received twice; 57 packets were damaged; the session did not finish; bus mastering was off\.$'
is "and are in the JSON" "$("$lutrace" check -j corrupt.json | jq -c '[.reasons[] | select(.verdict == "bad").check]')" \
	'["dma","dma","session","referee"]'
like "a session that nobody finished is not good" "$("$lutrace" check -l half-finished)" '1 session is not finished yet'
is "a report without --check exits as before" "$(code_of "$lutrace" report corrupt.json)" good
# A pause that a mark began, and of which nobody marked the end, is counted to the last session.
jq '(.ledgers.incoming.records[] | select(.name == "resume").name) = "another"' good.json >paused.json
is "the host's pause is known then" "$("$lutrace" time -j paused.json | jq -r '.blackout | .unknown, .to')" 'null
session-finish'
all paused unknown metrics
like "a workload that nobody resumed is not good" "$("$lutrace" check paused.json)" \
	"a workload was paused, and no mark 'resume' says that it runs again"
jq '.dma.sent = 0 | .dma.received = 0' good.json >silent.json
like "of no packet nobody says that it was not lost" "$("$lutrace" check silent.json)" \
	'; no packet was sent, so that none could be lost'
jq '.verdict = { verdict: "good", text: "trust me", reasons: [] }' corrupt.json >forged.json
is "a verdict in a recording is not believed" "$(said_by json forged.json)" bad

# The budget of a pause: 1.234567890 s.
is "a pause within its budget is good" "$(code_of "$lutrace" check -b 1.3s good.json)" good
is "one over it is bad" "$(code_of "$lutrace" check --budget 1234ms good.json)" bad
like "which is said" "$("$lutrace" check -b 1s good.json)" '^Bad\. The workload was paused for 1\.235 s; that is over the budget of 1\.000 s;'
is "report has it, too" "$(code_of "$lutrace" report --check --budget 1s good.json)" bad
is "the page as well" "$("$lutrace" report --html -b 1s good.json | grep -c 'class="verdict bad"')" 1
is "and the JSON" "$("$lutrace" report -j -b 1s good.json | jq -c '.verdict | [.verdict, .budget_ns]')" '["bad",1000000000]'
is "and metrics" "$("$lutrace" export -b 1s -t - good.json | grep '^liveupdate_last_verdict.* 1$')" \
	'liveupdate_last_verdict{liveupdate_last_verdict="bad"} 1'
is "the nanosecond counts" "$(code_of "$lutrace" check -b 1234567889ns good.json) $(code_of "$lutrace" check -b 1234567890ns good.json)" 'bad good'
for budget in 1 0s -1s abc 1h 1e30s nan 0x10ms; do
	is "'$budget' is no budget" "$("$lutrace" check -b "$budget" good.json 2>&1)" \
		"lutrace: '$budget' is no length of time, such as 250ms or 1.5s"
done
is "what is no recording is an error" "$(code_of "$lutrace" check evidence.json)" bad

# An acknowledgement is for the alerts (tests/dashboards/export-lasting.t), and asks nobody for a verdict.
is "to acknowledge succeeds, whatever the verdict" "$("$lutrace" check -b 1s good.json >/dev/null; echo $?) $("$lutrace" check -b 1s -a good.json >/dev/null; echo $?)" '1 0'
is "a budget is nothing to be seen" "$(jq -c '[.seen[].check]' good.json.acknowledged)" '["pause"]'
"$lutrace" check --undo good.json >/dev/null
for wrong in '-a -u good.json' '--who me good.json' '-u -r because good.json' '-a' '-a nothing.json'; do
	# shellcheck disable=SC2086
	is "check $wrong is an error" "$("$lutrace" check $wrong >/dev/null 2>&1; echo $?)" 1
done
ok "and writes nothing" [ ! -e good.json.acknowledged ]

said=$("$lutrace" check no-table.json)
is "no table that is identical proves nothing" "$?" 2
like "and that is said" "$said" '^Not proven\..*there was no page table to verify'
tap_done
