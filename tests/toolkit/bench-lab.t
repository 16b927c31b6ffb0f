#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# lutrace bench measures live updates in the laboratory, whose guest calls the hooks
# that a host calls.

set -u
project=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/lab/tap.sh
. "$project/tests/lab/tap.sh"
export BUILD=${BUILD:-$project/build}
lutrace=$BUILD/bin/lutrace
cd "$tap_scratch" || exit 1
set=$tap_scratch/set

"$lutrace" bench -j --lab "$project" --count 2 "$set" -- --mode scalable >bench.json 2>bench.err
is "two live updates are measured" $? 0 || { diag "$(cat bench.err)"; diag "$(tail -n 40 "$set"/*.log)"; }
answer() { jq -c "$1" bench.json; }
is "both pauses are known" "$(answer '[.updates.runs, .updates.unknown]')" "[2,0]"
ok "the answer is as its schema has it" "$BUILD/tests/unit/check-schema" "$project/docs/bench.schema.json" bench.json
ok "so is a recording, environment and all" "$BUILD/tests/unit/check-schema" "$project/docs/handover.schema.json" "$set/0001.json"
is "phases have two values each" "$(answer '[.phases[].count] | unique')" "[2]"
is "the machine is QEMU's" "$(answer .environment.outgoing.machine.hypervisor)" \
	"\"$(grep -qs works "$BUILD/lab-kvm" && echo KVM || echo QEMU/TCG)\""
is "the kernels are two" "$(answer '.environment | .outgoing.release != .incoming.release and .outgoing.boot_id != .incoming.boot_id')" true
is "the device is named" "$(answer '.environment.outgoing.devices[0] | [.address, .vendor]')" '["0000:01:00.0","0x8086"]'
is "what crossed is counted" "$(answer '.environment.preserved | [.devices, .domains, .memory_pages > 0, .table_pages > 0]')" "[1,1,true,true]"
is "as page tables it is what verify saw" "$(answer .environment.preserved.table_pages)" "$(jq .identity.table_pages "$set/0001.json")"
is "environments are the same in both" "$(answer .environment_differs)" "[]"
"$lutrace" bench --plot plot.svg "$set" >bench.txt
ok "the set can be drawn" xmllint --noout plot.svg
tap_done
