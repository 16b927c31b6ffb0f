# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# One damaged handover, and what is true of it (tests/damage/run).

damage_devices=igb,edu,edu,edu
damage_modes=(legacy scalable first-stage)

# damage_options SEED TIMES: the laboratory's options of one run
damage_options() {
	# shellcheck disable=SC2034 # for whoever calls it
	# shellcheck disable=SC2016 # the hooks' variables
	options=(--mode "${damage_modes[$1 % 3]}" --cpus 1 --memory 512 --guard 96 --devices "$damage_devices"
		--append "nokaslr" --timeout 300 --env "DAMAGE_SEED=$1" --env "DAMAGE_TIMES=$2"
		--hook 'send=(while [ -S "$LAB_QMP" ]; do echo a frame that has to be long enough for Ethernet, which is sixty bytes >"/dev/udp/127.0.0.1/${LAB_PORTS%% *}"; sleep 0.02; done) >/dev/null 2>&1 &'
		--at-jump '"$LAB_BUILD/tests/kernel/damage-random" "$LAB_RAM" "$DAMAGE_SEED" "$DAMAGE_TIMES" >"$LAB_RESULTS/damage"')
}

# damage_verdict RESULTS STATUS: nothing if all is as it has to be, else what is not
damage_verdict() {
	local results=$1 device state master retrieved moved finished after
	[ "$2" = 0 ] || { echo "the run ends with status $2"; return; }
	[ -s "$results/damage" ] || { echo "nothing was damaged"; return; }
	[ "$(grep -c '^device ' "$results/facts")" = 4 ] || echo "not all devices were looked at"
	[ "$(sed -n 's/^obstacles //p' "$results/facts")" = 0 ] || echo "something hinders the next live update"
	while read -r _ device state master _ retrieved _ moved _ finished _ after; do
		case $state in
		waiting)
			[ "$master" = 1 ] || echo "$device waits, and was stopped" ;;
		*)	[ "$master" = 0 ] || echo "$device is $state, and masters the bus"
			case $retrieved in
			*,ok) echo "$device is $state, and was retrieved" ;;
			esac ;;
		esac
		case $finished,$state in
		ok,*)	;;
		gone,waiting) echo "$device waits, and its session is gone" ;;
		gone,*)	;;
		*)	echo "the session of $device does not finish: $finished" ;;
		esac
		[ "$after" = 0 ] || echo "$device masters the bus when its session is over"
		damage_is_of "$results" "$device" && continue
		[ "$state $retrieved $moved" = "waiting ok,ok,ok,ok ok" ] ||
			echo "nothing of $device is damaged: $state $retrieved $moved"
	done < <(grep '^device ' "$results/facts")
}

# damage_is_of RESULTS BDF: something that the device depends on is damaged
damage_is_of() {
	local bus=${2#*:}
	grep -qE "^(all|0000:${bus%%:*}00) " "$1/damage" ||
		# What says now that it is another device's, or what another device has
		grep -q ' sealed$' "$1/damage"
}
