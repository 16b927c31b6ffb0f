# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Read a ledger in a test: from the bytes and the vocabulary header alone, so
# that no program of this project has to be right for a test to be.

ledger_vocabulary=$(dirname "${BASH_SOURCE[0]}")/../../kernel/files/include/uapi/linux/liveupdate_trace.h

# ledger_names TABLE ARRAY: the names of a table of the vocabulary, by number
ledger_names() {
	local -n names=$2
	local number name
	while read -r number name; do
		# shellcheck disable=SC2034 # a reference
		names[number]=$name
	done < <(sed -n "/define $1(X)/,/^\$/s/.*X([A-Z_]*,[[:space:]]*\([0-9]*\), \"\([^\"]*\)\").*/\1 \2/p" \
		"$ledger_vocabulary")
}

ledger_steps=([0]=none)
ledger_kinds=()
ledger_edges=()
ledger_names LIVEUPDATE_STEPS ledger_steps
ledger_names LIVEUPDATE_KINDS ledger_kinds
ledger_names LIVEUPDATE_EDGES ledger_edges

ledger_classes=()
ledger_names LIVEUPDATE_CLASSES ledger_classes

# ledger_header FILE MEMBER: a member of the header
ledger_header() {
	local offset
	case $2 in
	header_size)	od -A n -t d4 -j 12 -N 4 "$1" | tr -d ' '; return ;;
	capacity)	offset=24 ;;
	count)		offset=32 ;;
	dropped)	offset=40 ;;
	cycles_khz)	offset=48 ;;
	wall_cycles)	offset=56 ;;
	wall_ns)	offset=64 ;;
	release)	dd if="$1" bs=1 skip=72 count=64 status=none | tr -d '\0'; return ;;
	*)		return 1 ;;
	esac
	od -A n -t d8 -j $offset -N 8 "$1" | tr -d ' '
}

# ledger_records FILE: a line for each record that the header counts:
# sequence cycles ref step edge kind ret object count name
ledger_records() {
	local count sequence cycles ref what object number name1 name2 name i
	count=$(ledger_header "$1" count)
	od -v -A n -t x8 -w64 -j "$(ledger_header "$1" header_size)" -N $((count * 64)) "$1" |
	while read -r sequence cycles ref what object number name1 name2; do
		name=
		for ((i = 14; i >= 0; i -= 2)); do
			[ "${name1:i:2}" = 00 ] || name+="\\x${name1:i:2}"
		done
		for ((i = 14; i >= 0; i -= 2)); do
			[ "${name2:i:2}" = 00 ] || name+="\\x${name2:i:2}"
		done
		what=$((16#$what))
		printf "%d %d %d %s %s %s %d 0x%x %d $name\n" \
			$((16#$sequence)) $((16#$cycles)) $((16#$ref)) \
			"${ledger_steps[what & 0xffff]}" \
			"${ledger_edges[what >> 16 & 0xff]}" \
			"${ledger_kinds[what >> 24 & 0xff]}" \
			$((what >> 32)) $((16#$object)) $((16#$number))
	done
}

# ledger_without_parts FILE: the same, but for parts of boot and shutdown
ledger_without_parts() {
	ledger_records "$1" | awk '$4 !~ /^(name|short|setup|teardown|wait|initcalls?|probe|shutdown|cpu-up|relocate|decompress)$/'
}

# ledger_drops FILE CLASS [MEMBER]: what was dropped of a class: count, first or last
ledger_drops() {
	local class member=0
	for class in "${!ledger_classes[@]}"; do
		[ "${ledger_classes[class]}" != "$2" ] || break
	done
	case ${3-count} in
	first)	member=8 ;;
	last)	member=16 ;;
	esac
	od -A n -t d8 -j $((136 + class * 24 + member)) -N 8 "$1" | tr -d ' '
}

# ledger_next FILE: the number that comes after all that the ledger gave out
ledger_next() {
	local first
	first=$(od -A n -t d8 -j "$(ledger_header "$1" header_size)" -N 8 "$1" | tr -d ' ')
	echo $((first + $(ledger_header "$1" count) + $(ledger_header "$1" dropped)))
}
