#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# A full ledger drops records and counts them, keeps room for the handover, and
# does not stop the live update.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/kernel/ledger.sh
. "$here/ledger.sh"

stage before <<'END'
cd /sys/kernel/liveupdate/ledger || exit 1
for i in $(seq 1000); do echo "mark $i" >mark || exit 1; done
cat current >"$LAB_RESULTS/full"
END
before=$stage
stage after <<'END'
cd /sys/kernel/liveupdate/ledger || exit 1
cat previous >"$LAB_RESULTS/previous"
cat current >"$LAB_RESULTS/current"
END

lab_run --append liveupdate_ledger=64K "$before" "$stage" || tap_done
full=$lab_results/full
previous=$lab_results/previous
capacity=$(ledger_header "$full" capacity)
count=$(ledger_header "$full" count)
dropped=$(ledger_header "$full" dropped)

is "liveupdate_ledger= sets the size" "$capacity" $(((65536 - 136) / 64))
is "marks fill three quarters" "$count" $((capacity - capacity / 4))
is "no mark is neither recorded nor counted" "$(ledger_next "$full")" $((1 + count + dropped))
ok "what did not fit was counted" [ "$dropped" -ge $((1000 - count)) ]
is "nothing that was recorded is overwritten" \
	"$(ledger_records "$previous" | head -n "$count" | sha256sum)" "$(ledger_records "$full" | sha256sum)"
is "the handover is recorded all the same" "$(ledger_records "$previous" | tail -n +$((count + 1)) |
	awk '$4 ~ /^(reboot|device-shutdown|machine-shutdown|jump)$/ && $5 != "end" { printf "%s ", $4 }')" \
	"reboot device-shutdown machine-shutdown jump "
is "the incoming kernel counts on after what was dropped" \
	"$(ledger_records "$lab_results/current" | head -n 1 | cut -d ' ' -f 1)" "$(ledger_next "$previous")"

tap_done
