#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Where the ledger of the previous kernel is, its name, and what else its handover has,
# stands in a device tree without a checksum. An address of nothing is refused with one
# line in the log, and the boot goes on; so is one of somebody else's memory, which stays
# his: a device writes there all the time, and its owner gets it back.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/kernel/dma-session.sh
. "$here/dma-session.sh"

stage before <<'END'
set -e
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
bind-vfio $LAB_DEVICES >/dev/null
dma_preserved_device beside "$LAB_DEVICES" 4
dma write 0x0 0x1111
dma load "$LAB_DEVICES" 0x1000000
dma fill 0
dma write 0x2000 0x1111
dma hold
for damage in none:kexec-metadata none:lapic-timer-v1 page:liveupdate-ledger; do
	"$LAB_BUILD/tests/kernel/damage-handover" "$damage"
done
END
before=$stage
stage after <<'END'
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
bind-vfio $LAB_DEVICES >/dev/null
# Most of what is free now is taken and filled; all of it leaves nothing for the rest
guard $(($(free_pages) * 3 / 4))
dma_session
note retrieved "$(dma try retrieve-session beside) $(dma try retrieve memory 1) $(dma try retrieve iommufd 2) $(dma try retrieve d 3)"
dma store "$LAB_DEVICES" 0x1001000
note memory "$(dma read 0x1000) $(dma read 0x2000)"
note guard "$(guard_damage)"
dma bind d
dma domain n d
dma map n 0x1000000
note home "$(dma try move d n) $(dma try finish)"
END

for mode in ${MODES:-scalable}; do
	lab_what=$mode
	lab_run --cpus 1 --memory 512 --mode "$mode" --devices edu "$before" "$stage" || continue
	log=$(cat "$lab_results/dmesg-incoming.log")
	for blob in kexec-metadata lapic-timer-v1 liveupdate-ledger; do
		like "$mode: $blob: the log says what is wrong" "$log" "KHO: broken KHO subnode '$blob': .* were not preserved"
	done
	like "$mode: the ledger of the previous kernel is refused" "$log" "ledger: refused that of the previous kernel: "
	is "$mode: session, memory, iommufd and device are there" "$(fact retrieved)" "ok ok ok ok"
	is "$mode: the device goes on writing, and its owner has his memory" "$(fact memory)" "0x1111 0x1111"
	is "$mode: and nobody else's" "$(fact guard)" 0
	is "$mode: it comes home" "$(fact home)" "ok ok"
	is "$mode: the kernel has nothing to complain of" "$(grep -E 'WARNING|BUG|Oops' <<<"$log")" ''
done
tap_done
