#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# What would make the pause shorter: each remedy of the table was measured, docs/benchmarks.md
# has its figures and docs/advice.md the same table; a record gets those whose steps it has, with
# what they can gain there, and is told what no remedy is known for.

set -u
project=$(cd "$(dirname "$(readlink -f "$0")")/../.." && pwd)
# shellcheck source=tests/lab/tap.sh
. "$project/tests/lab/tap.sh"
build=${BUILD:-$project/build}
lutrace=$build/bin/lutrace
page=$project/docs/benchmarks.md
data=$project/tests/dashboards/data
export LC_ALL=C
cd "$tap_scratch" || exit 1
make_ledgers slow slow-old parts running workloads handover damaged

# advise FILTER ARGUMENT...: of the answer
advise() {
	local filter=$1
	shift
	"$lutrace" advise -j "$@" | jq -c "$filter"
}

### The table
"$lutrace" advise --remedies -j >remedies.json
schema "the table of remedies is what the schema says" advise remedies.json
is "no remedy is there twice" "$(jq -r '.remedies[].id' remedies.json | sort | uniq -d)" ""
jq -rf "$project/tests/toolkit/advice-table.jq" remedies.json >table
awk '/^## The remedies/ { here = 1; next } /^## / { here = 0 } here && /^\| `/' "$project/docs/advice.md" >documented
ok "docs/advice.md has the same table" diff -u table documented
is "as text it has each of them" "$("$lutrace" advise --remedies | sed -nE 's/^([a-z-]+): .*/\1/p')" "$(jq -r '.remedies[].id' remedies.json)"

# cell SECTION ROW CELL: docs/benchmarks.md has a row there that begins so, with that cell
cell() {
	awk -v section="## $1" -v begin="| $2 |" -v cell="| $3 |" '
		/^##/ { sub(/^#+/, "##"); here = $0 == section }
		here && index($0, begin) == 1 { row = substr($0, length(begin)); gsub(/\*\*/, "", row)
			if (index(row, cell)) found = 1 }
		END { exit !found }' "$page"
}
not_measured=$(jq -r '.remedies[] | select(.evidence) | .id as $id | .evidence |
	[$id, .section, .row, .before], [$id, .section, .after_row, .after] | @tsv' remedies.json |
	while IFS=$'\t' read -r id section row figure; do
		cell "$section" "$row" "$figure" || echo "$id: $section: $row: $figure"
	done)
is "docs/benchmarks.md has each figure, in the section and the row that is named" "$not_measured" ""
ok "another figure is not taken for one of it" not cell "A shorter pause" "names of enums in trace events, in one pass" "133 M"
ok "nor one of another section" not cell "Limits" "names of enums in trace events, in one pass" "132 M"
is "only the order of units has no figure there" \
	"$(jq -c '[.remedies[] | select(.evidence == null) | [.id, .kind]]' remedies.json)" '[["agent-before-units","order-of-units"]]'
is "each patch that is named is there" "$(jq -r '.remedies[].how' remedies.json | grep -oE '(kernel/patches/)?[0-9]{4}-[a-z0-9-]+\.patch' |
	while read -r patch; do [ -e "$project/kernel/patches/${patch##*/}" ] || echo "$patch"; done)" ""
is "so are numbers of patches" "$(jq -r '.remedies[].how' remedies.json | grep -oE '\b0[01][0-9]{2}\b' |
	while read -r number; do compgen -G "$project/kernel/patches/$number-*" >/dev/null || echo "$number"; done)" ""
fast=$project/kernel/config/fast.config
is "kernel/config/fast.config has what is said to be in it" \
	"$(grep -cxE 'CONFIG_KERNEL_UNCOMPRESSED=y|# CONFIG_ACPI_DEBUG is not set' "$fast")" 2

