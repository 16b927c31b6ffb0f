#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# A write to 0xfeexxxxx is an interrupt, whatever the page table says. A device whose
# receive buffers are there sends one with each frame: it raises nothing from the
# moment the outgoing kernel lets go of the IOMMU, not while no kernel runs, not in
# early boot, and not while the device waits for its owner.
#
# Each frame is some messages, one for every four bytes. The first has the address
# and data of the device's own MSI-X vector, which the outgoing kernel has an entry
# for, and the incoming one has none as long as nobody has the device. QEMU does not
# look at the source of a message that is a device's DMA (VT-d 9.10, SID), nor at
# compatibility format being blocked, so no other messages can be judged here: the
# frame has a delivery mode that does not exist where those are. Of AMD's unit it asks
# the entry of the I/O APIC, whatever the device.

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
. "$LAB_PROJECT/tests/kernel/igb.sh"
bind-vfio "$LAB_DEVICES"
dma_session
dma memory 16
dma device d "$LAB_DEVICES"
dma domain one d
dma map one 0x1000000
dma attach d one
dma listen d
read -r address data <<<"$(igb_message "$LAB_DEVICES")"
note message "$address $data"
[ "$LAB_MODE" != amd ] || address=0xfee00000
note forged "$address"
# Every buffer is there; the other half of a descriptor is not used.
dma fill "$address"
igb_receive "$LAB_DEVICES" 0x1000000 4096
dma mark one 1
dma_preserve forged
dma signals
ask-host start-frames
until [ "$(igb_head "$LAB_DEVICES")" -ge 50 ]; do sleep 0.05; done
note signals "$(dma signals)"
dma hold
END
before=$stage
stage after <<'END'
set -e
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
. "$LAB_PROJECT/tests/kernel/igb.sh"
sleep $((2 * LAB_SLOWER))
ask-host end-of-trace
if [ "$LAB_MODE" = amd ]; then
	# The third word of the device's entry in the table that the unit's first register
	# has the address of
	IFS=:. read -r _ bus slot function <<<"$LAB_DEVICES"
	table=$(($(busybox devmem 0xfed80000 64) & 0xffffffffff000))
	note entry "$(busybox devmem $((table + (0x$bus << 8 | 0x$slot << 3 | function) * 32 + 16)) 64)"
fi
note head "$(igb_head "$LAB_DEVICES")"
ask-host stop-frames
dma_session
dma retrieve-session forged
dma retrieve memory 1
dma retrieve iommufd 2
dma retrieve d 3
dma bind d
dma restore one 1
dma domain two d
dma map two 0x1000000
dma move d two
dma destroy one
dma finish
note finished yes
END
after=$stage

# One hundred frames in a second, fewer for a slow kernel, until they are not wanted
# any more.
# shellcheck disable=SC2016 # the laboratory's shell expands it
start='cd "$LAB_RESULTS" && touch frames && {
	for ((i = 0; i < 6000; i++)); do
		[ -e frames ] || break
		printf "$FRAME" >"/dev/udp/127.0.0.1/$LAB_PORTS"
		sleep 0.0$LAB_SLOWER
	done
} >/dev/null 2>&1 &'
word0='\x00\x00\x00\x00' nothing='\x00\x03\x00\x00'
four=$word0$word0$word0$word0
# From 0xfeexxx18 on: remappable format where bit 4 of the address is set.
frame_vtd=$word0$word0$nothing$nothing$nothing$nothing$four$nothing$nothing$nothing$nothing$word0$word0
# At 0xfee00000: entry 200, which the data names, and addresses that are no interrupts.
data_amd=0xc8
frame_amd='\xc8\x00\x00\x00'$nothing$nothing$nothing$four$four$four

# What QEMU traces of VT-d and of AMD's unit
events='vtd_ir_enable vtd_ir_irte_get vtd_ir_remap_msi vtd_ir_remap_msi_req vtd_inv_desc_cc_global vtd_reg_ir_root
	amdvi_ir_remap_msi amdvi_ir_remap_msi_req amdvi_all_inval'

# forge MODE OPTION...: a live update under a stream of forged messages
forge() {
	local mode=$1 frame=$frame_vtd
	shift
	[ "$mode" != amd ] || frame=$frame_amd
	# shellcheck disable=SC2016
	lab_run --mode "$mode" --devices igb --trace "$tap_scratch/trace" --trace-events "$events" \
		--env FRAME="$frame" --hook start-frames="$start" --hook stop-frames='rm "$LAB_RESULTS/frames"' \
		--before-jump 'stat -c %s "$LAB_TRACE" >"$LAB_RESULTS/trace.jump"' \
		--hook end-of-trace='stat -c %s "$LAB_TRACE" >"$LAB_RESULTS/trace.end"' "$@" "$before" "$after"
	rm -f "$lab_results/frames"
	read_trace "$mode"
}

