#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# DMA goes on through a live update with another IOMMU driver, AMD's. The witnesses
# are the packets, what lutrace sees from inside and the referee from outside, and
# QEMU's record of the control register and of every fault.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/kernel/ledger.sh
. "$here/ledger.sh"

stage before <<'END'
set -e
. "$LAB_PROJECT/tests/kernel/workload.sh"
bind-vfio $LAB_DEVICES
echo advise >/sys/kernel/mm/transparent_hugepage/shmem_enabled
workload outgoing start --device "$LAB_DEVICES" --huge
workload_reaches outgoing receiving
ask-host start-sender
workload_reaches outgoing ready
lutrace snapshot -p >/dev/null
ask-host referee-before
sleep 0.3
workload_go_on outgoing
workload_reaches outgoing paused
END
before=$stage
stage after <<'END'
set -e
. "$LAB_PROJECT/tests/kernel/workload.sh"
bind-vfio $LAB_DEVICES
workload incoming resume --until "$LAB_RESULTS/sender.json"
workload_reaches incoming resumed
ask-host referee-after
lutrace verify -p -j >"$LAB_RESULTS/verify.json" || :
ask-host sender-fast
workload_go_on incoming
workload_reaches incoming finished
ask-host sender-slow
sleep 0.5
ask-host stop-sender
# 2 says that packets are missing, which the test counts.
wait "${workload_pid[incoming]}" || [ $? -ne 1 ]
cat /sys/kernel/liveupdate/ledger/previous >"$LAB_RESULTS/previous"
cat /sys/kernel/liveupdate/ledger/current >"$LAB_RESULTS/current"
END

trace=$tap_scratch/trace
lab_run --mode amd --devices igb --trace "$trace" \
	--hook referee-before="$tap_directory/demo-host referee-before" \
	--hook referee-after="$tap_directory/demo-host referee-after" \
	--hook start-sender="$tap_directory/demo-host start-sender" \
	--hook sender-fast="$tap_directory/demo-host sender-fast" \
	--hook sender-slow="$tap_directory/demo-host sender-slow" \
	--hook stop-sender="$tap_directory/demo-host stop-sender" \
	"$before" "$stage"
[ ! -e "$lab_results/sender.pid" ] || kill "$(cat "$lab_results/sender.pid")" 2>/dev/null

of() { lab_json workload-incoming.json "$1"; }
is "no packet is lost" "$(of .dma.lost)" 0
is "no packet comes twice" "$(of .dma.duplicates)" 0
is "no packet is damaged" "$(of .dma.corrupt)" 0
ok "packets are received while no kernel runs" [ "$(of '.dma.while_no_kernel_ran // 0')" -gt 0 ]
ok "packets are received after the workload runs again" [ "$(of .dma.after_resume)" -gt 0 ]
is "memory, page tables and device are retrieved" \
	"$(of '[.session.files[] | "\(.file) \(.result)"] | join(", ")')" "memfd ok, iommufd ok, device ok"
is "the device is moved to a new page table, and the old one destroyed" \
	"$(of '[.session.map, .session.replace, .session.destroy] | map(.result) | join(" ")')" "ok ok ok"
ok "packets are received during the move" [ "$(of '.dma.during_replace // 0')" -gt 0 ]
is "none of them is lost" "$(of .dma.replace.lost)" 0
is "the session is finished" "$(of .session.finish.result)" ok

# Up to the moment from which on the device need not be translated any more.
head -c "$(cat "$lab_results/trace.end")" "$trace" >"$tap_scratch/seen"
controls=$(sed -n 's/.*amdvi_control_status .*\(0x[0-9a-f]*\).*/\1/p' "$tap_scratch/seen")
states=$(while read -r control; do echo $((control & 1)); done <<<"$controls" | uniq | xargs)
is "translation is switched on once, and never off" "$states" "0 1"
is "no access of the device faults" \
	"$(grep -cE 'amdvi_(page_fault|dte_get_fail|invalid_dte|get_pte_hwerror|mode_invalid)' "$tap_scratch/seen")" 0

is "from inside, the page tables are identical" "$(lab_json verify.json '"\(.verdict) \(.domains)"')" "identical 1"
"${BUILD:-$here/../../build}/bin/referee" compare "$lab_results"/referee-{before,after}.snapshot --trace "$trace" \
	--end "$(cat "$lab_results/trace.end")" --output "$tap_scratch/referee.json"
is "and from outside" "$?" 0
is "of which nothing was left out that can be seen" \
	"$(jq -r '"\(.memory_identical) \(.translation) \(.translation_off) \(.faults) \(.root_changes)"' "$tap_scratch/referee.json")" \
	"true host 0 0 null"

ledger_records "$lab_results/previous" >"$tap_scratch/previous"
ledger_records "$lab_results/current" >"$tap_scratch/current"
ok "the unit's shutdown is a step, and clears entries of other devices" \
	[ "$(awk '$4 == "iommu-shutdown" && $5 == "end" { print $9 }' "$tap_scratch/previous")" -gt 0 ]
is "the entry of the device stays" \
	"$(awk '$4 == "device-clear" && $8 == "0x4000000000"' "$tap_scratch/previous" | wc -l)" 0
for step in iommu-restore domain-reclaim domain-restore device-reattach; do
	ok "$step is a step of the incoming kernel" \
		awk -v step=$step '$4 == step { found = 1 } END { exit !found }' "$tap_scratch/current"
done
tap_done
