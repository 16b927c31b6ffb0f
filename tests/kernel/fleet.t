#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# A host with 16 devices of 8 owners crosses one live update: each owner has a process, a
# session and two devices of its own, and all work at the same time. Four owners fail, each
# in another way: one gave its session up before, one cannot cross and is dropped, one has a
# device that was pulled out, one a device with a damaged record. One never comes back. Those
# that come take all home that can be had, one of them after its first process was killed. No
# one is hurt by another's fault, each fault has an explanation, and in the end all devices
# that are there are taken up anew, all at once.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/kernel/dma-session.sh
. "$here/dma-session.sh"
# shellcheck source=tests/kernel/slot.sh
. "$here/slot.sh"

# Both stages
cat >"$tap_scratch/fleet" <<'END'
owners="straight reverse killed pulled damaged absent dropped quitter"
pci=/sys/bus/pci/devices
# place OWNER: the number of its first device
place() { local before="${owners%%"$1"*}"; set -- $before; echo $(($# * 2)); }
# address OWNER a|b
address() {
	local all=($LAB_DEVICES)
	echo "${all[$(place "$1") + $([ "$2" = a ] && echo 0 || echo 1)]}"
}
# Where a device's memory is for it, and at which offset of the memfd
iova() { [ "$1" = a ] && echo 0x1000000 || echo 0x2000000; }
# word OWNER a|b: what that device has loaded, nobody else's
word() { printf '0x%x' $((0x1000 + $(place "$1") + $([ "$2" = a ] && echo 0 || echo 1))); }

# at_once FUNCTION OWNER...: for each owner in a process of its own, all at the same time
at_once() {
	local function=$1 owner pids=() pid bad=0
	shift
	for owner; do
		( note() { echo "$*" >>"/run/facts.$owner"; }; DMA_NAME=agent-$owner; "$function" "$owner" ) &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do
		wait "$pid" || bad=1
	done
	for owner; do
		cat "/run/facts.$owner" >>"$LAB_RESULTS/facts" 2>/dev/null || :
		rm -f "/run/facts.$owner"
	done
	return $bad
}

# takes_up OWNER DEVICE...: memory, and a page table for each device
takes_up() {
	local owner=$1 name
	shift
	dma_session
	dma memory 16 || return
	for name; do
		dma device $name "$(address "$owner" $name)" && dma domain on-$name $name &&
			dma map on-$name $(iova $name) && dma attach $name on-$name &&
			dma mark on-$name $(iova $name) || return
	done
}
# preserves SESSION DEVICE...: in that order, with tokens 1, 2, and those of the devices
preserves() {
	local session=$1 name
	shift
	dma session "$session" && dma preserve memory 1 && dma preserve iommufd 2 || return
	for name; do
		dma preserve $name $(token $name) || return
	done
}
token() { [ "$1" = a ] && echo 3 || echo 4; }
# writes OWNER DEVICE: what it writes to its memory
writes() {
	dma write 0x3000 0
	dma store "$(address "$1" "$2")" $(($(iova "$2") + 0x3000))
	dma read 0x3000
}
END

stage before <<'END'
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
. "$LAB_PROJECT/tests/kernel/slot.sh"
. "$FLEET"
bind-vfio $LAB_DEVICES >/dev/null || exit
begins() {
	local name
	takes_up "$1" a b || return
	for name in a b; do
		dma write 0x0 "$(word "$1" $name)"
		dma load "$(address "$1" $name)" $(iova $name)
	done
	dma fill 0
	preserves "$1" a b || return
	case $1 in
	quitter) dma unpreserve ;;
	dropped) dma interrupt b 0 1 ;;
	esac
	dma hold
}
at_once begins $owners || exit
note preserved "$(cat $pci/*/liveupdate | grep -c preserved)"
lutrace doctor --sessions >"$LAB_RESULTS/doctor"
echo drop >/sys/module/liveupdate/parameters/on_veto
port=$(basename "$(dirname "$(readlink -f "$pci/$(address pulled a)")")")
slot_pull "$port" unnoticed
END
before=$stage

stage after <<'END'
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
. "$FLEET"
"$LAB_BUILD/tests/kernel/damage-record" vfio-bit "$(address damaged a)" || note undamaged
for bdf in $LAB_DEVICES; do
	[ ! -e "$pci/$bdf" ] || bind-vfio "$bdf" >/dev/null || note unbound "$bdf"
done
for owner in $owners; do
	for name in a b; do
		bdf=$(address "$owner" $name)
		[ ! -e "$pci/$bdf" ] || note "$owner-$name-found" "$(cat "$pci/$bdf/liveupdate") $(is_master "$bdf")"
	done
done

# retrieves WHAT...: one file after the other, whichever can be had
retrieves() {
	local what got=()
	for what; do
		case $what in
		a|b)	what="$what $(token $what)" ;;
		memory)	what="memory 1" ;;
		*)	what="iommufd 2" ;;
		esac
		got+=("$(dma try retrieve $what)")
	done
	echo "${got[*]}"
}
# moves OWNER DEVICE...: each to a page table of this kernel
moves() {
	local owner=$1 name got=()
	shift
	for name; do
		got+=("$(dma try bind $name)" "$(writes "$owner" $name)")
		dma domain new-$name $name && dma map new-$name $(iova $name)
		got+=("$(dma try move $name new-$name)" "$(writes "$owner" $name)")
	done
	echo "${got[*]}"
}
# What the process of each owner does
comes() {
	dma_session
	note "$1-session" "$(dma try retrieve-session "$1")"
	case $1 in
	straight|absent)
		note "$1-retrieved" "$(retrieves memory iommufd a b)"
		note "$1-moved" "$(moves "$1" a b)"
		;;
	reverse)
		note "$1-retrieved" "$(retrieves b a iommufd memory)"
		note "$1-early" "$(dma try finish)"
		note "$1-moved" "$(moves "$1" b a)"
		;;
	killed)
		note "$1-retrieved" "$(retrieves memory iommufd a b)"
		note "$1-half" "$(moves "$1" a) $(dma try bind b)"
		dma_killed
		dma_session
		note "$1-session-again" "$(dma try retrieve-session "$1")"
		note "$1-retrieved-again" "$(retrieves memory iommufd a b)"
		note "$1-moved" "$(moves "$1" b)"
		;;
	pulled|damaged)
		note "$1-retrieved" "$(retrieves memory iommufd a b)"
		note "$1-moved" "$(moves "$1" b)"
		;;
	*)	return ;;
	esac
	note "$1-finish" "$(dma try finish)"
}
at_once comes straight reverse killed pulled damaged dropped quitter

