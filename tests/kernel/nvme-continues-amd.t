#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# A disk's commands go on through a live update, in flight: AMD's IOMMU.

# shellcheck source=tests/kernel/dma-continues.sh
. "$(dirname "$0")/dma-continues.sh"
ok "a live update leaves a recording" demonstration --workload nvme --mode amd || tap_done
is "the demonstration is content" "$demo_status" 0
is "the device uses tables of the mode" "$(of .referee.translation)" host
is "no command is lost, twice or damaged" "$(of '.dma | [.lost, .duplicates, .corrupt] | add')" 0
disk_is_whole
ok "commands are completed while no kernel runs" [ "$(of '.dma.while_no_kernel_ran // 0')" -gt 0 ]
is "the device's interrupt crosses" "$(of '.interrupts | "\(.carried) \(.vectors | length)"')" "true 1"
tap_done
