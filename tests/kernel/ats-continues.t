#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# A device that has Address Translation Services enabled crosses with them: nothing is
# written to it, and from its probe on this kernel invalidates what it caches, when its page
# table changes and when it is moved to another one. A kernel that is told to do without
# loses the device, since it could not. Where a device is lost as its page table cannot be
# restored, what it has cached of that goes before it is an ordinary device.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/kernel/dma-session.sh
. "$here/dma-session.sh"
# shellcheck source=tests/kernel/ats.sh
. "$here/ats.sh"

stage before <<'END'
set -e
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
. "$LAB_PROJECT/tests/kernel/ats.sh"
[ -z "${SUCCESSOR-}" ] || kexec -s -l "$LAB_INCOMING" --command-line="$LAB_INCOMING_CMDLINE $SUCCESSOR"
bind-vfio $ats_device >/dev/null
dma_session
dma memory 16
dma device d $ats_device
dma domain one d
dma map one 0x1000000
dma domain two d
dma map two 0x1000000
dma attach d one
# The ordinary way of moving is as good, under ATS as well
dma move d two
ask-host before-move
dma move d one
ask-host after-move
dma unmap two
ask-host after-unmap
dma mark one 1
note before "$(ats_control $ats_device)"
dma session ats
dma preserve memory 1
dma preserve iommufd 2
note preserve "$(dma try preserve d 3)"
dma hold
ask-host before-jump
[ -z "${DAMAGE-}" ] || "$LAB_BUILD/tests/kernel/damage-record" "$DAMAGE"
END
before=$stage
stage after <<'END'
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
. "$LAB_PROJECT/tests/kernel/ats.sh"
note waiting "$(ats_control $ats_device)"
note state "$(cat "/sys/bus/pci/devices/$ats_device/liveupdate")"
note lost "$(dmesg | grep -c "$ats_device: .*liveupdate: has Address Translation Services enabled, and this kernel cannot")"
note master "$(is_master $ats_device)"
ask-host at-end
[ -z "${SUCCESSOR-}" ] || exit 0
bind-vfio $ats_device >/dev/null
dma_session
dma retrieve-session ats
dma retrieve memory 1
dma retrieve iommufd 2
dma retrieve d 3
dma bind d
note retrieved "$(ats_control $ats_device)"
dma domain two d
dma map two 0x1000000
ask-host before-second-move
note move "$(dma try move d two)"
ask-host after-second-move
note moved "$(ats_control $ats_device)"
note finish "$(dma try finish)"
note unmap "$(dma try unmap two)"
ask-host after-second-unmap
END
after=$stage

# invalidated FROM TO: how often the host has seen an invalidation of a device's cache
# between two moments
invalidated() {
	local from to
	from=$(cat "$lab_results/$1") to=$(cat "$lab_results/$2")
	head -c "$to" "$tap_scratch/trace" | tail -c "+$((from + 1))" | grep -c "vtd_inv_desc .*desc type device "
}
hooks=()
for moment in before-move after-move after-unmap before-jump at-end before-second-move after-second-move after-second-unmap; do
	hooks+=(--hook "$moment=stat -c %s \"\$LAB_TRACE\" >\"\$LAB_RESULTS/$moment\"")
done
run() { # MODE [OPTION]...
	lab_run --mode "$1" "${ats_options[@]}" --qemu -trace --qemu enable=vtd_inv_desc \
		--trace "$tap_scratch/trace" "${hooks[@]}" "${@:2}" "$before" "$after"
}
for mode in ${MODES:-legacy scalable first-stage}; do
	lab_what=$mode
	rm -f "$tap_scratch/trace"
	run "$mode" || continue
	is "$mode: the services are enabled" "$(fact before)" 0x8000
	ok "$mode: a move invalidates what the device caches" [ "$(invalidated before-move after-move)" -gt 0 ]
	ok "$mode: what it is not on any more is not its own to cache" [ "$(invalidated after-move after-unmap)" = 0 ]
	is "$mode: the device is preserved" "$(fact preserve)" ok
	is "$mode: it waits" "$(fact state)" waiting
	is "$mode: with its services enabled" "$(fact waiting)" 0x8000
	is "$mode: and so it is retrieved" "$(fact retrieved)" 0x8000
	is "$mode: it is moved, and has them" "$(fact move) $(fact moved)" "ok 0x8000"
	ok "$mode: the move invalidates what it caches" [ "$(invalidated before-second-move after-second-move)" -gt 0 ]
	is "$mode: its session finishes" "$(fact finish)" ok
	is "$mode: its memory is unmapped" "$(fact unmap)" ok
	ok "$mode: which invalidates what it caches" [ "$(invalidated after-second-move after-second-unmap)" -gt 0 ]
	is "$mode: no access faults" "$(grep -c vtd_dmar_fault "$tap_scratch/trace")" 0
done
lab_what=pci=noats
run scalable --env SUCCESSOR=pci=noats || tap_done
is "a kernel without them: the device is lost" "$(fact state | cut -d' ' -f1)" lost
is "the log says why" "$(fact lost)" 1
is "it masters the bus no more" "$(fact master)" 0
lab_what=lost
for mode in legacy scalable; do
	rm -f "$tap_scratch/trace"
	run "$mode" --env SUCCESSOR=iommu.liveupdate=eager --env DAMAGE=domain-tables || continue
	is "$mode: a device whose page table cannot be restored is lost" "$(fact state | cut -d' ' -f1)" lost
	is "$mode: it masters the bus no more" "$(fact master)" 0
	ok "$mode: what it has cached is invalidated" [ "$(invalidated before-jump at-end)" -gt 0 ]
	is "$mode: the kernel has nothing to complain of" \
		"$(grep -E 'WARNING|BUG|Oops' "$lab_results/dmesg-incoming.log")" ''
done

# Nothing of a live update: a unit answers none who ask for what is not translated
stage passes <<'END'
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
. "$LAB_PROJECT/tests/kernel/ats.sh"
note control "$(ats_control $ats_device)"
END
lab_what=pass-through
lab_run --mode legacy --append iommu=pt "${ats_options[@]}" "$stage" &&
	is "a device whose requests pass through asks for no translations" "$(fact control)" 0x0
tap_done
