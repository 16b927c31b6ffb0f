#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# A device that has been running since before this kernel waits for its owner:
# nobody else gets in, neither through vfio nor a driver nor sysfs, its session
# does not finish, and its memory can be read all the same. Other devices work.

# shellcheck source=tests/lab/tap.sh
. "$(dirname "$0")/../lab/tap.sh"

stage outgoing <<'END'
set -- $LAB_DEVICES
"$LAB_BUILD"/tests/kernel/waiting preserve "$(bind-vfio "$1")" >/tmp/out &
for i in $(seq 100); do grep -q preserved /tmp/out && exit 0; sleep 0.1; done
exit 1
END
before=$stage
stage incoming <<'END'
set -- $LAB_DEVICES
"$LAB_BUILD"/tests/kernel/waiting refused "/sys/bus/pci/devices/$1"
status=$?
(echo 1 >"/sys/bus/pci/devices/$1/sriov_numvfs") 2>/dev/null
sed 's/^[0-9]* //' "/sys/bus/pci/devices/$1/liveupdate_refused" >"$LAB_RESULTS/refused"
lutrace postmortem -j >"$LAB_RESULTS/postmortem.json"
"$LAB_BUILD"/tests/kernel/waiting works "$(bind-vfio "$2")" || status=1
exit $status
END
# No refusal depends on the mode; occupied.t looks at another one.
for mode in ${MODES:-first-stage}; do
	lab_what=$mode
	lab_try --mode "$mode" --devices igb2 "$before" "$stage"
	stage_tap 2
	ok "$mode: the run succeeds" [ "$lab_status" = 0 ]
	log=$(cat "$lab_results/dmesg-incoming.log")
	like "$mode: the log says that the device waits" "$log" \
		'liveupdate: has been running since before this kernel, waits to be retrieved'
	for what in 'binding a driver' 'opening its vfio device file' 'reset' 'removal' \
		'a change of the number of VFs'; do
		ok "$mode: sysfs counts $what" grep -qx "$what" "$lab_results/refused"
		is "$mode: and says once that it refused $what" \
			"$(grep -c "liveupdate: $what refused, the device waits to be retrieved" <<<"$log")" 1
	done
	is "$mode: the post-mortem says what waits" "$(lab_json postmortem.json \
		'[.point, (.devices[] | .device, .state), (.refusals | length > 0)] | join(" ")')" \
		"retrieved 0000:01:00.0 waiting true"
	like "$mode: and what to do" "$(lab_json postmortem.json '.advice[]')" 'retrieve the sessions'
done

tap_done