### A record
"$lutrace" advise -j -l slow >slow.json
schema "an answer is what the schema says" advise slow.json
is "a record gets the remedies whose steps it has: first those not done, by what they can take" \
	"$(jq -c '[.remedies[] | [.id, .done, .ns / 1000000]]' slow.json | tr -d ' ')" \
	'[["huge-pages","no",300],["apic-frequency","no",120],["lazy-restore","no",60],["ftrace-symbols","no",40],["btf-when-needed","no",35],["uncompressed-image","unknown",240],["acpi-without-tracing","unknown",200],["trace-enums","unknown",30],["ftrace-init-memory","unknown",25],["retrieve-in-batches","yes",300],["reserve-runs","yes",100]]'
is "a gain is the step, the time, or the proportion that was measured, or not known" \
	"$(jq -c '[.remedies[] | select(.done != "yes") | .gain_ns]' slow.json)" \
	'[295862068,99000000,60000000,40000000,35000000,null,null,null,null]'
is "a gain is never more than its steps" "$(jq '[.remedies[] | select(.gain_ns > .ns)] | length' slow.json)" 0
is "a page table that is adopted later is no step of it" \
	"$(jq -c '.remedies[] | select(.id == "lazy-restore") | [.steps[].object]' slow.json)" '["0x77000"]'
is "the three parts are the pause" \
	"$(jq '.blackout.ns - .addressed.ns - .unaddressed.ns - .unexplained.ns' slow.json)" 0
is "what can be gained together is summed for what is certain, and for what is not" \
	"$(jq -c '[.at_most.ns, .maybe.ns] | map(. / 1000000)' slow.json)" '[555,495]'
is "the longest steps without a remedy are named, also those whose remedy has been taken" \
	"$(jq -c '[.unaddressed.steps[] | [.step, .object, .ns / 1000000]]' slow.json)" \
	'[["kho-reserve","",100],["initcall","populate_rootfs",50],["domain-adopt","0x78000",30],["session-retrieve","0x1",10]]'
is "what lies in no named step is named by phase" "$(jq -c '[.unexplained.phases[].ns] | add' slow.json)" "$(jq .unexplained.ns slow.json)"
is "a remedy below the share is left out" "$(advise '[.remedies[].id]' --least 12 -l slow)" '["huge-pages","uncompressed-image","retrieve-in-batches"]'
is "one at the share is not" "$(advise '[.remedies[] | select(.id == "apic-frequency")] | length' --least 6 -l slow)" 1
is "without a share, all that the record has" "$(advise '[.remedies[].id] | length' --least 0 -l slow)" 11
is "of a kernel that does not record the parts of its boot, nothing is taken for done" \
	"$(advise '[.remedies[] | [.id, .done]]' -l slow-old)" \
	'[["huge-pages","no"],["retrieve-in-batches","no"],["reserve-runs","no"],["lazy-restore","no"]]'
is "time that is the step of two remedies counts once" "$(advise '.at_most.ns / 1000000' -l slow-old)" 460
is "a recording says the same" "$("$lutrace" record -l slow | "$lutrace" advise -j -)" "$(cat slow.json)"
is "of two workloads, it is the pause of the host" "$(advise '[.blackout.ns, .remedies]' -l workloads)" \
	"[$("$lutrace" time -j -l workloads | jq .blackout.ns),[]]"

"$lutrace" advise -l slow >slow.txt
like "as text a remedy says how it is done" "$(cat slow.txt)" 'do: .*kernel/patches/0120-x86-apic-inherit-frequency.patch'
like "and where it was measured" "$(cat slow.txt)" 'measured: +107.9 M -> 1.0 M, instructions \(docs/benchmarks.md, "A shorter pause"\)'
like "what it gains" "$(cat slow.txt)" 'gain: +about 99.000 ms, at most 120.000 ms'
like "why it is not known whether it has been done" "$(cat slow.txt)" 'done[?] +not known: the record does not have the configuration of the incoming'
like "or how it is known that it has not" "$(cat slow.txt)" 'done[?] +no: 262144 pages of 4 KiB crossed in 262187 blocks'
like "what has been done is listed with what tells" "$(cat slow.txt)" '^  reserve-runs: the incoming kernel records the parts'
like "the sum is said" "$(cat slow.txt)" '^Together: at most 555.000 ms \(27.8 % of the pause\), and 495.000 ms'
like "and what no remedy is known for" "$(cat slow.txt)" '^No remedy is known for 190.000 ms \(9.5 %\)'
ok "no line is longer than a wide terminal" awk 'length > 160 { exit 1 }' slow.txt

