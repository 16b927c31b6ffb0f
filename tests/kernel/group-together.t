#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# An IOMMU group of several devices crosses as a whole or not at all. While one of them is
# not preserved that is seen, and the reboot call fails and names it; with
# liveupdate.on_veto=drop the others are stopped. When all are preserved they go on with DMA,
# come home one by one, and move together, when the last one is bound. One that is lost is not
# waited for. Bridges of the group need not be preserved. Functions with ACS are groups of
# their own, and cross without each other.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/kernel/ledger.sh
. "$here/ledger.sh"
# shellcheck source=tests/kernel/dma-session.sh
. "$here/dma-session.sh"

# The last one that is preserved is the one that was found first.
stage before <<'END'
set -e
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
pci=/sys/bus/pci/devices
bind-vfio $FIRST $SECOND >/dev/null
note group $(ls $pci/$FIRST/iommu_group/devices)
dma_group $FIRST $SECOND
dma preserve b 4
note alone "$(xargs </sys/kernel/liveupdate/obstacles)"
note doctor "$(lutrace doctor --sessions | tr '\n' ' ')"
note jump "$(kexec -e 2>&1 | sed 's/.*: //')"
note log "$(dmesg | grep 'cannot cross a live update' | tail -n 1)"
note goes-on "$(dma store $SECOND 0x1001000; dma read 0x1000) $(is_master $SECOND)"
note one-used "$(sed -n 's/^used iommu-liveupdate-v[0-9]*;//p' /sys/kernel/liveupdate/compatible)"
if [ "$HOW" != alone ]; then
	dma preserve a 3
	note both "$(cat $pci/$FIRST/liveupdate $pci/$SECOND/liveupdate | xargs), $(cat /sys/kernel/liveupdate/obstacles)"
	note both-used "$(sed -n 's/^used iommu-liveupdate-v[0-9]*;//p' /sys/kernel/liveupdate/compatible)"
	dma fill 0
else
	echo drop >/sys/module/liveupdate/parameters/on_veto
fi
dma hold
END
before=$stage

stage after <<'END'
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
pci=/sys/bus/pci/devices
state() { cat $pci/$FIRST/liveupdate $pci/$SECOND/liveupdate | xargs; }
# writes BDF PAGE: what it writes there
writes() { dma write $2 0; dma store $1 $((0x1000000 + $2)); dma read $2; }

note found "$(state), $(is_master $FIRST) $(is_master $SECOND)"
[ "$HOW" != lost ] || "$LAB_BUILD/tests/kernel/damage-record" vfio-bit $FIRST || note undamaged
dma_session
note session "$(dma try retrieve-session group)"
[ "$HOW" != alone ] || exit 0
dma retrieve memory 1
dma retrieve iommufd 2
note waits "$(writes $FIRST 0x1000) $(writes $SECOND 0x2000)"
bind-vfio $FIRST $SECOND >/dev/null || note bind-vfio failed

note second "$(dma try retrieve b 4) $(dma try bind b) $(writes $SECOND 0x3000)"
dma domain two b
dma map two 0x1000000
dma try restore old 1 >/dev/null
if [ "$HOW" = lost ]; then
	note first-lost "$(dma try retrieve a 3), $(state), $(is_master $FIRST) $(writes $FIRST 0x4000)"
else
	note early "$(dma try move b two), $(dma try destroy old), $(dma try finish), $(state)"
	note first-waits "$(writes $FIRST 0x4000) $(dma try open $FIRST)"
	note first "$(dma try retrieve a 3)"
	note unbound "$(dma try move b two)"
	note bound "$(dma try bind a) $(writes $FIRST 0x5000)"
fi
note refused "$(tr '\n' ';' <$pci/$FIRST/liveupdate_refused)"
note move "$(dma try move b two), $(dma try destroy old)"
note moved "$(writes $SECOND 0x6000)$([ "$HOW" = lost ] || echo " $(writes $FIRST 0x7000)")"
note finish "$(dma try finish), $(state)"
if [ "$HOW" = lost ]; then
	note mate "$(dma try device a $FIRST) $(dma try attach a two) $(writes $FIRST 0x8000)"
