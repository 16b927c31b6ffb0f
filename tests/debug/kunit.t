#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# The KUnit suites pass: those of the ledger, and those of the page tables whose
# format the overlay carries across. For a kernel with kernel/config/kunit.config.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"

# They run before user space. The debug kernel has them, too.
for name in kunit lab; do
	kernel=${BUILD:-$here/../../build}/linux/$name/arch/x86/boot/bzImage
	[ ! -r "$kernel" ] || break
done
stage ktap <<'END'
dmesg | sed 's/^\[[^]]*\] //' >"$LAB_RESULTS/ktap"
END
lab_run --outgoing "$kernel" --append "kunit.enable=1 log_buf_len=4M" "$stage" || tap_done

# A suite's result has no indentation, a case's has four columns.
ktap=$lab_results/ktap
for suite in liveupdate-ledger ${SUITES:-vtdss_fmt_test x86_64_fmt_test}; do
	is "suite $suite passes" "$(grep -cE "^ok [0-9]+ $suite\$" "$ktap")" 1
done
while IFS= read -r line; do
	case $line in
	ok*'# SKIP'*)	;;	# of a format that lacks what the case is about
	ok*)		ok "${line#ok * }" true ;;
	*)		ok "${line#not ok * }" false ;;
	esac
done < <(grep -oE '^    (not )?ok [0-9]+ .*' "$ktap" | cut -c 5-)
is "no suite fails" "$(grep -E '^ *not ok ' "$ktap")" ""
tap_done