### What has been done
"$lutrace" record -l slow -o plain.json
# without NAME...: a recording in which these steps are not
without() {
	local filter=. name
	for name; do filter+=" | del(.ledgers.incoming.records[] | select(.name == \"$name\"))"; done
	jq "$filter | .ledgers.incoming.records as \$r | del(.ledgers.incoming.records[] | select(.edge == \"end\" and
		(.ref as \$ref | [\$r[].sequence] | index(\$ref) | not)))" plain.json
}
series='[.remedies[] | select(.id == "trace-enums" or .id == "ftrace-init-memory").done]'
without smp-prepare wakeup_sources_ ftrace_check_sy >patched.json
is "a kernel that shows no lack of a patch is taken to have all" "$(advise "$series" patched.json)" '["yes","yes"]'
for lack in 'wakeup_sources_ ftrace_check_sy' 'smp-prepare ftrace_check_sy' 'smp-prepare wakeup_sources_'; do
	# shellcheck disable=SC2086  # a list of names
	without $lack >lacking.json
	is "one that lacks one is not (all but $lack)" "$(advise "$series" lacking.json)" '["unknown","unknown"]'
done
like "and it says which" "$(advise '[.remedies[] | select(.id == "trace-enums").because]' lacking.json)" 'lacks another of kernel/patches \(ftrace-symbols\)'
jq '.ledgers.outgoing.records[0].cycles = "0x1"' plain.json >long.json
is "a step that is a small part of a long pause does not tell" \
	"$(advise '[.remedies[] | select(.id == "ftrace-symbols" or .id == "btf-when-needed").done]' --least 0 long.json)" '["unknown","unknown"]'
printf '%s\n' CONFIG_KERNEL_UNCOMPRESSED=y '# CONFIG_ACPI_DEBUG is not set' >fast.config
printf '%s\n' '# CONFIG_KERNEL_UNCOMPRESSED is not set' CONFIG_ACPI_DEBUG=y >slow.config
gzip -c slow.config >slow.config.gz
# told FILE ARGUMENT...: of the two remedies of the configuration
told() { advise '[.remedies[] | select(.kind == "configuration").done] | unique' "$@" -l slow; }
mkdir configs && mkfifo config.fifo && echo lunch >lunch.config
while IFS='|' read -r file why; do
	is "-c $file says why it cannot be used" "$(timeout 10 "$lutrace" advise -l slow -c "$file" 2>&1 >/dev/null)" "lutrace: $why"
done <<'END'
nowhere.config|cannot read nowhere.config: No such file or directory
configs|cannot read configs: it is a directory, where a file is needed
config.fifo|cannot read config.fifo: it is a FIFO, where a regular file is needed
lunch.config|lunch.config is no configuration of a kernel, such as /boot/config-RELEASE or /proc/config.gz
END
is "a configuration tells that it has been done" "$(told -c fast.config)" '["yes"]'
is "or that it has not" "$(told -c slow.config)" '["no"]'
is "also a compressed one" "$(told -c slow.config.gz)" '["no"]'
is "what has been done is no more part of the sum" \
	"$(advise '[.at_most.ns, .maybe.ns] | map(. / 1000000)' -c fast.config -l slow)" '[555,55]'