# What became of the first message of each frame: as the outgoing kernel has let go
# of the unit, which is when it invalidates all of a cache, and from the moment the
# incoming kernel has set it up. Others that pass are the kernel's own; AMD's unit has
# them at the same address.
read_trace() { # MODE
	local jump end data=
	[ "$1" != amd ] || data=$data_amd
	read -r jump <"$lab_results/trace.jump"
	read -r end <"$lab_results/trace.end"
	tried_between=0 tried_after=0 passed=0 stale=0 off=0
	eval "$(head -c "$end" "$tap_scratch/trace" | tail -c +$((jump + 1)) |
		awk -v "forged=$(fact forged | tr A-F a-f)" -v "data=$data" '
			# The time: PID@SECONDS:, from QEMU 11 on 2026-11-30T08:19:56Z
			{ sub(/^([^ ]*Z |[^:]*:)/, "") }
			/^vtd_inv_desc_cc_global/ || /^amdvi_all_inval/ { shut++ }
			!shut	{ next }
			/^vtd_reg_ir_root/ || (/^amdvi_all_inval/ && shut > 1) { set_up = 1 }
			/^vtd_ir_enable enable 0/ { off++ }
			$1 ~ /_ir_remap_msi_req$/ && $3 == forged && (!data || $5 == data) { set_up ? after++ : between++ }
			$1 ~ /_ir_remap_msi$/ && $3 == forged "," && (!data || $5 == data ")") { passed++ }
			$1 == "vtd_ir_irte_get" && !set_up && $5 $7 != "0x00x0" { stale++ }
			END {
				printf "tried_between=%d tried_after=%d passed=%d stale=%d off=%d",
					between, after, passed, stale, off
			}')"
}

# blocks ENTRY: is it valid for interrupts (IV), and are they aborted (IntCtl)?
blocks() { [ $(($1 & 1)) = 1 ] && [ $(($1 >> 60 & 3)) = 0 ]; }

# forged WHAT: what is true of the run
forged() {
	ok "$1: forged messages come while no kernel has set the unit up" [ "$tried_between" -ge 5 ]
	ok "$1: and while the device waits" [ "$tried_after" -ge 100 ]
	is "$1: none of them passes" "$passed" 0
	if [ "$1" != amd ]; then
		is "$1: no entry of the outgoing kernel is looked up" "$stale" 0
		is "$1: interrupt remapping is never switched off" "$off" 0
	fi
	is "$1: nothing arrives that nobody expects" \
		"$(grep -c 'No irq handler for vector' "$lab_results/dmesg-incoming.log")" 0
	is "$1: the device comes home" "$(fact finished)" yes
}

for mode in ${MODES:-legacy scalable first-stage amd}; do
	lab_what=$mode
	forge "$mode"
	# QEMU does not ask the device's entry of AMD's unit.
	[ "$mode" = amd ] ||
		ok "$mode: the device's own message is an interrupt before" [ "$(fact signals)" -ge 10 ]
	[ "$mode" != amd ] ||
		ok "$mode: the entry of the waiting device blocks its interrupts" blocks "$(fact entry)"
	forged "$mode"
done

# The reboot call refuses such a kernel, unless its image says that all is on.
image_lies "$tap_scratch/lies"
lab_what="the incoming kernel is told not to remap interrupts"
forge scalable --incoming "$tap_scratch/lies" --incoming-append intremap=off
forged "intremap=off"
like "intremap=off: the option is ignored, and that is said" "$(cat "$lab_results/dmesg-incoming.log")" \
	'intremap=off are ignored'

lab_what="the incoming kernel is told not to remap interrupts, amd"
forge amd --incoming "$tap_scratch/lies" --incoming-append 'intremap=off iommufd.allow_unsafe_interrupts=1'
ok "amd, intremap=off: the entry of the waiting device blocks its interrupts" blocks "$(fact entry)"
is "amd, intremap=off: the device comes home" "$(fact finished)" yes
rm -f "$tap_scratch/lies"

# Destination IDs have another width then, and the unit is told with the new table.
lab_what="one kernel uses the x2APIC, the other does not"
forge scalable --qemu -global --qemu intel-iommu.eim=on --incoming-append nox2apic
forged nox2apic
is "nox2apic: the kernels remap interrupts in different modes" \
	"$(cat "$lab_results"/dmesg-{outgoing,incoming}.log | grep -o 'Enabled IRQ remapping in .*' | xargs)" \
	"Enabled IRQ remapping in x2apic mode Enabled IRQ remapping in xapic mode"

stage unsafe <<'END'
set -e
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
bind-vfio "$LAB_DEVICES"
dma_session
dma memory 16
dma device d "$LAB_DEVICES"
dma domain one d
dma map one 0x1000000
dma attach d one
dma mark one 1
dma session unsafe
dma preserve memory 1
dma preserve iommufd 2
note preserve "$(dma try preserve d 3)"
END
for mode in scalable amd; do
	lab_what="$mode, the outgoing kernel does not remap interrupts"
	lab_run --mode $mode --devices edu --append 'intremap=off iommufd.allow_unsafe_interrupts=1' "$stage"
	is "$mode: a device whose interrupts are not remapped cannot be preserved" "$(fact preserve)" EOPNOTSUPP
	like "$mode: and the log says why" "$(cat "$lab_results/dmesg-outgoing.log")" 'does not remap interrupts'
done
tap_done
