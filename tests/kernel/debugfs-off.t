#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# A host that switches debugfs off has all of live update: memory that was preserved is
# handed over, and a kernel without debugfs takes it over and hands it on.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/kernel/dma-session.sh
. "$here/dma-session.sh"

stage before <<'END'
set -e
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
dma_session
dma memory 64
dma fill 0x5555
dma session first
dma preserve memory 1
dma hold
END
before=$stage
stage after <<'END'
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
note debugfs "$(ls /sys/kernel/debug 2>/dev/null)"
# Whatever was freed that is not free is found by who writes to it
guard $(($(free_pages) / 2))
dma_session
note retrieved "$(dma try retrieve-session first) $(dma try retrieve memory 1)"
note memory "$(dma read 0x0) $(dma read 0x3f000)"
note finish "$(dma try finish)"
note guard "$(guard_damage)"
dma session second
note preserve "$(dma try preserve memory 1)"
END

lab_run --incoming-append debugfs=off "$before" "$stage" && {
	is "the kernel has no debugfs" "$(fact debugfs)" ""
	is "the session and its memory are there" "$(fact retrieved)" "ok ok"
	is "with what was in it" "$(fact memory)" "0x5555 0x5555"
	is "the session finishes" "$(fact finish)" ok
	is "nothing that is somebody's was freed" "$(fact guard)" 0
	is "memory is preserved again" "$(fact preserve)" ok
	is "the kernel has nothing to complain of" "$(grep -E 'WARNING|BUG|Oops' "$lab_results/dmesg-incoming.log")" ""
}
tap_done
