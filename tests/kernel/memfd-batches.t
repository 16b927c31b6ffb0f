#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Memfds cross in runs of folios, whatever their shape: of odd sizes, with holes, of
# large pages and small ones; and what that costs stays within its limits.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"

stage before <<'END'
"$LAB_BUILD/tests/kernel/memfd-kinds" preserve >"$LAB_RESULTS/out" 2>&1 &
until grep -qs preserved "$LAB_RESULTS/out"; do
	kill -0 $! 2>/dev/null || { cat "$LAB_RESULTS/out"; exit 1; }
	sleep 0.2
done
END
before=$stage
stage after <<'END'
"$LAB_BUILD/tests/kernel/memfd-kinds" retrieve
END
lab_what="all shapes"
lab_run --devices none --memory 512 "$before" "$stage" &&
	ok "memfds of all shapes have their contents, sizes and positions, and are ordinary after the session" true

# Instructions. All of one kernel, as the other one has debugging options.
kernel=${BUILD:-$here/../../build}/linux/lab/arch/x86/boot/bzImage
pages=32768
stage memory-before <<'END'
echo "$LARGE" >/sys/kernel/mm/transparent_hugepage/shmem_enabled
"$LAB_BUILD/tests/bench/guest_memory" preserve $PAGES 2 >"$LAB_RESULTS/out" 2>&1 &
until grep -qs '^preserve' "$LAB_RESULTS/out"; do
	kill -0 $! 2>/dev/null || { cat "$LAB_RESULTS/out"; exit 1; }
	sleep 0.2
done
END
before=$stage
stage memory-after <<'END'
"$LAB_BUILD/tests/bench/guest_memory" retrieve $PAGES >"$LAB_RESULTS/in"
# A moment later. Then once more, as the host's setting is written.
sleep 0.5
grep protection: /proc/zoneinfo >"$LAB_RESULTS/reserves"
ratio=$(cat /proc/sys/vm/lowmem_reserve_ratio)
echo $ratio >/proc/sys/vm/lowmem_reserve_ratio
grep protection: /proc/zoneinfo >"$LAB_RESULTS/recalculated"
END
instructions() { sed -n "s/^$1 //p" "$lab_results/$2"; }
# each LARGE LIMIT WHAT: 128 MiB; how many of WHAT that is, and what one may cost
each() {
	lab_what="128 MiB, large pages: $1"
	lab_run --icount --cpus 1 --devices none --memory 1024 --outgoing "$kernel" --incoming "$kernel" \
		--env LARGE="$1" --env PAGES=$pages "$before" "$stage" || return
	local cost=$(($(instructions retrieve in) / ($2)))
	diag "$4: retrieve $cost instructions, preserve $(($(instructions preserve out) / ($2)))"
	has_figures && ok "retrieving a $4 takes at most $3 instructions" [ "$cost" -le "$3" ]
	is "what zones keep in reserve counts the memory that has come" \
		"$(cat "$lab_results/reserves")" "$(cat "$lab_results/recalculated")"
}
each never $pages 362 "small page"
each always $((pages / 512)) 3000 "large page"
tap_done
