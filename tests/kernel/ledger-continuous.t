#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# The ledgers of the outgoing and of the incoming kernel are one sequence on
# one time line, and say what was done for a session with a memfd.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/kernel/ledger.sh
. "$here/ledger.sh"

stage before <<'END'
set -e
cd /sys/kernel/liveupdate/ledger
[ ! -e previous ]
"$LAB_BUILD"/tests/kernel/memfd-session preserve continuous 0x77 256 >/tmp/out &
for i in $(seq 100); do grep -q preserved /tmp/out && break; sleep 0.1; done
grep -q preserved /tmp/out
if printf %064d 0 2>/dev/null >mark; then exit 1; fi
if echo 2>/dev/null >mark; then exit 1; fi
echo pause >mark
uname -r >"$LAB_RESULTS/outgoing"
END
before=$stage
stage after <<'END'
set -e
cd /sys/kernel/liveupdate/ledger
"$LAB_BUILD"/tests/kernel/memfd-session retrieve continuous 0x77 256
echo resume >mark
cat previous >"$LAB_RESULTS/previous"
cat current >"$LAB_RESULTS/current"
uname -r >"$LAB_RESULTS/incoming"
stat -c %a previous current mark replay | xargs >"$LAB_RESULTS/modes"
END

lab_run "$before" "$stage" || tap_done
previous=$lab_results/previous
current=$lab_results/current
ledger_records "$previous" >"$tap_scratch/out"
ledger_records "$current" >"$tap_scratch/in"
cat "$tap_scratch/out" "$tap_scratch/in" >"$tap_scratch/all"

# records AWK-PATTERN: lines of all records that match, fields by name
records() {
	awk '{ sequence = $1; cycles = $2; ref = $3; step = $4; edge = $5; kind = $6; ret = $7
	       object = $8; count = $9; name = $10 } '"$1" "$tap_scratch/all"
}

is "only root reads and writes the files" "$(cat "$lab_results/modes")" "400 400 200 200"
is "the first record of a cold boot has number 1" "$(head -n 1 "$tap_scratch/out" | cut -d ' ' -f 1)" 1
is "the incoming kernel's numbers begin where the outgoing kernel's end" \
	"$(head -n 1 "$tap_scratch/in" | cut -d ' ' -f 1)" "$(ledger_next "$previous")"
is "numbers have no gap" "$(awk 'NR > 1 && $1 != last + 1 { n++ } { last = $1 } END { print n + 0 }' "$tap_scratch/all")" 0
is "time never goes back, but for parts of boot, which are recorded when they turned out to be long" "$(
	{ ledger_without_parts "$previous"; ledger_without_parts "$current"; } |
	awk '$2 < last { n++ } { last = $2 } END { print n + 0 }')" 0
is "every end refers to its own begin" "$(awk '
	$5 == "begin" { begin[$1] = $4 " " $6 " " $8 " " $10 }
	$5 == "end" && begin[$3] != $4 " " $6 " " $8 " " $10 { n++ }
	END { print n + 0 }' "$tap_scratch/all")" 0
is "no step but the reboot is left open" "$(awk '
	$5 == "begin" { open[$1] = $4 }
	$5 == "end" { delete open[$3] }
	END { for (i in open) print open[i] }' "$tap_scratch/all")" reboot
is "steps are in the order of a live update" "$(records '
	step ~ /^(boot|init|user-mark|reboot|serialize|device-shutdown|machine-shutdown|jump|kho-reserve|deserialize)$/ ||
	step ~ /^(session|file|memfd)-/ {
		printf "%s%s%s", sep, edge == "begin" ? "<" : edge == "end" ? ">" : "", edge == "instant" && name ? name : step
		sep = " "
	}')" "boot init <session-create >session-create \
<file-preserve <memfd-preserve >memfd-preserve >file-preserve pause \
<reboot <serialize <file-freeze <memfd-freeze >memfd-freeze >file-freeze >serialize \
<device-shutdown >device-shutdown <machine-shutdown >machine-shutdown jump \
boot <kho-reserve >kho-reserve init <deserialize >deserialize \
<session-retrieve >session-retrieve <file-retrieve <memfd-retrieve >memfd-retrieve >file-retrieve \
<session-finish <file-finish >file-finish >session-finish resume"
is "a step knows the step that it is part of" "$(awk '
	$5 == "begin" { step[$1] = $4 }
	$5 == "begin" && $4 == "memfd-freeze" { outer = $3; while (outer) { printf "%s ", step[outer]; outer = parent[outer] } }
	$5 == "begin" { parent[$1] = $3 }' "$tap_scratch/all")" "file-freeze serialize reboot "
is "a file step has the token and the handler's name" \
	"$(records 'step == "file-preserve" && edge == "end" { print object, name }')" "0x77 memfd-v4"
is "a memfd step counts pages" "$(records 'step ~ /^memfd-/ && edge == "end" { print count }' | sort -u)" 256
is "a session has the same id in both kernels" \
	"$(records 'step ~ /^session-/ { print object, name }' | sort -u | wc -l)" 1
is "nothing failed" "$(records 'ret != 0' | wc -l)" 0
ok "KHO's reservation counts its blocks" [ "$(records 'step == "kho-reserve" && edge == "end" { print count }')" -ge 256 ]

is "the outgoing kernel's ledger names its release" "$(ledger_header "$previous" release)" "$(cat "$lab_results/outgoing")"
is "the incoming kernel's ledger names its release" "$(ledger_header "$current" release)" "$(cat "$lab_results/incoming")"
is_another "$(cat "$lab_results/outgoing")" "$(cat "$lab_results/incoming")"
ok "the counter's frequency is in the outgoing kernel's" [ "$(ledger_header "$previous" cycles_khz)" -gt 0 ]
ok "the counter's frequency is in the incoming kernel's" [ "$(ledger_header "$current" cycles_khz)" -gt 0 ]
is "the outgoing kernel's wall clock was read when the reboot began" "$(records "
	step == \"reboot\" && edge == \"begin\" {
		d = cycles - $(ledger_header "$previous" wall_cycles)
		print (d >= 0 && d < 10 * $(ledger_header "$previous" cycles_khz) ? \"yes\" : d)
	}")" yes
# Both pairs on one line: the wall clock advanced as the counter did. Each
# kernel reads it from an RTC that counts seconds, and calibrates the counter
# against an emulated timer.
ok "both wall clocks agree" [ "$((
	(($(ledger_header "$current" wall_ns) - $(ledger_header "$previous" wall_ns)) / 1000000 -
	($(ledger_header "$current" wall_cycles) - $(ledger_header "$previous" wall_cycles)) /
	$(ledger_header "$current" cycles_khz)) / 10000))" = 0 ]

tap_done
