#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# AMD's device table and host page tables, read from the registers on: lutrace and the
# BPF program say the same of them, the same before as after a live update, and a page
# table of this kernel is another one.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/kernel/dma-session.sh
. "$here/dma-session.sh"

stage before <<'END'
set -e
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
bind-vfio "$LAB_DEVICES" >/dev/null
dma_preserved_device first "$LAB_DEVICES"
cat >/run/look <<'LOOK'
pins=/sys/fs/bpf/look
[ -d $pins ] || bpftool prog loadall "$LAB_BUILD/bpf/pt_identity.bpf.o" $pins autoattach pinmaps $pins/maps
cat $pins/pt_report >"$LAB_RESULTS/$1.report"
lutrace walk -j >"$LAB_RESULTS/$1.devices.json"
lutrace walk -j -d "$LAB_DEVICES" >"$LAB_RESULTS/$1.json"
LOOK
cp /run/look "$LAB_RESULTS/look"
. "$LAB_RESULTS/look" outgoing
lutrace snapshot --device "$LAB_DEVICES" >"$LAB_RESULTS/snapshot.txt"
dma hold
END
before=$stage
stage after <<'END'
set -e
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
dma_session
dma retrieve-session first
dma retrieve memory 1
dma retrieve iommufd 2
dma retrieve d 3
. "$LAB_RESULTS/look" incoming
lutrace verify -j >"$LAB_RESULTS/verify.json" || :
dma bind d
dma domain two d
dma map two 0x1000000
dma move d two
lutrace verify -j >"$LAB_RESULTS/moved.json" || :
dma finish
END
lab_run --mode amd --devices edu "$before" "$stage"

device=$(sed -n "s/^export LAB_DEVICES='\(.*\)'/\1/p" "$lab_results/lab.env")
# attachment KERNEL: what pt_report says of the device
attachment() { sed -n "s/^$device //p" "$lab_results/$1.report"; }
for kernel in outgoing incoming; do
	is "in the $kernel kernel, lutrace and the BPF program have one digest of the page table" \
		"$(lab_json $kernel.devices.json "[.devices[] | select(.device == \"$device\").digest] | unique | join(\" \")")" \
		"$(attachment $kernel | sed 's/.* //')"
	is "and see as many table pages in all" \
		"$(lab_json $kernel.devices.json '[.devices[].table_pages // 0] | add')" \
		"$(sed -n 's/^devices .* table-pages \([0-9]*\) .*/\1/p' "$lab_results/$kernel.report")"
done
is "the device's entry has the mode and the stage of a host page table" \
	"$(lab_json outgoing.devices.json ".devices[] | select(.device == \"$device\") | \"\(.mode) \(.stage) \(.levels)\"")" "amd host 3"
is "an entry of the device table leads there" "$(lab_json outgoing.json '[.entries[].kind] | unique | join(" ")')" \
	"device-table-entry table-entry"
is "16 pages are mapped, from the address on that was asked for" \
	"$(lab_json outgoing.json '[.entries[] | select(.level == 1).iova] | "\(length) \(.[0])"')" "16 0x1000000"
is "the page table is the same in the incoming kernel" "$(attachment incoming)" "$(attachment outgoing)"
is "lutrace verify calls it identical" "$(lab_json verify.json '"\(.verdict) \(.difference_count)"')" "identical 0"
is "and the one that it was moved to different" "$(lab_json moved.json .verdict)" different
is "because the device's entry is another" "$(lab_json moved.json '.differences[0].kind')" "device-table-entry"
tap_done
