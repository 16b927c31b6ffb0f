#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# The preserved device does DMA to the preserved memfd while user space already
# has it back and reads it; and the memory stays what it is, and nobody else's,
# when everybody has closed everything.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/kernel/dma-session.sh
. "$here/dma-session.sh"

stage before <<'END'
set -e
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
bind-vfio $LAB_DEVICES
dma_preserved_device memory "$LAB_DEVICES"
dma fill 0x5555
dma write 0x0 0x1111
dma load "$LAB_DEVICES" 0x1000000
dma hold
END
before=$stage
stage after <<'END'
set -e
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
bind-vfio $LAB_DEVICES >/dev/null
dma_session
dma retrieve-session memory
dma retrieve memory 1
note before "$(dma read 0x0) $(dma count 0x5555)"
dma store "$LAB_DEVICES" 0x1001000
note reads "$(dma read 0x1000)"
dma write 0x2000 0x2222
dma load "$LAB_DEVICES" 0x1002000
dma store "$LAB_DEVICES" 0x1003000
note writes "$(dma read 0x3000)"
note retrieve "$(dma try retrieve file 2) $(dma try retrieve file 3)"
note finish "$(dma try finish)"
dma store "$LAB_DEVICES" 0x1004000
note finished "$(dma read 0x4000)"

# The process ends, and with it everything that it has open.
dma_killed
cat /proc/meminfo >"$LAB_RESULTS/meminfo"
pages=$(free_pages)
echo always >/sys/kernel/mm/transparent_hugepage/shmem_enabled	# quicker
dma_session
dma memory $pages
dma fill 0x7777
dma store "$LAB_DEVICES" 0x1005000
dma store "$LAB_DEVICES" 0x1006000
note filled $pages
note intact $(($(dma count 0x7777) / 512))
END
lab_run --mode scalable --memory 512 --devices edu --trace "$tap_scratch/trace" "$before" "$stage"
is "the memory is as the outgoing kernel left it" "$(fact before)" "0x1111 8191"
is "user space reads what the device writes now" "$(fact reads)" 0x1111
is "the device reads what user space writes now" "$(fact writes)" 0x2222
is "page tables and device can be retrieved, too" "$(fact retrieve)" "ok ok"
is "the session cannot finish while the device is not bound" "$(fact finish)" EBUSY
is "which changes nothing for the device" "$(fact finished)" 0x2222
ok "nearly all memory is then given to somebody else" [ "$(fact filled)" -gt 80000 ]
is "and the device reaches none of it" "$(fact intact)" "$(fact filled)"
is "no access of the device faults" "$(grep -c vtd_dmar_fault "$tap_scratch/trace")" 0
tap_done
