#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# SR-IOV: neither a virtual function is preserved, nor the physical one as long as it has
# some, and the log says why. Without them it crosses, and no virtual function can be
# made until its session is finished: not while it is preserved, while it waits, and when
# it is retrieved. Then they are made again.

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
said() { dmesg | grep -cF "$1"; }
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
dma_session
dma memory 16 && dma device d "$vf" && dma domain one d && dma map one 0x1000000 &&
	dma attach d one && dma mark one 1 && dma session vf && dma preserve memory 1 && dma preserve iommufd 2
note vf-preserve "$(dma try preserve d 3)"
note vf-log "$(said "$vf: liveupdate: cannot be preserved: it is an SR-IOV virtual function")"
dma_killed

bind-vfio "$pf" >/dev/null
dma_session
dma memory 16 && dma device d "$pf" && dma domain one d && dma map one 0x1000000 &&
	dma attach d one && dma mark one 1 && dma session pf && dma preserve memory 1 && dma preserve iommufd 2
vfs made 2
note pf-preserve "$(dma try preserve d 3)"
note pf-log "$(said "$pf: liveupdate: cannot be preserved: it has SR-IOV virtual functions")"
vfs unmade 0
note pf-again "$(dma try preserve d 3)"
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
is "nothing crosses with a virtual function" "$(fact vf)" none
is "it is not preserved" "$(fact vf-preserve)" EOPNOTSUPP
is "the log says so" "$(fact vf-log)" 1
is "the physical function makes some" "$(fact made)" "ok, 2"
is "it is not preserved with them" "$(fact pf-preserve)" EOPNOTSUPP
is "the log says so" "$(fact pf-log)" 1
is "they are unmade" "$(fact unmade)" "ok, 0"
is "then it is preserved" "$(fact pf-again)" ok
is "none is made as long as it is" "$(fact out)" "$busy"
is "the log says so" "$(fact out-log)" 1
is "nor while it waits" "$(fact in)" "$busy"
is "nor when it is retrieved" "$(fact back)" "$busy"
is "when its session is finished, one is made" "$(fact end)" "ok, 1"
is "and unmade" "$(fact none)" "ok, 0"
is "no access faults" "$(grep -c vtd_dmar_fault "$tap_scratch/trace")" 0
tap_done
