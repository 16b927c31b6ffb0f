#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# SR-IOV: a virtual function is preserved only after its physical one, whose driver has to know
# of live update, and crosses only with it: the log says why, and so do the obstacles. A physical
# function without virtual ones gets none until its session is finished: not while it is
# preserved, while it waits, and when it is retrieved. Then they are made again.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/kernel/dma-session.sh
. "$here/dma-session.sh"

# Both stages: vfs NAME NUMBER: ask for so many, noted with the answer and what there is
cat >"$tap_scratch/vfs" <<'END'
vfs() {
	local device=/sys/bus/pci/devices/$pf answer=ok
	answer=$( (echo "$2" >"$device/sriov_numvfs") 2>&1 | sed 's/.*: //')
	note "$1" "${answer:-ok}, $(cat "$device/sriov_numvfs")"
}
# said TEXT: how often the log has it
said() { log | grep -cF "$1"; }
END

stage before <<'END'
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
. "$VFS"
read -r pf other <<<"$LAB_DEVICES"

# Virtual functions of a physical one that another driver has, which does nothing
stub=/sys/bus/pci/devices/$other
echo pci-pf-stub >"$stub/driver_override"
echo "$other" >/sys/bus/pci/drivers_probe
echo 1 >"$stub/sriov_numvfs"
vf=$(basename "$(readlink "$stub/virtfn0")")
note vf "$(cat "/sys/bus/pci/devices/$vf/liveupdate" 2>&1)"
bind-vfio "$vf" >/dev/null
without="liveupdate: cannot be preserved: its physical function is not preserved"
# prepared DEVICE [TOKEN]: in a dma-session of its own, but for the device itself
prepared() {
	dma_session
	dma memory 16 && dma device d "$1" ${2:+"$2"} && dma domain one d && dma map one 0x1000000 &&
		dma attach d one && dma mark one 1 && dma session "of-$1" && dma preserve memory 1 && dma preserve iommufd 2
}
prepared "$vf"
note vf-preserve "$(dma try preserve d 3)"
note vf-log "$(said "$vf: $without")"
dma_killed
echo 0 >"$stub/sriov_numvfs"

# Of one that vfio-pci has; two processes, of which one can be talked to at a time
token=6a9e7bd1-3f0c-4e6b-9a55-2f2f0c1d7e11
bind-vfio "$pf" >/dev/null
vfs made 2
vf=$(basename "$(readlink "/sys/bus/pci/devices/$pf/virtfn0")")
prepared "$pf" "$token"
pf_to=$dma_to pf_from=$dma_from pf_pid=$DMA_PID
prepared "$vf" "$token" 2>/dev/null
to_pf() { dma_to=$pf_to dma_from=$pf_from dma "$@"; }
note own-before "$(dma try preserve d 3)"
note own-log "$(said "$vf: $without")"
note pf-preserve "$(to_pf try preserve d 3)"
note own-preserve "$(dma try preserve d 3)"
vfs more 0
note obstacles "$(grep -c . /sys/kernel/liveupdate/obstacles)"
to_pf unpreserve
note pf-state "$(cat "/sys/bus/pci/devices/$pf/liveupdate")"
note obstacle "$(grep -c "$vf: its physical function is not preserved.*; preserve that, or close this session" /sys/kernel/liveupdate/obstacles)"
vfs dropped 0
log_begins
note jump "$(kexec -e 2>&1 | sed 's/.*: //')"
note jump-log "$(said "$vf: liveupdate: cannot cross: its physical function is not preserved")"
to_pf session again
to_pf preserve memory 1
to_pf preserve iommufd 2
note pf-again "$(to_pf try preserve d 3)"
note obstacle-gone "$(grep -c . /sys/kernel/liveupdate/obstacles)"
dma_killed
kill -KILL "$pf_pid"
wait "$pf_pid" 2>/dev/null
vfs unmade 0

dma_preserved_device pf "$pf"
vfs out 1
note out-log "$(said "$pf: liveupdate: a change of the number of VFs refused")"
dma hold
END
before=$stage

stage after <<'END'
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
. "$VFS"
read -r pf other <<<"$LAB_DEVICES"
bind-vfio "$pf" >/dev/null
vfs in 1
dma_session
dma retrieve-session pf
dma retrieve memory 1
dma retrieve iommufd 2
dma retrieve d 3
dma bind d
vfs back 1
dma domain n d
dma map n 0x1000000
dma move d n
dma finish
vfs end 1
vfs none 0
END

