# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# For stages that look at huge pages.

# huge SIZE [NODE]: total, free, reserved and surplus pages of 2M or 1G; a node does
# not know the reserved ones
huge() {
	local kib pool count line=""
	case $1 in
	2M) kib=2048 ;;
	1G) kib=1048576 ;;
	esac
	pool=/sys/kernel/mm/hugepages/hugepages-${kib}kB
	[ $# = 1 ] || pool=/sys/devices/system/node/$2/hugepages/hugepages-${kib}kB
	for count in nr_hugepages free_hugepages resv_hugepages surplus_hugepages; do
		[ ! -e "$pool/$count" ] || line+="$(cat "$pool/$count") "
	done
	echo "${line% }"
}
