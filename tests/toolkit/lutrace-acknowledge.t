#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# What an acknowledgement holds: facts, not sentences. Less of what was seen is nothing new.
# More of it is, and so is another whom it is about, and a pause that nobody saw.

set -u
project=$(cd "$(dirname "$(readlink -f "$0")")/../.." && pwd)
# shellcheck source=tests/lab/tap.sh
. "$project/tests/lab/tap.sh"
build=${BUILD:-$project/build}
lutrace=$build/bin/lutrace
export LC_ALL=C
cd "$tap_scratch" || exit 1

make_ledgers handover refused-reboot workloads:3
jq '.identity |= { verdict: "identical", domains: 1 } | .dma.lost = 0 | .dma.received = .dma.sent |
	.session.finish.result = "ok"' "$project/tests/toolkit/evidence.json" >evidence.json
"$lutrace" record -l handover -m evidence.json -o good.json || exit 1
"$lutrace" record -l workloads:3 -o workloads.json || exit 1
"$lutrace" record -l refused-reboot -o refused.json || exit 1

# seen_then SEEN NOW: SEEN was acknowledged; is NOW, of the same boot?
seen_then() {
	cp "$1" one.json
	"$lutrace" check --acknowledge one.json >/dev/null || return
	cp "$2" one.json
	"$lutrace" check -j one.json | jq -r .acknowledgement.holds
}
# made FROM PROGRAM TO: a recording made of another one
made() { jq -c "$2" "$1" >"$3"; }

### Counts: a program that sets how much there is
counts() { # WHAT PROGRAM-WITH-N
	local n
	for n in 1 2 5000; do made good.json "${2//N/$n}" "n$n.json"; done
	is "$1: two are two" "$(seen_then n2.json n2.json)" true
	is "$1: one is less than two" "$(seen_then n2.json n1.json)" true
	is "$1: two are more than one" "$(seen_then n1.json n2.json)" false
	is "$1: five thousand, too" "$(seen_then n1.json n5000.json)" false
}
for count in translation_off root_changes bus_master_off power_changes remapping_off remapping_stale faults difference_count; do
	counts "$count" ".referee.$count = N"
done
counts differences '.identity.verdict = "different" | .identity.difference_count = N'
counts 'differences of what is called identical' '.identity.difference_count = N'
for count in duplicates corrupt foreign faults replace.lost; do counts "$count" ".dma.$count = N"; done
counts lost '.dma.sent = 10000 | .dma.lost = N | .dma.received = 10000 - N'
counts 'not called lost' '.dma.sent = 10000 | .dma.received = 10000 - N'
counts 'more than were sent' '.dma.received = .dma.sent + N'
counts 'dropped records' '.ledgers.outgoing |= (.dropped = N | .drops = { other: { count: N, first: 900000, last: 999999 } })'
counts 'interrupts' '.interrupts.carried = false | .interrupts.vectors =
	[range([N, 9] | min) | { type: "MSI", vector: ., before: 1, at_enable: 0, after: 0 }]'

### The reboot call that came back, once more
again() { # N TO: so often once more
	made refused.json ".ledgers.incoming.records |= ([.[] | select(.step == \"reboot\" and .ret)][0] as \$last
		| [.[] | select(.sequence == \$last.ref)][0] as \$first | . + [range($1) as \$i
			| (\$first | .sequence = 1000 + 2 * \$i), (\$last | .sequence = 1001 + 2 * \$i | .ref = 1000 + 2 * \$i)])" "$2"
}
again 1 twice.json
again 2 thrice.json
like "a reboot call failed more than once" "$("$lutrace" check twice.json)" 'failed more than once'
is "both times are the same sentence" "$("$lutrace" check twice.json)" "$("$lutrace" check thrice.json)"
is "a third time was not seen" "$(seen_then twice.json thrice.json)" false
is "twice was, where three times were" "$(seen_then thrice.json twice.json)" true
made twice.json '(.ledgers.incoming.records[] | select(.sequence == 1001)).ret = -12' other.json
is "with another error it was not" "$(seen_then twice.json other.json)" false

