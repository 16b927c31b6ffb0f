#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Most hosts run with iommu=pt: their own devices are not translated, and have no page
# table. A device that somebody owns is translated all the same, and crosses; in the next
# kernel, which has iommu=pt, too, it is not made one that passes through.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/kernel/dma-session.sh
. "$here/dma-session.sh"

stage before <<'END'
set -e
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
note outgoing "$(dmesg | grep -m 1 -o 'Default domain type: [A-Z][a-z]*')"
bind-vfio $LAB_DEVICES
dma_preserved_device guests "$LAB_DEVICES"
dma write 0x0 0x4711
dma load "$LAB_DEVICES" 0x1000000
dma store "$LAB_DEVICES" 0x1002000
note before "$(dma read 0x2000)"
dma hold
lutrace snapshot -d "$LAB_DEVICES"
END
before=$stage
stage after <<'END'
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
note incoming "$(dmesg | grep -m 1 -o 'Default domain type: [A-Z][a-z]*')"
dma_session
dma retrieve-session guests
dma retrieve memory 1
dma retrieve iommufd 2
dma retrieve d 3
dma store "$LAB_DEVICES" 0x1001000
note value "$(dma read 0x1000)"
note verify "$(lutrace verify -j | jq -r .verdict)"
dma bind d
dma domain two d
dma map two 0x1000000
dma move d two
dma write 0x0 0x815
dma load "$LAB_DEVICES" 0x1000000
dma store "$LAB_DEVICES" 0x1001000
note moved "$(dma read 0x1000)"
dma finish
END

# crosses WHERE OPTION...: a live update with iommu=pt
crosses() {
	local where=$1
	shift
	lab_run --devices edu "$@" "$before" "$stage" || return
	is "$where: the device does DMA through its page table before, and after" "$(fact before) $(fact value)" "0x4711 0x4711"
	is "$where: which is the same" "$(fact verify)" identical
	is "$where: and through a page table of the next kernel" "$(fact moved)" 0x815
}
crosses "legacy mode, both kernels" --mode legacy --append iommu=pt
is "iommu=pt was on in both" "$(fact outgoing), $(fact incoming)" \
	"Default domain type: Passthrough, Default domain type: Passthrough"
crosses "scalable mode, the next kernel" --mode scalable --incoming-append iommu=pt
is "it was on in that alone" "$(fact outgoing), $(fact incoming)" \
	"Default domain type: Translated, Default domain type: Passthrough"
crosses "first-stage mode, the next kernel" --mode first-stage --incoming-append iommu=pt

# QEMU 10 looks at whether a device passes through when translation is switched on or a
# context cache is invalidated; in these modes Linux invalidates the PASID cache.
for mode in scalable first-stage; do
	if [ "$(qemu-system-x86_64 --version | sed -n 's/^QEMU emulator version \([0-9]*\).*/\1/p')" -ge 11 ]; then
		crosses "$mode mode, both kernels" --mode $mode --append iommu=pt
	else
		skip "$mode mode, both kernels" "QEMU before 11 goes on to pass through what was attached to a page table"
	fi
done
tap_done
