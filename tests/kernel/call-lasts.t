#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# One session has a call under way that does not end: the reboot call is refused after a
# while, and the log names the session. Whoever else calls meanwhile waits no longer than that.
# When the call has ended, the update goes. A session that is dropped is not waited for either,
# and who resets a device again and again, whose lock has to be free, is refused meanwhile.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/kernel/dma-session.sh
. "$here/dma-session.sh"

stage before <<'END'
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
lasts=$LAB_BUILD/tests/kernel/call-lasts
"$lasts" preserve 256 /run/ready >/run/lasting &
lasting=$!
until_there /run/ready $lasting || exit
# It gets the CPU hardly ever, also for the call itself
for ((i = 0; i < 300; i++)); do
	! grep -q "^busy.lasting" /sys/kernel/liveupdate/obstacles || break
	sleep 0.1
done
note listed "$(grep -c "^busy.lasting" /sys/kernel/liveupdate/obstacles)"
begin=$SECONDS
(
	sleep 1
	"$lasts" quick >"$LAB_RESULTS/quick"
) &
other=$!
note jump "$(timeout $((60 * LAB_SLOWER)) kexec -e 2>&1 | sed 's/.*: //')"
note took $((SECONDS - begin))
note lasts "$(cat /run/lasting)"
note named "$(dmesg | grep -c "session\[lasting\] has a call under way that does not end")"
wait $other
kill -USR1 $lasting
until grep -q preserved /run/lasting; do
	kill -0 $lasting || exit
	sleep 0.1
done
note free "$(grep -c . /sys/kernel/liveupdate/obstacles)"
END
before=$stage
stage after <<'END'
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
dma_session
note back "$(dma try retrieve-session lasting) $(dma try retrieve memory 1)"
END

lab_run --mode scalable --devices none --memory 1024 --cpus 2 --timeout 200 "$before" "$stage"
is "the call lasts" "$(fact lasts)" ''
is "who asks what is in the way is told" "$(fact listed)" 1
is "the reboot call is refused" "$(fact jump)" "Device or resource busy"
took=$(fact took)
ok "after ${took:-no} s, and it has waited for the call" [ $((took >= 8 && took < 30 * ${LAB_SLOWER:-1})) = 1 ]
is "the log names the session" "$(fact named)" 1
quick=$(cat "$lab_results/quick")
ok "another session's calls take ${quick:-no} s" [ "${quick:-99}" -lt $((15 * ${LAB_SLOWER:-1})) ]
is "nothing is in the way when it has ended" "$(fact free)" 0
is "then it crosses" "$(fact back)" "ok ok"

# Both kernels handle errors in memory, which keep a session from crossing.
kernel=${INCOMING:-${BUILD:-$here/../../build}/linux/successor/arch/x86/boot/bzImage}
stage before <<'END'
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
"$LAB_BUILD/tests/kernel/call-lasts" lock 512 /run/ready &
until_there /run/ready $! || exit
sleep 1
END
before=$stage
stage after <<'END'
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
dma_session
note dropped "$(dma try retrieve-session lasting)"
mkdir "$LAB_RESULTS/ledger"
for ledger in previous current; do
	cat "/sys/kernel/liveupdate/ledger/$ledger" >"$LAB_RESULTS/ledger/$ledger"
done
END
lab_run --outgoing "$kernel" --devices none --memory 1536 --cpus 2 --append liveupdate.on_veto=drop "$before" "$stage"
is "who cannot cross is dropped, although he holds the lock of his file" "$(fact dropped)" ENOENT
"${BUILD:-$here/../../build}/bin/lutrace" record --ledger "$lab_results/ledger" --output "$lab_results/handover.json" >/dev/null
took=$(lab_json handover.json '[.steps[] | select(.step == "session-drop")][0].ns / 1e6 | floor')
ok "which takes ${took:-no} ms" [ "${took:-1000}" -lt $((300 * ${LAB_SLOWER:-1})) ]

stage before <<'END'
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
read -r kept other <<<"$LAB_DEVICES"
bind-vfio "$kept" >/dev/null
dma_preserved_device kept "$kept"
dma hold
"$LAB_BUILD/tests/kernel/call-lasts" "$RESETS" "$(bind-vfio "$other")" /run/ready &
until_there /run/ready $! || exit
END
before=$stage
stage after <<'END'
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
read -r kept other <<<"$LAB_DEVICES"
note kept "$(cat "/sys/bus/pci/devices/$kept/liveupdate")"
END
for way in reset flr open; do
	lab_what="resets by $way"
	lab_run --env RESETS="$way" --mode scalable --devices edu,nvme "$before" "$stage"
	is "$lab_what: a device crosses while another one is reset again and again" "$(fact kept)" waiting
done
tap_done