fi
cat /sys/kernel/liveupdate/ledger/current >"$LAB_RESULTS/current"
dma close-device b
dma close-device a
# A group like any: each function anew, and the driver of the host
dma_killed
dma_session
dma memory 4
note anew "$(dma try device b $SECOND) $(dma try domain n b) $(dma try map n 0x1000000) $(dma try attach b n)"
dma write 0x0 0x3333
dma load $SECOND 0x1000000
dma store $SECOND 0x1001000
note anew-dma "$(dma read 0x1000)"
END
after=$stage

incoming=${INCOMING:-${BUILD:-$here/../../build}/linux/successor/arch/x86/boot/bzImage}
# group HOW MODE FIRST SECOND QEMU-DEVICE...: HOW is both, lost (the first one), or alone (the second)
group() {
	local how=$1 mode=$2 first=$3 second=$4 device devices=() missing
	for device in "${@:5}"; do
		devices+=(--qemu -device --qemu "$device")
	done
	what="$how, $mode" lab_what="$how, $mode"
	lab_run --mode "$mode" --cpus 1 --memory 512 --incoming "$incoming" --env HOW="$how" --env FIRST="$first" --env SECOND="$second" --guard 64 \
		"${devices[@]}" \
		--trace "$tap_scratch/trace" "$before" "$after" || return
	missing="$first is in the same IOMMU group and is not preserved; preserve it, too, or close the session"
	is "$what: one of a group is preserved, and what is missing is listed" "$(fact alone)" \
		"veto group 0x4 vfio-pci-v1 $second: $missing"
	like "$what: lutrace doctor --sessions says so" "$(fact doctor)" "session 'group', file 0x4 .*${missing%%;*}"
	is "$what: the reboot call fails" "$(fact jump)" "Device or resource busy"
	like "$what: the log names it, too" "$(fact log)" "$second: cannot cross a live update: $missing"
	is "$what: all goes on" "$(fact goes-on)" "0x2222 1"
	is "$what: that is no handover of a group" "$(fact one-used | tr , '\n' | grep -c '^group$')" 0
}

# together HOW ...: all are preserved
together() {
	group "$@" || return
	is "$what: with all of them nothing is in the way" "$(fact both | xargs)" "preserved preserved,"
	is "$what: the next kernel has to know of groups" "$(fact both-used | tr , '\n' | grep -c '^group$')" 1
	is "$what: both wait, and master the bus" "$(fact found)" "waiting waiting, 1 1"
	is "$what: both write where they did" "$(fact waits)" "0x1111 0x2222"
	is "$what: one of them comes home" "$(fact second)" "ok ok 0x2222"
	is "$what: no access of a device faults" "$(grep -c 'vtd_dmar_fault\|amdvi_page_fault' "$tap_scratch/trace")" 0
	is "$what: in the end each is a device like any other" "$(fact anew) $(fact anew-dma)" "ok ok ok ok 0x3333"
}

both() {
	together both "$@" || return
	is "$what: the group is not moved while the other one waits, nor given up, nor finished" "$(fact early)" \
		"EBUSY, EBUSY, EBUSY, waiting retrieved"
	is "$what: which writes, and is nobody else's" "$(fact first-waits)" "0x1111 EBUSY"
	is "$what: nor before that one is bound" "$(fact first) $(fact unbound) $(fact bound)" "ok EBUSY ok 0x1111"
	like "$what: sysfs counts what was refused" "$(fact refused)" "2 attaching its group to another HWPT"
	is "$what: then both move at once, and the restored page table is given up" "$(fact move)" "ok, ok"
	is "$what: both write to the new one" "$(fact moved)" "0x2222 0x1111"
	is "$what: their session finishes" "$(fact finish)" "ok, none none"
	is "$what: two devices are reattached, one domain is replaced" "$(ledger_records "$lab_results/current" |
		awk '$5 == "end" && $7 == 0 && $4 ~ /^(device-reattach|domain-replace|domain-restore)$/ { print $4 }' | sort | uniq -c | xargs)" \
		"2 device-reattach 1 domain-replace 1 domain-restore"
}

