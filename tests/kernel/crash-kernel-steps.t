#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# A kernel panics at a step of a live update, and has a crash kernel. That boots, the
# device that was preserved goes on writing, to its own memory and nowhere else, and
# from the dump lutrace postmortem says in which step it was and how far the device had
# come. The device's addresses are those of the crash kernel's memory, so that with
# translation off it would write there. (edu alone has 28 bits of them.)
#
# Three steps by default, to save time; STEPS=all takes all of them, MODES= other modes.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/kernel/dma-session.sh
. "$here/dma-session.sh"
build=${BUILD:-$here/../../build}

# STEP KERNEL MODE PLACE [WORDS]: which kernel dies, and where: at a function, or at a word
# of the stages below. With WORDS on its command line the crash kernel cannot go on with
# the tables that it finds, and the device is stopped.
table=(
	"preserved outgoing scalable word"
	"preserved-off outgoing scalable word intel_iommu=off"
	"preserved-other-mode outgoing scalable word intel_iommu=sm_off"
	"in-freeze outgoing scalable iommufd_liveupdate_freeze"
	"in-shutdown outgoing legacy intel_liveupdate_shutdown"
	"before-jump outgoing scalable machine_kexec"
	"waiting incoming legacy word"
	"retrieved incoming scalable word"
	"moved incoming first-stage word"
	"finished incoming scalable word"
)
# What the post-mortem says there
declare -A sentence=(
	[preserved]='died after a preserve, before the reboot call, after the step file-preserve of 3 \(vfio-pci-v[0-9]+\)\.$'
	[in-freeze]='in the step file-freeze of 2 \(iommufd-v1\)'
	[in-shutdown]='died between freeze and jump, in the step machine-shutdown\.$'
	[before-jump]='died in the jump, before the incoming kernel recorded anything, after the step jump\.$'
	[waiting]=' died '
	[retrieved]='died in the incoming kernel, before all sessions were finished, after the step device-bind of 0000:01:00\.0\.$'
	[moved]='died in the incoming kernel, before all sessions were finished, after the step domain-replace of 0x[0-9a-f]+\.$'
	[finished]='died after all sessions were finished, after the step sessions-finished\.$'
)
chosen=${STEPS:-preserved-off in-freeze waiting}

stage before <<'END'
set -e
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
bind-vfio $LAB_DEVICES
begin=$(sed -n 's/^ *\([0-9a-f]*\)-.* : Crash kernel$/0x\1/p' /proc/iomem | tail -n 1)
[ -n "$begin" ]
iova=$((begin + (64 << 20)))
dma_session
dma memory 4096
dma device d $LAB_DEVICES
dma domain one d
dma map one $iova
dma attach d one
dma mark one 1
dma_preserve guests
dma write 0x0 0x1111
dma load $LAB_DEVICES $iova
dma fill 0
note iova $iova
note physical $(dma physical 0x7000)
dma hold
lutrace snapshot -d $LAB_DEVICES -o "$LAB_RESULTS/snapshot"
[ "$DIES" = incoming ] || kexec -p -s --command-line="$LAB_INCOMING_CMDLINE irqpoll reset_devices $WORDS" "$LAB_INCOMING"
sync
[ "$STEP" != preserved ] || echo c >/proc/sysrq-trigger
END
before=$stage

# In the incoming kernel, and in the crash kernel of either.
stage after <<'END'
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
iova=$(sed -n 's/^iova //p' "$LAB_RESULTS/facts")
physical=$(sed -n 's/^physical //p' "$LAB_RESULTS/facts")
if [ ! -e /proc/vmcore ]; then
	set -e
	case $STEP in
	retrieved|moved|finished)
		bind-vfio $LAB_DEVICES
		dma_session
		dma retrieve-session guests
		dma retrieve memory 1
		dma retrieve iommufd 2
		dma retrieve d 3
		dma bind d ;;
	esac
	case $STEP in
	moved|finished)
		dma domain two d
		dma map two $iova
		dma move d two
		# These are its tables now.
		lutrace snapshot -d $LAB_DEVICES -o "$LAB_RESULTS/snapshot" ;;
	esac
	[ "$STEP" != finished ] || dma finish
	kexec -p -s --command-line="$LAB_INCOMING_CMDLINE irqpoll reset_devices $WORDS" "$LAB_INCOMING"
	sync
	echo c >/proc/sysrq-trigger
