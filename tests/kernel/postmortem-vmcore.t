#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# A kernel dies in a live update: after the preserve, between freeze and jump, and
# in restore. From the memory that it leaves, lutrace postmortem says where, of
# what, and whether the IOMMU's tables were what they had to be.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
build=${BUILD:-$here/../../build}
lutrace=$build/bin/lutrace

stage before <<'END'
set -e
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
bind-vfio $LAB_DEVICES
dma_preserved_device guests "$LAB_DEVICES"
dma hold
lutrace snapshot -d "$LAB_DEVICES" -o "$LAB_RESULTS/snapshot"
[ "$DAMAGE" = nothing ] || "$LAB_BUILD/tests/kernel/damage-record" "$DAMAGE"
[ "$CRASH" = no ] || echo c >/proc/sysrq-trigger
END
before=$stage
stage after <<'END'
echo "the incoming kernel runs"
END
after=$stage

# crash WHEN MODE DAMAGE CRASH OPTION...: a machine whose kernel dies, and its dump
crash() {
	local when=$1 mode=$2 damage=$3 crash=$4
	shift 4
	lab_try --mode "$mode" --cpus 1 --memory 512 --devices edu --env DAMAGE="$damage" --env CRASH="$crash" \
		--on-panic '"$LAB_BUILD/bin/referee" dump --qmp "$LAB_QMP" --output "$LAB_RESULTS/vmcore"' \
		"$@" "$before" "$after" 2>"$tap_scratch/said"
	is "a kernel dies $when" "$lab_status" 3 || diag "$(cat "$tap_scratch/said")"
}
# postmortem KERNEL OPTION...: of the dump; in $tap_scratch/answer
postmortem() {
	local kernel=$1
	shift
	"$lutrace" postmortem -j --vmcore "$lab_results/vmcore" --vmlinux "$build/linux/$kernel/vmlinux" "$@" \
		>"$tap_scratch/answer" 2>"$tap_scratch/errors"
	echo $? >"$tap_scratch/exit"
	schema "  its answer is what its schema says" "$(jq -r 'if has("error") then "error" else "postmortem" end' "$tap_scratch/answer")" \
		"$tap_scratch/answer"
}
# answer FILTER: of that JSON, on one line
answer() { jq -c -r "$1" "$tap_scratch/answer"; }
# explained SENTENCE STEPS TABLES: the sentence, what never ended, the verdict on the device's tables
explained() {
	is "  the sentence" "$(answer .summary)" "$1" || diag "$(cat "$tap_scratch/errors")"
	is "  steps that never ended" "$(answer '[.open[] | .step + " " + .object | rtrimstr(" ")] | join(", ")')" "$2"
	is "  the device, its tables, and its record" \
		"$(answer '.tables[] | .device + " " + .verdict + ", its record " + .record')" "0000:01:00.0 $3"
	is "  nothing of the dump is unreadable" "$(answer '.unread')" '[]'
	is "  it is not good" "$(cat "$tap_scratch/exit")" 1
}
files='[.sessions_in_memory[] | .name + " " + .state, (.files[] | "\(.token) \(.type)")] | join(", ")'

crash "after the preserve" scalable nothing yes
postmortem lab --snapshot "$lab_results/snapshot"
explained "Linux 7.3.4 died after a preserve, before the reboot call, after the step file-preserve of 3 (vfio-pci-v1)." \
	"" "identical, its record fits"
# The snapshot file alone, on this machine: what it has is what is in the dump.
"$lutrace" walk -j --snapshot "$lab_results/snapshot" -d 0000:01:00.0 >"$tap_scratch/offline.json"
schema "  the snapshot can be walked without its machine" walk "$tap_scratch/offline.json"
is "  every entry of it is where it is in the dump" \
	"$(jq -c '[.entries[] | [.kind, .address, .level, .iova]]' "$tap_scratch/offline.json")" \
	"$("$lutrace" walk -j --vmcore "$lab_results/vmcore" --vmlinux "$build/linux/lab/vmlinux" -d 0000:01:00.0 |
		jq -c '[.entries[] | [.kind, .address, .level, .iova]]')"
