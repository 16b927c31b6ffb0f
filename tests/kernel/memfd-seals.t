#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# What may be done with a memfd crosses, whatever its pages: its seals, and that nobody
# may execute it, as both are when the kernel goes.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"

stage before <<'END'
echo 8 >/proc/sys/vm/nr_hugepages
"$LAB_BUILD/tests/kernel/memfd-seals" preserve >"$LAB_RESULTS/before" 2>&1 &
until grep -qs preserved "$LAB_RESULTS/before"; do
	kill -0 $! 2>/dev/null || { cat "$LAB_RESULTS/before"; exit 1; }
	sleep 0.2
done
END
before=$stage
stage after <<'END'
"$LAB_BUILD/tests/kernel/memfd-seals" retrieve >"$LAB_RESULTS/after"
END
lab_what="memfds that are sealed and not"
lab_run --devices none --memory 512 "$before" "$stage" || tap_done
files() { grep ", $1:" "$lab_results/$2"; }
while IFS= read -r kind; do
	is "$kind" "$(files "$kind" after)" "$(files "$kind" before)"
done < <(sed -n 's/^small, \(.*\): seals.*/\1/p' "$lab_results/before")
is "it is what was asked for" "$(files "not to be executed" after)" "\
small, not to be executed: seals 0x20, mode 666, can be written to
huge, not to be executed: seals 0x20, mode 666, can be written to"
tap_done
