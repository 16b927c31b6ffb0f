#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# A page of 1 GiB crosses, and the incoming kernel that is told to have one allocates
# no other. If it was told of none, the page is surplus, and goes once it is freed.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/kernel/dma-session.sh
. "$here/dma-session.sh"

stage before <<'END'
set -e
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
. "$LAB_PROJECT/tests/kernel/huge-pages.sh"
# Without a word on the command line, a GiB has to be found that is free.
for _ in 1 2 3 4 5; do
	[ "$(huge 1G)" = "0 0 0 0" ] || break
	echo 1 >/proc/sys/vm/compact_memory
	echo 1 >/sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages
done
if [ "$(huge 1G)" != "1 1 0 0" ]; then
	echo "no page of 1 GiB can be had: $(huge 1G)"
	exit 4
fi
dma_session
dma memory 262144 1G
dma write 0x0 0x1111
dma write 0x3ffff000 0x4444
note place "$(dma physical 0x3ffff000)"
dma session gigantic
dma preserve memory 1
dma hold
note preserved "$(huge 1G)"
END
before=$stage

stage after <<'END'
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
. "$LAB_PROJECT/tests/kernel/huge-pages.sh"
total() { sed -n 's/^MemTotal: *\([0-9]*\) kB/\1/p' /proc/meminfo; }
before=$(total)
note boot "$(huge 1G)"
dma_session
dma retrieve-session gigantic || exit
note retrieve "$(dma try retrieve memory 1)"
note content "$(dma read 0x0) $(dma read 0x3ffff000)"
note place-retrieved "$(dma physical 0x3ffff000)"
note retrieved "$(huge 1G)"
note finish "$(dma try finish)"
dma_killed
sleep 1
note closed "$(huge 1G)"
note given-back $((($(total) - before) / 1048576))
END
after=$stage

run() { # WHAT WORD...
	lab_what=$1
	lab_try --memory 6144 --append "${*:2}" "$before" "$after"
	if [ "$lab_status" = 4 ]; then
		skip "$lab_what" "the machine of the laboratory has no page of 1 GiB"
		tap_done
	fi
	is "$lab_what: the laboratory run succeeds" "$lab_status" 0 || return
	is "$lab_what: it is in use when it is preserved" "$(fact preserved)" "1 0 0 0"
	is "$lab_what: it is retrieved, and the session finishes" "$(fact retrieve) $(fact finish)" "ok ok"
	is "$lab_what: with its contents" "$(fact content)" "0x1111 0x4444"
	is "$lab_what: where it was" "$(fact place-retrieved)" "$(fact place)"
}

run "one page at boot" hugepagesz=1G hugepages=1
is "one page at boot: that is it" "$(fact boot) / $(fact retrieved)" "1 0 0 0 / 1 0 0 0"
is "one page at boot: in the end it is free" "$(fact closed)" "1 1 0 0"

run "no pages at boot"
is "no pages at boot: it is surplus" "$(fact boot) / $(fact retrieved)" "1 0 0 1 / 1 0 0 1"
is "no pages at boot: in the end it is the system's" "$(fact closed) $(fact given-back)" "0 0 0 0 1"
tap_done
