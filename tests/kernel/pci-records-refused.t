#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# PCI records that fail a check are not used: the kernel says which and boots. The
# device goes on with DMA, is guarded like any that waits, and cannot be retrieved.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/kernel/dma-session.sh
. "$here/dma-session.sh"

stage before <<'END'
set -e
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
bind-vfio $LAB_DEVICES >/dev/null
dma_preserved_device damaged "$LAB_DEVICES"
dma write 0x0 0x1111
dma load "$LAB_DEVICES" 0x1000000
dma hold
"$LAB_BUILD/tests/kernel/damage-record" pci-parent
END
before=$stage
stage after <<'END'
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
device=/sys/bus/pci/devices/$LAB_DEVICES
note state "$(cat "$device/liveupdate") $(cat "/sys/bus/pci/devices/$LAB_BRIDGES/liveupdate_devices")"
note masters "$(is_master "$LAB_DEVICES") $(is_master "$LAB_BRIDGES")"
note remove "$( (echo 1 >"$device/remove") 2>&1)"
bind-vfio $LAB_DEVICES >/dev/null || note bind failed
dma_session
dma retrieve-session damaged
dma retrieve memory 1
dma retrieve iommufd 2
note retrieve "$(dma try retrieve d 3)"
note finish "$(dma try finish)"
dma store "$LAB_DEVICES" 0x1001000
note works "$(dma read 0x1000)"
END
lab_run --mode legacy --memory 512 --devices edu --trace "$tap_scratch/trace" "$before" "$stage"
log=$(grep liveupdate "$lab_results/dmesg-incoming.log")
like "the log says which record is wrong" "$log" 'PCI: liveupdate: record of 0000:01:00.0 names 0[0-9a-f]* as a bridge'
like "and that none of them is used" "$log" "PCI: liveupdate: the previous kernel's records cannot be used"
is "the device waits, and the bridge above counts it" "$(fact state)" "waiting 1"
is "both master the bus" "$(fact masters)" "1 1"
like "the device cannot be removed" "$(fact remove)" 'Device or resource busy'
is "its driver may bind all the same" "$(fact bind)" ""
is "it cannot be retrieved" "$(fact retrieve)" EIO
is "its session cannot finish" "$(fact finish)" EBUSY
is "it does DMA" "$(fact works)" 0x1111
is "no access faults" "$(grep -c vtd_dmar_fault "$tap_scratch/trace")" 0
tap_done
