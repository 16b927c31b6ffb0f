#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# A ledger that another kernel left damaged is refused with one line in the
# log, and the live update goes on without it.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/kernel/ledger.sh
. "$here/ledger.sh"

# The outgoing kernel's KHO tree says where the ledger is; /dev/mem writes there.
stage before <<'END'
set -e
"$LAB_BUILD"/tests/kernel/memfd-session preserve refused 1 16 >/tmp/out &
for i in $(seq 100); do grep -q preserved /tmp/out && break; sleep 0.1; done
cat /sys/kernel/debug/kho/out/fdt >/tmp/fdt
# A node's name in 20 bytes, then two properties, 8 bytes each after a head of 12.
node=$(grep -abo liveupdate-ledger /tmp/fdt | head -n 1 | cut -d : -f 1)
for property in 1 2; do
	value=$(od -A n -t d8 -j $((node + 20 * property + 12)) -N 8 /tmp/fdt | tr -d ' ')
	[ "$value" -le 1048576 ] || ledger=$value
done
dd if=/dev/mem bs=1 skip="$ledger" count=8 2>/dev/null | grep -q LULEDGER
printf "$BYTES" | dd of=/dev/mem bs=1 seek=$((ledger + OFFSET)) conv=notrunc 2>/dev/null
END
before=$stage
stage after <<'END'
set -e
"$LAB_BUILD"/tests/kernel/memfd-session retrieve refused 1 16
[ ! -e /sys/kernel/liveupdate/ledger/previous ]
if echo previous 2>/dev/null >/sys/kernel/liveupdate/ledger/replay; then exit 1; fi
cat /sys/kernel/liveupdate/ledger/current >"$LAB_RESULTS/current"
dmesg | grep 'liveupdate: ledger: ' >"$LAB_RESULTS/log"
END
after=$stage

refused() {
	local what=$1 offset=$2 bytes=$3 reason=$4
	lab_what=$what
	lab_run --cpus 1 --memory 512 --env OFFSET="$offset" --env BYTES="$bytes" "$before" "$after" || return
	like "$what: one line in the log says why" "$(cat "$lab_results/log")" \
		"^[^$'\n']*refused that of the previous kernel: $reason\$"
	is "$what: numbers begin at 1" "$(ledger_records "$lab_results/current" | head -n 1 | cut -d ' ' -f 1,4)" "1 boot"
}

# Each thing that can be wrong is looked at by the KUnit suite (kunit.t).
refused "a version that is not known" 8 '\003' 'version is not known'
refused "records out of order" $((256 + 64)) '\377\377' 'records are out of order'

tap_done