"$lutrace" diff -j "$lab_results/snapshot" "$lab_results/snapshot" >"$tap_scratch/offline.json"
is "  it maps what it maps" "$? $(jq -c '[.verdict, .difference_count, .before.mapped_bytes > 0]' "$tap_scratch/offline.json")" '0 ["identical",0,true]'
is "  its panic" "$(answer .panic)" "sysrq triggered crash"
like "  the log before it" "$(answer '.log[]')" 'vfio-pci 0000:01:00.0: reset done'
is "  the session and its files" "$(answer "$files")" "guests preserved, 1 memfd-v4, 2 iommufd-v1, 3 vfio-pci-v1"
is "  what the device's file is" "$(answer '.sessions_in_memory[0].files[2].object')" 0000:01:00.0
is "  the records for the next kernel, all intact" \
	"$(answer '.records | [.units, .domains, .devices, .functions | length, (map(.damaged) | any)]')" \
	'[1,false,1,false,1,false,2,false]'
postmortem successor
is "with another kernel's vmlinux there is no answer" "$(cat "$tap_scratch/exit")" 2
like "  and it says why" "$(answer .error)" 'is not in the dump; give the vmlinux of exactly the kernel that died'

# The entry that translates IOVA 0x1003000, found in the dump and damaged there.
entry=$("$lutrace" walk -j --vmcore "$lab_results/vmcore" --vmlinux "$build/linux/lab/vmlinux" \
	-d 0000:01:00.0 -i 0x1003000 | jq -r '.entries[] | select(.level == 1).address')
read -r offset address < <(readelf -lW "$lab_results/vmcore" | awk '$1 == "LOAD" { print $2, $4; exit }')
at=$((offset + entry - address + 1))	# the byte with bits 8 to 15
byte=$(od -A n -t u1 -j $at -N 1 "$lab_results/vmcore")
# shellcheck disable=SC2059 # the format is the byte
printf "\\x$(printf %x $((byte ^ 0x10)))" |
	dd of="$lab_results/vmcore" bs=1 seek=$at conv=notrunc status=none
postmortem lab --snapshot "$lab_results/snapshot"
is "one bit of a page table that is flipped in the dump is found, by its IOVA" \
	"$(answer '[.identity, .difference_count, (.differences[] | .kind, .device, .iova, .level)]')" \
	'["different",1,"table-entry","0000:01:00.0","0x1003000",1]'
postmortem lab
is "without a snapshot the tables are only walked" "$(answer '[.identity, .tables[0].verdict]')" '[null,"walked"]'
truncate -s 4M "$lab_results/vmcore"
postmortem lab
is "of a dump that is cut off nothing is claimed" "$(cat "$tap_scratch/exit")" 2
rm -f "$lab_results/vmcore"

# The step around it is the one that calls this function.
crash "between freeze and jump" legacy nothing no --append nokaslr --crash-at outgoing:native_machine_shutdown
postmortem lab --snapshot "$lab_results/snapshot"
explained "Linux 7.3.4 died between freeze and jump, in the step machine-shutdown." \
	"reboot, machine-shutdown" "identical, its record fits"
is "  the memory, the iommufd and the device were frozen" "$(answer '[.unfinished[] | select(.kind == "file").state]')" \
	'["frozen","frozen","frozen"]'
rm -f "$lab_results/vmcore"

# A context entry that is not what the record says, and that is to stop the boot
crash "in restore" legacy context no --incoming-append iommu.liveupdate_on_error=panic
postmortem successor --snapshot "$lab_results/snapshot"
explained "Linux 7.3.4-successor died in the boot of the incoming kernel, while it restored, in the step iommu-restore of 0xfed90000." \
	"initcalls fs, initcall pci_iommu_init, iommu-restore 0xfed90000" "different, its record does not fit"
like "  its panic" "$(answer .panic)" 'dmar0: 0000:0100 is not as recorded: it uses another domain id'
is "  the entry that is not what it was" "$(answer '[.differences[] | .kind, .device]')" '["context-entry","0000:01:00.0"]'
like "  decoded, then and now" "$(answer '.differences[0] | .old_text + "; " + .new_text')" \
	'domain id ([0-9]+); .*domain id '
is "  the session waits" "$(answer "$files")" "guests waiting, 1 memfd-v4, 2 iommufd-v1, 3 vfio-pci-v1"
is "  both kernels' ledgers are there" "$(answer '.kernel | [.outgoing, .incoming] | join(" ")')" '7.3.4 7.3.4-successor'
postmortem lab
like "the kernel before, whose memory is still there, is not taken for it" "$(answer .error)" 'another kernel was running'
rm -f "$lab_results/vmcore"
tap_done
