#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# The kernel of the first half of the series, up to 'preserve', as outgoing and as
# incoming kernel: a domain and the entry of its device cross unchanged, and the device
# never notices. It is refused to every driver and every user, its session does not
# finish, other devices work, and a reboot is the way out. 'make test-series' runs this.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/kernel/dma-session.sh
. "$here/../kernel/dma-session.sh"
# shellcheck source=tests/kernel/workload.sh
. "$here/../kernel/workload.sh"
host="$tap_directory/demo-host"

# The first device receives packets, the second one waits as well, the third is nobody's.
stage before <<'END'
. "$LAB_PROJECT/tests/kernel/workload.sh"
set -- $LAB_DEVICES
bind-vfio "$1" >/dev/null
"$LAB_BUILD"/tests/kernel/waiting preserve "$(bind-vfio "$2")" >/run/waiting &
until grep -q preserved /run/waiting; do sleep 0.1; done
workload vm1 start --device "$1" --interrupts
workload_reaches vm1 receiving || exit
ask-host start-sender || exit
workload_reaches vm1 ready || exit
lutrace snapshot -p >"$LAB_RESULTS/snapshot.json" || exit
ask-host referee-before || exit
sleep 0.3
workload_go_on vm1
workload_reaches vm1 paused
END
before=$stage

stage after <<'END'
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
. "$LAB_PROJECT/tests/kernel/workload.sh"
set -- $LAB_DEVICES
sysfs=/sys/bus/pci/devices/$1
workload vm1 look --until "$LAB_RESULTS/sender.json"
workload_reaches vm1 looking || exit
ask-host referee-after || exit
lutrace verify -p >"$LAB_RESULTS/identity.json"
note verify $?
note device "${1#*:}"

# All that waiting.c knows to try, on the second device; the third one works.
bind-vfio "$2" >/dev/null
"$LAB_BUILD"/tests/kernel/waiting refused "/sys/bus/pci/devices/$2"
note refused $?
"$LAB_BUILD"/tests/kernel/waiting works "$(bind-vfio "$3")"
note works $?

# And what there is to retrieve
dma_session
dma retrieve-session workload
note retrieve-iommufd "$(dma try retrieve iommufd 2)"
note retrieve-device "$(dma try retrieve d 3)"
note finish "$(dma try finish)"
note state "$(cat "$sysfs/liveupdate")"
note log "$(dmesg | grep -c 'session cannot finish: .* this kernel gives it back to nobody; reboot')"

# Another live update has nothing to stand on
kexec -s -l "$LAB_INCOMING" --command-line="$LAB_INCOMING_CMDLINE"
note kexec "$(kexec -e 2>&1 | sed 's/.*: //')"
note kexec-log "$(dmesg | grep -c "cannot take over 'workload': it came with the last live update")"

# Packets come all the time, until the sender stops
sleep 1
ask-host stop-sender || exit
wait "${workload_pid[vm1]}"
note packets $?
note master "$(is_master "$1")"
note faults "$(dmesg | grep -c 'DMAR:.*fault')"
END

for mode in ${MODES:-legacy scalable first-stage}; do
	lab_run --mode "$mode" --devices igb,igb2 --guard 8 --timeout 240 --trace "$tap_scratch/qemu-trace.log" \
		--hook start-sender="$host start-sender" --hook stop-sender="$host stop-sender" \
		--hook referee-before="$host referee-before" --hook referee-after="$host referee-after" \
		"$before" "$stage" || continue
	packets() { lab_json workload-vm1.json ".dma | $1"; }
	is "$mode: no packet is lost, none is there twice, none is damaged" \
		"$(packets '[.lost, .duplicates, .corrupt] | join(" ")')" "0 0 0"
	ok "$mode: packets are received while no kernel runs" [ "$(packets .while_no_kernel_ran)" -gt 0 ]
	ok "$mode: and in the next kernel" [ "$(packets .after_resume)" -gt 0 ]
	is "$mode: all packets, and the memory, are as they should be" "$(fact packets)" 0
	is "$mode: lutrace finds the page tables identical" "$(fact verify) $(lab_json identity.json .verdict)" "0 identical"
	ok "$mode: so does the referee, which looks from outside" "$BUILD/bin/referee" compare \
		"$lab_results/referee-before.snapshot" "$lab_results/referee-after.snapshot" \
		--trace "$tap_scratch/qemu-trace.log" --end "$(cat "$lab_results/trace.end")" --output "$lab_results/referee.json"
	is "$mode: translation and interrupt remapping were on all the time, and nothing faulted" \
		"$(lab_json referee.json '[.translation_off, .root_changes, .remapping_off, .bus_master_off, .faults] | join(" ")')" "0 0 0 0 0"
	is "$mode: nobody gets in: drivers, vfio, sysfs, the session" "$(fact refused)" 0
	is "$mode: another device works" "$(fact works)" 0
	is "$mode: the iommufd is not given back" "$(fact retrieve-iommufd)" EOPNOTSUPP
	is "$mode: nor the device" "$(fact retrieve-device)" EOPNOTSUPP
	is "$mode: the session does not finish" "$(fact finish)" EBUSY
	ok "$mode: the log says what to do" [ "$(fact log)" -gt 0 ]
	is "$mode: another live update is refused" "$(fact kexec)" "Exec format error"
	is "$mode: because of what this one left" "$(fact kexec-log)" 1
	is "$mode: after all that the device waits, and masters the bus" "$(fact state) $(fact master)" "waiting 1"
	# The laboratory's machine goes off as it would reboot.
	like "$mode: going down stops the device, and translation" \
		"$(awk -v device="$(fact device)" '
			index($0, "pci_cfg_write ") && index($0, device " @0x4 ") { command = $NF }
			/vtd_dmar_enable enable 1/ { seen = "" }
			/vtd_dmar_enable enable 0/ { seen = command }
			END { print seen }' "$tap_scratch/qemu-trace.log")" '^0x[0-9a-f]*[012389ab]$'
done
tap_done
