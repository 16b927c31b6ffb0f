#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# The referee finds a change of the page tables that nobody announces, and names
# the place. The change is made behind the kernel's back, through /dev/mem.

# shellcheck source=tests/lab/tap.sh
. "$(dirname "$0")/../lab/tap.sh"

stage change <<'END'
bind-vfio "$LAB_DEVICES" || exit 1
report=$LAB_RESULTS/workload.json
lu-workload start --no-preserve --packets 0 --device "$LAB_DEVICES" --report "$report" &
until grep -qs '"state": "ready"' "$report"; do sleep 0.05; done
top=$(lutrace walk -j -d "$LAB_DEVICES" | jq -r ".. | .top? // empty" | head -n 1)
[ -n "$top" ] || exit 1
ask-host look first && ask-host look second || exit 1
# The last entry of the top table translates nothing, before and after.
busybox devmem $((top + 511 * 8)) 64 0x800 || exit 1
ask-host look third
END
# shellcheck disable=SC2016 # the laboratory's shell expands it
look='read -r name <"$LAB_RESULTS/hooks/look.words"
"$LAB_BUILD/bin/referee" snapshot --qmp "$LAB_QMP" --trace "$LAB_TRACE" --device "$LAB_DEVICES" --output "$LAB_RESULTS/$name"'
# verdict FIRST SECOND: what the referee says, and its exit status
verdict() {
	status=0
	"${BUILD:-$tap_directory/../../build}/bin/referee" compare "$lab_results/$1" "$lab_results/$2" \
		--trace "$tap_scratch/trace" --output "$lab_results/verdict.json" || status=$?
}

# finds MODE IOMMU IOVA: the kind that the referee is told, and what the entry translates
finds() {
	lab_run --mode "$1" --devices igb --hook "look=$look --iommu $2" --trace "$tap_scratch/trace" "$stage" || tap_done
	verdict first second
	is "$2: nothing changed is status 0" "$status" 0
	is "nothing changed is identical" "$(lab_json verdict.json .memory_identical)" true
	verdict second third
	is "a changed entry is status 1" "$status" 1
	is "a changed entry is not identical" "$(lab_json verdict.json .memory_identical)" false
	is "one entry is different" "$(lab_json verdict.json .difference_count)" 1
	is "the entry is named" "$(lab_json verdict.json '.differences[0].what')" "entry of level $3"
	is "the new entry is shown" "$(lab_json verdict.json '.differences[0].after')" 0x800
}
finds legacy vtd "4 at iova 0xff8000000000"
finds amd amd "3 at iova 0x7fc0000000"
printf 'nonsense' >"$lab_results/nonsense"
verdict first nonsense 2>/dev/null
is "what is no snapshot is an error" "$status" 2
tap_done
