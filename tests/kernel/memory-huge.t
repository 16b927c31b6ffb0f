#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Memory in huge pages crosses: its contents and its places, and the pools have as
# many pages as before, free and in use, before it is retrieved and afterwards. It is
# charged to who retrieves it, and stays the device's until the session has finished.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/kernel/dma-session.sh
. "$here/dma-session.sh"

# Of 2 MiB each: four for a device, and three that nobody wants back
stage before <<'END'
set -e
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
. "$LAB_PROJECT/tests/kernel/huge-pages.sh"
bind-vfio $LAB_DEVICES
note huge-before "$(huge 2M)"
dma_session
dma memory 2048 2M
dma device d "$LAB_DEVICES"
dma domain one d
dma map one 0x1000000
dma attach d one
dma mark one 1
dma_preserve kept
dma write 0x0 0x1111
dma load "$LAB_DEVICES" 0x1000000
dma fill 0x5555
note frozen "$(dma try punch) $(dma try truncate 512)"
note places "$(dma places)"
dma hold
exec {dma_to}>&- {dma_from}<&-
dma_session
dma memory 1536 2M
dma session unwanted
dma preserve memory 1
dma hold
note huge-preserved "$(huge 2M)"
END
before=$stage

stage after <<'END'
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
. "$LAB_PROJECT/tests/kernel/huge-pages.sh"
bind-vfio $LAB_DEVICES >/dev/null
note huge-boot "$(huge 2M)"

groups=/run/cgroup
mkdir -p $groups && mount -t cgroup2 none $groups && echo +hugetlb >$groups/cgroup.subtree_control || exit
# A hugetlb cgroup: its name, what is limited, and how much
group() { mkdir -p "$groups/$1" && echo "$3" >"$groups/$1/hugetlb.2MB.$2"; }
in_group() { echo "$(cat "$groups/$1/hugetlb.2MB.current") $(cat "$groups/$1/hugetlb.2MB.rsvd.current")"; }
enter() { echo "$DMA_PID" >"$groups/$1/cgroup.procs"; }

# No room for the pages, or for their reservation
writes_always "$LAB_DEVICES" 0x1000000 16
for what in max rsvd.max; do
	dma_session
	until [ "$(dma try retrieve-session kept)" = ok ]; do sleep 0.1; done
	group "small-$what" "$what" 4M && enter "small-$what" || exit
	note too-small "$(dma try retrieve memory 1) $(dma try retrieve memory 1)"
	note charged-small "$(in_group "small-$what")"
	dma_killed
done
note huge-failed "$(huge 2M)"

attempt() {
	note "$1" "$(dma try "${@:2}")"
	note "moved-$1" "$([ "$(dma places)" = "$places" ] && echo no || echo yes)"
}
session() {
	dma_session
	until [ "$(dma try retrieve-session kept)" = ok ]; do sleep 0.1; done
}
session
group enough max 8M && enter enough || exit
note retrieve "$(dma try retrieve memory 1)"
note charged "$(in_group enough)"
note huge-retrieved "$(huge 2M)"
places=$(dma places)
note places-retrieved "$places"
note content "$(dma count 0x5555 0x1111)"
attempt remove advise remove
attempt punch punch
attempt truncate truncate 512
attempt soft-offline advise soft-offline
attempt apart preserve-apart memory 7
echo 1 >/proc/sys/vm/compact_memory
attempt write write 0x3f0000 0x3333
# A smaller pool, and as large as it was
pool=/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages
echo 0 >$pool; note huge-none "$(huge 2M)"
echo 16 >$pool; note huge-again "$(huge 2M)"

# Nobody has it any more, and all other memory is used, all other huge pages included.
dma_killed
coproc OTHER { exec "$LAB_BUILD/tests/kernel/dma-session"; }
printf 'memory 4608 2M\nfill 0x8888\nhold\n' >&"${OTHER[1]}"
for _ in 1 2 3; do read -r said <&"${OTHER[0]}"; done
note others-pages "$said $(huge 2M)"
guard || exit
sleep 3
note damage "$(guard_damage)"
guard_ends
kill "$OTHER_PID"; wait "$OTHER_PID" 2>/dev/null

