#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# What of a handover fails a check costs the devices concerned, and nothing else. Two
# devices cross, each in a session of its own, and the first one's records are damaged.
# A device that is lost masters the bus no more and reaches no memory even if it is
# made to; log, ledger and sysfs say why; its session finishes. The other one comes
# home. With iommu.liveupdate_on_error=panic the incoming kernel panics, as said.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/kernel/dma-session.sh
. "$here/dma-session.sh"
# shellcheck source=tests/kernel/ledger.sh
. "$here/ledger.sh"
# shellcheck source=tests/kernel/successor.sh
. "$here/successor.sh"

stage before <<'END'
set -e
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
read -r first second <<<"$LAB_DEVICES"
for device in first second; do
	bind-vfio "${!device}" >/dev/null
	dma_preserved_device "$device" "${!device}" 4
	dma write 0x0 0x1111
	dma load "${!device}" 0x1000000
	dma fill 0
	dma hold
done
"$LAB_BUILD/tests/kernel/damage-record" "$DAMAGE"
END
before=$stage
stage after <<'END'
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
read -r first second <<<"$LAB_DEVICES"
pci=/sys/bus/pci/devices
cat /sys/kernel/liveupdate/ledger/current >"$LAB_RESULTS/current"
lutrace postmortem -j >"$LAB_RESULTS/postmortem"
for device in first second; do
	note "$device-bdf" "${!device}"
	note "$device-is" "$(cat "$pci/${!device}/liveupdate") $(is_master "${!device}")"
done
for device in first second; do
	bdf=${!device}
	bind-vfio "$bdf" >/dev/null
	dma_session
	dma retrieve-session "$device"
	dma retrieve memory 1
	iommufd=$(dma try retrieve iommufd 2)
	retrieved=$(dma try retrieve d 3)
	make_master "$bdf"
	dma store "$bdf" 0x1001000
	note "$device-writes" "$(dma read 0x1000)"
	if [ "$retrieved" = ok ]; then
		dma bind d
		dma domain n d
		dma map n 0x1000000
		dma move d n
	fi
	note "$device-session" "$iommufd $retrieved $(dma try finish)"
	[ "$retrieved" = ok ] || continue
	dma store "$bdf" 0x1002000
	note "$device-home" "$(dma read 0x2000)"
done
END
after=$stage

# What boots quickest: there are many runs.
machine=(--cpus 1 --memory 512 --devices "edu,edu")

# crosses WHAT MODE MESSAGE OPTION...: the damage, and what the log says of it
crosses() {
	what=$1
	lab_run --env DAMAGE="${1%% *}" --mode "$2" "${machine[@]}" "${@:4}" "$before" "$after"
	log=$(cat "$lab_results/dmesg-incoming.log")
	[ "$2" != amd ] || what="$what, AMD"
	like "$what: it is said what was found" "$log" "liveupdate: .*$3"
	reasons=$(ledger_records "$lab_results/current" | awk '$4 == "device-isolate" { print $8, $10 }' | sort -u)
}

# lost NAME REASON
lost() {
	local bdf object
	bdf=$(fact "$1-bdf")
	object=$(printf '0x%x' $(((0x${bdf:5:2} << 8 | 0x${bdf:8:2} << 3 | ${bdf:11}) << 32)))
	is "$what: the $1 is lost, and does not master the bus" "$(fact "$1-is")" "lost $2 0"
	is "$what: the log says so once" "$(grep -c "device $bdf is lost: " <<<"$log")" 1
	ok "$what: the ledger has the reason" grep -qx "$object $2" <<<"$reasons"
	is "$what: lutrace postmortem has it" "$(jq -r ".unfinished[] | select(.object == \"$bdf\") | .state + \" \" + .reason" \
		"$lab_results/postmortem")" "lost $2"
	is "$what: it reaches no memory, even if it is made to master the bus" "$(fact "$1-writes")" 0
	is "$what: it cannot be retrieved, its iommufd can, and its session finishes" "$(fact "$1-session")" "ok EIO ok"
}

# home NAME
home() {
	is "$what: the $1 has waited" "$(fact "$1-is")" "waiting 1"
	is "$what: it writes where it did, until it is moved" "$(fact "$1-writes")" 0x1111
	is "$what: its session finishes, and it goes on" "$(fact "$1-session") $(fact "$1-home")" "ok ok ok 0x1111"
}

# one WHAT MODE REASON MESSAGE OPTION...: the first is lost, and the second is not
one() {
	crosses "$1" "$2" "${@:4}"
	lost first "$3"
	home second
}

