#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Memory for a crash kernel and live update go together without kho_scratch=: both
# kernels have their crash kernel, and what was preserved crosses.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"

stage before <<'END'
cat /sys/kernel/kexec_crash_size >"$LAB_RESULTS/outgoing"
"$LAB_BUILD"/tests/kernel/memfd-session preserve crash 1 4096 >/tmp/out &
until grep -q preserved /tmp/out; do kill -0 $! || exit; sleep 0.1; done
END
before=$stage
stage after <<'END'
cat /sys/kernel/kexec_crash_size >"$LAB_RESULTS/incoming"
"$LAB_BUILD"/tests/kernel/memfd-session retrieve crash 1 4096
END
word=$(crashkernel 192)
lab_run --memory 4096 --append "$word" "$before" "$stage"
for kernel in outgoing incoming; do
	is "the $kernel kernel has its crash kernel" "$(cat "$lab_results/$kernel")" $((${word//[!0-9]/} << 20))
done

tap_done