### Whom it is about
rename() { made workloads.json "(.ledgers[].records[] | select(.name)).name |= sub(\":$1\$\"; \":$2\")" "$3"; }
rename gone other renamed.json
is "two workloads of unknown pause are the same two" "$(seen_then workloads.json workloads.json)" true
is "another one in place of one of them was not seen" "$(seen_then workloads.json renamed.json)" false
made workloads.json '(.ledgers[].records[] | select(.name)).name |= sub("pause:vm3$"; "pause")' three.json
is "nor was a third one" "$(seen_then workloads.json three.json)" false
made good.json '.session.finished = false' open.json
made good.json '.session.finished = false | .session.name = "other"' session.json
is "another session was not seen" "$(seen_then open.json session.json)" false
made good.json '.session.retrieve.result = "ENOENT"' retrieve.json
made good.json '.session.bind.result = "ENOENT" | .session.bind.ns = 1' bind.json
is "nor another call that failed" "$(seen_then retrieve.json bind.json)" false
difference() { made good.json ".identity.verdict = \"different\" | .identity.difference_count = 1 |
	.identity.differences = [\"$1\"]" "$2"; }
difference 'the root of unit 0' root.json
difference 'the root of unit 1' unit.json
is "nor another entry of a page table" "$(seen_then root.json unit.json)" false
vector() { made good.json ".interrupts.carried = false | .interrupts.vectors =
	[{ type: \"MSI\", vector: $1, before: 1, at_enable: 0, after: 0 }]" "$2"; }
vector 0 first.json
vector 1 second.json
is "nor another interrupt" "$(seen_then first.json second.json)" false

### The pause
made good.json '.ledgers.incoming.records |= [.[] | select((.step | IN("user-mark", "session-finish", "sessions-finished")) | not)]' no-end.json
like "no workload has come back yet" "$("$lutrace" check no-end.json)" 'The pause is unknown \(neither'
is "that was seen" "$(seen_then no-end.json no-end.json)" true
is "how long it was paused then was not" "$(seen_then no-end.json good.json)" false
made good.json '(.ledgers.incoming.records[] | select(.name == "resume")).cycles = "0x400000000"' longer.json
like "it is longer" "$("$lutrace" check longer.json)" 'paused for 12'
is "a longer pause was not seen" "$(seen_then good.json longer.json)" false
is "a shorter one was" "$(seen_then longer.json good.json)" true
is "that it is not known any more was not" "$(seen_then good.json no-end.json)" false
made workloads.json '(.ledgers.incoming.records[] | select(.name == "resume:new")).name = "resume:gone"' came.json
is "a workload that came back: nobody has seen how long it was paused" "$(seen_then workloads.json came.json)" false
jq -c '(.ledgers[].records[] | select(.name == "pause:gone")).cycles = "0x12a060000"' workloads.json >without.json
made without.json '(.ledgers[].records[] | select(.name == "resume:new")) |= (.name = "resume:gone" | .cycles = "0x190000000")' inside.json
is "so it is with one that was paused after the first and resumed before the last" "$(seen_then without.json inside.json)" false

### The file, which nobody named
cp good.json beside.json
echo old >precious
ln -s precious beside.json.acknowledged
"$lutrace" check --acknowledge beside.json >/dev/null
is "a link in its place is replaced, and not followed" \
	"$([ -L beside.json.acknowledged ] || jq .version beside.json.acknowledged) $(cat precious)" '1 old'
if [ "$(id -u)" = 0 ]; then
	chown nobody:nogroup beside.json
	chmod 640 beside.json
	rm beside.json.acknowledged
	strace -o trace -e trace=chown,lchown,fchown,fchownat,rename "$lutrace" check --acknowledge beside.json >/dev/null
	is "it is whose the recording is, for those who may read that" \
		"$(stat -c '%U %G %a' beside.json.acknowledged)" 'nobody nogroup 640'
	is "before it has its name" "$(grep -oE '^(fchown|[a-z]*chown[a-z]*|rename)\(' trace | tr -d '\n')" 'fchown(rename('
else
	skip "it is whose the recording is" "this is not root"
fi

### The alert
mkdir boot
cp no-end.json boot/one.json
"$lutrace" check --acknowledge boot/one.json >/dev/null
acknowledged() { "$lutrace" export -t - boot | awk '$1 == "liveupdate_last_acknowledged" { print $2 }'; }
is "the metric is 1 while the pause is unknown" "$(acknowledged)" 1
cp longer.json boot/one.json
is "and 0 once it is known: the alert on the budget fires" "$(acknowledged)" 0
jq -c '.seen |= map(del(.fact))' boot/one.json.acknowledged >old && mv old boot/one.json.acknowledged
is "what has no facts covers none" "$(acknowledged)" 0

tap_done
