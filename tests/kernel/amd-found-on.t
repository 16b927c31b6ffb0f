#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# A kernel finds AMD's IOMMU translating. Without a record of what it translates for,
# it goes on and blocks all devices, which are stopped then. With one, amd_iommu=off is
# refused before the jump, and ignored by a kernel that gets it all the same: the
# preserved device does DMA.

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

amd=(--mode amd --qemu -global --qemu edu.dma_mask=0xffffffff)
log() { tr -d '\r' <"$lab_results/console-incoming.log"; }

# What receives when a kernel dies, and packets still come
stage dies <<'END'
set -e
. "$LAB_PROJECT/tests/kernel/workload.sh"
read -r igb edu <<<"$LAB_DEVICES"
kexec -p -s --command-line="$LAB_INCOMING_CMDLINE elfcorehdr=0xffffffffffffffff" "$LAB_INCOMING"
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
bind-vfio "$edu" >/dev/null
dma_session
dma memory 16 && dma device d "$edu" && dma domain one d && dma map one 0x1000000 && dma attach d one &&
	dma write 0x0 0x1234 && dma load "$edu" 0x1000000 && dma store "$edu" 0x1001000
note again "$(dma read 0x1000)"
END
finds=$stage

lab_try "${amd[@]}" "${successor_kernels[@]}" --devices igb,edu --memory 5120 --timeout 120 --allow-warnings \
	--append "crashkernel=256M kho_scratch=32M,128M,32M memmap=1M\$$successor_guard" \
	--trace "$tap_scratch/trace" --trace-events 'amdvi_control_status pci_cfg_write' "${workload_senders[@]}" \
	--hook "dies=wc -l <\"\$LAB_TRACE\" >\"\$LAB_RESULTS/trace.dies\"; $(successor_guarded before)" \
	--hook "found=wc -l <\"\$LAB_TRACE\" >\"\$LAB_RESULTS/trace.found\"; $(successor_guarded after)" --after 'kill "$(cat "$LAB_RESULTS/sender0.pid")"; rm "$LAB_RESULTS/sender0.pid"' \
	"$dies" "$finds" 2>"$tap_scratch/said"
is "the outgoing kernel dies, and the next one runs" \
	"$lab_status $(cat "$lab_results/stage2.exit" 2>/dev/null)" "3 0" || diag "$(cat "$tap_scratch/said")"
is "the device has written nothing where it is not translated" "$(successor_written)" 0
is "it does not master the bus any more" "$(fact master)" 0
# The number of the first line of the trace, between the end of a kernel and power-off, like PATTERN
first() {
	head -n "$(cat "$lab_results/trace.found")" "$tap_scratch/trace" |
		tail -n "+$(($(cat "$lab_results/trace.dies") + 1))" | grep -n -m 1 -E "$1" | cut -d: -f1
}
off='amdvi_control_status .*0x[0-9a-f]*[02468ace]$'
is "translation never goes off" "$(first "$off")" ""
like "it is said that nobody knows for whom it was on" "$(log)" \
	'IOMMU:.* was found translating, and nobody knows for whom: all DMA behind it is blocked'
ledger_records "$lab_results/current" >"$tap_scratch/records"
is "the ledger has it" "$(awk '$4 == "iommu-block"' "$tap_scratch/records" | wc -l)" 1
is "who asks for DMA has it" "$(fact again)" 0x1234

# With a record: refused, and ignored
image_lies "$tap_scratch/lies"
stage before <<'END'
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
. "$LAB_PROJECT/tests/kernel/successor.sh"
bind-vfio "$LAB_DEVICES" >/dev/null
dma_preserved_device first "$LAB_DEVICES"
dma write 0x0 0x4711
dma load "$LAB_DEVICES" 0x1000000
successor refused load "$HONEST" amd_iommu=off
dma store "$LAB_DEVICES" 0x1001000
note refused-works "$(dma read 0x1000)"
load "$LAB_INCOMING" amd_iommu=off
dma hold
END
before=$stage
stage after <<'END'
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
note state "$(cat "/sys/bus/pci/devices/$LAB_DEVICES/liveupdate")"
bind-vfio "$LAB_DEVICES" >/dev/null
dma_session
dma retrieve-session first
dma retrieve memory 1
dma store "$LAB_DEVICES" 0x1002000
note works "$(dma read 0x2000)"
dma retrieve iommufd 2
dma retrieve d 3
dma bind d
dma domain two d
dma map two 0x1000000
dma move d two
dma finish
note end "$(cat "/sys/bus/pci/devices/$LAB_DEVICES/liveupdate")"
END
lab_what="amd_iommu=off with a preserved device"
lab_run "${amd[@]}" --outgoing "$successor_outgoing" --incoming "$tap_scratch/lies" --env HONEST="$(readlink -f "$successor_incoming")" \
	--devices edu --allow-warnings "$before" "$stage"
is "amd_iommu=off is refused before the jump" "$(fact refused)" "loaded 0, jumped 255, master 1"
like "and it is said why" "$(fact refused-log)" "cannot take over 'iommu-liveupdate-v4;.*': its command line leaves off the IOMMU"
is "lutrace doctor says the same" "$(fact refused-doctor)" "$(fact refused-log)"
is "the device does DMA" "$(fact refused-works)" 0x4711
is "a kernel that gets it has the device wait" "$(fact state)" waiting
like "and says that it ignores it" "$(log)" 'amd_iommu=off is ignored: devices that came with a live update are running'
is "the device does DMA" "$(fact works)" 0x4711
is "and comes home" "$(fact end)" none
rm -f "$tap_scratch/lies"
tap_done
