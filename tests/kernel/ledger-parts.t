#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# What the kernels do between the reboot call and the first process is in the ledger
# by parts and by name: nothing of note is missing, names are whole, and what is
# short takes no room.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/kernel/ledger.sh
. "$here/ledger.sh"

long=begin:a-mark-that-has-all-of-its-63-characters-which-all-are-ke
stage before <<END
cd /sys/kernel/liveupdate/ledger || exit 1
echo $long >mark || echo refused >"\$LAB_RESULTS/mark"
if echo ${long}x 2>/dev/null >mark; then echo taken >"\$LAB_RESULTS/mark"; fi
# From now on everything is long: each device is seen to shut down.
echo 0 >/sys/module/liveupdate/parameters/trace_threshold
exit 0
END
before=$stage
stage after <<'END'
cat /sys/kernel/liveupdate/ledger/current >"$LAB_RESULTS/current"
cat /sys/kernel/liveupdate/ledger/previous >"$LAB_RESULTS/previous"
ls /sys/bus/pci/devices >"$LAB_RESULTS/devices"
END

lab_run --devices igb "$before" "$stage" || tap_done
current=$lab_results/current
ledger_records "$lab_results/previous" >"$tap_scratch/out"
ledger_records "$current" >"$tap_scratch/in"

# steps SIDE: a line for each step that ended: step kind cycles ref number name; and
# for each sum: short kind cycles ref number-of-them
steps() {
	awk '
	{ sequence = $1; cycles = $2; ref = $3; step = $4; edge = $5; kind = $6; object = $8; count = $9
	  text = $10 }
	step == "short" { print step, kind, count, ref, object; next }
	step == "name" { name[ref] = name[ref] text; next }
	edge == "begin" { begin[sequence] = cycles; outer[sequence] = ref; name[sequence] = text }
	edge == "end" { print step, kind, cycles - begin[ref], outer[ref], ref, name[ref] }' \
		"$tap_scratch/$1" >"$tap_scratch/steps-$1"
}
steps out
steps in

# has SIDE STEP [NAME]: there is such a step
has() {
	awk -v step="$2" -v name="${3-}" '
		$1 == step && (name == "" || $6 == name) { n++ } END { exit !n }' "$tap_scratch/steps-$1"
}

# Of the time from the start of the kernel to the first process, what is in parts that
# have a name. A level of initcalls is no more than its initcalls.
covered=$(awk '
	FNR == NR { if ($4 == "boot") boot = $2; if ($4 == "init") pause = $2 - boot; next }
	$1 == "initcalls" && $4 == 0 { levels[$5] }
	$1 ~ /^(setup|wait)$/ && $4 == 0 && $6 != "entry" && $6 != "init-program" { covered += $3 }
	$1 ~ /^(initcall|short)$/ { parts[$4] += $3 }
	END { for (level in levels) covered += parts[level]
	      printf "%.2f", pause ? 100 * covered / pause : 0 }' "$tap_scratch/in" "$tap_scratch/steps-in")
diag "$covered % of the boot of the incoming kernel have a name, $(ledger_header "$current" count) records"
ok "what the incoming kernel does until its first process has names for at least 95 %" \
	awk -v covered="$covered" 'BEGIN { exit !(covered >= 95 && covered <= 100) }'
is "levels of initcalls are in order" \
	"$(awk '$1 == "initcalls" { printf "%s ", $6 }' "$tap_scratch/steps-in")" \
	"early pure core postcore arch subsys fs device late "
for part in arch zones memory scheduler rcu boot-cpu mitigations alternatives smp root-fs init-memory entry; do
	ok "the part $part is there" has in setup $part
done
ok "and what is waited for" has in wait async
ok "so is each CPU that comes up" has in cpu-up cpu1
ok "so are the way to the decompressor and the decompressor" \
	eval 'has in relocate && has in decompress'
ok "which fill the time between the jump and the start" awk '
	FNR == NR { if ($4 == "jump") jump = $2; next }
	$4 == "boot" { boot = $2 }
	$4 == "relocate" || $4 == "decompress" || ($4 == "setup" && $10 == "entry") {
		sum += $5 == "end" ? $2 : -$2 }
	END { exit !(jump && sum == boot - jump) }' "$tap_scratch/out" "$tap_scratch/in"

ok "a device that is probed has its address" awk '
	$1 == "probe" && $2 == "device" && $6 ~ /^0000:/ { n++ } END { exit !n }' "$tap_scratch/steps-in"
ok "initcalls that are long have the name of their function" has in initcall acpi_init
ok "of which nothing is cut off" awk '
	$1 == "initcall" && length($6) > 15 { n++ } END { exit !n }' "$tap_scratch/steps-in"
ok "those that are short are summed" awk '
	$1 == "short" && $2 == "function" && $3 > 0 { n++ } END { exit n < 5 }' "$tap_scratch/steps-in"
is "and have no record unless something that has one is part of them" \
	"$(awk -v threshold=$(($(ledger_header "$current" cycles_khz) / 10)) '
		{ parts[$4] }
		$1 == "initcall" && $3 < threshold { brief[$5] }
		END { for (i in brief) if (!(i in parts)) n++; print n + 0 }' "$tap_scratch/steps-in")" 0
ok "all of it takes few records" [ "$(ledger_header "$current" count)" -lt 1500 ]
is "and none is lost" "$(ledger_header "$current" dropped)" 0

is "a mark has 63 characters and no more" "$(cat "$lab_results/mark" 2>/dev/null)" ""
is "all of which are recorded" "$(awk '
	$4 == "user-mark" { mark = $1; name = $10 }
	$4 == "name" && $3 == mark { name = name $10 }
	END { print name }' "$tap_scratch/out")" "$long"
for part in notifiers reboot-cpu syscore stop-cpus kmsg-dump; do
	ok "the part $part of the reboot call is there" has out teardown $part
done
is "so is the shutdown of each device" "$(awk '
	$1 == "shutdown" && $2 == "device" { print $6 }' "$tap_scratch/steps-out" | sort)" "$(sort "$lab_results/devices")"

tap_done
