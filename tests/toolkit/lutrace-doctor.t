#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# lutrace doctor and cmdline, on machines made of files.

set -u
project=$(cd "$(dirname "$(readlink -f "$0")")/../.." && pwd)
# shellcheck source=tests/lab/tap.sh
. "$project/tests/lab/tap.sh"
build=${BUILD:-$project/build}
lutrace=$build/bin/lutrace
root=$tap_scratch/machine

# put FILE TEXT
put() {
	mkdir -p "$root/$(dirname "$1")"
	printf '%s\n' "$2" >"$root/$1"
}
options=(KEXEC_FILE KEXEC_HANDOVER LIVEUPDATE LIVEUPDATE_MEMFD LIVEUPDATE_HUGETLB LIVEUPDATE_TRACE
	INTEL_IOMMU IOMMUFD IOMMU_LIVEUPDATE VFIO_DEVICE_CDEV VFIO_PCI PCI_LIVEUPDATE VFIO_PCI_LIVEUPDATE
	DEBUG_INFO_BTF BPF_SYSCALL BPF_EVENTS)
config() { printf '# Linux\n'; printf 'CONFIG_%s=y\n' "${options[@]}"; }

# A machine that has all that is needed.
machine() {
	rm -rf "$root"
	put proc/sys/kernel/osrelease 7.3.4
	put proc/cmdline 'quiet kho=on liveupdate=on intel_iommu=on,sm_on'
	config | gzip >"$root/proc/config.gz"
	# SMTS, SSTS and FSTS of the extended capability register
	put sys/class/iommu/dmar0/intel-iommu/ecap c80000f0505e
	put sys/firmware/acpi/tables/DMAR x
	put dev/liveupdate ''
	put dev/iommu ''
	put sys/kernel/btf/vmlinux x
	put sys/kernel/tracing/events/liveupdate/liveupdate_step_begin/id 1
	put usr/sbin/kexec ''
	put usr/sbin/bpftool ''
	put usr/bin/drgn ''
	mkdir -p "$root/sys/kernel/liveupdate/ledger"
	"$build/tests/unit/make-ledger" handover "$root/sys/kernel/liveupdate/ledger" || exit 1
}
doctor() { "$lutrace" doctor --root "$root" "$@"; }
status() {
	"$@" >/dev/null 2>&1
	echo $?
}
# verdict CHECK: the verdicts of a check
verdict() { doctor -j | jq -r --arg check "$1" '[.checks[] | select(.check == $check).verdict] | unique | join(" ")'; }
# advice CHECK: what to do about it
advice() { doctor -j | jq -r --arg check "$1" '.checks[] | select(.check == $check and .advice).advice'; }

machine
is "a machine that has all is fit" "$(status doctor)" 0
like "and is told so" "$(doctor)" 'This machine is fit for live update\.'
is "nothing is to be done there" "$(doctor -j | jq '[.checks[] | select(.advice)] | length')" 0
is "the verdict is one of JSON's members" "$(doctor -j | jq -r .verdict)" ok
like "it says which kernel it took over from" "$(doctor)" 'took over from Linux 7.3.4'
like "it says which mode the IOMMU is in" "$(doctor)" '1 VT-d unit in scalable mode'

for option in "${options[@]}"; do
	machine
	config | grep -v "CONFIG_$option=" | gzip >"$root/proc/config.gz"
	like "it misses CONFIG_$option" "$(advice configuration)" "CONFIG_$option=y"
done

machine
config >"$root/proc/config" && rm "$root/proc/config.gz"
mkdir -p "$root/boot" && mv "$root/proc/config" "$root/boot/config-7.3.4"
is "the configuration may be below /boot" "$(verdict configuration)" ok
rm "$root/boot/config-7.3.4"
is "without one it is not known, which is no failure" "$(verdict configuration)" warn
is "and the machine counts as fit" "$(status doctor)" 0

for parameter in kho liveupdate intel_iommu; do
	machine
	put proc/cmdline "$(sed "s/$parameter=[^ ]*//" "$root/proc/cmdline")"
	like "it misses $parameter=on" "$(advice 'command line')" "add $parameter=on"
	is "and the machine is not fit" "$(status doctor)" 1
	machine
	put proc/cmdline "$(sed "s/$parameter=on[^ ]*/$parameter=off/" "$root/proc/cmdline")"
	is "$parameter=off is found" "$(verdict 'command line')" 'fail ok'
