#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Memory that was retrieved outlives who has it when the limit of its memory cgroup is
# lowered below what it holds; and nothing of the pool of huge pages is lost with an agent
# that is killed while it retrieves them, or just after that.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/kernel/dma-session.sh
. "$here/dma-session.sh"

stage before <<'END'
set -e
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
bind-vfio "$LAB_DEVICES" >/dev/null
dma_preserved_device lowered "$LAB_DEVICES" 4096
dma fill 0x5555
dma hold
exec {dma_to}>&- {dma_from}<&-
dma_session
dma memory 16384 2M
dma fill 0x6666
dma session huge
dma preserve memory 1
dma hold
END
before=$stage

stage after <<'END'
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
. "$LAB_PROJECT/tests/kernel/huge-pages.sh"
zcat /proc/config.gz | grep -qx CONFIG_MEMCG=y || { echo "no CONFIG_MEMCG"; exit 4; }
bind-vfio "$LAB_DEVICES" >/dev/null
groups=/run/cgroup
mkdir -p $groups && mount -t cgroup2 none $groups && echo +memory >$groups/cgroup.subtree_control || exit
session() {
	dma_session
	until [ "$(dma try retrieve-session "$1")" = ok ]; do sleep 0.1; done
}

mkdir $groups/lowered
session lowered
echo "$DMA_PID" >$groups/lowered/cgroup.procs
dma retrieve memory 1 || exit
# The kernel reclaims what it can, which is nothing of this, and then kills.
echo 4M >$groups/lowered/memory.max
for ((tries = 0; tries < 100; tries++)); do
	kill -0 "$DMA_PID" 2>/dev/null || break
	sleep 0.1
done
note killed "$(sed -n 's/^oom_kill //p' $groups/lowered/memory.events)"
note charged "$(sed -n 's/^shmem //p' $groups/lowered/memory.stat)"
dma_killed
session lowered
note again "$(dma try retrieve memory 1) $(dma count 0x5555)"
dma retrieve iommufd 2 && dma retrieve d 3 && dma bind d && dma space new &&
	dma map new 0x1000000 && dma move-to-space d new || exit
note finish "$(dma try finish) $(dma count 0x5555)"
dma_killed
sleep 1
note charged-finally "$(sed -n 's/^shmem //p' $groups/lowered/memory.stat)"

note pool "$(huge 2M)"
for delay in 0 0.001 0.002 0.003 0.005 0.008 0.012 0.02; do
	session huge
	echo "retrieve memory 1" >&"$dma_to"
	sleep $delay
	kill -KILL "$DMA_PID"
	# Somebody who has retrieved it may have it until it is closed.
	read -r answer <&"$dma_from" || answer=none
	note answer "$answer"
	dma_killed
	[ "$answer" = none ] || break
	note pool "$(huge 2M)"
done
dma_session
note huge-session "$(dma try retrieve-session huge)"
if [ "$answer" = none ]; then
	note huge "$(dma try retrieve memory 1) $(dma count 0x6666) $(dma try finish)"
	dma_killed
fi
sleep 1
note pool-finally "$(huge 2M)"
END
after=$stage

for mode in ${MODES:-scalable}; do
	lab_what=$mode
	lab_try --mode "$mode" --memory 768 --devices edu --append hugepages=40 --trace "$tap_scratch/trace" "$before" "$after"
	[ "$lab_status" != 4 ] || skip_all "the incoming kernel has no memory cgroups"
	is "the laboratory run succeeds: $mode" "$lab_status" 0 || continue
	is "$mode: who has the memory is killed when its limit is lowered" "$(fact killed)" 1
	is "$mode: the memory is not, and stays charged" "$(fact charged)" $((16 << 20))
	is "$mode: the next one has it, whole" "$(fact again)" "ok $((4096 * 512))"
	is "$mode: and takes it home" "$(fact finish)" "ok $((4096 * 512))"
	is "$mode: then nothing is charged" "$(fact charged-finally)" 0
	is "$mode: killing who retrieves huge pages changes nothing in the pool" "$(fact pool | sort -u)" "40 8 0 0"
	if fact answer | grep -qx ok; then
		is "$mode: who has retrieved them and is killed loses them" "$(fact huge-session)" ENOENT
	else
		is "$mode: and they can be retrieved" "$(fact huge)" "ok $((16384 * 512)) ok"
	fi
	is "$mode: in the end they are free" "$(fact pool-finally)" "40 40 0 0"
	is "$mode: no access of the device faults" "$(grep -c vtd_dmar_fault "$tap_scratch/trace")" 0
done
tap_done