lost() {
	together lost "$@" || return
	is "$what: the first one is lost, and writes no more" "$(fact first-lost)" "EIO, lost file retrieved, 0 0"
	is "$what: and not waited for" "$(fact move) $(fact moved)" "ok, ok 0x2222"
	is "$what: their session finishes" "$(fact finish)" "ok, none none"
	is "$what: then it is a device like any other of its group" "$(fact mate)" "ok ok 0x1111"
}

pair=(edu,addr=6.0,multifunction=on edu,addr=6.1)
for mode in ${MODES:-scalable legacy first-stage amd}; do
	both $mode 0000:00:06.0 0000:00:06.1 "${pair[@]}"
done
lost first-stage 0000:00:06.0 0000:00:06.1 "${pair[@]}"
lost legacy 0000:00:06.1 0000:00:06.0 "${pair[@]}"

# Two root ports without ACS, functions of one slot: all that is below them is one group.
both scalable 0000:01:00.0 0000:02:00.0 \
	pcie-root-port,id=one,addr=7.0,multifunction=on,chassis=1,disable-acs=on edu,bus=one \
	pcie-root-port,id=two,addr=7.1,chassis=2,disable-acs=on edu,bus=two
like "$what: the ports are in the group" "$(fact group)" "0000:00:07.0 .*0000:01:00.0 0000:02:00.0"

if group alone scalable 0000:00:06.0 0000:00:06.1 "${pair[@]}"; then
	is "$what: if it is not preserved, the session is dropped where that is the policy, and the device stopped" \
		"$(fact session), $(fact found)" "ENOENT, none none, 0 0"
fi

# The functions of an igb have ACS, as Linux knows: one crosses without the other.
stage apart <<'END'
set -e
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
bind-vfio $SECOND >/dev/null
note groups "$(ls /sys/bus/pci/devices/$SECOND/iommu_group/devices)"
dma_preserved_device apart $SECOND
note alone "$(cat /sys/kernel/liveupdate/obstacles)"
dma hold
END
apart=$stage
stage back <<'END'
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
pci=/sys/bus/pci
note states "$(cat $pci/devices/$FIRST/liveupdate $pci/devices/$SECOND/liveupdate | xargs)"
[ ! -e $pci/devices/$FIRST/driver ] || echo $FIRST >$pci/devices/$FIRST/driver/unbind
echo pci-pf-stub >$pci/devices/$FIRST/driver_override
note other "$( (echo $FIRST >$pci/drivers/pci-pf-stub/bind) 2>&1 | sed 's/.*: //')"
bind-vfio $SECOND >/dev/null
dma_session
dma retrieve-session apart
dma retrieve memory 1
dma retrieve iommufd 2
dma retrieve d 3
dma bind d
dma domain n d
dma map n 0x1000000
note home "$(dma try move d n) $(dma try finish)"
END
lab_what="functions with ACS"
if lab_run --mode scalable --env FIRST=0000:00:06.0 --env SECOND=0000:00:06.1 \
	--qemu -device --qemu igb,addr=6.0,multifunction=on --qemu -device --qemu igb,addr=6.1 "$apart" "$stage"; then
	is "functions with ACS are groups of their own" "$(fact groups)" 0000:00:06.1
	is "one of them crosses, nothing is in the way" "$(fact alone | xargs), $(fact states)" ", none waiting"
	is "meanwhile the other one has a driver" "$(fact other)" ""
	is "it comes home" "$(fact home)" "ok ok"
fi
tap_done
