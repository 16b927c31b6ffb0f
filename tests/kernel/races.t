#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Two agents at the same time, and the reboot call with everything else: each call
# answers as if it had been alone, nothing is left over, and what crosses is whole.
# ROUNDS and SEED are of each race; a failure is repeated, or nearly, with its seed.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/kernel/dma-session.sh
. "$here/dma-session.sh"

rounds=${ROUNDS:-20}
seed=${SEED:-$RANDOM}
sessions=16

stage before <<'END'
races=$LAB_BUILD/tests/kernel/races
cdevs=($(bind-vfio $LAB_DEVICES))
directories=($(printf '/sys/bus/pci/devices/%s ' $LAB_DEVICES))
status=0
kexec -s -l "$LAB_INCOMING" --command-line="$LAB_INCOMING_CMDLINE" || exit
"$races" agents "${cdevs[0]}" "$ROUNDS" "$SEED" || status=1
"$races" reboot "${cdevs[@]:0:2}" "${directories[0]}" "${directories[2]}" "$ROUNDS" "$SEED" || status=1
[ $status = 0 ] || exit
"$races" prepare "$SESSIONS" /run/prepared &
until [ -e /run/prepared ]; do
	kill -0 $! || exit
	sleep 0.05
done
END
before=$stage

# Runs in two kernels.
stage after <<'END'
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
cdevs=($(bind-vfio $LAB_DEVICES))
directories=($(printf '/sys/bus/pci/devices/%s ' $LAB_DEVICES))
if [ ! -e "$LAB_RESULTS/home" ]; then
	"$LAB_BUILD/tests/kernel/races" home "$SESSIONS" "$SEED" >"$LAB_RESULTS/home" || exit
	kexec -s -l "$LAB_INCOMING" --command-line="$LAB_INCOMING_CMDLINE" || exit
	"$LAB_BUILD/tests/kernel/races" storm "${cdevs[@]:0:2}" "${directories[1]}" \
		"${directories[2]}" /run/storm "$SEED" &
	until [ -e /run/storm ]; do
		kill -0 $! || exit
		sleep 0.01
	done
	# It is refused while the storm has preserved a page table, and not its device yet.
	for ((tries = 0; tries < 200; tries++)); do
		note refused $tries
		sync
		kexec -e 2>/dev/null
		kill -0 $! || exit
	done
	exit 1
fi
dma_session
dma retrieve-session kept && dma retrieve memory 1 && dma retrieve iommufd 2 && dma retrieve d 3 &&
	dma bind d && dma space new && dma map new 0x1000000 && dma move-to-space d new || exit
note kept "$(dma try finish)"
dma_killed
# It was closed in time, or crossed as far as it had come.
dma_session
answer=$(dma try retrieve-session storm)
note storm "$answer"
if [ "$answer" = ok ]; then
	note storm-files "$(dma try retrieve memory 1) $(dma try retrieve iommufd 2) $(dma try retrieve d 3)"
	dma_killed
fi
END
after=$stage

for mode in ${MODES:-scalable}; do
	lab_what="$mode, ROUNDS=$rounds SEED=$seed"
	lab_run --mode "$mode" --memory 512 --devices edu,edu,edu --timeout $((120 + 3 * rounds)) \
		--append vfio_pci.nointxmask=1 --env ROUNDS="$rounds" --env SEED="$seed" --env SESSIONS=$sessions \
		--trace "$tap_scratch/trace" "$before" "$after"
	stage_tap 1
	[ "$lab_status" = 0 ] || continue
	repeat_tap "$lab_results/home"
	diag "the storm: refused $(fact refused | tail -n 1) times, its session: $(fact storm) $(fact storm-files)"
	is "$mode: what was preserved crosses with all that went on until the jump" "$(fact kept)" ok
	is "$mode: no access of a device faults" "$(grep -c vtd_dmar_fault "$tap_scratch/trace")" 0
done
tap_done
