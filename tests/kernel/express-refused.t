#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# What is refused to a PCI Express device that receives for a live update: in the
# outgoing kernel when it is preserved, in the incoming one while it waits and when it
# is retrieved. The port above reports errors (AER), and a fatal one asks for a reset of
# the link; somebody asks for virtual functions. What the device does goes on, and no
# packet is lost.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/kernel/workload.sh
. "$here/workload.sh"
# shellcheck source=tests/kernel/dma-session.sh
. "$here/dma-session.sh"

# Both kernels handle such errors.
kernel=${INCOMING:-${BUILD:-$here/../../build}/linux/successor/arch/x86/boot/bzImage}

# On the host: have QEMU report an error: inject.py ID ERROR...
cat >"$tap_scratch/inject.py" <<'END'
import json, os, socket, sys
qmp = socket.socket(socket.AF_UNIX)
qmp.connect(os.environ["LAB_QMP"])
lines = qmp.makefile("rw")
lines.readline()
inject = {"command-line": "pcie_aer_inject_error " + " ".join(sys.argv[1:])}
for name, arguments in (("qmp_capabilities", {}), ("human-monitor-command", inject)):
    lines.write(json.dumps({"execute": name, "arguments": arguments}) + "\n")
    lines.flush()
    while True:
        answer = json.loads(lines.readline())
        if "return" in answer or "error" in answer:
            break
print(answer)
END

# Both stages: errors NAME: one that leaves the link as it is, and one that is fatal,
# each noted with how it ended; and virtual functions
cat >"$tap_scratch/errors" <<'END'
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
# said PATTERN: wait until the log has it
said() {
	local tries
	for ((tries = 0; tries < 60 * LAB_SLOWER; tries++)); do
		! log | grep -qE "$1" || return 0
		sleep 0.1
	done
	return 1
}
inject() {
	log_begins
	ask-host inject "$2" "$3"
	said "$4" && note "$1" yes || note "$1" no
	log >>"$LAB_RESULTS/errors.log"
	note "$1-masters" "$(is_master "$LAB_DEVICES") $(is_master "$LAB_BRIDGES")"
}
errors() {
	inject "$1-uncorrected" port0 COMP_TIME "$LAB_BRIDGES: AER: device recovery successful"
	inject "$1-fatal" port0 SDN "$LAB_BRIDGES: AER: device recovery failed"
	note "$1-vfs" "$( (echo 1 >"/sys/bus/pci/devices/$LAB_DEVICES/sriov_numvfs") 2>&1 | sed 's/.*: //')"
	note "$1-refused" "$(sed 's/^[0-9]* //' "/sys/bus/pci/devices/$LAB_BRIDGES/liveupdate_refused" | sort | xargs)"
}
END

stage before <<'END'
set -e
. "$LAB_PROJECT/tests/kernel/workload.sh"
. "$ERRORS"
bind-vfio "$LAB_DEVICES" >/dev/null
workload 0 start --device "$LAB_DEVICES"
workload_reaches 0 receiving
ask-host start-senders
workload_reaches 0 ready
note out-state "$(cat "/sys/bus/pci/devices/$LAB_DEVICES/liveupdate")"
errors out
workload_go_on 0
workload_reaches 0 paused
END
before=$stage

stage after <<'END'
set -e
. "$LAB_PROJECT/tests/kernel/workload.sh"
. "$ERRORS"
errors in
workload 1 resume --until "$LAB_RESULTS/sender0.json"
workload_reaches 1 resumed
errors back
workload_go_on 1
workload_reaches 1 finished
sleep 0.3
ask-host stop-sender 0
wait "${workload_pid[1]}" || true
note end-state "$(cat "/sys/bus/pci/devices/$LAB_DEVICES/liveupdate")"
END

lab_run --mode scalable --devices igb --outgoing "$kernel" --incoming "$kernel" --timeout 180 \
	--trace "$tap_scratch/trace" --env ERRORS="$tap_scratch/errors" "${workload_senders[@]}" \
	--hook "inject=python3 \"$tap_scratch/inject.py\" \$(cat \"\$LAB_RESULTS/hooks/inject.words\") >>\"\$LAB_RESULTS/injected\"" \
	"$before" "$stage"
is "the device is preserved" "$(fact out-state)" preserved
for kernel in out in back; do
	case $kernel in
	out) what="a preserved device" ;;
	in) what="a device that waits" ;;
	back) what="a retrieved device" ;;
	esac
	is "an error above $what is recovered from if the link is as it was" "$(fact $kernel-uncorrected)" yes
	is "one that is fatal is not: the reset is refused" "$(fact $kernel-fatal)" yes
	is "device and bridge master the bus after each" \
		"$(for error in uncorrected fatal; do fact $kernel-$error-masters; done | sort -u)" "1 1"
	is "no virtual function is made" "$(fact $kernel-vfs)" "Device or resource busy"
	is "what is refused is counted" "$(fact $kernel-refused)" "reset of the bus below"
done
is "no packet is lost, comes twice or is damaged" \
	"$(lab_json workload-1.json '"\(.dma.lost) \(.dma.duplicates) \(.dma.corrupt)"')" "0 0 0"
ok "packets are received while no kernel runs" [ "$(lab_json workload-1.json '.dma.while_no_kernel_ran // 0')" -gt 0 ]
is "the session is finished" "$(lab_json workload-1.json .session.finished)" true
is "and the device is an ordinary one" "$(fact end-state)" none
is "no access of the device faults" "$(workload_trace vtd_dmar_fault)" 0
tap_done
