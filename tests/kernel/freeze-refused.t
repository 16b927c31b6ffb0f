#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# A device with INTx enabled that it cannot mask does not cross: the reboot call fails,
# the log says why, and all goes on as before. A page table that no device uses is left
# behind, which does not hinder the others. MSI and
# MSI-X are masked in the device by the freeze, and unmasked when the reboot call fails.

# shellcheck source=tests/lab/tap.sh
. "$(dirname "$0")/../lab/tap.sh"
# shellcheck source=tests/kernel/dma-session.sh
. "$(dirname "$0")/dma-session.sh"

stage outgoing <<'END'
set -- $LAB_DEVICES
"$LAB_BUILD"/tests/kernel/freeze-refused "$(bind-vfio "$1")" "/sys/bus/pci/devices/$1" \
	"$(bind-vfio "$2")" "/sys/bus/pci/devices/$2"
status=$?
lutrace postmortem -j >"$LAB_RESULTS/postmortem.json"
echo $? >"$LAB_RESULTS/postmortem.exit"
exit $status
END
incoming=${INCOMING:-${BUILD:-$(dirname "$0")/../../build}/linux/successor/arch/x86/boot/bzImage}
lab_try --mode scalable --devices igb2 --append vfio_pci.nointxmask=1 --incoming "$incoming" "$stage"
stage_tap 1
ok "the run succeeds" [ "$lab_status" = 0 ]

like "the log names INTx" "$(cat "$lab_results/dmesg-outgoing.log")" \
	"cannot cross a live update: its user has INTx enabled, which the device cannot mask"
is "the post-mortem names the step, the device and the reason" "$(lab_json postmortem.json .summary)" \
	"The live update failed: device-freeze of 0000:02:00.0 in the session second failed with EBUSY (Device or resource busy); nothing is preserved any more, and the host goes on."
is "what it was part of" "$(lab_json postmortem.json '.failures[-1].within | join(", ")')" \
	"file-freeze of 3 (vfio-pci-v1), serialize, reboot"
is "in whose session" "$(lab_json postmortem.json '.failures[-1].session')" second
like "the log names the session, too" "$(cat "$lab_results/dmesg-outgoing.log")" 'Freeze failed for session\[second\] token'
like "and shows what the log says of it" "$(lab_json postmortem.json '.log[]')" 'its user has INTx enabled'
is "that is not good" "$(cat "$lab_results/postmortem.exit")" 1

stage before <<'END'
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
bind-vfio $LAB_DEVICES
dma_session
dma memory 16 && dma device d "$LAB_DEVICES" && dma domain one d && dma map one 0x1000000 &&
	dma domain two d && dma map two 0x1000000 && dma attach d one && dma mark one 1 && dma mark two 2 || exit
dma_preserve guests-of-the-first-tenant || exit
dma write 0x0 0x1234
dma load "$LAB_DEVICES" 0x1000000
dma hold
END
before=$stage
stage after <<'END'
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
dma_session
note again "$(dma try retrieve-session guests-of-the-first-tenant)"
dma retrieve iommufd 2
note left "$(dma try restore x 2)"
note used "$(dma try restore y 1)"
END
lab_run --mode scalable --devices edu "$before" "$stage"
is "a session with a page table that no device uses crosses" "$(fact again)" ok
is "in the next kernel there is none" "$(fact left)" ENOENT
is "the other is there" "$(fact used)" ok
tap_done
