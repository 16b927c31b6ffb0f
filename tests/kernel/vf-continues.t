#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# A physical function and two of its three virtual functions cross, each with a page table,
# a process and a session of its own. Both virtual functions receive while no kernel runs,
# and lose nothing. The third one, which nobody preserved, reaches nothing any more. Until
# all are finished the capability stays as it is, and nobody else gets any of them.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/kernel/workload.sh
. "$here/workload.sh"
# shellcheck source=tests/kernel/dma-session.sh
. "$here/dma-session.sh"

# Both stages
cat >"$tap_scratch/vfs" <<'END'
pf=$LAB_DEVICES
device=/sys/bus/pci/devices/$pf
token=6a9e7bd1-3f0c-4e6b-9a55-2f2f0c1d7e11
# vf NUMBER: its address
vf() { basename "$(readlink "$device/virtfn$1")"; }
# answer_to COMMAND...
answer_to() {
	local answer
	answer=$( ("$@") 2>&1 | sed 's/.*: //')
	echo "${answer:-ok}"
}
write() { echo "$2" >"$1"; }
END

stage before <<'END'
set -e
. "$LAB_PROJECT/tests/kernel/workload.sh"
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
. "$LAB_PROJECT/tests/kernel/igb.sh"
. "$VFS"
bind-vfio "$pf" >/dev/null
echo 3 >"$device/sriov_numvfs"
dma_session
dma memory 16
dma device d "$pf" "$token"
dma domain one d
dma map one 0x1000000
dma attach d one
dma mark one 1
igb_share "$pf"

# A virtual function before the physical one, on which it depends
workload early start --device "$(vf 0)" --vf-token "$token" --session early --packets 0 || true
wait "${workload_pid[early]}" || note early "$(dmesg | grep -c "its physical function is not preserved")"
dma_preserve physical
for n in 0 1; do
	workload $n start --device "$(vf $n)" --vf-token "$token" --session "virtual$n" --packets 0
	workload_reaches $n ready
done
workload 2 start --device "$(vf 2)" --vf-token "$token" --no-preserve --packets 0
workload_reaches 2 ready
note states "$(cat "$device/liveupdate" /sys/bus/pci/devices/{$(vf 0),$(vf 1),$(vf 2)}/liveupdate | xargs)"
igb_enable_pools "$pf" 0x7
ask-host start-senders
sleep $((2 * LAB_SLOWER))
for n in 0 1; do
	workload_go_on $n
	workload_reaches $n paused
done
note third "$(is_master "$(vf 2)")"
dma hold
END
before=$stage

stage after <<'END'
set -e
. "$LAB_PROJECT/tests/kernel/workload.sh"
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
. "$VFS"
note found "$(cat "$device/sriov_numvfs") $(ls -d "$device"/virtfn* | wc -l)"
note waiting "$(cat "$device/liveupdate" /sys/bus/pci/devices/{$(vf 0),$(vf 1),$(vf 2)}/liveupdate | xargs)"
note masters "$(is_master "$pf") $(is_master "$(vf 0)") $(is_master "$(vf 1)") $(is_master "$(vf 2)")"
note unmade "$(answer_to write "$device/sriov_numvfs" 0)"
# All belong to vfio-pci, also the one that nobody preserved
note drivers "$(for n in "$pf" "$(vf 0)" "$(vf 1)" "$(vf 2)"; do
	basename "$(readlink "/sys/bus/pci/devices/$n/driver" || echo none)"; done | sort -u | xargs)"
echo "$(vf 2)" >/sys/bus/pci/drivers/vfio-pci/unbind
echo pci-pf-stub >"/sys/bus/pci/devices/$(vf 2)/driver_override"
note foreign "$(answer_to write /sys/bus/pci/drivers/pci-pf-stub/bind "$(vf 2)")"
bind-vfio "$(vf 2)" >/dev/null
note unbound "$(answer_to write /sys/bus/pci/drivers/vfio-pci/unbind "$pf")"

