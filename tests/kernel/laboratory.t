#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# The laboratory tells success from each kind of failure, and says what failed.

# shellcheck source=tests/lab/tap.sh
. "$(dirname "$0")/../lab/tap.sh"

# try OPTION...: run it and keep what it says
try() {
	lab_try "$@" 2>"$tap_scratch/said"
	said=$(cat "$tap_scratch/said")
}

stage good <<'END'
echo "$VARIABLE" >"$LAB_RESULTS/variable"
ask-host greet hello || exit 1
ask-host refuse
echo $? >"$LAB_RESULTS/refused"
sleep 1000 &
echo $! >"$LAB_RESULTS/pid"
END
good=$stage
stage next <<'END'
echo "$LAB_STAGE $(cat "$LAB_RESULTS/variable")" >"$LAB_RESULTS/seen"
END
next=$stage
try --env "VARIABLE=it's one" --hook 'greet=cp "$LAB_RESULTS/hooks/greet.words" "$LAB_RESULTS/greeting"' \
	--hook 'refuse=exit 9' --before-jump 'echo "$LAB_DEVICES" >"$LAB_RESULTS/before"' \
	--after 'uname -n >"$LAB_RESULTS/after"' --devices igb,edu "$good" "$next"
is "two stages that succeed are a success" "$lab_status" 0
is "the second stage sees what the first one left" "$(cat "$lab_results/seen")" "2 it's one"
is "a stage can ask the host to do something" "$(cat "$lab_results/greeting")" hello
is "a stage learns how a hook ended" "$(cat "$lab_results/refused")" 9
is "a hook runs before the jump and knows the devices" "$(cat "$lab_results/before")" "0000:01:00.0 0000:02:00.0"
is "a hook runs on the host after all" "$(cat "$lab_results/after")" "$(uname -n)"

stage panic <<'END'
echo c >/proc/sysrq-trigger
END
panic=$stage
try "$next" "$panic"
is "a panic of the incoming kernel is status 3" "$lab_status" 3
like "it says which kernel panicked" "$said" "the incoming kernel panicked"

stage bad <<'END'
echo this is why
exit 7
END
bad=$stage
try "$bad" "$next"
is "a stage that fails is status 1" "$lab_status" 1
like "it shows what the stage said" "$said" "this is why"
ok "nobody jumps after a failure" [ ! -e "$lab_results/stage2.exit" ]

stage skip <<'END'
exit 4
END
try "$stage"
is "a stage that cannot run is status 4" "$lab_status" 4

stage hang <<'END'
echo patience
sleep 1000
END
try --timeout 30 "$stage"
is "a guest that hangs is status 124" "$lab_status" 124
like "it shows how far it came" "$said" "patience"

stage trespass <<'END'
guard=$(pidof lab-guard) || exit
while read -r range access _ _ inode _; do
	[ "$access $inode" = "rw-p 0" ] && [ $((0x${range#*-} - 0x${range%-*})) -ge 8388608 ] && break
done </proc/$guard/maps
printf x | dd of=/proc/$guard/mem bs=1 seek=$((0x${range#*-} - 4096)) conv=notrunc status=none
END
try --guard 8 "$next" "$stage"
is "a word of others' memory that changes is status 6" "$lab_status" 6
like "it says which word" "$said" "word [0-9]+ is 0x"
try --guard 8 "$next" "$next"
is "and if none does, the run is a success" "$lab_status" 0

printf 'no kernel' >"$tap_scratch/image"
try --incoming "$tap_scratch/image" "$next" "$next"
is "a kernel that cannot be loaded is status 1" "$lab_status" 1
like "it says so" "$said" "could not be loaded"
try --mode upside-down "$next"
is "wrong usage is status 2" "$lab_status" 2
tap_done