# environment HYPERVISOR CONFIG: the record was made there
environment() {
	jq --argjson hypervisor "$1" --argjson config "$2" '.environment = { outgoing: null, preserved: {
		memory_pages: 1, domains: 1, table_pages: 1, devices: 1 }, incoming: { lutrace: "0.1", release: "7.3.4",
		version: null, cmdline: "quiet", machine: { hypervisor: $hypervisor, cpu: null, cpus: 2, memory_kib: 1 }, iommus: 1,
		iommu_mode: null, devices: [], probes: null, clocksource: null, load_average: null, boot_id: null,
		config: $config }}' plain.json
}
environment null '["KERNEL_UNCOMPRESSED=y","ACPI_DEBUG=n"]' >known.json
schema "a recording may say what of the configuration is known" handover known.json
is "one that does tells as well" "$(advise '[.remedies[] | select(.kind == "configuration") | [.done, .because]] | .[0]' known.json)" \
	'["yes","its configuration has CONFIG_KERNEL_UNCOMPRESSED=y"]'
is "a file that is named is preferred" "$(advise '[.remedies[] | select(.kind == "configuration").done] | unique' -c slow.config known.json)" '["no"]'
is "a recording of it keeps that" "$("$lutrace" record known.json | jq -c .environment.incoming.config)" '["KERNEL_UNCOMPRESSED=y","ACPI_DEBUG=n"]'
jq '(.ledgers.incoming.records[] | select(.step == "kho-reserve" and .edge == "end").count) = "0x227"' plain.json >huge.json
is "pages that crossed in few blocks are large ones already" "$(advise '[.remedies[] | select(.id == "huge-pages") | [.done, .because]]' huge.json)" \
	'[["yes","what is 262144 pages of 4 KiB crossed in 551 blocks"]]'
jq 'del(.ledgers.incoming.records[] | select(.step == "kho-reserve"))' plain.json >unknown.json
is "without that record nobody knows" "$(advise '[.remedies[] | select(.id == "huge-pages").done]' unknown.json)" '["unknown"]'

### Emulation
environment '"QEMU/TCG"' '[]' >emulated.json
"$lutrace" advise -j emulated.json >advice.json
is "what may pay on an emulated machine alone says so" "$(jq -c '[.emulated, [.remedies[] | select(.emulation_only).id]]' advice.json)" '[true,["apic-frequency"]]'
is "and is not counted" "$(jq '.at_most.ns / 1000000' advice.json)" 435
like "nor called a gain" "$("$lutrace" advise emulated.json)" 'gain: +not counted: it pays on this emulated machine'
is "of hardware it is counted" "$(advise '[.emulated, .at_most.ns / 1000000]' known.json)" '[false,555]'
is "where the record does not say, too" "$(jq -c '[.emulated, .at_most.ns / 1000000]' slow.json)" '[null,555]'

### Units: userspace begins at 1.1 s of the pause, a session is retrieved at 1.5 s
# unit NAME BEGIN END: in ms of the pause
unit() { printf '{"name":"%s","begin_us":%d,"end_us":%d,"failed":false}\n' "$1" $((5000000 + $2 * 1000)) $((5000000 + $3 * 1000)); }
# with_units NAME: what unit() prints, as a recording NAME.json
with_units() {
	jq -s '{ units: { manager: "systemd 257", unknown: null, cycles: 5000000000, monotonic_ns: 5000000000, list: . }}' >"units-$1.json"
	"$lutrace" record -l slow -m "units-$1.json" -o "$1.json"
}
{
	unit systemd-units-load 1110 1130
	unit network.service 1150 1300
	unit quick.service 1140 1160
	unit long.service 1140 1700
	unit storage.service 1310 1430
	unit agent.service 1450 1520
} | with_units ordered
order='.remedies[] | select(.id == "agent-before-units")'
is "an agent could have begun when units were loaded: that is the bound" \
	"$(advise "$order | [.ns / 1000000, .gain_ns, .evidence, .done]" ordered.json)" '[310,null,null,"no"]'