done
machine
put proc/cmdline 'kho=off liveupdate=off intel_iommu=off,sm_off quiet kho=on liveupdate=on intel_iommu=on,sm_on'
is "of a parameter that is there twice the last counts" "$(status doctor)" 0
like "with each of its words" "$(doctor)" '1 VT-d unit in scalable mode'
put proc/cmdline 'kho=on liveupdate=on intel_iommu=on,sm_on quiet kho=off liveupdate=off intel_iommu=off,sm_off'
is "also when it switches off" "$(verdict 'command line')" fail
is "and cmdline does not take the first for there" \
	"$("$lutrace" cmdline --root "$root" -j | jq -c '[.parameters[].present] | unique')" '[false]'
machine
put proc/cmdline 'kho=on liveupdate=on intel_iommu=on,sm_on iommu.liveupdate=off iommu.liveupdate=eager intremap=off intremap=on'
is "a switch that was taken back does not hinder" "$(status doctor)" 0
machine
put proc/cmdline "$(cat "$root/proc/cmdline") iommu.liveupdate=off"
like "the feature's switch is found" "$(advice 'command line')" 'iommu.liveupdate=off'
machine
put proc/cmdline "$(cat "$root/proc/cmdline") intremap=nosid,off"
like "interrupts that are not remapped are found" "$(advice 'command line')" 'remove intremap=off'

machine
put proc/sys/kernel/osrelease 6.12.1
is "an old kernel does not do" "$(verdict kernel)" fail
machine
rm -r "$root/dev/liveupdate"
is "nor does one without /dev/liveupdate" "$(verdict sessions)" fail
machine
rm -r "$root/sys/class/iommu"
like "an IOMMU that is not in use is found" "$(advice iommu)" 'intel_iommu=on'
rm "$root/sys/firmware/acpi/tables/DMAR"
like "so is one that is not there" "$(advice iommu)" 'firmware'
machine
rm -r "$root/sys/class/iommu/dmar0"
mkdir -p "$root/sys/class/iommu/ivhd0"
like "of AMD's tables, the host's are read" "$(doctor)" '1 AMD IOMMU, of which lutrace reads host .v1. page tables'
is "but a live update works there" "$(status doctor)" 0
is "without a switch for VT-d" "$(put proc/cmdline 'kho=on liveupdate=on' && verdict 'command line')" ok
is "which cmdline does not recommend" "$("$lutrace" cmdline --root "$root")" 'kho=on liveupdate=on'
machine
rm "$root/usr/bin/drgn"
like "without drgn no dump can be explained" "$(doctor -j | jq -r '.checks[] | select(.advice).advice')" 'python3-drgn'
put etc/default/kdump-tools '#MAKEDUMP_ARGS="-c -d 31"'
like "nor can one without the pages that kdump-tools leave out" "$(advice kdump)" 'MAKEDUMP_ARGS="-c -d 23"'
put etc/default/kdump-tools 'MAKEDUMP_ARGS="-c -d 23"'
is "with them it can" "$(verdict kdump)" ok
machine
rm "$root/sys/kernel/liveupdate/ledger/previous"
is "a cold boot is no failure" "$(status doctor)" 0
like "and is told" "$(doctor)" 'booted cold'
machine
"$build/tests/unit/make-ledger" damaged "$root/sys/kernel/liveupdate/ledger"
is "a damaged ledger is a failure" "$(verdict ledger)" fail
machine
rm -r "$root/sys/kernel/btf" "$root/usr/sbin/bpftool" "$root/sys/kernel/tracing"
is "without BTF, bpftool and tracefs it is fit nevertheless" "$(status doctor)" 0
is "with a warning" "$(doctor -j | jq -r .verdict)" warn
machine
put sys/kernel/security/lockdown 'none integrity [confidentiality]'
is "lockdown that keeps BPF out is found" "$(verdict lockdown)" warn
machine
put proc/sys/kernel/kexec_load_disabled 1
is "kexec that is disabled is found" "$(verdict kexec)" fail

# A process with a memfd of 64 GiB, of which it has touched the half.
guest() {
	local process=proc/4711
	rm -rf "${root:?}/$process"
	mkdir -p "$root/$process/fd"
	ln -s "$1" "$root/$process/fd/7"
	put $process/comm qemu-system-x86
	put $process/smaps "7f0000000000-7f1000000000 rw-s 00000000 00:01 1026                       $2
Size:           67108864 kB
KernelPageSize:        $3 kB
MMUPageSize:           $3 kB
Rss:            $4 kB
ShmemPmdMapped: $5 kB
Private_Hugetlb: $6 kB
7f2000000000-7f2000001000 rw-s 00000000 00:01 1026                       $2
Rss:                   4 kB
7f3000000000-7f4000000000 rw-p 00000000 00:00 0
Rss:             1000000 kB
AnonHugePages:         0 kB"
}
memory() { doctor -j | jq -r '.checks[] | select(.check == "guest memory") | "\(.verdict) \(.found)"'; }
memfd='/memfd:guest (deleted)'
machine
rm "$root/sys/kernel/liveupdate/ledger/previous"
put sys/kernel/mm/transparent_hugepage/shmem_enabled 'always within_size advise [never] deny force'
is "nobody's memory is told where nobody has iommufd open" "$(guest /dev/null "$memfd" 4 33554432 0 0 && memory)" ""
guest /dev/iommu "$memfd" 4 33554432 0 0
like "guest memory in small pages is told, with what it will cost" "$(memory)" \
	'^warn qemu-system-x86 \(4711\): 64 GiB in memfds, of them 64 GiB in 16777216 pages of 4 KiB: up to [0-9.]+ s of the next pause'
