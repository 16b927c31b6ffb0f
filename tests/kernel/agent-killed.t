#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# An agent is killed between any two calls of the protocol, on both sides of the
# jump: what it has begun is undone, or waits for the next agent. Devices can be bound
# again, memory is back, and the next live update goes.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/kernel/dma-session.sh
. "$here/dma-session.sh"

# All stages. The protocol, a call in a line, and after what it is killed
cat >"$tap_scratch/protocol" <<'END'
outgoing=(nothing "memory 16" "device d $LAB_DEVICES" "domain one d" "map one 0x1000000"
	"attach d one" "mark one 1" "session vm" "preserve memory 1" "preserve iommufd 2"
	"preserve d 3" refused)
incoming=(nothing "retrieve-session vm" "retrieve memory 1" "retrieve iommufd 2" "retrieve d 3"
	"bind d" "restore old 1" "domain new d" "map new 0x1000000" "move d new"
	"destroy old" finish close)
# What belongs to the session may be asked for in another order.
reversed=(nothing "retrieve-session vm" "retrieve d 3" "retrieve iommufd 2" "bind d"
	"restore old 1" "retrieve memory 1")

# begin CALL...: an agent that makes these calls
begin() {
	dma_session
	local call
	for call; do
		case $call in
		nothing) ;;
		# A kernel that takes nothing over: all but the jump is tried.
		refused) kexec -e 2>/dev/null && exit 1 ;;
		*)	dma $call || exit ;;
		esac
	done
}
state() { cat "/sys/bus/pci/devices/$LAB_DEVICES/liveupdate"; }
table_pages() { echo 1 >/proc/sys/vm/stat_refresh; sed -n 's/^nr_iommu_pages //p' /proc/vmstat; }
# What a killed agent may not change; a page table of a device that was used once stays.
host() { echo "$(table_pages) table pages, $(state), bus master $(is_master "$LAB_DEVICES")"; }
END

stage before <<'END'
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
. "$PROTOCOL"
bind-vfio "$LAB_DEVICES" >/dev/null
kexec -s -l "$LAB_INCOMING" --command-line="$LAB_INCOMING_CMDLINE iommu.liveupdate=off" || exit
# What is kept for all from the first use on
begin "${outgoing[@]}"; dma_killed
clean=$(host)
for ((calls = 1; calls <= ${#outgoing[@]}; calls++)); do
	begin "${outgoing[@]:0:calls}"
	dma_killed
	note outgoing "$([ "$(host)" = "$clean" ] && echo clean || host), after ${outgoing[calls - 1]}"
done
# In the middle of the call that takes longest
for ((delay = 0; delay < 16; delay++)); do
	begin "memory 8192" "fill 1" "${outgoing[@]:2:6}"
	echo "preserve memory 1" >&"$dma_to"
	sleep 0.00$((delay / 4))
	dma_killed
	note outgoing "$([ "$(host)" = "$clean" ] && echo clean || host), in preserve memory"
done
begin "memory 16" "write 0x0 0x2222" "session memory" "preserve memory 1" hold
bind-vfio "$LAB_DEVICES" >/dev/null
begin "${outgoing[@]:0:11}" "write 0x0 0x1111" "load $LAB_DEVICES 0x1000000" "fill 0" hold
kexec -s -l "$LAB_INCOMING" --command-line="$LAB_INCOMING_CMDLINE"
END
before=$stage

# Runs in several kernels: once an agent has moved the device, its death ends the session.
stage after <<'END'
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
. "$PROTOCOL"
bind-vfio "$LAB_DEVICES" >/dev/null
boot=$(($(cat "$LAB_RESULTS/boots" 2>/dev/null || echo 0) + 1))
echo $boot >"$LAB_RESULTS/boots"
place=0
# killed AFTER CALL...: what is there after these calls and a kill
killed() {
	begin "${@:2}"
	dma_killed
	note incoming "$(state), bus master $(is_master "$LAB_DEVICES"), after $1"
}
if [ "$boot" = 1 ]; then
	for ((calls = 1; calls < 10; calls++)); do
		killed "${incoming[calls - 1]}" "${incoming[@]:0:calls}"
	done
	for ((calls = 3; calls <= ${#reversed[@]}; calls++)); do
		killed "${reversed[calls - 1]}" "${reversed[@]:0:calls}"
	done
	# Of memory alone, all could be finished at any time.
	begin "retrieve-session memory"; dma_killed
	begin "retrieve-session memory" "retrieve memory 1"
	note memory "$(dma read 0x0) $(dma try finish)"
	dma_killed
fi
# The calls after which it is killed in this kernel
calls=$((boot + 9))
killed "${incoming[calls - 1]}" "${incoming[@]:0:calls}"
note session "$(dma_session; dma try retrieve-session vm), after ${incoming[calls - 1]}"

# The host is as before, and the next live update goes.
echo "$LAB_DEVICES" >/sys/bus/pci/drivers/vfio-pci/unbind
note unbound "$([ -e "/sys/bus/pci/devices/$LAB_DEVICES/driver" ] && echo no || echo yes)"
bind-vfio "$LAB_DEVICES" >/dev/null
begin "${outgoing[@]:0:11}" "write 0x0 0x1111" "load $LAB_DEVICES 0x1000000" "fill 0" hold
dma store "$LAB_DEVICES" 0x1001000
note works "$(dma read 0x1000)"
note pages "$(table_pages)"
[ "$calls" = ${#incoming[@]} ] && exit
kexec -s -l "$LAB_OUTGOING" --command-line="$LAB_INCOMING_CMDLINE" && sync && kexec -e
END
after=$stage

outgoing=() incoming=()
# shellcheck source=/dev/null
. "$tap_scratch/protocol"
for mode in ${MODES:-scalable}; do
	lab_what=$mode
	lab_run --mode "$mode" --memory 512 --devices edu --env PROTOCOL="$tap_scratch/protocol" \
		--trace "$tap_scratch/trace" "$before" "$after" || continue
	is "$mode: an agent is killed after each of the outgoing kernel's calls" \
		"$(fact outgoing | grep -cv 'in preserve')" ${#outgoing[@]}
	is "$mode: the host is as it was, each time" "$(fact outgoing | grep -v '^clean')" ""
	is "$mode: and after each of the incoming kernel's" \
		"$(fact incoming | sed 's/.*, after //' | awk '!seen[$0]++' | wc -l)" ${#incoming[@]}
	is "$mode: memory that nobody has asked for waits for the next agent" "$(fact memory)" "0x2222 ok"
	is "$mode: until it has moved the device that runs on, and waits for the next agent" \
		"$(fact incoming | grep -v 'after \(move\|destroy\|finish\|close\)' | sed 's/^\(waiting\|retrieved\), bus master 1, .*/goes on/' | sort -u)" "goes on"
	is "$mode: from then on it stops with the agent" \
		"$(fact incoming | grep 'after \(move\|destroy\|finish\|close\)' | sed 's/, after.*//' | sort | uniq -c | xargs)" "4 none, bus master 0"
	is "$mode: and the session is over" "$(fact session | sed 's/, after.*//' | sort | uniq -c | xargs)" "4 ENOENT"
	is "$mode: the driver can be unbound" "$(fact unbound | sort | uniq -c | xargs)" "4 yes"
	is "$mode: and the device used, and preserved for the next live update" \
		"$(fact works | sort | uniq -c | xargs)" "4 0x1111"
	is "$mode: nothing is left over of any agent" "$(fact pages | sort -u | wc -l)" 1
	is "$mode: no access of the device faults" "$(grep -c vtd_dmar_fault "$tap_scratch/trace")" 0
done
tap_done