is "with the units that were over before it, the last first; others only ran beside" \
	"$(advise "$order | [.steps[] | [.object, .ns / 1000000]]" ordered.json)" '[["storage.service",120],["network.service",150]]'
is "the agent is the unit that a session is retrieved in" "$(advise .units.agent ordered.json)" '"agent.service"'
is "another can be named" "$(advise "[.units.agent, ($order | .steps[0].object)]" --agent storage ordered.json)" '["storage.service","network.service"]'
is "as a whole as well" "$(advise .units.agent --agent storage.service ordered.json)" '"storage.service"'
is "the parts are the pause with units, too" "$(advise '.blackout.ns - .addressed.ns - .unaddressed.ns - .unexplained.ns' ordered.json)" 0
schema "the answer is what the schema says" advise <("$lutrace" advise -j ordered.json)
is "one that is first has nothing to gain" "$(advise "[$order]" --agent network ordered.json)" '[]'
is "a unit that is not there is an error" "$(status "$lutrace" advise --agent nobody ordered.json)" 1
like "which says how to see those that are" "$("$lutrace" advise --agent nobody ordered.json 2>&1)" "no unit 'nobody'; 'lutrace steps --list --step unit'"
unit network.service 1150 1300 | with_units elsewhere
is "where no session is retrieved in a unit, the agent's is not known" "$(advise "[.units, [$order]]" elsewhere.json)" '[{"agent":null},[]]'
like "and it says what tells" "$("$lutrace" advise elsewhere.json)" '^Order of units: no session was retrieved in a unit; --agent UNIT'
is "a record without units says nothing of them" "$(jq .units slow.json)" null

### Recordings of demonstrations
for file in "$data"/*/*.json; do
	"$lutrace" advise --least 0 -j "$file" >"advice-$(tr / - <<<"${file#"$data/"}")"
done
schema "of each recording the answer is what the schema says" advise advice-*
is "in each the three parts are the pause" \
	"$(jq -s '[.[] | select(.blackout.ns) | .blackout.ns - .addressed.ns - .unaddressed.ns - .unexplained.ns] | unique' -c advice-*)" '[0]'
ok "there are some with a pause" [ "$(jq -s '[.[] | select(.blackout.ns)] | length' advice-*)" -ge 4 ]

### No answer
is "an unknown pause has no advice: 2" "$(status "$lutrace" advise -l running)" 2
like "and it says why" "$("$lutrace" advise -l running)" '^Blackout: unknown, neither a resume mark'
is "in JSON there is none" "$(advise '[.blackout.ns, .remedies, .unaddressed.steps]' -l running)" '[null,[],[]]'
is "a pause without a remedy is an answer: 0" "$(status "$lutrace" advise --least 2 -l handover)" 0
like "which is said" "$("$lutrace" advise --least 2 -l handover)" '^No remedy is known for a step that took 2 % of the pause'
is "a damaged ledger is an error" "$(status "$lutrace" advise -l damaged)" 1
is "so is a recording that is none" "$(status "$lutrace" advise fast.config)" 1
is "a configuration that is not there" "$(status "$lutrace" advise -c nowhere -l slow)" 1
echo nothing >text
like "or is none" "$("$lutrace" advise -c text -l slow 2>&1)" 'text is no configuration of a kernel'
is "or is a directory" "$(status "$lutrace" advise -c . -l slow)" 1
for share in -1 101 x; do
	is "a share of $share is an error" "$(status "$lutrace" advise --least "$share" -l slow)" 1
done

### Others name it
like "report names it" "$("$lutrace" report -l slow)" "^Shorter: +'lutrace advise'"
ok "not where the pause is unknown" not grep -q 'lutrace advise' <("$lutrace" report -l running)
like "so does the page" "$("$lutrace" report --html -l slow)" '<dt>shorter</dt><dd>lutrace advise'
tap_done
