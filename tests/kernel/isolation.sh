# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# For the stages of tests that look at which devices reach memory after a jump.
# shellcheck source=tests/kernel/dma-session.sh
. "$(dirname "${BASH_SOURCE[0]}")/dma-session.sh"

# isolation_devices KEPT SHARING OTHER: a dma-session in which three devices map the
# same memory: kept and sharing by the page table one, other by one of its own
isolation_devices() {
	dma_session
	dma memory 16
	dma device kept "$1"
	dma device sharing "$2"
	dma device other "$3"
	dma domain one kept
	dma map one 0x1000000
	dma attach kept one
	dma attach sharing one
	dma domain two other
	dma map two 0x2000000
	dma attach other two
}

# isolation_word BDF WORD BASE PAGE: the device reads a word at BASE, where memory
# is mapped, and writes it to a page there
isolation_word() {
	dma write 0x0 "$2"
	dma load "$1" "$3"
	dma store "$1" $(($3 + $4 * 0x1000))
}

# isolation_reach BDF IOVA...: let a device that was not preserved write where it
# could before, where others can, and where memory is for a device that is not
# translated at all
isolation_reach() {
	local bdf=$1 iova
	shift
	make_master "$bdf"
	for iova in "$@" "$(dma physical 0x6000)"; do
		dma store "$bdf" "$iova"
	done
}
