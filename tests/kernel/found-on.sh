# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# For tests in which a kernel dies while a device receives, and the next one, which is not
# to be a crash kernel, finds the IOMMU on without a handover. After tap.sh, workload.sh,
# dma-session.sh and successor.sh.

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
[ "$HOW" != intel_iommu=off ] || exit 0
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

# found WHAT HOW OPTION...: it happens, with the words HOW for the next kernel
found() {
	what=$1
	lab_try "${successor_kernels[@]}" --devices igb,edu --memory 5120 --timeout 300 \
		--append "$(crashkernel 256) kho_scratch=32M,128M,32M memmap=1M\$$successor_guard" \
		--trace "$tap_scratch/trace" --env HOW="$2" "${workload_senders[@]}" "${@:3}" \
		--hook "dies=wc -l <\"\$LAB_TRACE\" >\"\$LAB_RESULTS/trace.dies\"; $(successor_guarded before)" \
		--hook "found=wc -l <\"\$LAB_TRACE\" >\"\$LAB_RESULTS/trace.found\"; $(successor_guarded after)" --after 'kill "$(cat "$LAB_RESULTS/sender0.pid")"; rm "$LAB_RESULTS/sender0.pid"' \
		"$dies" "$finds" 2>"$tap_scratch/said"
	is "$what: the outgoing kernel dies, and the next one runs" \
		"$lab_status $(cat "$lab_results/stage2.exit" 2>/dev/null)" "3 0" || diag "$(cat "$tap_scratch/said")"
	is "$what: the device has written nothing where it is not translated" "$(successor_written)" 0
}
log() { tr -d '\r' <"$lab_results/console-incoming.log"; }
