#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# liveupdate.force_successor=1: a kernel that cannot take over what is preserved is
# jumped into all the same, and nothing of it is harmed. Packets come for a preserved
# device all the time. It is stopped before translation goes off, so that it writes
# nothing to the physical addresses that its I/O virtual addresses are.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/kernel/workload.sh
. "$here/workload.sh"
# shellcheck source=tests/kernel/dma-session.sh
. "$here/dma-session.sh"
# shellcheck source=tests/kernel/ledger.sh
. "$here/ledger.sh"
# shellcheck source=tests/kernel/successor.sh
. "$here/successor.sh"

read -r stock initial <<<"$("$here/../toolkit/doctor-stock-kernel")"
ok "there is Debian's kernel" [ -s "$stock" ]

stage before <<'END'
. "$LAB_PROJECT/tests/kernel/workload.sh"
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
. "$LAB_PROJECT/tests/kernel/successor.sh"
set -e
bind-vfio "$LAB_DEVICES"
workload 0 start --device "$LAB_DEVICES"
workload_reaches 0 receiving
ask-host start-senders
workload_reaches 0 ready
kexec -u
case $HOW in
stock) kexec -s -l "$STOCK" --initrd="$INITIAL" --command-line="$LAB_INCOMING_CMDLINE" ;;
legacy-load) kexec -c -l "$LAB_INCOMING" --command-line="$LAB_INCOMING_CMDLINE" ;;
*) load "$LAB_INCOMING" "$HOW" ;;
esac
note master-before "$(is_master "$LAB_DEVICES")"
echo 1 >/sys/module/liveupdate/parameters/force_successor 2>/dev/null || note "parameter" "none"
END
before=$stage
stage after <<'END'
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
note release "$(uname -r)"
note master-after "$(is_master "$LAB_DEVICES")"
[ ! -e /sys/kernel/liveupdate/ledger/previous ] || cat /sys/kernel/liveupdate/ledger/previous >"$LAB_RESULTS/previous"
# Packets come still.
sleep 1
ask-host stop-sender 0
END
after=$stage

# The number of the first line of the trace behind the jump that is like PATTERN
first() {
	tail -n "+$(cat "$lab_results/trace.jump")" "$tap_scratch/trace" | grep -n -m 1 -E "$1" | cut -d: -f1
}

# forced HOW MODE
forced() {
	lab_what="$1, $2"
	lab_run --mode "$2" "${successor_kernels[@]}" --devices igb --memory 5120 --append "memmap=1M\$$successor_guard" --trace "$tap_scratch/trace" \
		--env HOW="$1" --env STOCK="$stock" --env INITIAL="$initial" --timeout 600 "${workload_senders[@]}" \
		--before-jump "wc -l <\"\$LAB_TRACE\" >\"\$LAB_RESULTS/trace.jump\"; $(successor_guarded before)" \
		--after "$(successor_guarded after)" "$before" "$after" || return
	is "$lab_what: the device masters the bus before, and not afterwards" "$(fact master-before) $(fact master-after)" "1 0"
	is "$lab_what: it has written nothing where it is not translated" "$(successor_written)" 0
	ok "$lab_what: it is stopped before translation is switched off" [ "$(first 'pci_cfg_write igb .*@0x4 <- 0x[0-9a-f]*[0-3]$')" -lt "$(first 'vtd_dmar_enable enable 0')" ]
	like "$lab_what: loudly" "$(cat "$lab_results/console-outgoing.log")" \
		'liveupdate: stopped: bus mastering is off, because the next kernel cannot take the device over'
}

[ -z "${MODES-}" ] || { forced "$HOW" "$MODES"; tap_done; }
forced stock scalable
like "Debian's kernel runs" "$(fact release)" amd64
forced legacy-load legacy
forced liveupdate=off legacy
ledger_records "$lab_results/previous" >"$tap_scratch/records"
is "liveupdate=off: the ledger has the reason, and that it was overridden" "$(awk '$4 == "successor-refuse" { print $9, $7 }' "$tap_scratch/records")" "6 0"
is "liveupdate=off: and the device" "$(awk '$4 == "device-isolate" { print $8 }' "$tap_scratch/records")" 0x10000000000
forced kho=off first-stage
forced intel_iommu=off scalable
tap_done
