#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# A kernel finds VT-d translating, and has no record of what it translates for: devices
# are running behind it. Translation stays on and blocks them, then they are stopped. Where
# it has to go off, because of a boot option or for the other mode, that comes before.
#
# That is what is left when all else has failed, so here a crash leads to it: a crash
# kernel is told that it is none.

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

stage dies <<'END'
set -e
. "$LAB_PROJECT/tests/kernel/workload.sh"
read -r igb edu <<<"$LAB_DEVICES"
kexec -p -s --command-line="$LAB_INCOMING_CMDLINE elfcorehdr=0xffffffffffffffff $HOW" "$LAB_INCOMING"
bind-vfio "$igb"
workload 0 start --device "$igb"
workload_reaches 0 receiving
ask-host start-senders
workload_reaches 0 ready
ask-host dies
echo c >/proc/sysrq-trigger
END
dies=$stage
stage finds <<'END'
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
read -r igb edu <<<"$LAB_DEVICES"
note master "$(is_master "$igb")"
cat /sys/kernel/liveupdate/ledger/current >"$LAB_RESULTS/current"
sleep 1
ask-host found
# Who asks for DMA gets it.
[ -n "$HOW" ] && [ "$HOW" != intel_iommu=sm_off ] && exit
bind-vfio "$edu" >/dev/null
dma_session
dma memory 16 && dma device d "$edu" && dma domain one d && dma map one 0x1000000 && dma attach d one &&
	dma write 0x0 0x1234 && dma load "$edu" 0x1000000 && dma store "$edu" 0x1001000
note again "$(dma read 0x1000)"
END
finds=$stage

# The number of the first line of the trace, between crash and power-off, like PATTERN
first() {
	head -n "$(cat "$lab_results/trace.found")" "$tap_scratch/trace" |
		tail -n "+$(($(cat "$lab_results/trace.dies") + 1))" | grep -n -m 1 -E "$1" | cut -d: -f1
}

# found HOW MODE
found() {
	what="${1:-nothing special}, $2"
	lab_try --mode "$2" "${successor_kernels[@]}" --devices igb,edu --memory 5120 --timeout 300 \
		--append "crashkernel=256M kho_scratch=32M,128M,32M memmap=1M\$$successor_guard" \
		--trace "$tap_scratch/trace" --env HOW="$1" "${workload_senders[@]}" \
		--hook "dies=wc -l <\"\$LAB_TRACE\" >\"\$LAB_RESULTS/trace.dies\"; $(successor_guarded before)" \
		--hook "found=wc -l <\"\$LAB_TRACE\" >\"\$LAB_RESULTS/trace.found\"; $(successor_guarded after)" --after 'kill "$(cat "$LAB_RESULTS/sender0.pid")"; rm "$LAB_RESULTS/sender0.pid"' \
		"$dies" "$finds" 2>"$tap_scratch/said"
	is "$what: the outgoing kernel dies, and the next one runs" \
		"$lab_status $(cat "$lab_results/stage2.exit" 2>/dev/null)" "3 0" || diag "$(cat "$tap_scratch/said")"
	is "$what: the device has written nothing where it is not translated" "$(successor_written)" 0
}
log() { tr -d '\r' <"$lab_results/console-incoming.log"; }

for mode in legacy scalable; do
	found "" $mode
	is "$what: translation never goes off" "$(first 'vtd_dmar_enable enable 0')" ""
	like "$what: it is said that nobody knows for whom it was on" "$(log)" \
		'DMAR: .* was found translating, and nobody knows for whom: all DMA behind it is blocked'
	ledger_records "$lab_results/current" >"$tap_scratch/records"
	is "$what: the ledger has it" "$(awk '$4 == "iommu-block"' "$tap_scratch/records" | wc -l)" 1
	is "$what: the device does not master the bus any more" "$(fact master)" 0
	ok "$what: it is blocked before it is stopped" \
		[ "$(first vtd_reg_dmar_root)" -lt "$(first 'pci_cfg_write igb .*@0x4 <- 0x[0-9a-f]*[0-3]$')" ]
	is "$what: who asks for DMA has it" "$(fact again)" 0x1234
done

# stopped: the device was before translation went off
stopped() {
	local off
	off=$(first 'vtd_dmar_enable enable 0')
	[ -n "$off" ] && [ "$(first 'pci_cfg_write igb .*@0x4 <- 0x[0-9a-f]*[0-3]$')" -lt "$off" ]
}
found intel_iommu=off legacy
ok "$what: the device is stopped before translation goes off" stopped
is "$what: and does not master the bus any more" "$(fact master)" 0
like "$what: that is said" "$(log)" '0000:01:00.0: .*bus mastering is switched off: .* is going to be switched off'
found intel_iommu=sm_off scalable
ok "$what: the device is stopped before translation goes off" stopped
ok "$what: an empty root table blocks before that" [ "$(first vtd_reg_dmar_root)" -lt "$(first 'vtd_dmar_enable enable 0')" ]
is "$what: who asks for DMA has it" "$(fact again)" 0x1234
tap_done
