#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# A record that fails a check is not used: the incoming kernel panics at once and
# says which, and so does a kernel that is told to switch translation off.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/kernel/dma-session.sh
. "$here/dma-session.sh"
# shellcheck source=tests/kernel/successor.sh
. "$here/successor.sh"

stage before <<'END'
set -e
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
bind-vfio $LAB_DEVICES
dma_preserved_device records "$LAB_DEVICES" 4
dma hold
"$LAB_BUILD/tests/kernel/damage-record" "$DAMAGE"
END
before=$stage
stage after <<'END'
echo "the incoming kernel runs"
END
after=$stage

# What boots quickest: there are many runs.
machine=(--cpus 1 --memory 512 --devices edu)
lab_run --env DAMAGE=nothing --mode legacy "${machine[@]}" "$before" "$after"

# refused WHAT MODE MESSAGE OPTION...: the damage, and what the panic says
refused() {
	local what=$1 mode=$2 message=$3
	shift 3
	lab_try --env DAMAGE="${what%% *}" --mode "$mode" "${machine[@]}" "$@" "$before" "$after" 2>"$tap_scratch/said"
	is "$what: the incoming kernel panics before user space" \
		"$lab_status $(cat "$lab_results/stage2.exit" 2>/dev/null)" "3 "
	like "$what: it says why" "$(grep -a 'Kernel panic' "$lab_results/console-incoming.log")" "$message" ||
		diag "$(cat "$tap_scratch/said")"
}

# By then the hardware uses another table, and only a page is at stake.
lab_run --env DAMAGE=unit-irta --mode scalable "${machine[@]}" "$before" "$after"
like "unit-irta: a table of interrupts that was not preserved is not freed" \
	"$(cat "$lab_results/dmesg-incoming.log")" 'interrupt remapping table 0x100000 was not preserved'

used='previous kernel.s records cannot be used: '
refused header-magic legacy "${used}header has magic"
refused header-bit legacy "${used}header has a wrong checksum"
refused unit-bit scalable "${used}record of a unit has a wrong checksum"
refused domain-bit first-stage "${used}record of a domain has a wrong checksum"
refused device-bit legacy "${used}record of a device has a wrong checksum"
refused block-count legacy "${used}block of devices at 0x[0-9a-f]* has 9999 entries"
refused block-next legacy "${used}blocks of devices do not end"
refused domain-top legacy "${used}top table 0x100000 is in no chunk"
refused chunk-bit first-stage "${used}chunks of top table 0x[0-9a-f]* have a wrong checksum"
refused chunk-order scalable "${used}chunk 0x[0-9a-f]* of order [0-9]* was not preserved"
refused chunk-twice legacy "${used}chunk 0x[0-9a-f]* overlaps the one before"
refused device-unit legacy "${used}device .* has the unknown unit"
refused device-segment legacy "${used}device 0001:0100 and its unit 0x[0-9a-f]* are in two segments"
refused device-did scalable "cannot be taken over: 0000:0100 uses table .*, expected "
refused unit-root scalable "cannot be taken over: root table address is"
refused context legacy "cannot be taken over: 0000:0100 uses table .*, expected "

# Such a command line is refused by the reboot call (successor-refused.t) unless the image
# says something that is not so.
image_lies "$tap_scratch/lies"
refused "nothing but the feature is off" legacy "${used}.*boot with iommu.liveupdate=on" \
	--incoming "$tap_scratch/lies" --incoming-append iommu.liveupdate=off
refused "nothing but translation is off" legacy "cannot be taken over: it is to be switched off; boot with intel_iommu=on" \
	--incoming "$tap_scratch/lies" --incoming-append intel_iommu=off
refused "nothing but the mode is another" scalable "cannot be taken over: it runs in scalable mode" \
	--incoming "$tap_scratch/lies" --incoming-append intel_iommu=sm_off
rm -f "$tap_scratch/lies"
tap_done
