#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# What makes the boot of the incoming kernel shorter: the frequency of the APIC's timer crosses
# the kexec, the BTF of vmlinux is there for whoever asks first, and the firmware is asked for
# the label of a device no more often than somebody needs to know.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"

stage counted <<'END'
dmesg >"$LAB_RESULTS/before"
cat /sys/kernel/debug/kho/out/sub_fdts/lapic-timer-v1 >"$LAB_RESULTS/timer"
END
counted=$stage
stage taken <<'END'
dmesg >"$LAB_RESULTS/after"
# Nobody has used BPF yet
bpftool -j btf list >"$LAB_RESULTS/btf"
END
taken=$stage
lab_what="two kernels"
lab_run --append apic=verbose "$counted" "$taken"
like "the first kernel counts the APIC's timer" "$(cat "$lab_results/before")" 'Calibrating APIC timer'
like "the second one knows it" "$(cat "$lab_results/after")" 'lapic timer already calibrated [1-9]'
is "and does not count" "$(grep -c 'Calibrating APIC timer' "$lab_results/after")" 0
is "the BTF of vmlinux is the first that is listed" "$(jq -r '.[0] | "\(.id) \(.name)"' "$lab_results/btf")" "1 vmlinux"

# Counted in instructions. Parsing the BTF takes 28 million, in whichever initcall is the first
# to register kfuncs; the longest of all others takes half of that, but for ACPI's.
stage recorded <<'END'
cat /sys/kernel/liveupdate/ledger/current >"$LAB_RESULTS/current"
lutrace steps -L -j >"$LAB_RESULTS/steps.json"
END
if has_figures; then
	lab_what="counted in instructions"
	lab_run --icount --cpus 1 --timeout 600 "$stage"
	is "initcalls have their names" "$(lab_json steps.json 'any(.steps[]; .step == "initcall" and .object == "acpi_init")')" true
	is "no initcall has the BTF of vmlinux parsed" "$(lab_json steps.json '[.steps[] | select(.step == "initcall" and .ns > 2e7).object] - ["acpi_init"] | join(" ")')" ""
fi

# The record in the guest's memory, with a bit of its frequency changed
cat >"$tap_scratch/damage" <<'END'
import mmap, os
record = open(os.environ["LAB_RESULTS"] + "/timer", "rb").read()
with open(os.environ["LAB_RAM"], "r+b") as file:
    ram = mmap.mmap(file.fileno(), 0)
    at = ram.find(record)
    while at >= 0:
        ram[at] ^= 0x10
        at = ram.find(record, at + 1)
END
lab_what="a damaged record"
lab_run --append "apic=verbose nokaslr" --allow-warnings --at-jump "python3 $tap_scratch/damage" "$counted" "$taken"
like "a damaged record is refused" "$(cat "$lab_results/after")" 'lapic-timer: refused that of the previous kernel: wrong checksum'
like "and the timer is counted" "$(cat "$lab_results/after")" 'Calibrating APIC timer'

# Devices that ACPI names, the board (SMBIOS), both, and nobody. ACPI goes first.
stage labels <<'END'
grep 'acpi_check_dsm <-' /sys/kernel/tracing/trace >"$LAB_RESULTS/asked"
for slot in 1a 1b 1c 1d; do
	at=/sys/bus/pci/devices/0000:00:$slot.0
	(cd "$at" && echo "$slot" && ls -d label index acpi_index; cat index acpi_index) 2>/dev/null | xargs
done >"$LAB_RESULTS/labels"
END
lab_what="labels"
lab_run --append "ftrace=function ftrace_filter=acpi_check_dsm" \
	--qemu -device --qemu edu,id=firmware,bus=pcie.0,addr=0x1a,acpi-index=7 --qemu -device --qemu edu,id=board,bus=pcie.0,addr=0x1b \
	--qemu -device --qemu edu,id=both,bus=pcie.0,addr=0x1c,acpi-index=9 --qemu -device --qemu edu,id=nobody,bus=pcie.0,addr=0x1d \
	--qemu -smbios --qemu type=41,designation=one,instance=3,kind=other,pcidev=board \
	--qemu -smbios --qemu type=41,designation=two,instance=4,kind=other,pcidev=both "$stage"
is "a device has the label of ACPI, or else of SMBIOS" "$(cat "$lab_results/labels")" \
	'1a acpi_index label 7
1b index label 3
1c acpi_index label 9
1d'
is "ACPI is asked before one of SMBIOS's is shown, and at no other" \
	"$(grep -c '<-smbios_attr_is_visible' "$lab_results/asked")" 4
tap_done
