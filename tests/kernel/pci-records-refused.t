#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# A PCI record that fails a check is not used: the kernel says which and boots. Its
# device is lost: it reaches no memory any more, its session finishes without it, and
# it is an ordinary device. Another one, whose record is good, comes home.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/kernel/dma-session.sh
. "$here/dma-session.sh"

stage before <<'END'
set -e
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
read -r damaged good <<<"$LAB_DEVICES"
for device in damaged good; do
	bind-vfio "${!device}" >/dev/null
	dma_preserved_device "$device" "${!device}"
	dma write 0x0 0x1111
	dma load "${!device}" 0x1000000
	dma fill 0x2222
	dma hold
done
"$LAB_BUILD/tests/kernel/damage-record" pci-parent
END
before=$stage
stage after <<'END'
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
read -r damaged good <<<"$LAB_DEVICES"
read -r bridge other <<<"$LAB_BRIDGES"
pci=/sys/bus/pci/devices
for device in $damaged $good; do
	note state "$(cat "$pci/$device/liveupdate")"
	note masters "$(is_master "$device")"
done
note below "$(cat "$pci/$bridge/liveupdate_devices") $(cat "$pci/$other/liveupdate_devices")"
dma_session
dma retrieve-session damaged
dma retrieve memory 1
dma retrieve iommufd 2
note retrieve "$(dma try retrieve d 3)"
make_master "$damaged"
dma store "$damaged" 0x1001000
note dma "$(dma read 0x1000)"
note finish "$(dma try finish)"
note end "$(cat "$pci/$damaged/liveupdate")"
note remove "$( (echo 1 >"$pci/$damaged/remove") 2>&1)"

dma_session
bind-vfio "$good" >/dev/null
dma retrieve-session good
dma retrieve memory 1
dma retrieve iommufd 2
dma retrieve d 3
dma bind d
dma domain two d
dma map two 0x1000000
dma move d two
dma store "$good" 0x1001000
note good "$(dma read 0x1000) $(dma try finish)"
END
lab_run --mode legacy --memory 512 --devices edu,edu --trace "$tap_scratch/trace" "$before" "$stage"
log=$(grep liveupdate "$lab_results/dmesg-incoming.log")
like "the log says which record is wrong" "$log" 'PCI: liveupdate: record of 0000:01:00.0 names 0[0-9a-f]* as a bridge'
like "and that its device is lost" "$log" 'device 0000:01:00.0 is lost: there is no valid PCI record of it'
is "sysfs says so, too, and that the other one waits" "$(fact state | tr '\n' ' ')" "lost no-record waiting "
is "the lost one does not master the bus" "$(fact masters | tr '\n' ' ')" "0 1 "
is "the bridge above it counts no device" "$(fact below)" "0 1"
is "it cannot be retrieved" "$(fact retrieve)" EIO
is "it reaches no memory, whoever lets it master the bus" "$(fact dma)" 0x2222
is "its session finishes" "$(fact finish) $(fact end)" "ok none"
is "it can be removed" "$(fact remove)" ""
is "the other one comes home" "$(fact good)" "0x1111 ok"
is "no access of that one faults" "$(grep -c 'vtd_dmar_fault.*sid 0x200 ' "$tap_scratch/trace")" 0
tap_done
