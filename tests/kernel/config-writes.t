#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# The referee finds what is written to the configuration space of a device that
# runs, names the place, and knows what may be: that is not asked of a device that
# is told to stop.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/kernel/dma-session.sh
. "$here/dma-session.sh"

stage writes <<'END'
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
read -r runs stops <<<"$LAB_DEVICES"
# Write two or four bytes to a device's configuration space at once: OFFSET BYTES
write() { printf "$3" | dd of="/sys/bus/pci/devices/$1/config" bs=4 seek=$(($2)) oflag=seek_bytes conv=notrunc status=none; }
make_master "$runs" "$stops"
# INTx is off, as the freeze leaves it
write "$runs" 4 '\006\004'
ask-host look || exit
write "$runs" 4 '\006\004'
write "$stops" 4 '\002\000'
write "$stops" 0x10 '\377\377\377\377'
ask-host quiet || exit
write "$runs" 4 '\006\000'
write "$runs" 4 '\006\004'
write "$runs" 0x10 '\377\377\377\377'
END

# shellcheck disable=SC2016 # the laboratory's shell expands it
look='set -- $LAB_DEVICES
"$LAB_BUILD/bin/referee" config --qmp "$LAB_QMP" --trace "$LAB_TRACE" --device "$1" --device "$2" --output "$LAB_RESULTS/config"'
# shellcheck disable=SC2016
quiet='stat -c %s "$LAB_TRACE" >"$LAB_RESULTS/quiet"'
lab_run --mode scalable --devices edu,edu --hook "look=$look" --hook "quiet=$quiet" \
	--trace "$tap_scratch/trace" "$stage" || tap_done

# judged OPTION...: what the referee says, and its exit status
judged() {
	status=0
	"${BUILD:-$here/../../build}/bin/referee" writes "$lab_results/config" --trace "$tap_scratch/trace" \
		--output "$lab_results/judged.json" "$@" || status=$?
}

judged --end "$(cat "$lab_results/quiet")"
is "INTx of a device that runs may be off" "$status" 0
is "  and it is said why" "$(lab_json judged.json '.writes[0].allowed')" "the freeze turns INTx off"
is "nothing is said of a device that is told to stop" "$(lab_json judged.json '[.writes[].function] | unique | join(" ")')" 01:00.0
judged
is "INTx may not be on, nor a BAR be sized" "$status" 1
is "  both are counted" "$(lab_json judged.json .refused)" 2
is "  the place is named" "$(lab_json judged.json '[.writes[] | select(.allowed == null) | .offset] | join(" ")')" "0x4 0x10"
printf nonsense >"$lab_results/config"
judged 2>/dev/null
is "what is no configuration space is an error" "$status" 2
tap_done
