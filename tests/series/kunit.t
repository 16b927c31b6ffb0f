#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Every KUnit suite that the kernel at the end of a mail series has passes in it.
# tests/series/each runs this.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"

# suites_pass FILE: the results of suites stand at the begin of a line.
suites_pass() {
	local line
	while IFS= read -r line; do
		case $line in
		ok*'# SKIP'*) ;;
		ok*) ok "$lab_what: ${line#ok * }" true ;;
		*) ok "$lab_what: ${line#not ok * }" false ;;
		esac
	done < <(sed -nE '/^(not )?ok [0-9]+ /p' "$1")
}

# Those that lie in memory of the boot; a series may have none yet.
stage boot <<'END'
dmesg | sed -n 's/^\[[^]]*\] //p' >"$LAB_RESULTS/boot"
END
lab_what="during boot"
if lab_run --outgoing "$OUTGOING" --append "kunit.enable=1 kunit.filter_glob=liveupdate-* log_buf_len=1M" "$stage"; then
	ok "$lab_what: KUnit is there" grep -q '^KTAP version' "$lab_results/boot"
	suites_pass "$lab_results/boot"
fi

# Not *_iommu_test: tests/kernel/kunit.t says why.
stage tables <<'END'
for suite in /sys/kernel/debug/kunit/*; do
	case ${suite##*/} in
	*_iommu_test | liveupdate-ledger | liveupdate-kho | liveupdate-memblock) continue ;;
	esac
	echo 1 >"$suite/run"
	cat "$suite/results" >>"$LAB_RESULTS/suites"
done
END
lab_what="when asked"
if lab_run --outgoing "$OUTGOING" --append "kunit.enable=1 kunit.autorun=0" "$stage"; then
	ok "$lab_what: there are suites" [ -s "$lab_results/suites" ]
	suites_pass "$lab_results/suites"
fi
tap_done
