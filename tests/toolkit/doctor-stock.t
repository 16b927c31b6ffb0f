#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# On Debian's own kernel the doctor says what is missing, feature by feature, and what
# it says works there does: page tables are read and compared, faults are named.

set -u
project=$(cd "$(dirname "$(readlink -f "$0")")/../.." && pwd)
# shellcheck source=tests/lab/tap.sh
. "$project/tests/lab/tap.sh"
export BUILD=${BUILD:-$project/build}
# shellcheck source=tests/kernel/dma-session.sh
. "$project/tests/kernel/dma-session.sh"
read -r kernel initial <<<"$("$project/tests/toolkit/doctor-stock-kernel")"
ok "there is Debian's kernel" [ -s "$kernel" ] || tap_done

stage stock <<'END'
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
device=${LAB_DEVICES%% *}
note release "$(uname -r)"
lutrace doctor -j >"$LAB_RESULTS/doctor.json"
note doctor $?
lutrace doctor >"$LAB_RESULTS/doctor.txt"
lutrace probes --attach >"$LAB_RESULTS/attach.txt"
lutrace snapshot --all --output /run/snapshot >/dev/null
lutrace verify --file /run/snapshot -j >"$LAB_RESULTS/same.json"
note same $?
lutrace walk -j --device "$device" >"$LAB_RESULTS/walk.json"
cat /sys/fs/bpf/lutrace/pt_identity/pt_report >"$LAB_RESULTS/pt_report"
# Nothing is mapped for this device, as no driver has it.
make_master "$device"
dma_session
dma store "$device" 0x7002000
lutrace faults -j >"$LAB_RESULTS/faults.json"
exit 0
END
lab_run --mode scalable --devices edu --timeout 600 --outgoing "$kernel" --qemu -initrd --qemu "$initial" \
	--qemu -global --qemu edu.dma_mask=0xffffffff "$stage" || tap_done

diag "$(fact release)"
is "the doctor finds that this kernel is not fit" "$(fact doctor)" 1
works() { lab_json doctor.json ".features[] | select(.with | test(\"$1\")) | .works"; }
for feature in 'live update' time step_latency blackout immutable '^snapshot, verify$'; do
	is "there is no $feature" "$(works "$feature")" false
done
is "each has a reason" "$(lab_json doctor.json '[.features[] | select(.works | not) | .why | length > 10] | all')" true
like "a reason names what is needed" "$(cat "$lab_results/doctor.txt")" 'it needs CONFIG_LIVEUPDATE_TRACE'
for feature in dma_faults pt_identity 'walk, snapshot --output' report; do
	is "there is $feature" "$(works "$feature")" true
done
is "what the doctor says of probes is what attaching says" \
	"$(sed -n 's/ is attached, .*//p' "$lab_results/attach.txt" | xargs)" "dma_faults pt_identity"
is "page tables of a snapshot in a file are compared" "$(fact same) $(lab_json same.json .verdict)" "0 identical"
like "those of a device are walked" "$(cat "$lab_results/walk.json")" '0000:01:00.0'
like "pt_identity has a digest of all that VT-d walks" "$(tail -n 1 "$lab_results/pt_report")" \
	'^devices [1-9][0-9]* table-pages [1-9][0-9]* .*digest [0-9a-f]{32}$'
is "a device that faults is named" "$(lab_json faults.json \
	'[.list[] | "\(.phase) \(.device[5:]) \(.access) \(.address)"] | join(", ")')" "before 01:00.0 write 0x7002000"
tap_done
