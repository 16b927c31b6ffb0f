# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# For stages, in the guest: the demonstration workload, which nobody sends
# packets to, as the owner of as many page tables as a measurement wants.

# bind_device: bind the first device of the run to vfio-pci
bind_device() {
	device=${LAB_DEVICES%% *}
	bind-vfio "$device" >/dev/null || { echo "no vfio device"; exit 1; }
}

# How often a stage looks, in seconds: what it does then is counted with what is measured
workload_look=0.2

# workload_start OPTION...: start it; returns when memory, page table and device
# are preserved
workload_start() {
	local report=/run/workload.json
	rm -f "$report"
	lu-workload start --device "$device" --packets 0 --report "$report" "$@" >/run/workload.log 2>&1 &
	workload=$!
	until grep -qs '"state": "ready"' "$report"; do
		kill -0 "$workload" 2>/dev/null || { cat /run/workload.log; exit 1; }
		sleep "$workload_look"
	done
	# The reason why a preservation failed is in the log, too.
	[ ! -s /run/workload.log ] || { cat /run/workload.log; exit 1; }
}

# workload_stop: end it; what it had preserved is unpreserved
workload_stop() {
	kill -KILL "$workload"
	wait "$workload" 2>/dev/null || :
}

# keep_ledger: copy the ledgers that this kernel has to the results
keep_ledger() {
	local kernel
	mkdir -p "$LAB_RESULTS/ledger"
	for kernel in previous current; do
		[ ! -e "/sys/kernel/liveupdate/ledger/$kernel" ] ||
			cat "/sys/kernel/liveupdate/ledger/$kernel" >"$LAB_RESULTS/ledger/$kernel" || exit
	done
}

# tables_start SHAPE COUNT: have a page table of so many tables of 4 KiB leaves, which
# nothing uses and nobody preserves
tables_start() {
	"$LAB_BUILD/tests/bench/table_pages" "$device" "$@" >/run/tables.log 2>&1 &
	workload=$!
	until grep -qs ready /run/tables.log; do
		kill -0 "$workload" 2>/dev/null || { cat /run/tables.log; exit 1; }
		sleep 0.2
	done
}
