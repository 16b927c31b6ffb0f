#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# One packet that does not arrive is seen as lost, and the demonstration fails: so
# that "no packet is lost" means something.

# shellcheck source=tests/kernel/dma-continues.sh
. "$(dirname "$0")/dma-continues.sh"

sender='lu-sender --port ${LAB_PORTS%% *} --rate 40 --skip 25 --log sender.log'
demonstration --mode legacy -- \
	--hook "load-begin=cd \"\$LAB_RESULTS\" && { \"\$LAB_BUILD\"/bin/$sender >sender.new 2>sender.err & echo \$! >sender.pid; }"
is "the demonstration fails" "$demo_status" 1
is "one packet is lost" "$(of .dma.lost)" 1
is "the others are not" "$(of '.dma.sent - .dma.received')" 1
is "none is damaged or comes twice" "$(of '[.dma.corrupt, .dma.duplicates] | add')" 0
like "it says that a packet was lost" "$(cat "$tap_scratch/screen")" "FAILED: packets lost is 1, not 0"
is "nothing else is wrong" "$(grep -c FAILED "$tap_scratch/screen")" 1
tap_done
