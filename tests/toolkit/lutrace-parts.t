#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# The parts of a pause, as kernels record that name them: whole names, steps that are
# recorded when they are over, sums of what was too short, steps between marks. Every
# answer says how much of the pause has a name.

set -u
project=$(cd "$(dirname "$(readlink -f "$0")")/../.." && pwd)
# shellcheck source=tests/lab/tap.sh
. "$project/tests/lab/tap.sh"
build=${BUILD:-$project/build}
lutrace=$build/bin/lutrace
golden=$project/tests/toolkit/golden
export LC_ALL=C
make_ledgers parts handover running
cd "$tap_scratch" || exit 1

# golden SENTENCE NAME COMMAND...: it prints what tests/toolkit/golden/NAME holds
golden() {
	local sentence=$1 name=$2
	shift 2
	"$@" >"$name" 2>&1
	ok "$sentence" same "$golden/$name" "$name"
}
same() { diff -u "$1" "$2" >&2; }
# texts: tooltips and labels of a picture, in the order of the document
texts() { xmllint --xpath "//*[local-name()='title' or local-name()='text']/text()" -; }

golden "time says how much has a name, and what takes most" parts-time.txt "$lutrace" time -l parts
golden "critical-chain is a tree that reads from the top" parts-chain.txt \
	"$lutrace" critical-chain -t 0 -l parts
golden "blame says what nobody can be blamed for" parts-blame.txt "$lutrace" blame --self -l parts
golden "steps are in the order in which they began, each below what it is part of" parts-list.txt \
	"$lutrace" steps --list -l parts

json=$("$lutrace" time -j -l parts)
# 2 s, less: 1 ms before the reboot call, 2 of the 40 ms of device shutdown, 1 before the
# first line of C, 15 of initcalls and 10 behind them, 1 + 10 of user space.
is "the share is what lies in leaves, in sums, and in what names itself" \
	"$(jq ".blackout.explained == 0.98" <<<"$json")" true
is "of each phase there is what is not explained, which adds up to the rest" \
	"$(jq -c '.blackout | [.ns - ([.phases[].unexplained_ns] | add),
		([.phases[] | select(.unexplained_ns > .ns)] | length)]' <<<"$json")" '[1960000000,0]'
is "the largest leaves come first" \
	"$(jq -c '[.blackout.leaves[] | [.step, .object, .ns]]' <<<"$json")" \
	'[["initcall","acpi_init",690000000],["decompress","",239000000],["setup","boot-cpu",200000000],["user-mark","agent-of-the-host",190000000],["probe","i8042",180000000]]'
is "an unknown pause has no share" "$("$lutrace" time -j -l running | jq -c '.blackout |
	[.explained, .leaves]')" '[null,[]]'
is "workloads have their whole name" "$(jq -r '.blackout.workloads[] | [.name, .ns] | @text' <<<"$json")" \
	'["a-machine-with-a-long-name",2000000000]'
is "a recording says the same" "$("$lutrace" record -l parts | "$lutrace" time -j -)" "$json"
is "sums are steps of their parent, with how many they are and what they took" \
	"$("$lutrace" steps -L -j -l parts | jq -c '[.steps[] | select(.step == "short") | [.kind, .object, .count, .ns]]')" \
	'[["device","devices",37,19000000],["function","functions",412,75000000]]'
is "pieces of names are no steps" \
	"$("$lutrace" steps -L -j -l parts | jq '[.steps[] | select(.step == "name")] | length')" 0
"$lutrace" plot -l parts | texts >words
for name in populate_rootfs_from_the_image acpi_init boot-cpu agent-of-the-host; do
	ok "plot draws $name by its name" grep -qx "$name" words
done
like "plot says how much is explained" "$(cat words)" 'explained: 98.00 % of the pause; most: initcall acpi_init'
"$lutrace" report --chrome -l parts >chrome.json
is "in a trace the steps of a boot nest on one track" \
	"$(jq -c '[.traceEvents[] | select(.ph == "b" and .pid == 2 and .id2.local == "kernel") | .name] | .[-4:]' chrome.json)" \
	'["initcalls","initcall populate_rootfs_from_the_image","probe i8042","initcall acpi_init"]'
"$lutrace" report --html -l parts >page.html
like "a page has the figure" "$(cat page.html)" '<dt>explained</dt><dd>98.00 % of the pause; most: initcall acpi_init'

tap_done