cat $pci/*/liveupdate | sort | uniq -c | xargs >"$LAB_RESULTS/states"
lutrace postmortem -j >"$LAB_RESULTS/postmortem.json"
lutrace doctor --sessions >"$LAB_RESULTS/doctor-after"
lutrace steps --list >"$LAB_RESULTS/steps"
note absent-others "$(dma_session; for name in a b; do dma try open "$(address absent $name)"; done | xargs)"

# Somebody comes in its place
at_once comes absent

present() {
	local name
	for name in a b; do
		[ ! -e "$pci/$(address "$1" $name)" ] || echo $name
	done
}
again() {
	local name names
	names=$(present "$1")
	takes_up "$1" $names || return
	for name in $names; do
		dma write 0x0 "$(word "$1" $name)"
		dma load "$(address "$1" $name)" $(iova $name)
		note "$1-$name-again" "$(writes "$1" $name)"
	done
	preserves "again-$1" $names || return
	note "$1-again" "$(for name in $names; do cat "$pci/$(address "$1" $name)/liveupdate"; done | xargs) $(dma try unpreserve)"
}
note all-again "$(at_once again $owners && echo ok)"
note obstacles "$(grep -c . /sys/kernel/liveupdate/obstacles)"
note end "$(cat $pci/*/liveupdate | sort -u | xargs)"
END
after=$stage

