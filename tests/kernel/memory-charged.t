#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# A retrieve of memory that fails, or is killed half-way, changes nothing: the
# device goes on writing to its own memory, nobody is charged, and the memory can
# be retrieved again. One that succeeds is charged to who made it.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/kernel/dma-session.sh
. "$here/dma-session.sh"

# 16 MiB for each of three devices, and 16 pages that nobody wants back
stage before <<'END'
set -e
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
bind-vfio $LAB_DEVICES
read -r first second third <<<"$LAB_DEVICES"
device() {
	dma_preserved_device "$1" "$2" 4096
	dma write 0x0 0x1111
	dma load "$2" 0x1000000
	dma fill 0x5555
	dma hold
	exec {dma_to}>&- {dma_from}<&-
}
device charged "$first"
device killed "$second"
device crowded "$third"
dma_session
dma memory 16
dma session unwanted
dma preserve memory 1
dma hold
END
before=$stage

stage after <<'END'
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
zcat /proc/config.gz | grep -qx CONFIG_MEMCG=y || { echo "no CONFIG_MEMCG"; exit 4; }
bind-vfio $LAB_DEVICES >/dev/null
read -r first second third <<<"$LAB_DEVICES"
groups=/run/cgroup
mkdir -p $groups && mount -t cgroup2 none $groups && echo +memory >$groups/cgroup.subtree_control || exit
# A memory cgroup: its name and its limit
group() { mkdir -p "$groups/$1" && echo "$2" >"$groups/$1/memory.max"; }
in_group() { sed -n "s/^$2 //p" "$groups/$1/memory.stat"; }
# The process of the session moves into it
enter() { echo "$DMA_PID" >"$groups/$1/cgroup.procs"; }
# Until all that a killed process had open is closed
session() {
	dma_session
	until [ "$(dma try retrieve-session "$1")" = ok ]; do sleep 0.1; done
}
content() { dma count 0x5555 0x1111; }

writes_always "$first" 0x1000000 16
writers=$writer
writes_always "$second" 0x1000000 16
writers+=" $writer"
writes_always "$third" 0x1000000 16
writers+=" $writer"

# Not enough room, in one place of the memory after the other
for limit in 1 3 5 9 15; do
	group small ${limit}M || exit
	session charged
	enter small
	note too-small "$(dma try retrieve memory 1)"
	note charged-small "$(in_group small shmem)"
	[ "$limit" != 9 ] || note repeated "$(dma try retrieve memory 1)"
	dma_killed
done
note killed "$(sed -n 's/^oom_kill //p' $groups/small/memory.events)"

# Not enough that may be committed
session charged
echo 2 >/proc/sys/vm/overcommit_memory
echo $(($(sed -n 's/^Committed_AS: *\([0-9]*\) kB/\1/p' /proc/meminfo) + 8192)) >/proc/sys/vm/overcommit_kbytes
note committed "$(dma try retrieve memory 1)"
echo 0 >/proc/sys/vm/overcommit_memory
dma_killed

# Killed on the way, earlier and later
for delay in 0 0.002 0.004 0.006 0.01 0.015 0.02 0.03 0.05 0.1; do
	session killed
	echo "retrieve memory 1" >&"$dma_to"
	sleep $delay
	dma_killed
done

# By the OOM killer, for what somebody else takes in the same group
group crowded 24M
session crowded
enter crowded
echo 1000 >/proc/$DMA_PID/oom_score_adj
( echo $BASHPID >$groups/crowded/cgroup.procs
  echo -e 'memory 10240\nfill 1' | exec "$LAB_BUILD/tests/kernel/dma-session" >/dev/null ) &
hog=$!
echo "retrieve memory 1" >&"$dma_to"
wait $hog
dma_killed
note crowded "$(sed -n 's/^oom_kill //p' $groups/crowded/memory.events)"

# All this time it was the device's memory and nobody else's.
guard || exit
sleep 5
note guard $guard_pages
note damage "$(guard_damage)"
guard_ends

# With enough room
group enough 64M
session charged
enter enough
note retrieve "$(dma try retrieve memory 1)"
note charged "$(in_group enough shmem)"
home() {
	dma retrieve iommufd 2 && dma retrieve d 3 && dma bind d && dma space new &&
		dma map new 0x1000000 && dma move-to-space d new || exit
	note "finish$1" "$(dma try finish)"
	note "content$1" "$(content)"
}
note content "$(content)"
home -first
dma_killed
session killed
note retrieve-killed "$(dma try retrieve memory 1)"
home -second
dma_killed
session crowded
note retrieve-crowded "$(dma try retrieve memory 1)"
home -third
for writer in $writers; do writes_end; done
dma_killed
sleep 1
note charged-finally "$(in_group enough shmem)"

# Given up after an attempt, and its memory is back: none of it is kept
dma_session
dma retrieve-session unwanted || exit
group nothing 16K; enter nothing
note unwanted "$(dma try retrieve memory 1)"
total() { sed -n 's/^MemTotal: *\([0-9]*\) kB/\1/p' /proc/meminfo; }
before=$(total)
note given-up "$(dma try finish)"
note given-back $((($(total) - before) / 4))
END
after=$stage

for mode in ${MODES:-scalable}; do
	lab_what=$mode
	lab_try --mode "$mode" --memory 512 --devices edu,edu,edu --trace "$tap_scratch/trace" "$before" "$after"
	[ "$lab_status" != 4 ] || skip_all "the incoming kernel has no memory cgroups"
	is "the laboratory run succeeds: $mode" "$lab_status" 0 || continue
	is "$mode: a retrieve for which the memory cgroup has no room fails" \
		"$(fact too-small | sort | uniq -c | xargs)" "5 ENOMEM"
	is "$mode: nothing is charged then" "$(fact charged-small | sort -u)" 0
	is "$mode: nobody is killed for it" "$(fact killed)" 0
	is "$mode: the same process may ask again" "$(fact repeated)" ENOMEM
	is "$mode: so does one for which the system has no memory to commit" "$(fact committed)" ENOSPC
	ok "$mode: one is killed for lack of memory on the way" [ "$(fact crowded)" -ge 1 ]
	ok "$mode: nearly all memory is given to somebody else" [ "$(fact guard)" -gt 50000 ]
	is "$mode: and nothing of theirs is damaged" "$(fact damage)" 0
	is "$mode: after all that the memory is retrieved" "$(fact retrieve)" ok
	is "$mode: it is charged to who retrieved it" "$(fact charged)" $((16 << 20))
	is "$mode: its contents are whole" "$(fact content)" $((4096 * 512))
	is "$mode: so is the memory whose retrievers were killed" "$(fact retrieve-killed) $(fact retrieve-crowded)" "ok ok"
	for which in first second third; do
		is "$mode: the session of the $which finishes" "$(fact finish-$which)" ok
		is "$mode: with its contents" "$(fact content-$which)" $((4096 * 512))
	done
	is "$mode: nothing is charged when it has been freed" "$(fact charged-finally)" 0
	is "$mode: memory that could not be retrieved can be given up" "$(fact unwanted) $(fact given-up)" "ENOMEM ok"
	ok "$mode: and all of its pages are given back" [ "$(fact given-back)" -ge 1 ]
	is "$mode: no access of the device faults" "$(grep -c vtd_dmar_fault "$tap_scratch/trace")" 0
done
tap_done