fi
note crash-kernel "$(uname -r)"
note master $(is_master $LAB_DEVICES)
dma_session
dma store $LAB_DEVICES $((iova + 0x7000))
note arrived $(busybox devmem $physical 64)
writes_always $LAB_DEVICES $iova 4096
makedumpfile -c -d 23 --message-level 4 /proc/vmcore "$LAB_RESULTS/dump" >"$LAB_RESULTS/makedumpfile.log" 2>&1 || exit
writes_end
ask-host trace-end
dmesg >"$LAB_RESULTS/dmesg-crash"
END
after=$stage

# traced WHAT: how often QEMU's trace has it until the dump is saved; the crash kernel switches
# the unit off when it powers off
traced() { head -c "$(cat "$lab_results/trace.end")" "$tap_scratch/trace" | grep -c -e "$1"; }
answer() { jq -c -r "$1" "$tap_scratch/answer"; }

for row in "${table[@]}"; do
	read -r step kernel mode place words <<<"$row"
	case " $chosen " in
	*" $step "*|' all ') ;;
	*) continue ;;
	esac
	# shellcheck disable=SC2016 # expanded on the host
	where=(--append nokaslr --hook 'trace-end=stat -c %s "$LAB_TRACE" >"$LAB_RESULTS/trace.end"')
	[ "$place" = word ] || where+=(--crash-at "$kernel:$place")
	for mode in ${MODES:-$mode}; do
		lab_try --mode "$mode" --memory 768 --devices edu --guard 24 --append "$(crashkernel 192)" --qemu -global --qemu edu.dma_mask=0xffffffff "${where[@]}" --trace "$tap_scratch/trace" \
			--env STEP="${step%%-o*}" --env WORDS="$words" --env DIES="$kernel" "$before" "$after" 2>"$tap_scratch/said"
		is "$step, $mode: the $kernel kernel dies" "$lab_status" 3 || diag "$(cat "$tap_scratch/said")"
		is "  the crash kernel saves its memory" "$(cat "$lab_results/stage2.exit")" 0 ||
			{ diag "$(tail -n 40 "$lab_results/console-incoming.log")"; continue; }
		if [ -n "$words" ]; then
			is "  the device is stopped where its tables are not kept" "$(fact master) $(fact arrived)" "0 0x0000000000000000"
		else
			is "  the device goes on, and what it writes is in its own memory" "$(fact master) $(fact arrived)" "1 0x0000000000001111"
			is "  translation is never off" "$(traced 'vtd_dmar_enable enable 0')" 0
			is "  no access of the device faults" "$(traced vtd_dmar_fault)" 0
		fi
		is "  nothing of it is in the crash kernel's" "$(cat "$lab_results/guard.exit")" 0 || diag "$(cat "$lab_results/guard.log")"
		dies=${OUTGOING:-$build/linux/lab/arch/x86/boot/bzImage}
		[ "$kernel" = outgoing ] || dies=${INCOMING:-$build/linux/successor/arch/x86/boot/bzImage}
		"$build/bin/lutrace" postmortem -j --vmcore "$lab_results/dump" --vmlinux "${dies%/arch/x86/boot/bzImage}/vmlinux" \
			--snapshot "$lab_results/snapshot" >"$tap_scratch/answer" 2>"$tap_scratch/errors"
		like "  the post-mortem names the step" "$(answer .summary)" "${sentence[${step%%-o*}]}" || diag "$(cat "$tap_scratch/errors")"
		is "  and the device's tables" "$(answer '[.tables[] | .device + " " + .verdict] | join(", ")')" "0000:01:00.0 identical"
		is "  nothing of the dump is unreadable" "$(answer .unread)" '[]'
	done
done
tap_done
