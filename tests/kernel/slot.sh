# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# For tests in which cards come and go. The lab gives each device a root port of
# its own, which QEMU lets a guest switch off and on like the slot of a server.

# For lab_run: the ports are the guest's and not ACPI's; "plug PORT CARD" on the
# host (ask-host in a stage) adds a card to a port.
# shellcheck disable=SC2154 # tap.sh sets it
slot_options() {
	mkfifo "$tap_scratch/monitor.in" "$tap_scratch/monitor.out"
	echo --qemu -global --qemu ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off \
		--qemu -chardev --qemu "pipe,id=monitor,path=$tap_scratch/monitor" \
		--qemu -mon --qemu chardev=monitor,mode=readline
}

# In a test: what a hook runs to add a card; what QEMU says is read and dropped
slot_plug() { # PORT CARD
	echo "echo 'device_add $2,bus=$1' >$tap_scratch/monitor.in; sleep 1"
}

# In a stage: read or write 16 bits of configuration space
slot_word() { # BDF OFFSET [VALUE]
	local config=/sys/bus/pci/devices/$1/config
	if [ $# = 3 ]; then
		printf "\\x$(printf %02x $(($3 & 255)))\\x$(printf %02x $(($3 >> 8)))" |
			dd of="$config" bs=2 oflag=seek_bytes seek="$2" conv=notrunc status=none
	else
		echo $(($(od -A n -t u2 -j "$2" -N 2 "$config")))
	fi
}

# In a stage: where the PCI Express capability of a port is
slot_capability() { # BRIDGE
	local at=$(($(slot_word "$1" 0x34) & 0xfc)) word
	while [ "$at" != 0 ]; do
		word=$(slot_word "$1" "$at")
		[ $((word & 0xff)) = 16 ] && break
		at=$((word >> 8 & 0xfc))
	done
	echo "$at"
}

# In a stage: the card is gone at once, as if pulled out: QEMU takes it away when
# the power controller and the power indicator are off (PCIe 7.5.3.10). What the
# kernel is told, unless it is to go "unnoticed", is that none is present.
slot_pull() { # BRIDGE [unnoticed]
	local control=$(($(slot_capability "$1") + 0x18)) value
	value=$(slot_word "$1" "$control")
	slot_word "$1" "$control" $(((value | 0x0700) & ~0x1039))
	[ "${2-}" = unnoticed ] || slot_word "$1" "$control" "$value"
}

# In a stage: power for a card that was plugged, as if it had been there ever since
slot_power() { # BRIDGE
	local control=$(($(slot_capability "$1") + 0x18))
	slot_word "$1" "$control" $(($(slot_word "$1" "$control") & ~0x0600))
	# QEMU undoes a write that clears what is not set
	slot_word "$1" $((control + 2)) $(($(slot_word "$1" $((control + 2))) & 0x011f))
}

# In a stage: until a device is there, or not there
slot_wait() { # BDF there|gone
	local i
	for ((i = 0; i < 100 * LAB_SLOWER; i++)); do
		if [ -e "/sys/bus/pci/devices/$1" ]; then
			[ "$2" = gone ] || return 0
		else
			[ "$2" = there ] || return 0
		fi
		sleep 0.2
	done
	return 1
}
