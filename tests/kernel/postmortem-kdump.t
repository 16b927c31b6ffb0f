#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# What postmortem-vmcore.t does, as a host has it: the outgoing kernel dies with a
# device preserved, Linux's kdump starts a second kernel in memory that was kept for
# it, and that saves the memory of the first: whole, and by makedumpfile as Debian's
# kdump-tools call it, but with the user pages (docs/postmortem.md says why).

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
build=${BUILD:-$here/../../build}
lutrace=$build/bin/lutrace

stage dies <<'END'
set -e
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
kexec -p -s --command-line="$LAB_INCOMING_CMDLINE irqpoll reset_devices" "$LAB_INCOMING"
bind-vfio $LAB_DEVICES
dma_preserved_device guests "$LAB_DEVICES"
dma hold
lutrace snapshot -d "$LAB_DEVICES" -o "$LAB_RESULTS/snapshot"
sync
echo c >/proc/sysrq-trigger
END
dies=$stage
stage saves <<'END'
cp --sparse=always /proc/vmcore "$LAB_RESULTS/vmcore" || exit
makedumpfile -c -d 23 --message-level 4 /proc/vmcore "$LAB_RESULTS/dump" >"$LAB_RESULTS/makedumpfile.log" 2>&1
END
saves=$stage

# By default KHO keeps twice the memory that is reserved early, crashkernel= included.
lab_try --mode scalable --memory 1024 --devices edu --append "crashkernel=256M kho_scratch=32M,128M,32M" \
	--incoming "$build/linux/successor/arch/x86/boot/bzImage" "$dies" "$saves" 2>"$tap_scratch/said"
is "the outgoing kernel dies" "$lab_status" 3 || diag "$(cat "$tap_scratch/said")"
is "a second one saves its memory" "$(cat "$lab_results/stage2.exit")" 0 ||
	diag "$(tail -n 40 "$lab_results/console-incoming.log")"

# answer FILTER: of the post-mortem's JSON, on one line
answer() { jq -c -r "$1" "$tap_scratch/answer"; }
# explained WHAT FILE: the dump tells what happened
explained() {
	"$lutrace" postmortem -j --vmcore "$2" --vmlinux "$build/linux/lab/vmlinux" \
		--snapshot "$lab_results/snapshot" >"$tap_scratch/answer" 2>"$tap_scratch/errors"
	is "$1: it is not good" $? 1
	is "$1: the sentence" "$(answer .summary)" \
		"Linux 7.3.4 died after a preserve, before the reboot call, after the step file-preserve of 3 (vfio-pci-v1)." ||
		diag "$(cat "$tap_scratch/errors")"
	is "$1: its panic" "$(answer .panic)" "sysrq triggered crash"
	is "$1: the session and its files" \
		"$(answer '[.sessions_in_memory[] | .name + " " + .state, (.files[] | "\(.token) \(.type)")] | join(", ")')" \
		"guests preserved, 1 memfd-v4, 2 iommufd-v1, 3 vfio-pci-v1"
	is "$1: the device, its tables, and its record" \
		"$(answer '.tables[] | .device + " " + .verdict + ", its record " + .record')" \
		"0000:01:00.0 identical, its record fits"
	is "$1: nothing of it is unreadable" "$(answer '.unread')" '[]'
}
explained "the dump of cp" "$lab_results/vmcore"
explained "makedumpfile -c -d 23, in the machine" "$lab_results/dump"
# The same makedumpfile, of the same memory: its other formats.
for options in "-E -d 22" "-l -d 22" "-z -d 22"; do
	rm -f "$tap_scratch/dump"
	# shellcheck disable=SC2086
	makedumpfile $options --message-level 4 "$lab_results/vmcore" "$tap_scratch/dump" >"$tap_scratch/makedumpfile.log" 2>&1
	explained "makedumpfile $options" "$tap_scratch/dump"
done

# What kdump-tools save: they write to a pipe.
makedumpfile -F -c -d 23 --message-level 4 "$lab_results/vmcore" >"$tap_scratch/pieces" 2>"$tap_scratch/makedumpfile.log"
"$lutrace" postmortem --vmcore "$tap_scratch/pieces" --vmlinux "$build/linux/lab/vmlinux" >"$tap_scratch/answer" 2>&1
like "it is read, or it is said how to put its pieces together" "$(cat "$tap_scratch/answer")" \
	"sysrq triggered crash|'makedumpfile -R NEW <FILE'"
rm -f "$tap_scratch/dump"
makedumpfile -R "$tap_scratch/dump" <"$tap_scratch/pieces" >"$tap_scratch/makedumpfile.log" 2>&1
explained "makedumpfile -F, and -R" "$tap_scratch/dump"
rm -f "$tap_scratch/pieces"

# A dump without a page that is needed. What stands for the registers of the unit is
# its record then, and everything else is explained.
cat >"$tap_scratch/without.py" <<'END'
"""Cut the page with struct intel_iommu out of an ELF core: drgn -c CORE THIS OUT"""
import struct
import sys

