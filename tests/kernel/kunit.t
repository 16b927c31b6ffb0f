#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# The KUnit suites pass: those of the ledger, and those of the page tables whose
# format the overlay carries across. The incoming kernel of the laboratory has them
# (kernel/config/kunit.config), and runs them when its command line asks for it.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"

kernel=${BUILD:-$here/../../build}/linux/successor/arch/x86/boot/bzImage
stage ktap <<'END'
dmesg | sed 's/^\[[^]]*\] //' >"$LAB_RESULTS/ktap"
END
# SUITES names some of them; one alone is the only one that runs.
read -ra suites <<<"${SUITES:-liveupdate-ledger vtdss_fmt_test x86_64_fmt_test}"
words="kunit.enable=1 log_buf_len=4M"
[ ${#suites[@]} -gt 1 ] || words+=" kunit.filter_glob=${suites[0]}"
lab_run --outgoing "$kernel" --append "$words" "$stage" || tap_done

# A suite's result has no indentation, a case's has four columns.
ktap=$lab_results/ktap
for suite in "${suites[@]}"; do
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
