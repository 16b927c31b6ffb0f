# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# What the stages of a chain of live updates do in each kernel, and the faults that
# FAULTS asks for: words UPDATE:FAULT:NUMBER. The fault goes with the update: it is
# made in the kernel that is left for it, or in the one that is arrived in. What a
# fault did is in fault-UPDATE; one that did not do what it has to ends the stage.
#
# The workload is the same all the time; a second tenant with the second device
# comes for a fault and goes.

# shellcheck source=tests/kernel/workload.sh
. "$LAB_PROJECT/tests/kernel/workload.sh"
# shellcheck source=tests/kernel/dma-session.sh
. "$LAB_PROJECT/tests/kernel/dma-session.sh"

tenant_device=${LAB_DEVICES##* }

# chain_bind: all devices; read by the tests of one device, too
chain_bind() {
	# shellcheck disable=SC2086 # a list
	bind-vfio $LAB_DEVICES >/dev/null
}

# chain_load [WORDS]: the next kernel, which is the other one of the two
chain_load() {
	local next=$LAB_OUTGOING
	[ $((${update:-0} % 2)) = 1 ] || next=$LAB_INCOMING
	kexec -s -l "$next" --command-line="$LAB_INCOMING_CMDLINE${1:+ $1}"
}

# chain_counts UPDATE: what grows if something leaks, once the session has finished
chain_counts() {
	local cache
	# What is free and not given back: empty slabs, and with KASAN all that was freed of late.
	for cache in /sys/kernel/slab/*/shrink; do echo 1 >"$cache"; done
	cat /proc/sys/vm/stat_refresh
	{
		# In one read, for pages go from one to the other all the time: free ones that
		# CPUs have put aside do not count as free.
		awk '$1 == "nr_free_pages" { free += $2 }
			$1 == "count:" { aside += $2 }
			/nr_slab_(un)?reclaimable/ { slab += $2 }
			$1 == "nr_slab_unreclaimable" { objects += $2 }
			END { print "MemFree", free * 4; print "Aside", aside * 4
				print "Slab", slab * 4; print "SUnreclaim", objects * 4 }' /proc/zoneinfo
		sed -n '/^nr_iommu_pages /p' /proc/vmstat
		sed -n 's/^\(MemTotal\|Cached\|Shmem\): *\([0-9]*\) kB/\1 \2/p' /proc/meminfo
	} >"$LAB_RESULTS/counters-$1"
	cp /proc/slabinfo "$LAB_RESULTS/slabinfo-$1"
}

# chain_guarded UPDATE: the laboratory's guard looks whether its memory is as it filled it
chain_guarded() {
	local pid log=$LAB_RESULTS/guard.log
	pid=$(pidof lab-guard) || return 0
	kill -TERM "$pid"
	until grep -qs '^at its end: ' "$log"; do sleep 0.05; done
	[ "$(grep -c ': 0 of [0-9]* words damaged$' "$log")" = 2 ] || {
		echo "update $1: memory that is nobody's was written to:"
		cat "$log"
		return 1
	}
}

# fault_of UPDATE: the fault that goes with it and its number
fault_of() {
	local word at
	fault='' fault_number=0
	for word in ${FAULTS-}; do
		IFS=: read -r at word fault_number <<<"$word"
		[ "$at" = "$1" ] || continue
		fault=$word
		return
	done
}
# fault_did UPDATE TEXT...: what came of it
fault_did() { echo "${*:2}" >>"$LAB_RESULTS/fault-$1"; }
# fault_expects UPDATE WHAT GOT EXPECTED: it has to
fault_expects() {
	fault_did "$1" "$2: $3"
	[ "$3" = "$4" ] || { echo "update $1: $fault: $2: $3, and not $4"; exit 1; }
}
# refused: the reboot call returns
refused() { if kexec -e 2>/dev/null; then echo jumped; else echo refused; fi; }

# The steps of somebody who takes the workload's files out of its session
steal_steps=("retrieve-session workload" "retrieve memory 1" "retrieve iommufd 2" "retrieve d 3" "bind d" "restore old 1")
# Those of a second tenant who preserves
tenant_steps=("memory 16" "device d $tenant_device" "domain one d" "map one 0x1000000" "attach d one" "mark one 1"
	"session tenant" "preserve memory 1" "preserve iommufd 2" "preserve d 3")
# steps NUMBER STEP...: the first so many, in a session of its own
steps() {
	local number=$1
	shift
	dma_session
	while [ "$number" -gt 0 ] && [ $# -gt 0 ]; do
		dma "$1"
		shift
		number=$((number - 1))
	done
}

# chain_leaves UPDATE: the fault, and the pause
chain_leaves() {
	fault_of "$1"
	case $fault in
	preserver-killed)
		steps "$fault_number" "${tenant_steps[@]}"
		dma_killed
		fault_did "$1" "killed after: ${tenant_steps[fault_number - 1]}" ;;
	successor-refused)
		chain_load iommu.liveupdate=off
		fault_expects "$1" "a kernel that cannot take over" "$(refused)" refused
		chain_load ;;
	ledger-full)
		fault_did "$1" "marks taken: $("$LAB_BUILD/tests/kernel/ledger-flood" marks 20000)" ;;
	record-damaged)
		steps 99 "${tenant_steps[@]}"
		dma write 0x0 0x1111
		dma load "$tenant_device" 0x1000000
		dma fill 0
		dma hold
		"$LAB_BUILD/tests/kernel/damage-record" tenant-vendor
		fault_did "$1" "the record of $tenant_device has another vendor" ;;
	esac
	workload_go_on $(($1 - 1))
	workload_reaches $(($1 - 1)) paused
}

# memory_cgroup KIB: the session's process may not be charged with more; fails where the
# kernel has no memory cgroups
memory_cgroup() {
	local groups=/run/cgroup
	mkdir -p $groups && mount -t cgroup2 none $groups && echo +memory >$groups/cgroup.subtree_control &&
		mkdir $groups/small && echo "$1K" >$groups/small/memory.max && echo "$DMA_PID" >$groups/small/cgroup.procs
}

# chain_arrives UPDATE: before the workload comes for its session
chain_arrives() {
	fault_of "$1"
	case $fault in
	retriever-killed)
		steps "$fault_number" "${steal_steps[@]}"
		dma_killed
		fault_did "$1" "killed after: ${steal_steps[fault_number - 1]}" ;;
	memory-short)
		steps 1 "${steal_steps[@]}"
		if memory_cgroup $((fault_number * 64)) 2>/dev/null; then
			fault_expects "$1" "retrieve in a cgroup of $((fault_number * 64)) KiB" "$(dma try retrieve memory 1)" ENOMEM
		else
			committed=$(sed -n 's/^Committed_AS: *\([0-9]*\) kB/\1/p' /proc/meminfo)
			# Nothing can be forked until it is over.
			echo 2 >/proc/sys/vm/overcommit_memory
			echo $((committed + fault_number * 64)) >/proc/sys/vm/overcommit_kbytes
			dma try retrieve memory 1 >/run/answer
			echo 0 >/proc/sys/vm/overcommit_memory
			fault_expects "$1" "retrieve where $((fault_number * 64)) KiB can be committed" "$(cat /run/answer)" ENOSPC
		fi
		dma_killed ;;
	unfinished-refused)
		[ "$fault_number" = 1 ] || return 0
		update=$1 chain_load
		fault_expects "$1" "the reboot call before the retrieve" "$(refused)" refused ;;
	record-damaged)
		steps 3 "retrieve-session tenant" "retrieve memory 1" "retrieve iommufd 2"
		fault_expects "$1" "retrieve of the device" "$(dma try retrieve d 3)" EIO
		fault_expects "$1" "finish without it" "$(dma try finish)" ok
		dma_killed ;;
	esac
}

# chain_resumed UPDATE: the workload runs, and its session is not finished
chain_resumed() {
	fault_of "$1"
	[ "$fault:$fault_number" = unfinished-refused:2 ] || return 0
	update=$1 chain_load
	fault_expects "$1" "the reboot call before the finish" "$(refused)" refused
}