session
dma retrieve memory 1 || exit
attempt again read 0x3f0000
dma retrieve iommufd 2 && dma retrieve d 3 && dma bind d && dma domain new d &&
	dma map new 0x1000000 && dma move d new || exit
attempt punch-moved punch
writes_end
note finish "$(dma try finish)"
note content-finished "$(dma read 0x3f0000) $(dma count 0x5555 0x1111)"
dma space other && dma move-to-space d other && dma unmap new && dma destroy new || exit
note apart-finished "$(dma try preserve-apart memory 7)"
note punch-finished "$(dma try punch) $(huge 2M)"
dma_killed
sleep 1
note huge-closed "$(huge 2M)"
dma_session
dma retrieve-session unwanted || exit
note given-up "$(dma try finish) $(huge 2M)"
END
after=$stage

# hugepages= says 16 in both kernels. What is said of pools: total, free, reserved, surplus.
lab_run --mode scalable --memory 512 --devices edu --append hugepages=16 --trace "$tap_scratch/trace" "$before" "$after" || tap_done
is "the outgoing kernel has a pool" "$(fact huge-before)" "16 16 0 0"
is "preserved pages are in use" "$(fact huge-preserved)" "16 9 0 0"
is "no hole can be punched, nor the file truncated" "$(fact frozen)" "EPERM EPERM"
is "the incoming kernel's pool is what it was, with nothing retrieved" "$(fact huge-boot)" "16 9 0 0"
is "a retrieve for which the hugetlb cgroup has no room fails, again and again" "$(fact too-small | sort -u)" "ENOMEM ENOMEM"
is "nothing is charged then" "$(fact charged-small | sort -u)" "0 0"
is "and the pool is what it was" "$(fact huge-failed)" "16 9 0 0"
is "with enough room the memory is retrieved" "$(fact retrieve)" ok
is "pages and reservation are charged to who retrieved it" "$(fact charged)" "$((8 << 20)) $((8 << 20))"
is "the pool is still what it was" "$(fact huge-retrieved)" "16 9 0 0"
is "each page is where it was" "$(fact places-retrieved)" "$(fact places)"
is "the contents are whole" "$(fact content)" $((2048 * 512))
is "it cannot be removed, punched or truncated" "$(fact remove) $(fact punch) $(fact truncate)" "EPERM EPERM EPERM"
ok "it cannot be taken offline" not grep -q '^soft-offline ok' "$lab_results/facts"
is "nor can another session preserve it" "$(fact apart)" EBUSY
is "no page is moved by any of that" "$(sed -n 's/^moved-[a-z-]* //p' "$lab_results/facts" | sort -u)" no
is "a smaller pool makes its pages surplus" "$(fact huge-none)" "7 0 0 7"
is "the pool as large as it was takes them back" "$(fact huge-again)" "16 9 0 0"
is "all other huge pages are given to somebody else" "$(fact others-pages)" "ok 16 0 0 0"
is "nobody else's memory is damaged, when nobody has it any more" "$(fact damage)" 0
is "what was written is there" "$(fact again)" 0x3333
is "nothing can be punched until the end" "$(fact punch-moved)" EPERM
is "the session finishes" "$(fact finish)" ok
is "with the contents" "$(fact content-finished)" "0x3333 $((2048 * 512 - 1))"
is "then it can be preserved for the next update" "$(fact apart-finished)" ok
is "and punched, and its pages are free" "$(fact punch-finished)" "ok 16 13 0 0"
is "closed, they stay free" "$(fact huge-closed)" "16 13 0 0"
is "pages that nobody retrieved go to the pool" "$(fact given-up)" "ok 16 16 0 0"
is "no access of the device faults" "$(grep -c vtd_dmar_fault "$tap_scratch/trace")" 0
tap_done
