#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Nobody fills the ledger: not a user who may open /dev/iommu or a device that waits,
# nor an agent that tries what fails again and again. The marks, the way from one kernel
# to the next and the end of the sessions have room, and the pause is known.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/kernel/ledger.sh
. "$here/ledger.sh"
# shellcheck source=tests/kernel/dma-session.sh
. "$here/dma-session.sh"

stage before <<'END'
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
flood() { "$LAB_BUILD/tests/kernel/ledger-flood" "$@"; }
ledger=/sys/kernel/liveupdate/ledger
bind-vfio $LAB_DEVICES >/dev/null
dma_preserved_device flooded $LAB_DEVICES

# An agent that is not right, and a host that cannot reboot.
flood sessions 3000
flood preserve 3000
kexec -u
flood reboot 3000
note reboot $?
kexec -s -l "$LAB_INCOMING" --command-line="$LAB_INCOMING_CMDLINE" || exit
echo pause >$ledger/mark
note pause $?
cat $ledger/current >"$LAB_RESULTS/outgoing"
dma hold
END
before=$stage
stage after <<'END'
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
flood() { "$LAB_BUILD/tests/kernel/ledger-flood" "$@"; }
# Somebody who may open them, and no more.
nobody() { setpriv --reuid 65534 --regid 65534 --clear-groups "$LAB_BUILD/tests/kernel/ledger-flood" "$@"; }
ledger=/sys/kernel/liveupdate/ledger
cdev=$(bind-vfio $LAB_DEVICES)
chmod 666 /dev/iommu "$cdev"
nobody iommufd 10000
note iommufd $?
nobody open 10000 "$cdev"
note open $?
cat $ledger/current >"$LAB_RESULTS/users"

dma_session
dma retrieve-session flooded; dma retrieve memory 1; dma retrieve iommufd 2; dma retrieve d 3; dma bind d
for i in $(seq 3000); do dma try finish >/dev/null; done
cat $ledger/current >"$LAB_RESULTS/finishes"
note unfinished "$(lutrace time | head -n 1; echo "exit ${PIPESTATUS[0]}")"
dma domain new d; dma map new 0x1000000; dma move d new
note finish "$(dma try finish)"
note finished "$(lutrace time -j | jq -r .blackout.to)"
echo resume >$ledger/mark
note resume $?
note marks "$(flood marks 20000)"
echo late 2>"$LAB_RESULTS/late" >$ledger/mark
note late $?
cat $ledger/current >"$LAB_RESULTS/incoming"
lutrace time -j >"$LAB_RESULTS/time.json"
note time $?
lutrace postmortem -j >"$LAB_RESULTS/postmortem.json"
note postmortem $?
END

lab_run --timeout 300 --mode scalable --devices edu "$before" "$stage" || tap_done
outgoing=$lab_results/outgoing
incoming=$lab_results/incoming
capacity=$(ledger_header "$incoming" capacity)

# count FILE STEP [EDGE]: records of a step
count() { ledger_records "$1" | awk -v step="$2" -v edge="${3-}" '$4 == step && (!edge || $5 == edge)' | wc -l; }

is "a mark has room after sessions and preserves that filled the ledger" "$(fact pause)" 0
ok "which dropped what was one too many" [ "$(ledger_drops "$outgoing" other)" -gt 3000 ]
is "and no mark" "$(ledger_drops "$outgoing" mark)" 0
is "as many reboot calls as there may be fail" "$(fact reboot)" 0
is "the last of many reboot calls has room for all of its way" \
	"$(lab_json time.json '.blackout.phases | map(.name) | .[0:4] | join(" ")')" \
	"quiesce freeze shutdown jump"

is "a user may call iommufd as often as he likes" "$(fact iommufd)" 0
is "what is no HWPT is neither marked nor restored on record" \
	"$(count "$lab_results/users" hwpt-mark) $(count "$lab_results/users" hwpt-restore)" "0 0"
is "a device that waits is not opened" "$(fact open)" 0
ok "and users take no more than their share of the ledger" \
	[ "$(ledger_records "$lab_results/users" | grep -c 'device-refuse')" -le $((capacity / 8)) ]
is "they cost nobody else a record" "$(ledger_header "$lab_results/users" dropped)" \
	"$(ledger_drops "$lab_results/users" owner)"

is "a finish that is refused again and again is on record once" \
	"$(count "$lab_results/finishes" session-finish end)" 1
is "until it succeeds the pause is unknown" "$(fact unfinished)" \
	"Blackout: unknown, neither a resume mark nor a finished session yet"
is "the finish succeeds" "$(fact finish)" ok
is "and ends the pause" "$(fact finished)" session-finish
is "all sessions are finished, on record" "$(count "$incoming" sessions-finished)" 1

is "the mark has room" "$(fact resume)" 0
ok "further marks have as much room as there is" [ "$(fact marks)" -gt 1000 ]
is "one that has none is an error" "$(fact late)" 1
like "which says what is the matter" "$(cat "$lab_results/late")" 'No space left on device'
ok "it is counted" [ "$(ledger_drops "$incoming" mark)" -gt 0 ]
is "the pause is known all the same" "$(fact time)" 0
is "from mark to mark" "$(lab_json time.json '.blackout.from + " " + .blackout.to')" "pause-mark resume-mark"
is "post-mortem knows the end, too" "$(fact postmortem) $(lab_json postmortem.json .point)" "0 finished"
like "and says what it does not know" "$(lab_json postmortem.json .summary)" \
	'^The live update was finished; on the way .*; [0-9]+ records were dropped, and a failure may be among them\.$'
tap_done
