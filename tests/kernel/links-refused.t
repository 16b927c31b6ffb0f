#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# The link to a device that crosses keeps its power management, and the root bridge
# above it is not ejected, in the outgoing kernel and in the incoming one until the
# session is finished. Attributes beside these that are written all the time by tools
# for power saving and affinity do no harm.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/kernel/dma-session.sh
. "$here/dma-session.sh"

# A root bridge that says that it can be ejected: Scope (\_SB.PCI0) { Method (_EJ0, 1) {} }
python3 - "$tap_scratch/eject.aml" <<'END'
import struct, sys
method = b"\x14\x06_EJ0\x01"
scope = b"\\\x2e_SB_PCI0" + method
body = b"\x10" + bytes([len(scope) + 1]) + scope
head = struct.pack("<4sIBB6s8sI4sI", b"SSDT", 36 + len(body), 2, 0, b"LIVEUP", b"EJECT   ", 1, b"TEST", 1)
table = bytearray(head + body)
table[9] = -sum(table) & 0xFF
open(sys.argv[1], "wb").write(table)
END

# Both stages: attempts PREFIX BDF
cat >"$tap_scratch/try" <<'END'
pci=/sys/bus/pci
write() {
	local answer
	answer=$( (echo "$2" >"$3") 2>&1 ) && answer=ok
	note "$1" "${answer##*: }"
}
attempts() {
	local device=$pci/devices/$2 bridge file value
	bridge=$(dirname "$(readlink -f "$device")")
	for file in "$device"/link/*; do
		[ ! -w "$file" ] || { value=$(cat "$file"); write "$1-link" $((1 - value)) "$file"; }
	done
	value=$(grep -o 'powersave\|performance' /sys/module/pcie_aspm/parameters/policy | head -n 1)
	write "$1-policy" "$value" /sys/module/pcie_aspm/parameters/policy
	write "$1-eject" 1 /sys/bus/acpi/devices/PNP0A08:00/eject
	sleep 1
	note "$1-stays" "$([ -e "$device/vendor" ] && echo yes)"
	# What does no harm
	write "$1-other" on "$bridge/power/control"
	write "$1-other" auto "$bridge/power/control"
	write "$1-other" auto "$device/power/control"
	write "$1-other" 0 "$bridge/msi_bus"
	write "$1-other" 1 "$bridge/msi_bus"
	write "$1-other" 1 "$device/broken_parity_status"
	write "$1-other" "$2" "$pci/drivers_probe"
	note "$1-masters" "$(is_master "$2") $(is_master "$(basename "$bridge")")"
}
END

stage before <<'END'
set -e
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
. "$TRY"
bind-vfio "$LAB_DEVICES" >/dev/null
dma_preserved_device links "$LAB_DEVICES"
set +e
attempts out "$LAB_DEVICES"
note log "$(dmesg | grep -c 'liveupdate: removal refused')"
dma write 0x0 0x4444
dma load "$LAB_DEVICES" 0x1000000
dma store "$LAB_DEVICES" 0x1001000
note out-works "$(dma read 0x1000)"
dma hold
END
before=$stage
stage after <<'END'
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
. "$TRY"
attempts in "$LAB_DEVICES"
dma_session
dma retrieve-session links
dma retrieve memory 1
dma retrieve iommufd 2
dma retrieve d 3
dma bind d
attempts back "$LAB_DEVICES"
dma domain two d
dma map two 0x1000000
dma move d two
dma finish
dma store "$LAB_DEVICES" 0x1002000
note in-works "$(dma read 0x2000)"
write end-policy performance /sys/module/pcie_aspm/parameters/policy
END

lab_run --mode legacy --devices edu --env TRY="$tap_scratch/try" \
	--qemu -acpitable --qemu "file=$tap_scratch/eject.aml" "$before" "$stage"
busy="Device or resource busy"
for kernel in out in back; do
	is "$kernel: an eject request leaves the device where it is" "$(fact $kernel-stays)" yes
	# The incoming kernel does not manage the link of a device that came: nothing is written to it.
	like "$kernel: the policy of ASPM stays, or concerns other links" "$(fact $kernel-policy)" \
		"^($busy|Operation not permitted$([ $kernel = out ] || echo '|ok'))\$"
	like "$kernel: so does each state of the link" "$(fact $kernel-link | sort -u)" "^($busy|)\$"
	like "$kernel: probing again and tuning do no harm" "$(fact $kernel-other | sort -u | xargs)" "^($busy |)(Invalid argument |)ok\$"
	is "$kernel: device and bridge master the bus all the time" "$(fact $kernel-masters)" "1 1"
done
is "the log says what was refused" "$(fact log)" 1
is "the device does DMA in both kernels" "$(fact out-works) $(fact in-works)" "0x4444 0x4444"
diag "links: $(fact out-link | xargs), policy: $(fact out-policy) then $(fact end-policy), others: $(fact in-other | xargs)"
tap_done
