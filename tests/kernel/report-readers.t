#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Whoever reads pt_report has a whole report of his own, or is refused with an error;
# never an empty one, and none that is another reader's from the middle on.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/kernel/dma-session.sh
. "$here/dma-session.sh"

# One that looks at the first entry of the kernel's list of units alone.
few=$(realpath "${BUILD:-$here/../../build}")/tests/few-units
make -s -C "$here/../../bpf" BUILD="$few" CLANG="${CLANG:-clang} -DPT_UNITS_LISTED=1" "$few/bpf/pt_identity.bpf.o" >/dev/null ||
	exit 1

stage stage <<'END'
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
set -u
pins=/sys/fs/bpf/somebody
report=$pins/pt_report
bpftool prog loadall "$LAB_BUILD/bpf/pt_identity.bpf.o" $pins autoattach pinmaps $pins/maps || exit 1
cat $report >"$LAB_RESULTS/alone" || exit 1

# In the midst of its report, the reader is here no more than a byte.
exec 3<$report
dd bs=1 count=1 <&3 >"$LAB_RESULTS/first" 2>/dev/null
cat $report >"$LAB_RESULTS/second" 2>"$LAB_RESULTS/second.txt"
note second $?
cat <&3 >>"$LAB_RESULTS/first"
note first $?
exec 3<&-
cat $report >"$LAB_RESULTS/third"
note third $?

# All at once, on all CPUs.
mkdir /tmp/readers
for reader in 1 2 3 4; do
	for n in {1..15}; do
		cat $report >/tmp/readers/$reader.$n 2>/tmp/readers/error.$reader.$n
		case $?:$(cat /tmp/readers/error.$reader.$n) in
		0:) cmp -s /tmp/readers/$reader.$n "$LAB_RESULTS/alone" && echo whole || echo wrong ;;
		1:*'temporarily unavailable') echo refused ;;
		*) echo odd ;;
		esac
	done >/tmp/readers/of.$reader &
done
wait
cat /tmp/readers/of.* | sort | uniq -c | awk '{ print $2, $1 }' >"$LAB_RESULTS/readers"

# Who went away in the midst of it does not keep the others from it for long.
dd bs=1 count=1 if=$report of=/dev/null 2>/dev/null
cat $report >/dev/null 2>&1
note at-once $?
sleep 5.1
cat $report >"$LAB_RESULTS/later"
note later $?

bpftool prog loadall "$LAB_BUILD/tests/few-units/bpf/pt_identity.bpf.o" ${pins}s autoattach pinmaps ${pins}s/maps || exit 1
cat ${pins}s/pt_report >"$LAB_RESULTS/few"
bpftool -j map dump pinned ${pins}s/maps/identity >"$LAB_RESULTS/few.json"
END
lab_run --mode scalable --devices edu,edu "$stage" || tap_done

alone=$(cat "$lab_results/alone")
like "a reader alone has the report" "$alone" 'devices [1-9][0-9]* .* digest [0-9a-f]{32}$'
is "a second one is refused while the first reads" "$(fact second) $(wc -c <"$lab_results/second")" "1 0"
like "with an error that says to try again" "$(cat "$lab_results/second.txt")" 'Resource temporarily unavailable'
is "the first has all of its report" "$(fact first) $(cat "$lab_results/first")" "0 $alone"
is "the next has all of it, too" "$(fact third) $(cat "$lab_results/third")" "0 $alone"
is "of readers at the same time each has all or is refused" \
	"$(awk '$1 == "wrong" || $1 == "odd"' "$lab_results/readers")" ""
ok "and some have all" grep -q '^whole ' "$lab_results/readers"
is "who was here a moment ago may come back" "$(fact at-once)" 1
is "who stays away has lost his place" "$(fact later) $(cat "$lab_results/later")" "0 $alone"
is "where not all units are looked at, nothing is known" "$(cat "$lab_results/few")" \
	"unknown: there are more IOMMU hardware units than fit"
is "its map says it, too" "$(lab_json few.json '.[0].formatted.value | "\(.known) \(.reason)"')" "0 PT_REASON_MANY_UNITS"
tap_done
