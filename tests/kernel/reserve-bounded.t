#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# What the boot of the incoming kernel spends on preserved memory does not depend
# on how much that is: 256 MiB of a memfd in pages of 4 KiB are reserved in a
# fraction of a millisecond, counted in instructions, and are all there.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"

build=${BUILD:-$here/../../build}
# Both of the kernels are the same: the other one has options for debugging.
kernel=${OUTGOING:-$build/linux/lab/arch/x86/boot/bzImage}
pages=65536
# In nanoseconds, and so in instructions. By page it was 200 times as much.
limit=1000000

stage before <<END
"\$LAB_BUILD"/tests/kernel/memfd-session preserve reserve 1 $pages >/tmp/out &
until grep -q preserved /tmp/out; do kill -0 \$! || exit; sleep 0.1; done
END
before=$stage
stage after <<END
mkdir -p "\$LAB_RESULTS/ledger"
for kernel in previous current; do
	cat "/sys/kernel/liveupdate/ledger/\$kernel" >"\$LAB_RESULTS/ledger/\$kernel" || exit
done
"\$LAB_BUILD"/tests/kernel/memfd-session retrieve reserve 1 $pages
END
lab_run --icount --cpus 1 --memory 1024 --incoming "$kernel" "$before" "$stage"
"$build/bin/lutrace" record --ledger "$lab_results/ledger" --output "$tap_scratch/handover.json"
read -r ns blocks < <(jq -r '[.steps[] | select(.step == "kho-reserve" and .kernel == "incoming")][0]
	| "\(.ns) \(.count)"' "$tap_scratch/handover.json")
ok "$pages pages and more are reserved" [ "${blocks:-0}" -ge $pages ]
if has_figures; then
	ok "in less than $limit instructions" [ "${ns:-$limit}" -lt $limit ] || diag "it took $ns"
fi

tap_done
