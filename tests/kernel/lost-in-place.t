#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# A device that is there, runs, and is not what its record says, is lost: it masters
# the bus no more, reaches no memory, its session finishes, and then it works on a page
# table of this kernel. So is one of two with page tables of their own that have one
# domain id: what hardware caches of the one table would hit for the other. The
# first device comes home in any case.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/kernel/dma-session.sh
. "$here/dma-session.sh"

stage before <<'END'
set -e
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
read -r first second <<<"$LAB_DEVICES"
for device in first second; do
	bind-vfio "${!device}" >/dev/null
	dma_preserved_device "$device" "${!device}"
	dma write 0x0 0x1111
	dma load "${!device}" 0x1000000
	dma fill 0x2222
	dma hold
done
"$LAB_BUILD/tests/kernel/damage-record" "$DAMAGE"
END
before=$stage
stage after <<'END'
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
read -r first second <<<"$LAB_DEVICES"
note state "$(cat "/sys/bus/pci/devices/$first/liveupdate"), $(cat "/sys/bus/pci/devices/$second/liveupdate")"
note masters "$(is_master "$second")"
dma_session
dma retrieve-session second
dma retrieve memory 1
make_master "$second"
dma store "$second" 0x1001000
note second "$(dma read 0x1000)"
dma retrieve iommufd 2
note retrieve "$(dma try retrieve d 3)"
note finish "$(dma try finish)"

# The id is not given out again before the first has left it
bind-vfio "$second" >/dev/null
dma device o "$second"
dma domain one o
dma map one 0x1000000
dma attach o one
dma store "$second" 0x1002000
note again "$(dma read 0x2000)"
dma_session
bind-vfio "$first" >/dev/null
dma retrieve-session first
dma retrieve memory 1
dma store "$first" 0x1001000
note first "$(dma read 0x1000)"
dma retrieve iommufd 2
dma retrieve d 3
dma bind d
dma domain two d
dma map two 0x1000000
dma move d two
dma store "$first" 0x1002000
note moved "$(dma read 0x2000) $(dma try finish)"
END
after=$stage

# lost DAMAGE MODE WORD TEXT: what is damaged of the second device's record, why it is lost
lost() {
	local what="$1, $2"
	lab_what=$what
	lab_run --mode "$2" --memory 512 --devices edu,edu --env DAMAGE="$1" "$before" "$after"
	like "$what: the log says which device is lost, and why" \
		"$(grep liveupdate "$lab_results/dmesg-incoming.log")" "device 0000:0[02]:0[09].0 is lost: $4"
	is "$what: the other one waits" "$(fact state)" "waiting, lost $3"
	is "$what: the lost one does not master the bus" "$(fact masters)" 0
	is "$what: nor does it reach memory" "$(fact second)" 0x2222
	is "$what: it cannot be retrieved, and its session finishes" "$(fact retrieve) $(fact finish)" "EIO ok"
	is "$what: it works on a page table of this kernel" "$(fact again)" 0x1111
	is "$what: the other one does DMA all the time" "$(fact first)" 0x1111
	is "$what: and comes home" "$(fact moved)" "0x1111 ok"
}
lost same-id legacy domain-id 'its domain id is that of another page table'
for mode in scalable first-stage legacy amd; do
	lost second-vendor $mode replaced 'another device is in its place'
done
tap_done
