#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Events of an AMD IOMMU are faults of devices, by what the event log has of them, each
# counted once. QEMU 10.0's unit interrupts nobody for an event: here the events are
# written to the log, and the tail to its register, as hardware would, and the interrupt
# is sent as a message to the first CPU.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/kernel/dma-session.sh
. "$here/dma-session.sh"

stage stage <<'END'
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
registers=0xfed80000
pins=/sys/fs/bpf/faults
bpftool prog loadall "$LAB_BUILD/bpf/dma_faults.bpf.o" $pins autoattach pinmaps $pins/maps || exit 1
echo all >/sys/kernel/liveupdate/ledger/replay
log=$(($(busybox devmem $((registers + 0x10)) 64) & 0xffffffffff000))
tail=0
event() {
	busybox devmem $((log + tail)) 64 "$1"
	busybox devmem $((log + tail + 8)) 64 "$2"
	tail=$((tail + 16))
}
came() { awk '/AMD-Vi0-Evt/ { print $2 }' /proc/interrupts; }
# The first vectors of a CPU are those of the first interrupts, the log's among them.
interrupt() {
	local before vector
	busybox devmem $((registers + 0x2018)) 32 $tail
	before=$(came)
	for vector in $vectors; do
		busybox devmem 0xfee00000 32 "$vector"
		sleep 0.1
		[ "$(came)" = "$before" ] || { vectors=$vector; return; }
	done
	echo "no vector is that of the event log"
	exit 1
}
vectors="32 33 34 35"
lutrace faults --pinned $pins -j >"$LAB_RESULTS/none.json"
note none $?
# Type, flags (write: 0x20, present: 0x10, interrupt: 0x8), requester; then the address
event 0x2020000000000040 0x1234567
event 0x2010000000000041 0xabc000
event 0x1000000000000042 0xdef000
event 0x2008000000000043 0xfee01234
event 0x2028000000000044 0x7654321
event 0x5000000000000000 0x1000
interrupt
lutrace faults --pinned $pins -j >"$LAB_RESULTS/first.json"
# The kernel saw no reason to handle them, so that the head is where it was.
event 0x2020000000000040 0x2234567
interrupt
lutrace faults --pinned $pins -j >"$LAB_RESULTS/second.json"
lutrace faults --pinned $pins
exit 0
END
lab_run --mode amd --devices edu "$stage" || tap_done

is "without an event, it is known that no device faulted" \
	"$(fact none) $(lab_json none.json '"\(.count) \(.unknown)"')" "0 0 null"
# fault NUMBER: what it was
fault() { lab_json first.json ".list[$1] | \"\(.device) \(.access) \(.address) \(.reason)\""; }
is "a write to what is not mapped" "$(fault 0)" "0000:00:08.0 write 0x1234000 address is not mapped"
is "a read that is not permitted" "$(fault 1)" "0000:00:08.1 read 0xabc000 not permitted by the page table entry"
is "an entry of the device table that is illegal" "$(fault 2)" "0000:00:08.2 read 0xdef000 device table entry is illegal"
is "an interrupt" "$(fault 3)" "0000:00:08.3 interrupt 0xfee01234 address is not mapped"
is "which the flag alone does not make of a request elsewhere" "$(fault 4)" \
	"0000:00:08.4 write 0x7654000 address is not mapped"
is "an event of a command is no device's fault" "$(lab_json first.json '"\(.count) \(.interrupts)"')" "5 1"
is "all of them were before any live update" "$(lab_json first.json .faults.before)" 5
is "an event is counted once" "$(lab_json second.json '"\(.count) \(.overflows) \(.late)"')" "6 0 0"
is "the device has two" "$(lab_json second.json '.devices[] | select(.device == "0000:00:08.0") | "\(.faults.before) \(.last_address)"')" \
	"2 0x2234000"
schema "what lutrace says is what its schema says" faults "$lab_results/second.json"
tap_done
