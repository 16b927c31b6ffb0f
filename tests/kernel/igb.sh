# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# For stages: an Intel 82576 network controller (QEMU: igb) without a driver, by its
# registers, through /dev/mem. tools/workload/igb.c names the sections of its datasheet.

# igb_bar BDF NUMBER: where a BAR is
igb_bar() {
	awk -v "line=$(($2 + 1))" 'NR == line { print $1 }' "/sys/bus/pci/devices/$1/resource"
}

# igb_set BDF REGISTER VALUE
igb_set() { busybox devmem $(($(igb_bar "$1" 0) + $2)) 32 "$3"; }
igb_get() { busybox devmem $(($(igb_bar "$1" 0) + $2)) 32; }

# igb_wait BDF REGISTER MASK VALUE
igb_wait() {
	local tries
	for ((tries = 0; tries < 500; tries++)); do
		[ $(($(igb_get "$1" "$2") & $3)) != $(($4)) ] || return 0
		sleep 0.01
	done
	echo "igb $1: register $2 stays at $(igb_get "$1" "$2")"
	return 1
}

# igb_reset BDF: and have a link
igb_reset() {
	local bdf=$1
	igb_set "$bdf" 0x0000 0x04000000		# CTRL: reset
	sleep 0.01
	igb_wait "$bdf" 0x0000 0x04000000 0 || return
	igb_set "$bdf" 0x0018 0x10000000		# CTRL_EXT: a driver is loaded
	igb_set "$bdf" 0x0000 $(($(igb_get "$bdf" 0x0000) | 0x40))	# CTRL: link up
	igb_set "$bdf" 0x0020 0x04201200		# MDIC: negotiate the link anew
	igb_wait "$bdf" 0x0020 0x10000000 0x10000000 || return
	igb_wait "$bdf" 0x0008 0x2 0x2			# STATUS: link is up
}

# igb_share BDF: reset it, and let it have a queue for each virtual function (4.6.11.1)
igb_share() {
	local bdf=$1 pool
	igb_reset "$bdf" || return
	igb_set "$bdf" 0x5818 0x3			# MRQC: queues by pool
	for pool in 0 1 2 3 4 5 6 7; do
		igb_set "$bdf" $((0x5ad0 + 4 * pool)) 0x09000000	# VMOLR: broadcast, untagged
	done
	igb_set "$bdf" 0x0100 0x04008002		# RCTL: receive, broadcast, no CRC
}

# igb_enable_pools BDF MASK: those virtual functions receive
igb_enable_pools() { igb_set "$1" 0x0c8c "$2"; }		# VFRE

# igb_receive BDF IOVA ENTRIES: reset it, and let it receive every frame, with the
# descriptors at IOVA
igb_receive() {
	local bdf=$1 ring=$2 entries=$3
	igb_reset "$bdf" || return
	igb_set "$bdf" 0xc000 "$ring"			# RDBAL
	igb_set "$bdf" 0xc004 0				# RDBAH
	igb_set "$bdf" 0xc008 $((entries * 16))		# RDLEN
	igb_set "$bdf" 0xc00c 0x02000002		# SRRCTL: one buffer of 2 KiB for each
	igb_set "$bdf" 0xc010 0				# RDH
	igb_set "$bdf" 0xc018 0				# RDT
	igb_set "$bdf" 0xc028 0x02000000		# RXDCTL: enable the queue
	igb_set "$bdf" 0x0100 0x0400801a		# RCTL: receive, promiscuous, no CRC
	igb_wait "$bdf" 0xc028 0x02000000 0x02000000 || return
	igb_set "$bdf" 0xc018 $((entries - 1))		# RDT
}

# igb_head BDF: the descriptor that it uses next
igb_head() { echo $(($(igb_get "$1" 0xc010))); }

# igb_message BDF: address and data of its first MSI-X vector, in its BAR 3
igb_message() {
	local table
	table=$(igb_bar "$1" 3)
	echo "$(busybox devmem "$table" 32) $(busybox devmem $((table + 8)) 32)"
}
