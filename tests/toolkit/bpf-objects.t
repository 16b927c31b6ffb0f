#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# BPF objects are complete: bpftool and any libbpf program can load them, on
# another kernel than the one they were built beside, and read their maps.

set -u
project=$(cd "$(dirname "$(readlink -f "$0")")/../.." && pwd)
# shellcheck source=tests/lab/tap.sh
. "$project/tests/lab/tap.sh"
objects=${BUILD:-$project/build}/bpf
bpftool=$(PATH=$PATH:/usr/sbin:/sbin command -v bpftool) || skip_all "bpftool is not installed"

# Every map of the object has types for its keys and values. A ring buffer, which is
# BPF_MAP_TYPE_RINGBUF (27), has neither.
maps_have_types() {
	local maps typed
	"$bpftool" -j btf dump file "$1" >"$tap_scratch/btf.json" || return
	maps=$(jq '[.types[] | select(.kind == "DATASEC" and .name == ".maps") | .vars[]] | length' "$tap_scratch/btf.json")
	typed=$(jq '[(.types | INDEX(.id | tostring)) as $type | .types[] |
		select(.kind == "DATASEC" and .name == ".maps") | .vars[] |
		$type[$type[.type_id | tostring].type_id | tostring].members |
		select((any(.name == "key") and any(.name == "value")) or
			any(.name == "type" and $type[$type[.type_id | tostring].type_id | tostring].nr_elems == 27))] | length' "$tap_scratch/btf.json")
	[ "$maps" -gt 0 ] && [ "$maps" = "$typed" ]
}

# bpftool opens the object, names, relocations and maps included.
opens() { "$bpftool" gen skeleton "$1" >/dev/null; }

relocates() { readelf -SW "$1" | grep -q ' \.BTF\.ext '; }
licensed() { readelf -p license "$1" | grep -q 'Dual BSD/GPL'; }

for source in "$project"/bpf/*.bpf.c; do
	name=$(basename "$source" .bpf.c)
	object=$objects/$name.bpf.o
	ok "$name opens" opens "$object"
	ok "$name has types for all of its maps" maps_have_types "$object"
	ok "$name relocates to the running kernel's types" relocates "$object"
	ok "$name may be used under either licence" licensed "$object"
	# Not an object of the wrong kernel: no vmlinux.h was needed.
	ok "$name uses hand-written types" not grep -q vmlinux.h "$source"
	ok "$name has a skeleton" [ -s "$objects/$name.skel.h" ]
done

tap_done