# both WHAT MODE REASON MESSAGE OPTION...: what is damaged is of both
both() {
	crosses "$1" "$2" "${@:4}"
	lost first "$3"
	lost second "$3"
}

# neither WHAT MODE MESSAGE OPTION...
neither() {
	crosses "$@"
	home first
	home second
}

# panics WHAT MODE MESSAGE OPTION...
panics() {
	lab_try --env DAMAGE="${1%% *}" --mode "$2" "${machine[@]}" "${@:4}" \
		--incoming-append iommu.liveupdate_on_error=panic "$before" "$after" 2>"$tap_scratch/said"
	is "$1, and that is to panic: the incoming kernel does, before user space" \
		"$lab_status $(cat "$lab_results/stage2.exit" 2>/dev/null)" "3 "
	like "$1: it says why" "$(grep -a 'Kernel panic' "$lab_results/console-incoming.log")" "liveupdate: $3" ||
		diag "$(cat "$tap_scratch/said")"
}

# By then the hardware uses another table, and only a page is at stake.
neither unit-irta scalable 'interrupt remapping table 0x100000 is not the one that was found'
neither unit-irta-tables legacy 'interrupt remapping table 0x[0-9a-f]* is not the one that was found'

both header-magic legacy record 'header 0x[0-9a-f]* has another magic number'
both header-bit scalable record 'header 0x[0-9a-f]* has a wrong checksum'
both block-count legacy record 'blocks of devices have one with an impossible number of entries'
both block-next scalable record 'blocks of devices do not end'
both unit-bit scalable unit 'record of a unit has a wrong checksum'
both unit-root legacy unit 'is not as recorded: it has another root table'
both device-twice legacy record 'record of a device: there are two of 0000:0100'
both pci-header legacy no-record 'header has a wrong checksum'
one domain-bit first-stage no-domain 'record of a domain has a wrong checksum'
one domain-level legacy no-domain 'record of a domain has a geometry that no page table has'
one domain-top scalable no-domain 'record of a domain with top table 0x100000 has a top table that is in no chunk'
one domain-tables legacy no-domain 'page table 0x[0-9a-f]*: found 4 tables, expected 3' --incoming-append iommu.liveupdate=eager
one chunk-bit first-stage no-domain 'has chunks with a wrong checksum'
one chunk-order scalable no-domain 'has a chunk that was not preserved'
one chunk-twice legacy no-domain 'has a chunk that overlaps the one before'
one device-bit legacy record 'record of a device has a wrong checksum'
one device-unit scalable unit 'names a unit that there is no valid record of'
one device-segment legacy record '0001:0100 and its unit are in two segments'
one device-pasids scalable record 'has a PASID directory that was not preserved'
one device-pasid-list scalable record 'blocks of PASIDs have one that was not preserved'
one device-pasid-number first-stage record 'record of a device has PASIDs without a list'
one pasid-entry scalable entry '0000:0100 is not as recorded: a PASID has a table entry, and no record'
one pasid-entry first-stage entry '0000:0100 is not as recorded: a PASID has a table entry, and no record'
one device-did first-stage entry '0000:0100 is not as recorded: it uses another domain id'
one context legacy entry '0000:0100 is not as recorded: it uses another domain id'
amd=(--qemu -global --qemu edu.dma_mask=0xffffffff)
both header-bit amd record 'header 0x[0-9a-f]* has a wrong checksum' "${amd[@]}"
both unit-root amd unit 'is not as recorded: it has another device table' "${amd[@]}"
one device-did amd entry 'is not as recorded: it uses another domain id' "${amd[@]}"
one device-bit amd record 'record of a device has a wrong checksum' "${amd[@]}"

panics device-bit legacy 'record of a device has a wrong checksum'

# Such a command line is refused by the reboot call (successor-refused.t) unless the image
# says something that is not so.
image_lies "$tap_scratch/lies"
lies=(--incoming "$tap_scratch/lies" --incoming-append)
neither "nothing but the feature is off" legacy 'iommu.liveupdate=off is ignored' "${lies[@]}" iommu.liveupdate=off
neither "nothing but translation is off" legacy 'is to be switched off, which is ignored' "${lies[@]}" intel_iommu=off
neither "nothing but the mode is another" scalable 'intel_iommu=sm_off is ignored' "${lies[@]}" intel_iommu=sm_off
panics "nothing but translation is off" legacy 'dmar.* is to be switched off' "${lies[@]}" intel_iommu=off
rm -f "$tap_scratch/lies"
tap_done
