#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# An incoming kernel that is told to number all buses anew, to move BARs and to
# tune payload sizes leaves alone what the preserved device needs, and says so;
# the device goes on with DMA. The rest of the machine it may move.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/kernel/dma-session.sh
. "$here/dma-session.sh"

# Numbering that leaves eight buses to each root port moves all behind the first;
# the alignment moves BARs; "perf" changes MPS and MRRS of ports.
words=pci=assign-busses,hpbussize=8,realloc=on,pcie_bus_perf,noari,resource_alignment=24@pci:1234:11e8

# Both stages: what a function has in the registers that have to stay
cat >"$tap_scratch/registers" <<'SOURCE'
# Without Status (06h), Cache Line Size (0Ch), Secondary Status (1Eh) and, as INTx
# is switched off on the way, a device's upper half of Command (05h) ...
registers() {
	od -A n -v -t x1 -w1 -N 64 "/sys/bus/pci/devices/$1/config" | awk '
		{ at = NR - 1 }
		at == 6 || at == 7 || at == 12 { next }
		bridge ? at == 30 || at == 31 : at == 5 { next }
		{ printf "%s", $1 }' bridge="$2"
	# ... and with Device Control, MPS and MRRS among it.
	od -A n -v -t u1 -w1 "/sys/bus/pci/devices/$1/config" | awk '
		{ byte[NR - 1] = $1 }
		END {
			for (at = byte[52]; at; at = byte[at + 1])
				if (byte[at] == 16)
					printf " %02x%02x", byte[at + 9], byte[at + 8]
		}'
}
SOURCE

stage before <<'END'
set -e
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
. "$REGISTERS"
read -r first kept <<<"$LAB_DEVICES"
read -r first_bridge bridge <<<"$LAB_BRIDGES"
make_master "$first"
bind-vfio "$kept" >/dev/null
dma_preserved_device inherited "$kept"
dma write 0x0 0x1111
dma load "$kept" 0x1000000
note device "$(registers "$kept" '')"
note bridge "$(registers "$bridge" 1)"
note other "$(registers "$first" '')"
note resource "$(head -n 7 "/sys/bus/pci/devices/$kept/resource")"
dma hold
END
before=$stage
stage after <<'END'
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
. "$REGISTERS"
read -r first kept <<<"$LAB_DEVICES"
read -r first_bridge bridge <<<"$LAB_BRIDGES"
note now-device "$(registers "$kept" '')"
note now-bridge "$(registers "$bridge" 1)"
note now-other "$(registers "$first" '')"
note now-resource "$(head -n 7 "/sys/bus/pci/devices/$kept/resource")"
note state "$(cat "/sys/bus/pci/devices/$kept/liveupdate")"
dma_session
dma retrieve-session inherited || exit
dma retrieve memory 1 || exit
dma store "$kept" 0x1001000
note works "$(dma read 0x1000)"
END
lab_run --mode scalable --devices edu,edu --env REGISTERS="$tap_scratch/registers" \
	--incoming-append "$words" --trace "$tap_scratch/trace" "$before" "$stage"
log=$(grep liveupdate "$lab_results/dmesg-incoming.log")
is "the device is where it was" "$(fact state)" waiting
is "its registers are as they were: BARs, Command" "$(fact now-device)" "$(fact device)"
is "those of the bridge too: bus numbers, windows, payload sizes" "$(fact now-bridge)" "$(fact bridge)"
is "this kernel knows its resources as the previous one did" "$(fact now-resource)" "$(fact resource)"
ok "a device that is not preserved was moved" [ "$(fact now-other)" != "$(fact other)" ]
is "the device does DMA" "$(fact works)" 0x1111
is "no access faults" "$(grep -c vtd_dmar_fault "$tap_scratch/trace")" 0
like "the log says that bus numbers stay" "$log" 'PCI: liveupdate: bus numbers stay as they are'
like "and that BARs do" "$log" 'pci 0000:02:00.0: liveupdate: alignment of resources stays as it is'
like "and that payload sizes do" "$log" '0000:00:11.0: liveupdate: Max Payload Size below it stays as it is'
tap_done