# word_of OWNER a|b, as in the stages
word_of() { (. "$tap_scratch/fleet"; word "$@"); }
# home OWNER DEVICE...: it writes where it did on both page tables
home() {
	local owner=$1 name expected=
	shift
	for name; do
		expected+="ok $(word_of "$owner" "$name") ok $(word_of "$owner" "$name") "
	done
	is "$what: $owner: it comes home with $*, under DMA" "$(fact "$owner-moved")" "${expected% }"
	is "$what: $owner: and finishes" "$(fact "$owner-finish")" ok
}

for mode in ${MODES:-scalable legacy first-stage}; do
	what=$mode lab_what=$mode
	rm -f "$tap_scratch"/monitor.*
	# shellcheck disable=SC2046
	lab_run --mode "$mode" --devices "$(printf 'edu,%.0s' {1..15})edu" $(slot_options) --append vfio_pci.nointxmask=1 \
		--env FLEET="$tap_scratch/fleet" --trace "$tap_scratch/trace" "$before" "$after" || continue
	is "$mode: 8 processes preserve at once" "$(fact preserved)" 14
	like "$mode: it is seen before who would hold them all" "$(cat "$lab_results/doctor")" \
		"session 'dropped', file 0x4 .*INTx enabled, which the device cannot mask"

	is "$mode: the devices of those that cross wait, the others are stopped" \
		"$(sed -n 's/^[a-z]*-[ab]-found //p' "$lab_results/facts" | sort | uniq -c | xargs)" "4 none 0 11 waiting 1"
	home straight a b
	is "$mode: reverse: devices come before what they need, and it is not finished early" \
		"$(fact reverse-retrieved), $(fact reverse-early)" "ok ok ok ok, EBUSY"
	home reverse b a
	is "$mode: killed: its process had half of it" "$(fact killed-half)" \
		"ok $(word_of killed a) ok $(word_of killed a) ok"
	is "$mode: killed: the next one has all of it" "$(fact killed-session-again) $(fact killed-retrieved-again)" "ok ok ok ok ok"
	home killed b
	for owner in pulled damaged; do
		is "$mode: $owner: what is lost cannot be retrieved, the rest can" "$(fact $owner-retrieved)" "ok ok EIO ok"
		home $owner b
	done
	is "$mode: dropped, quitter: their sessions are gone" "$(fact dropped-session) $(fact quitter-session)" "ENOENT ENOENT"

	why='.unfinished[] | select(.kind == "device") | .state + " " + (.reason // "-") + " " + (.session // "-")'
	is "$mode: the post-mortem has each device that is not home, and why" \
		"$(lab_json postmortem.json "$why" | sort | xargs)" \
		"lost file damaged lost not-found pulled waiting - absent waiting - absent"
	is "$mode: and who gave up before" "$(lab_json postmortem.json '.given_up[].session')" quitter
	like "$mode: the ledger has who was dropped" "$(cat "$lab_results/steps")" session-drop
	like "$mode: and who never came is named" "$(cat "$lab_results/doctor-after")" "session 'absent': nobody has retrieved it"
	is "$mode: nobody else gets its devices" "$(fact absent-others)" "EBUSY EBUSY"
	home absent a b

	is "$mode: each device that is there is taken up and preserved anew, all at once" \
		"$(fact all-again), $(grep -cE '^[a-z]+-again (preserved )+ok$' "$lab_results/facts")" "ok, 8"
	is "$mode: and does DMA" "$(grep -cE '^[a-z]+-[ab]-again 0x10' "$lab_results/facts")" 15
	is "$mode: nothing is left of the update" "$(fact end), $(fact obstacles)" "none, 0"
	is "$mode: no access of a device faults" "$(grep -c vtd_dmar_fault "$tap_scratch/trace")" 0
done
tap_done
