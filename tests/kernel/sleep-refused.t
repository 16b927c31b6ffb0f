#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# A host with a device that runs through a live update does not sleep: suspend,
# hibernation and the jump of kexec are refused before anything is frozen, in the
# outgoing kernel, and in the incoming one until the session is finished. All of
# them would switch the IOMMU off under the device.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/kernel/dma-session.sh
. "$here/dma-session.sh"

# Both stages: every way to sleep that there is, noted with what it answers
cat >"$tap_scratch/sleep" <<'END'
sleeps() {
	local state answer
	for state in freeze mem disk; do
		# The word is no state of every machine.
		grep -qw "$state" /sys/power/state || continue
		note "$1-states" "$state"
		if answer=$( (echo "$state" >/sys/power/state) 2>&1); then
			answer=ok
		fi
		note "$1-$state" "${answer##*: }"
	done
	# An image is made by who reads this file, and taken over by who writes to it.
	note "$1-image" "$( (exec 3</dev/snapshot) 2>&1 | sed 's/.*: //')"
	note "$1-resume" "$( (exec 3>/dev/snapshot) 2>&1 | sed 's/.*: //')"
	note "$1-log" "$(dmesg | grep -c "$LAB_DEVICES: liveupdate: \(suspend\|hibernation\) refused")"
	note "$1-works" "$(dma store "$LAB_DEVICES" 0x1001000 && dma read 0x1000)"
}
END

stage before <<'END'
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
. "$SLEEP"
bind-vfio "$LAB_DEVICES" >/dev/null
dma_preserved_device sleep "$LAB_DEVICES" || exit
dma write 0x0 0x1111
dma load "$LAB_DEVICES" 0x1000000
sleeps out

note out-jump "$("$LAB_BUILD/tests/kernel/kexec-jump")"
note out-again "$(dma store "$LAB_DEVICES" 0x1001000 && dma read 0x1000)"
kexec -s -l "$LAB_INCOMING" --command-line="$LAB_INCOMING_CMDLINE" || exit
dma hold
END
before=$stage

stage after <<'END'
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
. "$SLEEP"
dma_session
dma retrieve-session sleep
dma retrieve memory 1
sleeps in
dma retrieve iommufd 2
dma retrieve d 3
sleeps back
dma bind d
dma domain two d
dma map two 0x1000000
dma move d two
sleeps moved
dma finish
note end-works "$(dma store "$LAB_DEVICES" 0x1001000 && dma read 0x1000)"
END

lab_run --mode scalable --devices edu --env SLEEP="$tap_scratch/sleep" \
	--trace "$tap_scratch/trace" "$before" "$stage"
busy="Device or resource busy"
for when in out in back moved; do
	case $when in
	out) where="in the outgoing kernel" ;;
	in) where="while the device waits" ;;
	back) where="when it is retrieved" ;;
	moved) where="when it is on a page table of its own" ;;
	esac
	is "$where there are three ways to sleep" "$(fact $when-states | xargs)" "freeze mem disk"
	is "  suspend to idle is refused" "$(fact $when-freeze)" "$busy"
	is "  suspend to memory is refused" "$(fact $when-mem)" "$busy"
	is "  hibernation is refused" "$(fact $when-disk)" "$busy"
	is "  so is an image of memory" "$(fact $when-image)" "$busy"
	is "  and to go on from one" "$(fact $when-resume)" "$busy"
	is "  and the device does DMA" "$(fact $when-works)" 0x1111
done
ok "the log names the device and what it is refused for" [ "$(fact out-log)" -ge 1 ]
is "the jump to an image that comes back is refused" "$(fact out-jump)" ENOEXEC
is "  and the device does DMA" "$(fact out-again)" 0x1111
is "and when the session is finished" "$(fact end-works)" 0x1111
is "no access faults" "$(grep -c vtd_dmar_fault "$tap_scratch/trace")" 0
tap_done
