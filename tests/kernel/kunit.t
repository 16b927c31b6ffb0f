#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# The KUnit suites pass: those of the ledger, of kexec handover and of its records, those of the page tables
# whose format the overlay carries across and of their pages, of runs in an XArray, those of iommufd, of preserved
# memory and of memfds, and those that damage each record of a handover in thousands of ways
# (DAMAGE_SEED= and DAMAGE_COUNT= draw others); and those of PASIDs, on a unit of VT-d. The incoming kernel of the laboratory has them
# (kernel/config/kunit.config), and runs them when it is asked to.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"

kernel=${BUILD:-$here/../../build}/linux/successor/arch/x86/boot/bzImage

damage="liveupdate_damage.seed=${DAMAGE_SEED:-1}${DAMAGE_COUNT:+ liveupdate_damage.count=$DAMAGE_COUNT}"

# suite_passes NAME: repeat the result of a suite and its cases, numbered on. A
# suite's result has no indentation, a case's has four columns.
suite_passes() {
	is "suite $1 passes" "$(grep -cE "^ok [0-9]+ $1\$" "$lab_results/$1")" 1
	while IFS= read -r line; do
		case $line in
		ok*'# SKIP'*)	;;	# of a format that lacks what the case is about
		ok*)		ok "  ${line#ok * }" true ;;
		*)		ok "  ${line#not ok * }" false ;;
		esac
	done < <(sed -nE 's/^    ((not )?ok [0-9]+ )/\1/p' "$lab_results/$1")
}

# Their functions are gone after boot.
stage boot <<'END'
dmesg | sed -n 's/^\[[^]]*\] //p' >"$LAB_RESULTS/boot"
END
lab_what="during boot"
if lab_run --outgoing "$kernel" --append "kunit.enable=1 kunit.filter_glob=liveupdate-* log_buf_len=1M $damage" "$stage"; then
	for suite in liveupdate-ledger liveupdate-kho liveupdate-memblock; do
		# From the result of the suite before to its own
		awk -v suite="$suite" '{ part = part $0 "\n" }
			/^(not )?ok / { if ($NF == suite) { printf "%s", part; exit } part = "" }' \
			"$lab_results/boot" >"$lab_results/$suite"
		suite_passes "$suite"
	done
fi

[ -z "${ONLY_DURING_BOOT-}" ] || tap_done

# Not Linux's *_iommu_test: they compare a counter of pages of which each CPU keeps a
# part to itself, and see a difference of a few pages where there is none.
suites=(vtdss_fmt_test x86_64_fmt_test amdv1_fmt_test vtdss_liveupdate_test x86_64_liveupdate_test amdv1_liveupdate_test iommu-pages-pool iommufd-liveupdate kho-radix-tree kho-slots xarray-run trace-events
	memfd-liveupdate hugetlb-liveupdate luo-damage memfd-luo-damage hugetlb-luo-damage
	iommu-liveupdate-damage pci-liveupdate-damage pci-liveupdate-refused iommufd-liveupdate-damage vfio-pci-liveupdate-damage)
stage tables <<'END'
for suite in $SUITES; do
	echo 1 >/sys/kernel/debug/kunit/$suite/run
	cat /sys/kernel/debug/kunit/$suite/results >"$LAB_RESULTS/$suite"
done
END
lab_what="when asked"
lab_run --outgoing "$kernel" --append "kunit.enable=1 kunit.autorun=0 $damage" --env SUITES="${suites[*]}" "$stage" &&
	for suite in "${suites[@]}"; do
		suite_passes "$suite"
	done

# On the machine's own unit, which has to know PASIDs; with two CPUs one watches the other.
for mode in scalable first-stage; do
	lab_what="on a unit with PASIDs, $mode"
	lab_run --outgoing "$kernel" --append "kunit.enable=1 kunit.autorun=0" --mode $mode --cpus 2 --devices edu \
		--qemu -global --qemu intel-iommu.x-pasid-mode=on --env SUITES=intel-liveupdate-pasid "$stage" || continue
	suite_passes intel-liveupdate-pasid
	is "  and skips nothing" "$(grep -c SKIP "$lab_results/intel-liveupdate-pasid")" 0
done
tap_done
