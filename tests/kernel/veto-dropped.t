#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# With liveupdate.on_veto=drop a session that cannot cross is dropped, and does not
# hold the others: its device is stopped, and the next kernel knows nothing of it. While
# the machine cannot be shut down, since a device is being unbound, no session is
# dropped, and the reboot call fails.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/kernel/dma-session.sh
. "$here/dma-session.sh"

stage before <<'END'
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
set -- $LAB_DEVICES
"$LAB_BUILD"/tests/kernel/veto-dropped "$(bind-vfio "$1")" "$(bind-vfio "$2")" /run/ready &
until [ -e /run/ready ]; do
	kill -0 $! || exit 1
	sleep 0.05
done
lutrace doctor --sessions >"$LAB_RESULTS/doctor" 2>&1
note doctor-exit $?
lutrace doctor --sessions -j >"$LAB_RESULTS/doctor.json"
kexec -e 2>/dev/null
note refused "$? $(is_master "$2")"
note wrong "$( (echo maybe >/sys/module/liveupdate/parameters/on_veto) 2>&1 | sed 's/.*: //')"
echo drop >/sys/module/liveupdate/parameters/on_veto
note policy "$(cat /sys/module/liveupdate/parameters/on_veto)"
bind-vfio "$3" >/dev/null
dma_holder "$3"
echo "$3" >"/sys/bus/pci/devices/$3/driver/unbind" &
unbinding=$!
until [ ! -e "/sys/bus/pci/devices/$3/vfio-dev" ]; do sleep 0.05; done
note stuck "$(kexec -e 2>&1 | sed 's/.*: //'), $(is_master "$1") $(is_master "$2")"
note stuck-log "$(dmesg | grep -cE 'session\[(first|second)\] cannot even be dropped')"
note stuck-states "$(cat "/sys/bus/pci/devices/$1/liveupdate") $(cat "/sys/bus/pci/devices/$2/liveupdate")"
note stuck-why "$(grep -c "$3: .*unbound from its driver" /sys/kernel/liveupdate/obstacles)"
kill -KILL "$holder"
wait "$unbinding"
END
before=$stage
stage after <<'END'
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
set -- $LAB_DEVICES
note states "$(cat "/sys/bus/pci/devices/$1/liveupdate") $(cat "/sys/bus/pci/devices/$2/liveupdate")"
note masters "$(is_master "$1") $(is_master "$2")"
lutrace doctor --sessions >"$LAB_RESULTS/doctor-after"
note after-exit $?
dma_session
note second "$(dma try retrieve-session second)"
note third "$(dma try retrieve-session third)"
note first "$(dma try retrieve-session first)"
lutrace steps -L /sys/kernel/liveupdate/ledger/previous --list >"$LAB_RESULTS/steps" 2>&1 ||
	lutrace steps --list >"$LAB_RESULTS/steps" 2>&1
END
incoming=${INCOMING:-${BUILD:-$here/../../build}/linux/successor/arch/x86/boot/bzImage}
lab_run --mode scalable --devices igb2,edu --append vfio_pci.nointxmask=1 --incoming "$incoming" \
	"$before" "$stage" || tap_done

like "doctor --sessions names the session, the file and the reason" "$(cat "$lab_results/doctor")" \
	"session 'second', file 0x3 .vfio-pci-v1.: 0000:.*INTx enabled, which the device cannot mask"
is "that is bad" "$(fact doctor-exit)" 1
is "in JSON, too" "$(lab_json doctor.json '.checks[] | select(.verdict == "fail") | "\(.kind) \(.session) \(.token)"')" \
	"veto second 0x3"
schema "which is what its schema says" doctor "$lab_results/doctor.json"
is "by default the reboot call fails, and the device goes on" "$(fact refused)" "255 1"
is "there are no other policies" "$(fact wrong)" "Invalid argument"
is "the policy is changed" "$(fact policy)" drop
is "while a device is being unbound, the reboot call fails, and nothing is stopped" "$(fact stuck)" "Device or resource busy, 1 1"
is "the log says so" "$(fact stuck-log)" 1
is "all stays preserved" "$(fact stuck-states)" "preserved preserved"
ok "and what is in the way is listed" [ "$(fact stuck-why)" -ge 1 ]
is "the others go on in the next kernel, the device that was dropped is nobody's" "$(fact states)" "waiting none"
is "it was stopped" "$(fact masters)" "1 0"
is "its session is gone" "$(fact second)" ENOENT
is "the one before it is there" "$(fact first)" ok
is "the one after it is there" "$(fact third)" ok
like "what is not finished is listed" "$(cat "$lab_results/doctor-after")" "session 'first': nobody has retrieved it"
is "that is bad as well" "$(fact after-exit)" 1
like "the ledger has it" "$(cat "$lab_results/steps")" session-drop
tap_done
