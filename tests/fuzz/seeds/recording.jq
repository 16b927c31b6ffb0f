# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Seeds of the target recording, each made out of one that is good: NAME FILTER.
escape-sequences .identity.reason = "\u001b]0;x\u0007\u009b31m"
no-text .kernel.outgoing = "\u0000"
markup .ledgers.outgoing.records[0].name = "<script>&'\""
many-members .environment = ([range(200)] | map({key: "k\(.)", value: .}) | from_entries)
no-ledgers del(.ledgers)
empty-ledgers .ledgers = {}
one-ledger del(.ledgers.outgoing)
same-side .ledgers.incoming = .ledgers.outgoing
ledger-version-wrap .ledgers.outgoing.version = 4294967298
version-text .version = "1"
version-real .version = 1.9
version-true .version = true
times-overflow .ledgers.incoming.records[-1].cycles = "0xffffffffffffffff"
clock-of-one .ledgers[].cycles_khz = 1
ret-real .ledgers.outgoing.records[0].ret = -1.5
count-too-large .ledgers.outgoing.records[0].count = 1e300
ret-text .ledgers.outgoing.records[0].ret = "none"
ret-infinite .ledgers.outgoing.records[0].ret = 1e999
steps-of-text .steps = "none"
records-of-text .ledgers.outgoing.records = "none"
wrong-types .referee = {memory_identical: "no"} | .dma = [1, 2, 3] | .identity = 7 | .session = null
deep .environment = reduce range(25) as $i (0; [.])
other-deep .dma = {sent: 1, received: 1, lost: 0, duplicates: 0, corrupt: 0, during_blackout: 0, faults: 0, note: (reduce range(25) as $i ("x"; {a: .}))}
two-workloads .ledgers.outgoing.records += [.ledgers.outgoing.records[-1] | .sequence += 1 | .name = "pause:vm2"]
workload-names (.ledgers[].records[] | select(.step == "user-mark") | .name) += ":<'&\""
workload-alone .ledgers.incoming.records += [.ledgers.incoming.records[-1] | .sequence += 1 | .step = "user-mark" | .name = "resume:vm3"]
