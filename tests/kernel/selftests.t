#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Linux's own selftests for live update and for vfio pass on the patched kernel,
# those of vfio with an igb and with iommufd.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"

# How the totals of a test program end.
clean="fail:0 xfail:0 xpass:0 skip:0 error:0"
build=$(readlink -f "${BUILD:-$here/../../build}")
ok "the selftests of the kernel tree are built" \
	make -s -C "$here" BUILD="$build" selftests || tap_done

stage live <<'END'
cd "$LAB_BUILD/selftests/liveupdate" || exit
./liveupdate >"$LAB_RESULTS/liveupdate.tap"
echo $? >"$LAB_RESULTS/liveupdate.exit"
for test in luo_kexec_simple luo_multi_session; do
	"./$test" -s 1 >"$LAB_RESULTS/$test.before" 2>&1 || exit
done
END
live=$stage
stage next <<'END'
cd "$LAB_BUILD/selftests/liveupdate" || exit
for test in luo_kexec_simple luo_multi_session; do
	"./$test" -s 2 >"$LAB_RESULTS/$test.after" 2>&1
	echo $? >"$LAB_RESULTS/$test.exit"
done
END
lab_what=liveupdate
lab_run "$live" "$stage"
is "liveupdate: the ioctls" "$(cat "$lab_results/liveupdate.exit")" 0
like "liveupdate: they skip nothing" "$(tail -n 1 "$lab_results/liveupdate.tap")" "pass:[1-9][0-9]* $clean"
for test in luo_kexec_simple luo_multi_session; do
	is "liveupdate: $test, across a kexec" "$(cat "$lab_results/$test.exit")" 0
	like "liveupdate: $test says so" "$(cat "$lab_results/$test.after")" "TEST PASSED"
done

# In two stages, with a kexec between them, each with a device of its own.
stage before <<'END'
cd "$LAB_BUILD/selftests" || exit
read -ra devices <<<"$LAB_DEVICES"
bind-vfio "${devices[@]}" || exit
{
	iommu/iommufd_liveupdate_kexec -s 1 "${devices[0]}" &&
		pci/pci_liveupdate_kexec -s 1 "${devices[1]}" &&
		vfio/vfio_pci_liveupdate_kexec_test -s 1 "${devices[2]}"
} >"$LAB_RESULTS/before" 2>&1
END
before=$stage
stage after <<'END'
cd "$LAB_BUILD/selftests" || exit
read -ra devices <<<"$LAB_DEVICES"
bind-vfio "${devices[@]}"
run() {
	"$@" >"$LAB_RESULTS/${1##*/}.after" 2>&1
	echo $? >"$LAB_RESULTS/${1##*/}.exit"
}
run iommu/iommufd_liveupdate_kexec -s 2 "${devices[0]}"
run pci/pci_liveupdate_kexec -s 2 "${devices[1]}"
run vfio/vfio_pci_liveupdate_kexec_test -s 2 "${devices[2]}"
END
for mode in legacy scalable first-stage amd; do
	lab_what="devices, $mode"
	lab_run --mode $mode --devices edu,edu,igb "$before" "$stage" || diag "$(tail -n 5 "$lab_results/before")"
	for test in iommufd_liveupdate_kexec pci_liveupdate_kexec vfio_pci_liveupdate_kexec_test; do
		is "$lab_what: $test, across a kexec" "$(cat "$lab_results/$test.exit")" 0 ||
			diag "$(tail -n 5 "$lab_results/$test.after")"
		like "$lab_what: $test says so" "$(cat "$lab_results/$test.after")" "TEST PASSED"
	done
done

stage vfio <<'END'
cd "$LAB_BUILD/selftests/vfio" || exit
bind-vfio $LAB_DEVICES || exit
# For those that map large pages; 1 GiB pages are more than this machine has.
echo 32 >/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages
# Each case of the driver test pins 1 GiB of shared memory. In small pages that takes
# an emulated machine longer than the 30 s that the harness gives a case.
echo always >/sys/kernel/mm/transparent_hugepage/shmem_enabled
run() {
	local test=$1
	shift
	"./$test" "$@" >"$LAB_RESULTS/$test.tap" 2>&1
	echo $? >"$LAB_RESULTS/$test.exit"
}
run vfio_iommufd_setup_test $LAB_DEVICES
run vfio_pci_device_test $LAB_DEVICES
run vfio_dma_mapping_test -v iommufd_anonymous $LAB_DEVICES
run vfio_dma_mapping_mmio_test -v iommufd $LAB_DEVICES
run vfio_pci_driver_test -v iommufd $LAB_DEVICES
END
for mode in legacy first-stage; do
	lab_what="vfio, $mode"
	lab_run --mode $mode --memory 3072 --devices igb "$stage"
	# The harness of the selftests gives each case 30 s, which an emulated machine
	# on a busy host may exceed. That says nothing of the kernel: try again.
	for again in 1 2; do
		grep -qs "Test terminated by timeout" "$lab_results"/*.tap || break
		diag "$lab_what: a case was too slow for its harness, again ($again)"
		lab_run --mode $mode --memory 3072 --devices igb "$stage"
	done
	for test in vfio_iommufd_setup_test vfio_pci_device_test vfio_dma_mapping_test \
		vfio_dma_mapping_mmio_test vfio_pci_driver_test; do
		is "$lab_what: $test" "$(cat "$lab_results/$test.exit")" 0 ||
			diag "$(tail -n 30 "$lab_results/$test.tap")"
		like "$lab_what: $test skips nothing" "$(tail -n 1 "$lab_results/$test.tap")" \
			"pass:[1-9][0-9]* $clean"
	done
done
tap_done
