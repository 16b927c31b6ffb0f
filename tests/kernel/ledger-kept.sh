# shellcheck shell=bash disable=SC2154,SC2034 # tap.sh sets what is used here, tests use what is set
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# A live update of two kernels that keep no ledger, or hide it: 'lutrace mark --keep' keeps
# one in both. For ledger-kept.t and tests/stock; sourced after tap.sh and dma-session.sh.
# kept_stages makes the stages $kept_before and $kept_after; kept_is checks what they left.

kept_stages() {
	stage before <<'END'
set -e
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
. "$LAB_PROJECT/tests/kernel/ledger-kept.sh"
kept_hide
for words in time 'mark pause'; do
	code=0
	lutrace $words >>"$LAB_RESULTS/without.txt" 2>&1 || code=$?
	note "without-${words%% *}" $code
done
lutrace mark --keep -j >"$LAB_RESULTS/kept-outgoing.json"
lutrace mark --keep >"$LAB_RESULTS/kept-again.txt"
# Probes have the kernel's events where it has some.
[ -d $kept_own ] || lutrace probes --attach >"$LAB_RESULTS/attach.txt"
"$LAB_BUILD/tests/kernel/memfd-session" preserve agent 7 16 >/run/agent 2>&1 &
until grep -q preserved /run/agent; do
	kill -0 $!
	sleep 0.05
done
[ -d $kept_own ] || lutrace steps --pinned /sys/fs/bpf/lutrace -j >"$LAB_RESULTS/pinned.json"
lutrace mark begin stop-the-guests
sleep 0.1
lutrace mark end stop-the-guests
kept_mark pause:a-workload-with-a-long-name
sleep 0.2
END
	kept_before=$stage
	stage after <<'END'
set -e
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
. "$LAB_PROJECT/tests/kernel/ledger-kept.sh"
kept_hide
lutrace mark --keep -j >"$LAB_RESULTS/kept-incoming.json"
code=0
lutrace time >"$LAB_RESULTS/paused.txt" || code=$?
note paused $code
"$LAB_BUILD/tests/kernel/memfd-session" retrieve agent 7 16
kept_mark resume:a-workload-with-a-long-name
until lutrace time >"$LAB_RESULTS/time.txt"; do
	sleep 0.05
done
lutrace record --output "$LAB_RESULTS/handover.json"
lutrace report --html --output "$LAB_RESULTS/report.html"
if [ -d $kept_own ]; then
	mkdir "$LAB_RESULTS/own"
	cp $kept_own/previous $kept_own/current "$LAB_RESULTS/own/"
fi
END
	kept_after=$stage
}

# In a stage: a kernel with a ledger hides it from lutrace. It gets each mark as well, first.
kept_own=/run/ledger
kept_hide() {
	[ -d /sys/kernel/liveupdate/ledger ] || return 0
	mkdir -p $kept_own
	mount --bind /sys/kernel/liveupdate/ledger $kept_own
	mount -t tmpfs none /sys/kernel/liveupdate
}
kept_mark() {
	[ ! -d $kept_own ] || echo "$1" >$kept_own/mark
	lutrace mark "$1"
}

# What holds on every pair of kernels.
kept_is() {
	is "without a ledger, time and mark have no answer" "$(fact without-time) $(fact without-mark)" "2 2"
	is "both say what keeps one" "$(grep -c 'lutrace mark --keep' "$lab_results/without.txt")" 2
	is "all functions are followed in both kernels" "$(jq -r '.functions[] | select(.followed | not) | "\(.function): \(.why)"' \
		"$lab_results"/kept-outgoing.json "$lab_results"/kept-incoming.json)" ""
	is "the second call finds the first one's process" \
		"$(sed -n 's/.*by process \([0-9]*\).*/\1/p' "$lab_results/kept-again.txt")" "$(lab_json kept-outgoing.json .process)"
	is "nothing had come to the outgoing kernel" "$(lab_json kept-outgoing.json .previous)" null
	is "the incoming one has what was kept there" "$(lab_json kept-incoming.json .previous)" \
		"$(lab_json handover.json .kernel.outgoing)"
	is "until the resume the pause is unknown" "$(fact paused)" 2
	like "and it says why" "$(cat "$lab_results/paused.txt")" '^Blackout: unknown, neither a resume mark nor'

	is "the pause is known, from mark to mark" \
		"$(lab_json handover.json '[.blackout.from, .blackout.to, .blackout.ns > 0] | join(" ")')" \
		"pause-mark resume-mark true"
	is "its phases add up to it" "$(lab_json handover.json '(.blackout.phases | map(.ns) | add) == .blackout.ns')" true
	is "these are known" "$(lab_json handover.json '[.blackout.phases[].name] | join(" ")')" \
		"quiesce freeze shutdown jump early-boot userspace retrieve"
	is "of two of them it is said what is unknown" \
		"$(lab_json handover.json '[.blackout.phases[] | select(.unknown) | .name] | join(" ")')" "jump early-boot"
	is "the workload has the same pause" "$(lab_json handover.json '.blackout.workloads[] | "\(.name) \(.ns)"')" \
		"a-workload-with-a-long-name $(lab_json handover.json .blackout.ns)"
	is "both ledgers say who kept them" "$(lab_json handover.json '[.ledgers[].kept] | join(" ")')" "true true"
	schema "the recording is what its schema says" handover "$lab_results/handover.json"
	schema "so is what was said of the ledgers" mark "$lab_results/kept-outgoing.json" "$lab_results/kept-incoming.json"
	is "a recording that is read again says the same" \
		"$("$BUILD/bin/lutrace" time -j "$lab_results/handover.json" | jq -S -c .blackout)" "$(jq -S -c .blackout "$lab_results/handover.json")"
	is "the text names both" "$(sed -n '/^Unknown:/,$s/^  \([a-z-]*\): .*/\1/p' "$lab_results/time.txt" | xargs)" "jump early-boot"
	is "so does the page" "$(grep -c '<p>Unknown: ' "$lab_results/report.html")" 2

	is "the agent's session, its file and its memory were preserved" "$(lab_json handover.json '
		[.steps[] | select(.kernel == "outgoing" and .ret == 0 and .ns > 0)
		 | select((.step == "session-create" and .object == "agent") or (.step | IN("file-preserve", "memfd-preserve"))).step]
		| join(" ")')" "session-create file-preserve memfd-preserve"
	is "sessions were serialized in the reboot call, and memory frozen in that" "$(lab_json handover.json '
		(.steps | map({key: "\(.sequence)", value: .}) | from_entries) as $all
		| [.steps[] | select(.step == "memfd-freeze") | $all["\(.parent)"] | "\(.step) \($all["\(.parent)"].step)"] | unique | join(", ")')" \
		"serialize reboot"
	# Whether its end is seen depends on when the other CPUs stop.
	is "the shutdown of devices was seen" "$(lab_json handover.json '[.steps[] | select(.step == "device-shutdown")] | length')" 1
	is "the session came back and was finished" "$(lab_json handover.json '
		[.steps[] | select(.kernel == "incoming" and .object == "agent" and .ret == 0).step] | join(" ")')" \
		"session-retrieve session-finish"
	is "what was done between two marks is a step" \
		"$(lab_json handover.json '[.steps[] | select(.object == "stop-the-guests") | .ns >= 100000000] | join(" ")')" true
	is "nothing is recorded of the keeper's own session" \
		"$(lab_json handover.json '[.steps[] | select(.object == "lutrace-ledger")] | length')" 0
	diag "$(cat "$lab_results/time.txt")"
}
