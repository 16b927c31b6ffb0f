#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Two processes with a NIC and a session each, and a third NIC that is not
# preserved. One finishes its session, and closes its NIC, while the other one is
# still on what crossed: that changes nothing for it.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/kernel/workload.sh
. "$here/workload.sh"
# shellcheck source=tests/kernel/dma-session.sh
. "$here/dma-session.sh"

stage before <<'END'
set -e
. "$LAB_PROJECT/tests/kernel/workload.sh"
devices=($LAB_DEVICES)
bind-vfio "${devices[@]:0:2}"
for n in 0 1; do
	workload $n start --device "${devices[n]}" --session "session$n" --packets 0
	workload_reaches $n ready
done
ask-host start-senders
sleep 1
for n in 0 1; do
	workload_go_on $n
	workload_reaches $n paused
done
END
before=$stage

stage after <<'END'
set -e
. "$LAB_PROJECT/tests/kernel/workload.sh"
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
bind-vfio $(echo $LAB_DEVICES | cut -d" " -f1,2) >/dev/null
devices=($LAB_DEVICES)
for n in 0 1; do
	workload $n resume --session "session$n" --until "$LAB_RESULTS/sender$n.json"
	workload_reaches $n resumed
done

# The first one goes all the way, and is closed.
workload_go_on 0
workload_reaches 0 finished
ask-host stop-sender 0
wait "${workload_pid[0]}" || true
note other "$(jq -r '.state + " " + (.session.finished | tostring)' "$LAB_RESULTS/workload-1.json")"
note masters "$(is_master "${devices[0]}") $(is_master "${devices[1]}")"
note taken "$(dma_session; dma try retrieve-session session1)"
note gone "$(dma_session; dma try retrieve-session session0)"

# The third one, and the first anew, are as any other.
bind-vfio "${devices[2]}" >/dev/null
workload 2 start --device "${devices[2]}" --no-preserve --packets 20
workload_reaches 2 ready
kill "${workload_pid[2]}"
note third "$(jq .received "$LAB_RESULTS/workload-2.json")"
ask-host stop-sender 2

# Now the second.
workload_go_on 1
workload_reaches 1 finished
ask-host stop-sender 1
wait "${workload_pid[1]}" || true
END
after=$stage

for mode in ${MODES:-scalable}; do
	lab_what=$mode
	lab_run --mode "$mode" --devices igb3 --trace "$tap_scratch/trace" "${workload_senders[@]}" "$before" "$after" || continue
	is "$mode: one session is finished while the other is not" "$(fact other)" "resumed null"
	is "$mode: the device of the one stops when it is closed, and the other does not" "$(fact masters)" "0 1"
	is "$mode: a session that somebody has cannot be retrieved by another" "$(fact taken)" EINVAL
	is "$mode: a session that is finished is gone" "$(fact gone)" ENOENT
	ok "$mode: a device that was not preserved receives" [ "$(fact third)" -ge 20 ]
	for n in 0 1; do
		is "$mode: process $n finishes its session" "$(lab_json workload-$n.json .session.finished)" true
		is "$mode: process $n loses no packet" "$(lab_json workload-$n.json .dma.lost)" 0
		is "$mode: nor gets one damaged or twice" "$(lab_json workload-$n.json '.dma.corrupt + .dma.duplicates')" 0
		ok "$mode: device $n receives while no kernel runs" \
			[ "$(lab_json workload-$n.json '.dma.while_no_kernel_ran // 0')" -gt 0 ]
	done
	is "$mode: translation is never switched off" "$(workload_trace 'vtd_dmar_enable enable 0')" 0
	is "$mode: no access of a device faults" "$(workload_trace vtd_dmar_fault)" 0
done
tap_done