from drgn.helpers.linux.list import list_first_entry
from drgn.helpers.linux.mm import virt_to_phys

unit = list_first_entry(prog["dmar_drhd_units"].address_of_(), "struct dmar_drhd_unit", "list")
missing = virt_to_phys(unit.iommu.reg_phys.address_of_()).value_()
page = missing & ~4095
HEADER = struct.Struct("=IIQQQQQQ")  # type, flags, offset, vaddr, paddr, filesz, memsz, align
core = open(sys.argv[1], "r+b")
head = bytearray(core.read(64))
at, size, count = struct.unpack_from("=Q", head, 32)[0], *struct.unpack_from("=HH", head, 54)
core.seek(at)
headers = [HEADER.unpack(core.read(size)) for _ in range(count)]
i = next(i for i, h in enumerate(headers) if h[0] == 1 and h[4] <= page < h[4] + h[5])
kind, flags, offset, virtual, physical, length, _, align = headers[i]
before = page - physical
after = before + 4096
headers[i : i + 1] = [
    (kind, flags, offset, virtual, physical, before, before, align),
    (kind, flags, offset + after, virtual + after, page + 4096, length - after, length - after, align),
]
assert at + size * len(headers) <= min(h[2] for h in headers)
struct.pack_into("=H", head, 56, len(headers))
core.seek(0)
core.write(head)
core.seek(at)
core.write(b"".join(HEADER.pack(*h) for h in headers))
print(f"{missing:#x}")
END
cp --sparse=always "$lab_results/vmcore" "$tap_scratch/without"
missing=$(drgn -q -c "$lab_results/vmcore" -s "$build/linux/lab/vmlinux" "$tap_scratch/without.py" "$tap_scratch/without")
"$lutrace" postmortem -j --vmcore "$tap_scratch/without" --vmlinux "$build/linux/lab/vmlinux" \
	--snapshot "$lab_results/snapshot" >"$tap_scratch/answer" 2>"$tap_scratch/errors"
is "of a page that is missing it is said what is not known" "$(answer .unread)" \
	"[\"hardware: not in the dump: $missing\"]" || diag "$(cat "$tap_scratch/errors")"
like "and what to do" "$(answer '.advice[0]')" '^pages are missing: .* -d 23$'
is "and the rest is explained" "$(answer '.panic, (.tables[] | .verdict)' | xargs)" "sysrq triggered crash identical"
rm -f "$tap_scratch/without"

# kdump-tools' own level leaves the ledger out: nothing is claimed of what stood in it.
makedumpfile -c -d 31 --message-level 4 "$lab_results/vmcore" "$tap_scratch/least" >"$tap_scratch/makedumpfile.log" 2>&1
"$lutrace" postmortem -j --vmcore "$tap_scratch/least" --vmlinux "$build/linux/lab/vmlinux" \
	>"$tap_scratch/answer" 2>"$tap_scratch/errors"
like "of a dump without the ledger it is said that nobody knows how far it came" \
	"$(answer '.point, .summary' | xargs)" '^unknown Linux .* died at a point that nobody knows' || diag "$(cat "$tap_scratch/errors")"
rm -f "$tap_scratch/least"

# A dump that is damaged: most of it is not there, or bits of its headers are others.
refused_or_unread() {
	local status
	timeout 60 "$lutrace" postmortem -j --vmcore "$tap_scratch/damaged" --vmlinux "$build/linux/lab/vmlinux" \
		>"$tap_scratch/answer" 2>"$tap_scratch/errors"
	status=$?
	[ $status = 2 ] || { [ $status = 1 ] && grep -q ' cannot be used: ' "$tap_scratch/errors"; } ||
		[ "$(answer '.unread | length')" -gt 0 ]
}
head -c 1M "$lab_results/dump" >"$tap_scratch/damaged"
ok "of a dump that is cut off nothing is claimed" refused_or_unread || diag "$(cat "$tap_scratch/errors")"
cp "$lab_results/dump" "$tap_scratch/damaged"
# struct disk_dump_header: after the names, the time and the status
printf '\377\377\377\377' | dd of="$tap_scratch/damaged" bs=1 seek=428 conv=notrunc status=none
ok "nor of one with another block size" refused_or_unread || diag "$(cat "$tap_scratch/errors")"
cp "$lab_results/dump" "$tap_scratch/damaged"
# struct kdump_sub_header, in the block behind it, ends with max_mapnr_64
printf '\377\377\377\377\377' | dd of="$tap_scratch/damaged" bs=1 seek=$((4096 + 96)) conv=notrunc status=none
ok "and one of 4 PiB in a file of megabytes is not searched" refused_or_unread || diag "$(cat "$tap_scratch/errors")"
rm -f "$lab_results/vmcore" "$lab_results/dump" "$tap_scratch/dump" "$tap_scratch/damaged"
tap_done
