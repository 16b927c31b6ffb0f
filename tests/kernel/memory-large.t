#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# A guest with memory: 1 GiB in huge pages of shmem crosses with the device, no page of
# it is lost, and the demonstration says what of the pause it costs.

# shellcheck source=tests/kernel/dma-continues.sh
. "$(dirname "$0")/dma-continues.sh"

# refused OPTION...: what the demonstration says to it
refused() {
	"$tap_directory/demo" --results "$tap_scratch/refused" "$@" 2>&1
	echo "status $?"
}
answer=$(refused --memory 999)
like "more memory than this machine has is refused" "$answer" "takes [0-9]+ MiB, and [0-9]+ MiB are available here"
like "with what to do" "$answer" "ask for less: each GiB of MEMORY= takes"
like "as wrong usage" "$answer" '^status 2$'
like "memory that is no number is refused" "$(refused --memory 1x)" "MEMORY=1x is no number of GiB"
like "pages that there are not are refused" "$(refused --huge 3M)" "HUGE=3M is not one of no, thp, 2M, 1G"

# The laboratory's kernel is one that gives none unless it is told to.
stage small <<'END'
bind-vfio "$LAB_DEVICES" || exit 1
lu-workload start --no-preserve --packets 0 --huge --device "$LAB_DEVICES" --report "$LAB_RESULTS/workload.json" &
until grep -qs '"state": "ready"' "$LAB_RESULTS/workload.json"; do sleep 0.05; done
lutrace doctor -j >"$LAB_RESULTS/doctor.json" || :
END
lab_run --devices igb "$stage"
like "a workload that asks for huge pages and gets none says so, and how to get them" "$(cat "$lab_results/stage1.log")" \
	"gives no huge pages of shmem, as .*/shmem_enabled is 'never'; as root, before the start: echo advise >"
is "its pages are small" "$(lab_json workload.json '.memory.pages | map("\(.count)x\(.bytes)") | join(" ")')" "3584x4096"
like "so says lutrace doctor of the process" \
	"$(lab_json doctor.json '.checks[] | select(.check == "guest memory") | .found')" \
	'^lu-workload \([0-9]+\): 0[.]0137 GiB in memfds, of them 0[.]0137 GiB in 3584 pages of 4 KiB: up to 0[.]0'

demonstration --mode scalable --memory 1 --huge thp || {
	! grep -q "MiB are available here" "$tap_scratch/screen" ||
		skip "1 GiB crosses in huge pages" "$(cat "$tap_scratch/screen")"
	[ "$demo_status" != 2 ] || tap_done
}
is "the demonstration is content" "$demo_status" 0
is "the memory is 1 GiB in pages of 2 MiB" \
	"$(lab_json workload-outgoing.json '.memory | "\(.bytes) \(.pages | map("\(.count)x\(.bytes)") | join(" "))"')" "1073741824 512x2097152"
is "every page is as it was, in the session and when that is over" \
	"$(lab_json workload-incoming.json '.memory | [.resumed, .finished] | map("\(.damaged) of \(.checked)") | join(", ")')" \
	"0 of 259072, 0 of 259072"
ok "the IOMMU has large leaves for it" [ "$(of .identity.leaf_entries)" -lt 1024 ]
ok "KHO has few blocks to reserve" \
	[ "$(of '[.steps[] | select(.step == "kho-reserve" and .kernel == "incoming") | .count] | add')" -lt 2048 ]
like "the screen tells the memory" "$(cat "$tap_scratch/screen")" '^Memory: +1 GiB preserved, in 512 pages of 2 MiB; 259072 of 259072 stamped'
like "and what it costs of the pause" "$(cat "$tap_scratch/screen")" \
	'in the pause, by memory: kho-reserve [0-9.]+ ms \((under )?[0-9.]+ % of the pause\), memfd-retrieve [0-9.]+ ms \((under )?[0-9.]+ % of the pause\)'
tap_done