like "by the project's figures, where the host has none" "$(memory)" 'us a page, as in docs/benchmarks.md'
is "the machine is fit all the same" "$(status doctor)" 0
like "what to do about it is the kernel's setting" "$(advice 'guest memory')" 'echo advise >/sys/kernel/mm/transparent_hugepage/shmem_enabled'
put sys/kernel/mm/transparent_hugepage/shmem_enabled 'always within_size [advise] never deny force'
like "or what the guest is given, where that allows it" "$(advice 'guest memory')" '^give guests memfds of hugetlb'
guest 'anon_inode:[iommufd]' "$memfd" 4 33554432 16777216 0
like "a process that took its iommufd over counts; what it has not touched is like what it has" "$(memory)" \
	'^warn .* of them 32 GiB in 8388608 pages'
put proc/meminfo "Shmem:          67108864 kB
ShmemHugePages: 66060288 kB"
like "no more of it is small than of all shared memory" "$(memory)" 'of them 1 GiB in 262144 pages'
guest /dev/iommu "$memfd" 4 33554432 33554432 0
is "huge pages of shmem are fine" "$(memory)" \
	'ok qemu-system-x86 (4711): 64 GiB in memfds, of them 0 GiB in 0 pages of 4 KiB'
guest /dev/iommu "$memfd" 2048 0 0 33554432
is "so are those of hugetlb" "$(memory)" \
	'ok qemu-system-x86 (4711): 64 GiB in memfds, of them 0 GiB in 0 pages of 4 KiB'
guest /dev/iommu /usr/lib/guest 4 33554432 0 0
is "what is no memfd does not cross" "$(memory)" ""
machine
guest /dev/iommu "$memfd" 4 33554432 0 0
# 2 ms for 520 blocks and 19 ms for 1024 pages
like "a host that was updated before knows what its pages cost" "$(memory)" \
	'up to 376 s of the next pause \(22 us a page, as in this host.s last live update\)'

# Its types are none here, so that nothing that needs BPF works.
machine
works() { doctor -j | jq -r '[.features[] | select(.works) | .with] | join("; ")'; }
is "what works is told feature by feature" "$(works)" \
	"live update; time, blame, critical-chain, steps, plot, record; report, diff, plot, export FILE"
like "what does not has a reason" "$(doctor)" '^ *this kernel does not describe its types; it needs CONFIG_DEBUG_INFO_BTF[.]$'
rm -r "$root/sys/kernel/liveupdate" "$root/dev/liveupdate"
is "without live update the recordings of others are left" "$(works)" "report, diff, plot, export FILE"
like "with the reason" "$(doctor)" 'keeps no ledger; it needs CONFIG_LIVEUPDATE_TRACE'

cmdline() { "$lutrace" cmdline --root "$root" "$@"; }
machine
is "cmdline recommends scalable mode where the hardware has it" "$(cmdline)" \
	'kho=on liveupdate=on intel_iommu=on,sm_on'
is "and knows what is there already" "$(cmdline -j | jq -c '[.parameters[].present]')" \
	'[true,true,true,true]'
put sys/class/iommu/dmar0/intel-iommu/ecap f00f5e
is "and not where it has not" "$(cmdline)" 'kho=on liveupdate=on intel_iommu=on'
machine
put sys/class/iommu/dmar1/intel-iommu/ecap f00f5e
is "nor where one unit has not" "$(cmdline)" 'kho=on liveupdate=on intel_iommu=on'
rm -r "$root/sys/class/iommu" "$root/sys/firmware/acpi/tables/DMAR"
put proc/cmdline quiet
is "without VT-d there is no answer" "$(status cmdline)" 2
put sys/firmware/acpi/tables/DMAR x
is "with VT-d that is not in use there is one" "$(cmdline)" 'kho=on liveupdate=on intel_iommu=on'
is "which is not there yet" "$(cmdline -j | jq -c '[.parameters[].present] | any')" false

tap_done
