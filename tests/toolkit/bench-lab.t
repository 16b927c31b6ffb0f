#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# lutrace bench measures live updates in the laboratory, whose guest calls the hooks
# that a host calls, and compares two kernels: with the commands of docs/benchmarks.md.

set -u
project=$(cd "$(dirname "$(readlink -f "$0")")/../.." && pwd)
# shellcheck source=tests/lab/tap.sh
. "$project/tests/lab/tap.sh"
export BUILD=${BUILD:-$project/build}
lutrace=$BUILD/bin/lutrace
cd "$tap_scratch" || exit 1
set=$tap_scratch/old
# typed N: the Nth command that the page has typed, after 'make build'; fewer live
# updates, and an image that is there
awk '/^### In the laboratory/ { here = 1 } /^### On a host/ { here = 0 } here && sub(/^    /, "")' \
	"$project/docs/benchmarks.md" >commands
typed() {
	sed -n "$(($1 + 1))p" commands | sed -e "s,^build/,$BUILD/," -e "s,--lab [.],--lab $project," \
		-e 's/--count 10/--count 2/' -e "s,/boot/vmlinuz-other,$BUILD/linux/lab/arch/x86/boot/bzImage,"
}
is "the page has four commands" "$(cut -d ' ' -f 1,2 commands | xargs)" \
	"make build build/bin/lutrace bench build/bin/lutrace bench build/bin/lutrace bench"

bash -c "$(typed 1)" >bench.txt 2>bench.err
is "two live updates are measured" $? 0 || { diag "$(cat bench.err)"; diag "$(tail -n 40 "$set"/*.log)"; }
like "how far it is, is said" "$(cat bench.err)" '2 of 2'
"$lutrace" bench -j "$set" >bench.json
answer() { jq -c "$1" bench.json; }
is "both pauses are known" "$(answer '[.updates.runs, .updates.unknown]')" "[2,0]"
schema "the answer is as its schema has it" bench bench.json
schema "so is a recording, environment and all" handover "$set/0001.json"
is "phases have two values each" "$(answer '[.phases[].count] | unique')" "[2]"
is "the machine is QEMU's" "$(answer .environment.outgoing.machine.hypervisor)" \
	"\"$(grep -qs works "$BUILD/lab-kvm" && echo KVM || echo QEMU/TCG)\""
is "the kernels are two" "$(answer '.environment | .outgoing.release != .incoming.release and .outgoing.boot_id != .incoming.boot_id')" true
is "the device is named" "$(answer '.environment.outgoing.devices[0] | [.address, .vendor]')" '["0000:01:00.0","0x8086"]'
is "what crossed is counted" "$(answer '.environment.preserved | [.devices, .domains, .memory_pages > 0, .table_pages > 0]')" "[1,1,true,true]"
is "as page tables it is what verify saw" "$(answer .environment.preserved.table_pages)" "$(jq .identity.table_pages "$set/0001.json")"
is "environments are the same in both" "$(answer .environment_differs)" "[]"
"$lutrace" bench --plot plot.svg "$set" >/dev/null
ok "the set can be drawn" xmllint --noout plot.svg

bash -c "$(typed 2)" >new.txt 2>new.err
is "so are two with another kernel, in another mode" $? 0 || { diag "$(cat new.err)"; diag "$(tail -n 40 new/*.log)"; }
is "the other kernel came in" "$(jq -r .kernel.incoming new/0001.json)" "$(jq -r .kernel.outgoing old/0001.json)"
bash -c "$(typed 3)" >compare.txt 2>compare.err
compared=$?
is "both are compared; of so few it says that nothing can be said" "$compared $(tail -n 1 compare.txt)" \
	"2 Whether anything is slower than before cannot be said."
like "what else is different is said" "$(cat compare.txt)" 'Other environment:.*incoming'
like "phase by phase" "$(cat compare.txt)" 'early-boot +[0-9.]+ m?s +[0-9.]+ m?s '
ok "the two are drawn on one time line" xmllint --noout both.svg
tap_done