# One workload comes back before the physical function's owner, one after
workload 0 resume --session virtual0 --until "$LAB_RESULTS/sender0.json"
workload_reaches 0 resumed
dma_session
dma retrieve-session physical
dma retrieve memory 1
dma retrieve iommufd 2
dma retrieve d 3
dma bind d
workload 1 resume --session virtual1 --until "$LAB_RESULTS/sender0.json"
workload_reaches 1 resumed
note reset "$(dma try reset d)"

# The physical function is finished first; its virtual ones depend on it all the same
dma domain n d
dma map n 0x1000000
dma move d n
dma finish
note finished "$(cat "$device/liveupdate" "/sys/bus/pci/devices/$(vf 0)/liveupdate" | xargs)"
note reset-finished "$(dma try reset d)"
note unmade-finished "$(answer_to write "$device/sriov_numvfs" 0)"
note token "$(DMA_NAME=other; dma_session; dma memory 1; echo $(dma try device d "$(vf 2)"; dma try device e "$(vf 2)" "$token"))"

for n in 0 1; do
	workload_go_on $n
	workload_reaches $n finished
done
ask-host stop-sender 0
for n in 0 1; do
	wait "${workload_pid[$n]}" || true
done
dma close-device d || true
note end "$(answer_to write "$device/sriov_numvfs" 0), $(cat "$device/sriov_numvfs")"
note again "$(answer_to write "$device/sriov_numvfs" 2), $(cat "$device/sriov_numvfs")"
note late "$(cat "/sys/bus/pci/devices/$(vf 0)/liveupdate")"
END
after=$stage

busy="Device or resource busy"
for mode in ${MODES:-legacy scalable first-stage amd}; do
	lab_what=$mode
	rm -f "$tap_scratch/trace"
	lab_run --mode "$mode" --devices igb --append vfio_pci.enable_sriov=1 --env VFS="$tap_scratch/vfs" \
		--trace "$tap_scratch/trace" "${workload_senders[@]}" "$before" "$after" || continue
	is "$mode: a virtual function cannot be preserved before its physical one" "$(fact early)" 1
	is "$mode: then two are" "$(fact states)" "preserved preserved preserved none"
	is "$mode: the third one works, too" "$(fact third)" 1
	is "$mode: the next kernel finds all" "$(fact found)" "3 3"
	is "$mode: those that were preserved wait" "$(fact waiting)" "waiting waiting waiting none"
	is "$mode: they master the bus, and the third does not" "$(fact masters)" "1 1 1 0"
	is "$mode: none is unmade meanwhile" "$(fact unmade)" "$busy"
	is "$mode: all are vfio-pci's" "$(fact drivers)" vfio-pci
	is "$mode: the third gets no driver of the host" "$(fact foreign)" "$busy"
	is "$mode: the physical function keeps its driver" "$(fact unbound)" "$busy"
	is "$mode: the physical function is not reset" "$(fact reset)" EBUSY
	is "$mode: it is finished, and they are not" "$(fact finished)" "none retrieved"
	is "$mode: it is not reset for all that" "$(fact reset-finished)" EBUSY
	is "$mode: nor are they unmade" "$(fact unmade-finished)" "$busy"
	is "$mode: the token has crossed" "$(fact token)" "EACCES ok"
	for n in 0 1; do
		is "$mode: process $n finishes its session" "$(lab_json workload-$n.json .session.finished)" true
		is "$mode: process $n loses no packet" "$(lab_json workload-$n.json .dma.lost)" 0
		is "$mode: nor gets one damaged or twice" "$(lab_json workload-$n.json '.dma.corrupt + .dma.duplicates')" 0
		ok "$mode: virtual function $n receives while no kernel runs" \
			[ "$(lab_json workload-$n.json '.dma.while_no_kernel_ran // 0')" -gt 0 ]
	done
	is "$mode: when all are finished, they are unmade" "$(fact end)" "ok, 0"
	is "$mode: and made again" "$(fact again)" "ok, 2"
	is "$mode: as any others" "$(fact late)" none
	is "$mode: no access of a device faults" "$(workload_trace 'vtd_dmar_fault\|amdvi_page_fault')" 0
done
tap_done
