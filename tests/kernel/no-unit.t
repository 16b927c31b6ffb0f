#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# On a machine whose IOMMU is not in use, programs that look at what IOMMUs do have no
# answer, and say so: nobody may take that they saw nothing for a good one.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/kernel/dma-session.sh
. "$here/dma-session.sh"

stage stage <<'END'
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
pins=/sys/fs/bpf/somebody
mkdir $pins
for probe in pt_identity dma_faults immutable; do
	bpftool prog loadall "$LAB_BUILD/bpf/$probe.bpf.o" $pins/$probe autoattach pinmaps $pins/$probe/maps || exit 1
done
cat $pins/pt_identity/pt_report >"$LAB_RESULTS/report"
bpftool -j map dump pinned $pins/pt_identity/maps/identity >"$LAB_RESULTS/identity.json"
for verb in faults changes; do
	lutrace $verb --pinned $pins -j >"$LAB_RESULTS/$verb.json"
	note $verb $?
	lutrace $verb --pinned $pins >"$LAB_RESULTS/$verb.txt"
done
lutrace export --probes $pins --textfile "$LAB_RESULTS/metrics"
lutrace snapshot --all --output /run/snapshot 2>"$LAB_RESULTS/snapshot.txt"
note snapshot $?
rm -r $pins
lutrace probes --attach >"$LAB_RESULTS/attach.txt"
exit 0
END
lab_run --mode amd --append amd_iommu=off --devices edu "$stage" || tap_done

is "pt_report says that there is no unit" "$(cat "$lab_results/report")" \
	"unknown: this machine has no IOMMU hardware unit in use"
is "its map says it, too" "$(lab_json identity.json '.[0].formatted.value | "\(.known) \(.reason) \(.digest.low)"')" \
	"0 PT_REASON_NO_UNIT 0"
is "whether a device faulted is unknown" \
	"$(fact faults) $(lab_json faults.json '"\(.count) \(.during) \(.of_preserved)"')" "2 null null null"
is "with the reason" "$(head -n 1 "$lab_results/faults.txt")" "Unknown: no VT-d or AMD unit is in use."
is "whether a page table was changed is unknown" "$(fact changes) $(lab_json changes.json .changes)" "2 null"
is "with the reason" "$(head -n 1 "$lab_results/changes.txt")" "Unknown: no VT-d unit is in use."
is "neither is exported as a number" "$(grep -cE '^lutrace_probe_(dma_faults|changes)' "$lab_results/metrics")" 0
like "there are no page tables for a snapshot" "$(fact snapshot) $(cat "$lab_results/snapshot.txt")" \
	'^[12] lutrace: this machine has no IOMMU hardware unit in use'
is "these programs are not attached here" "$(sed -n 's/ is not attached: .*unit is in use.*//p' "$lab_results/attach.txt" | xargs)" \
	"immutable dma_faults pt_identity"
tap_done
