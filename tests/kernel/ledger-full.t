#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# A full ledger drops records and counts them, tells whoever writes a mark that it has
# no room, keeps room for the handover, and does not stop the live update.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/kernel/ledger.sh
. "$here/ledger.sh"

stage before <<'END'
cd /sys/kernel/liveupdate/ledger || exit 1
marks=0
for i in $(seq 1000); do
	if echo "mark $i" 2>/dev/null >mark; then marks=$((marks + 1)); fi
done
echo $marks >"$LAB_RESULTS/marks"
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

# The boot of this kernel has some of its room already. Its parts are in nobody's.
others=$(ledger_without_parts "$full" | awk '$4 != "user-mark"' | wc -l)
is "liveupdate_ledger= sets the size" "$capacity" $(((65536 - 256) / 64))
is "marks leave room for sessions, the reboot call and the way through it" "$count" \
	$((capacity - 2 * (capacity / 16) - capacity * 3 / 16 + others))
is "whoever wrote them knows how many" "$(cat "$lab_results/marks")" \
	"$(ledger_records "$full" | awk '$4 == "user-mark"' | wc -l)"
is "no mark is neither recorded nor counted" "$(ledger_next "$full")" $((1 + count + dropped))
is "what did not fit are marks" "$(ledger_drops "$full" mark)" "$dropped"
is "from the first number that is missing on" "$(ledger_drops "$full" mark first)" \
	$(($(ledger_records "$full" | tail -n 1 | cut -d ' ' -f 1) + 1))
ok "what did not fit was counted" [ "$dropped" -ge $((1000 - count)) ]
is "nothing that was recorded is overwritten" \
	"$(ledger_records "$previous" | head -n "$count" | sha256sum)" "$(ledger_records "$full" | sha256sum)"
is "the handover is recorded all the same" "$(ledger_records "$previous" | tail -n +$((count + 1)) |
	awk '$4 ~ /^(reboot|device-shutdown|machine-shutdown|jump)$/ && $5 != "end" { printf "%s ", $4 }')" \
	"reboot device-shutdown machine-shutdown jump "
is "the incoming kernel counts on after what was dropped" \
	"$(ledger_records "$lab_results/current" | head -n 1 | cut -d ' ' -f 1)" "$(ledger_next "$previous")"

tap_done
