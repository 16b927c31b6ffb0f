#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# One block that is damaged on the disk, behind the machine's back, is seen by whoever reads
# it, inside and outside, and the demonstration fails: so that "each block is there" means
# something.

# shellcheck source=tests/kernel/dma-continues.sh
. "$(dirname "$0")/dma-continues.sh"

demonstration --workload nvme --mode legacy -- \
	--hook "load-end=printf x | dd of=\"\$LAB_DISKS\" bs=1 seek=$((3 * 4096 + 100)) conv=notrunc 2>/dev/null
		$tap_directory/demo-host disk-end"
is "the demonstration fails" "$demo_status" 1
is "one block is not read back as it was written" "$(of '.dma.disk.written - .dma.disk.read_back')" 1
is "from outside, one is damaged" "$(of .dma.disk.damaged)" 1
is "the others are there" "$(of '.dma.disk.written - .dma.disk.intact')" 1
is "no command is lost" "$(of .dma.lost)" 0
like "the verdict names it" "$(of .verdict.text)" "1 block was not read back as written; 1 block was damaged on the disk"
is "and is bad" "$(of .verdict.verdict)" bad
tap_done
