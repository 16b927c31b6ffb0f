#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Words on the next kernel's command line that take memory away from it, or write to
# memory early: the reboot call refuses them (successor-refused.t). Where a kernel does
# not say that it heeds its command line, they do no harm. Beside them: words that may be
# there.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/kernel/dma-session.sh
. "$here/dma-session.sh"
# shellcheck source=tests/kernel/successor.sh
. "$here/successor.sh"

image_lies "$tap_scratch/lies"

stage before <<'END'
set -e
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
bind-vfio $LAB_DEVICES >/dev/null
dma_preserved_device memory "$LAB_DEVICES"
dma write 0x0 0x1234
dma load "$LAB_DEVICES" 0x1000000
dma hold
END
before=$stage
stage after <<'END'
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
dma_session
dma retrieve-session memory
dma retrieve memory 1
dma retrieve iommufd 2
dma retrieve d 3
dma bind d
note kept "$(dma read 0x0)"
dma store "$LAB_DEVICES" 0x1001000
note works "$(dma read 0x1000)"
dma domain two d
dma map two 0x1000000
dma move d two
dma finish
note finished $?
note said "$(dmesg | grep -c 'mem= is ignored\|memmap=exactmap is ignored\|memtest: not done')"
note memory "$(awk '/MemTotal/ { print ($2 > 1500000) }' /proc/meminfo)"
END
after=$stage

machine=(--outgoing "$successor_outgoing" --devices edu --mode legacy)
comes_home() {
	is "$1: what is preserved crosses, and the device works" "$(fact kept) $(fact works) $(fact finished)" "0x1234 0x1234 0"
}

lab_run "${machine[@]}" --incoming "$tap_scratch/lies" --incoming-append "mem=512M memmap=exactmap memmap=512M@0 memtest=1" "$before" "$after"
comes_home "mem=, exactmap and memtest"
is "each is ignored, with a word in the log" "$(fact said)" 3
is "the kernel has all memory" "$(fact memory)" 1

lab_run "${machine[@]}" --incoming "$successor_incoming" \
	--incoming-append "nokaslr maxcpus=1 iommu=pt hugepages=64 numa=off pci=realloc" "$before" "$after"
comes_home "nokaslr, maxcpus, iommu=pt, hugepages, numa=off, pci=realloc"
rm -f "$tap_scratch/lies"
tap_done
