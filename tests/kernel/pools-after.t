#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# A pool of huge pages that is asked to be smaller than what crosses, and pools
# whose count does not cross intact: pages beyond what was asked for are surplus,
# and go back to the system. A record that is damaged is refused, and says so.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/kernel/dma-session.sh
. "$here/dma-session.sh"

stage before <<'END'
set -e
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
# Only the incoming kernel is told at boot how large its pool is to be.
echo 16 >/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages
for name in $SESSIONS; do
	dma_session
	dma memory 1536 2M
	dma fill 0x5555
	dma session $name
	dma preserve memory 1
	dma hold
	exec {dma_to}>&- {dma_from}<&-
done
[ "$DAMAGE" = nothing ] || "$LAB_BUILD/tests/kernel/damage-record" "$DAMAGE"
END
before=$stage

stage after <<'END'
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
. "$LAB_PROJECT/tests/kernel/huge-pages.sh"
total() { sed -n 's/^MemTotal: *\([0-9]*\) kB/\1/p' /proc/meminfo; }
nodes() { note nodes "$(huge 2M node0) $(huge 2M node1)"; }
note boot "$(huge 2M)"
nodes
note committable $(($(sed -n 's/^CommitLimit: *\([0-9]*\) kB/\1/p' /proc/meminfo) <= $(total)))
before=$(total)
dma_session
dma retrieve-session kept || exit
said=$(dma try retrieve memory 1)
note retrieve "$said"
if [ "$said" != ok ]; then
	note finish "$(dma try finish)"
	exit
fi
note retrieved "$(huge 2M)"
nodes
note content "$(dma count 0x5555)"
note finish "$(dma try finish)"
dma_killed
sleep 1
note closed "$(huge 2M)"
dma_session
dma retrieve-session unwanted || exit
note given-up "$(dma try finish)"
note given-up-pool "$(huge 2M)"
nodes
note given-back $((($(total) - before) / 2048))
END
after=$stage

memory=$((512 < ${LAB_MEMORY:-0} ? LAB_MEMORY : 512))
machine=()
run() { # DAMAGE POOL SESSION...
	lab_run --env DAMAGE="$1" --env SESSIONS="${*:3}" --memory "$memory" "${machine[@]}" --incoming-append "hugepages=$2" "$before" "$after"
}

run nothing 4 kept unwanted
is "a smaller pool: what crossed beyond it is surplus" "$(fact boot)" "6 0 0 2"
is "what can be committed is no more than there is" "$(fact committable)" 1
is "it is retrieved" "$(fact retrieve) $(fact retrieved)" "ok 6 0 0 2"
is "with its contents" "$(fact content)" $((1536 * 512))
is "the session finishes" "$(fact finish)" ok
is "surplus pages go first" "$(fact closed)" "4 1 0 0"
is "the others are free" "$(fact given-up) $(fact given-up-pool)" "ok 4 4 0 0"
ok "all of the memory is back" [ "$(fact given-back)" -ge 6 ]

run hugetlb-pool 8 kept unwanted
like "a count that is damaged is not used, and is reported" "$(cat "$lab_results/dmesg-incoming.log")" \
	"count of preserved huge pages is damaged"
is "pools are filled as if nothing crossed" "$(fact boot)" "8 8 0 0"
is "the memory crosses all the same" "$(fact retrieve) $(fact content)" "ok $((1536 * 512))"
is "its pages are surplus" "$(fact retrieved)" "11 8 0 3"
is "and go when they are freed" "$(fact closed) $(fact given-up-pool)" "8 8 0 0 8 8 0 0"

for damage in hugetlb-order hugetlb-length hugetlb-pfn; do
	lab_what=$damage
	run $damage 16 kept || continue
	like "$damage: it is reported" "$(cat "$lab_results/dmesg-incoming.log")" "of a preserved memfd is damaged"
	is "$damage: the memory is not retrieved, and the session ends all the same" "$(fact retrieve) $(fact finish)" "EINVAL ok"
done

# The outgoing kernel of the laboratory does not know of nodes: it counts all on one.
# CPUs of one socket are on one node.
machine+=(--qemu -smp --qemu sockets=2)
for node in 0 1; do
	machine+=(--qemu -object --qemu "memory-backend-ram,id=memory$node,size=$((memory / 2))M"
		--qemu -numa --qemu "node,nodeid=$node,memdev=memory$node,cpus=$node")
done
lab_what="two nodes"
run nothing 16 kept unwanted
if grep -q '[0-9] [0-9]* [0-9]* [0-9]* [0-9]* [0-9]*$' <(fact nodes); then
	# For each node: total, free and surplus pages
	is "two nodes: together they have as many pages as the pool, at any time" \
		"$(fact nodes | awk '{ print $1 + $4, $3 + $6 }' | sort -u)" "16 0"
	is "two nodes: in the end all of them are free, where they are" \
		"$(fact nodes | awk 'END { print $2 + $5, $1 == $2, $4 == $5 }')" "16 1 1"
else
	skip "two nodes: what each of them has" "the incoming kernel does not know of nodes"
fi
tap_done