lab_run --mode scalable --devices igb2 --append vfio_pci.enable_sriov=1 --env VFS="$tap_scratch/vfs" \
	--trace "$tap_scratch/trace" "$before" "$stage"
busy="Device or resource busy, 0"
is "a virtual function crosses as any device" "$(fact vf)" none
is "it is not preserved if its physical one's driver knows nothing of that" "$(fact vf-preserve)" EOPNOTSUPP
is "the log says so" "$(fact vf-log)" 1
is "the physical function makes some" "$(fact made)" "ok, 2"
is "none is preserved before it" "$(fact own-before)" EOPNOTSUPP
is "the log says so" "$(fact own-log)" 1
is "it is preserved with them" "$(fact pf-preserve)" ok
is "then one of them is" "$(fact own-preserve)" ok
is "none goes away as long as that is so" "$(fact more)" "Device or resource busy, 2"
is "nothing is in the way" "$(fact obstacles)" 0
is "the physical function's session is closed" "$(fact pf-state)" none
is "the virtual one's is an obstacle then" "$(fact obstacle)" 1
is "and it is kept all the same" "$(fact dropped)" "Device or resource busy, 2"
is "the reboot call fails" "$(fact jump)" "Device or resource busy"
is "the log says why" "$(fact jump-log)" 1
is "the physical function is preserved again" "$(fact pf-again)" ok
is "then nothing is in the way" "$(fact obstacle-gone)" 0
is "when all are closed, they are unmade" "$(fact unmade)" "ok, 0"
is "none is made as long as it is" "$(fact out)" "$busy"
is "the log says so" "$(fact out-log)" 1
is "nor while it waits" "$(fact in)" "$busy"
is "nor when it is retrieved" "$(fact back)" "$busy"
is "when its session is finished, one is made" "$(fact end)" "ok, 1"
is "and unmade" "$(fact none)" "ok, 0"
is "no access faults" "$(grep -c vtd_dmar_fault "$tap_scratch/trace")" 0

# The host's policy: who cannot cross is dropped, and the jump goes on
stage before <<'END'
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
read -r pf other <<<"$LAB_DEVICES"
token=6a9e7bd1-3f0c-4e6b-9a55-2f2f0c1d7e11
bind-vfio "$pf" "$other" >/dev/null
echo 1 >"/sys/bus/pci/devices/$pf/sriov_numvfs"
vf=$(basename "$(readlink "/sys/bus/pci/devices/$pf/virtfn0")")
dma_preserved_device other "$other"
dma hold
dma_session
dma memory 16 && dma device d "$pf" "$token" && dma domain one d && dma map one 0x1000000 && dma attach d one && dma mark one 1
dma_preserve pf
pf_to=$dma_to pf_from=$dma_from
dma_session
dma memory 16 && dma device d "$vf" "$token" && dma domain one d && dma map one 0x1000000 && dma attach d one && dma mark one 1
dma_preserve vf
dma_to=$pf_to dma_from=$pf_from dma unpreserve
note drop-vf "$vf"
dma hold
END
before=$stage
stage after <<'END'
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
read -r pf other <<<"$LAB_DEVICES"
note drop-states "$(cat "/sys/bus/pci/devices/$pf/liveupdate" "/sys/bus/pci/devices/$other/liveupdate" | xargs)"
note drop-vfs "$(cat "/sys/bus/pci/devices/$pf/sriov_numvfs")"
note drop-damage "$(dmesg | grep -c 'PCI: liveupdate: record')"
dma_session
note drop-session "$(dma try retrieve-session vf)"
END
lab_run --mode scalable --devices igb2 --append "vfio_pci.enable_sriov=1 liveupdate.on_veto=drop" \
	--trace "$tap_scratch/trace" "$before" "$stage"
is "a virtual function without its physical one is dropped, and another device crosses" "$(fact drop-states)" "none waiting"
is "the next kernel has no virtual function" "$(fact drop-vfs)" 0
is "no record is taken for damaged" "$(fact drop-damage)" 0
is "its session does not cross" "$(fact drop-session)" ENOENT
is "no access faults" "$(grep -c vtd_dmar_fault "$tap_scratch/trace")" 0
tap_done
