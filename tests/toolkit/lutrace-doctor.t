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
for words in 'kho=y liveupdate=1' 'kho=1 liveupdate=Y' 'kho=true liveupdate=enable'; do
	put proc/cmdline "$words intel_iommu=on,sm_on"
	is "a switch is read as the kernel reads it: $words" "$(verdict 'command line')" ok
done
for words in 'kho=on kho=0 liveupdate=on' 'kho=on liveupdate=on liveupdate=no' 'kho=n liveupdate=on'; do
	put proc/cmdline "$words intel_iommu=on"
	is "also off: $words" "$(verdict 'command line')" 'fail ok'
done
put proc/cmdline 'kho=on kho=perhaps liveupdate=on intel_iommu=on -- kho=off'
is "what the kernel does not understand, or is for process 1, changes nothing" "$(verdict 'command line')" ok
is "cmdline reads it in the same way" "$("$lutrace" cmdline --root "$root" -j | jq -c '[.parameters[].present]')" \
	'[true,true,true,false]'
for words in iommu=off acpi=off nointremap iommu.liveupdate=0; do
	put proc/cmdline "kho=on liveupdate=on intel_iommu=on $words"
	like "$words is found" "$(advice 'command line')" "remove .*${words%=0}"
done
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
like "with all that is needed, KHO has switched itself off" "$(advice sessions)" 'why KHO switched itself off'
put proc/cmdline 'intel_iommu=on'
like "without, it was not asked for" "$(advice sessions)" 'liveupdate=on kho=on'
machine
rm -r "$root/sys/class/iommu"
like "an IOMMU that is not in use is found" "$(advice iommu)" 'intel_iommu=on'
rm "$root/sys/firmware/acpi/tables/DMAR"
like "so is one that is not there" "$(advice iommu)" 'firmware'
machine
rm -r "$root/sys/class/iommu/dmar0"
mkdir -p "$root/sys/class/iommu/ivhd0"
like "of AMD's tables, the host's are read" "$(doctor)" '1 AMD IOMMU, of which lutrace reads host .v1. page tables'
is "VT-d's driver is not needed there, but AMD's" "$(config | sed 's/INTEL_IOMMU/AMD_IOMMU/' | gzip >"$root/proc/config.gz"
	verdict configuration) $(config | gzip >"$root/proc/config.gz"; advice configuration)" \
	'ok build the kernel with CONFIG_AMD_IOMMU=y to use the AMD IOMMU'
config | sed 's/INTEL_IOMMU/AMD_IOMMU/' | gzip >"$root/proc/config.gz"
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
machine
put proc/sys/kernel/kexec_load_limit_reboot 0
is "so is one that may load no more" "$(verdict kexec)" fail
machine
put proc/sys/kernel/kptr_restrict 1
is "kptr_restrict that root may look behind is fine" "$(verdict symbols)" ''
put proc/sys/kernel/kptr_restrict 2
like "one that hides symbols from root is found" "$(advice symbols)" 'sysctl kernel.kptr_restrict=1'
is "and the machine is fit all the same" "$(status doctor)" 0

# Tools, which are not run: the system may be another one.
machine
printf '\177ELF loadall OBJ PATH\0' >"$root/usr/sbin/bpftool"
like "a bpftool that attaches nothing is found" "$(advice tools)" 'bpftool 7\.5 or later'
printf '\177ELF\0loadall OBJ PATH [autoattach]\0' >"$root/usr/sbin/bpftool"
is "one that does is fine" "$(verdict tools)" ok
put usr/sbin/bpftool 'echo bpftool v7.1.0'
is "so a script that names its version" "$(verdict tools)" 'ok warn'
put usr/sbin/bpftool 'exec /usr/lib/linux-tools/$(uname -r)/bpftool "$@"'
is "and of one that says nothing nothing is said" "$(verdict tools)" ok

# Secure Boot and lockdown. An image is a PE file of which the headers matter.
image() { # SIZE-OF-CERTIFICATES
	{ printf MZ && head -c 58 /dev/zero && printf '\100\0\0\0PE\0\0' && head -c 20 /dev/zero && printf '\013\002' &&
		head -c 106 /dev/zero && printf '\006\0\0\0' && head -c 36 /dev/zero && printf "\\$1\\0\\0\\0" &&
		head -c 400 /dev/zero; }
}
machine
mkdir -p "$root/sys/firmware/efi/efivars" "$root/boot"
secure=$root/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c
printf '\006\0\0\0\0' >"$secure"
is "firmware without Secure Boot is no matter" "$(verdict 'secure boot')" ''
printf '\006\0\0\0\1' >"$secure"
like "with Secure Boot the kernel's signature is asked for" "$(advice 'secure boot')" 'mokutil --import'
image 0 >"$root/boot/vmlinuz-7.3.4"
like "one without is found" "$(doctor)" 'warn +secure boot +.*vmlinuz-7.3.4 is not signed'
like "so is the next one" "$(doctor --successor "$root/boot/vmlinuz-7.3.4")" 'warn +signature +it is not signed: after a live update'
image 10 >"$root/boot/vmlinuz-7.3.4"
is "a signed one is fine" "$(verdict 'secure boot')" ok
is "and nothing is to be done" "$(status doctor)$(doctor -j | jq '[.checks[] | select(.advice)] | length')" 00
is "so is the next one that is" "$(doctor --successor "$root/boot/vmlinuz-7.3.4" | grep -c signature)" 0
put sys/kernel/security/lockdown 'none [integrity] confidentiality'
is "lockdown without CONFIG_KEXEC_SIG looks at no signature" "$(verdict signatures)" ''
{ config; echo CONFIG_KEXEC_SIG=y; } | gzip >"$root/proc/config.gz"
is "with it, who signs this kernel will sign the next" "$(verdict signatures)" ok
image 0 >"$root/boot/vmlinuz-7.3.4"
is "and who does not is told" "$(verdict signatures)" warn
like "as is who asks of the next kernel" "$(doctor --successor "$root/boot/vmlinuz-7.3.4")" \
	'fail +signature +it is not signed: kexec -s will refuse'
rm "$root/sys/kernel/security/lockdown" "$secure"
is "without lockdown it may be loaded" "$(verdict signatures)" ''
{ config; echo CONFIG_KEXEC_SIG=y; echo CONFIG_KEXEC_SIG_FORCE=y; } | gzip >"$root/proc/config.gz"
is "unless the kernel insists" "$(verdict signatures)" warn

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

# Sessions, and who holds them: holder PID NAME ARGV0 USER SESSION
holder() {
	mkdir -p "$root/proc/$1/fd"
	ln -sf "anon_inode:[luo_session] $5" "$root/proc/$1/fd/9"
	put "proc/$1/comm" "$2"
	printf '%s\0-x\0' "$3" >"$root/proc/$1/cmdline"
	put "proc/$1/status" "Name:	$2
Uid:	$4	$4	$4	$4"
	put "proc/$1/cgroup" "0::/$2.service"
	mkdir -p "$root/sys/fs/cgroup/$2.service"
}
ended() { doctor --sessions -j | jq -r '[.checks[] | select(.kind == "holder") | "\(.session) \(.verdict)"] | join(", ")'; }
machine
put sys/kernel/liveupdate/obstacles ''
holder 71 agent agent 0 guests
is "where no systemd ends processes, sessions stay" "$(ended)" ''
mkdir -p "$root/run/systemd/system"
is "where it does, the session of one that is not marked is told" "$(ended)" 'guests warn'
like "with its holder, and what to do" "$(doctor --sessions)" 'agent \(71\) holds it.*'
holder 72 other @other 1000 second
is "only root's processes are marked by their name" "$(ended)" 'guests warn, second warn'
holder 73 keeper @keeper 0 guests
is "one holder that stays is enough" "$(ended)" 'second warn'
if python3 -c 'import os, sys; os.setxattr(sys.argv[1], "user.survive_final_kill_signal", b"1")' \
	"$root/sys/fs/cgroup/other.service" 2>/dev/null; then
	is "a unit that systemd lets survive counts" "$(ended)" ''
else
	skip "a unit that systemd lets survive counts" "no attributes of files here"
fi

# What process 1 has is in a store of systemd's, which is asked. Programs answer as systemd's do.
programs=$tap_scratch/bin
mkdir -p "$programs"
cat >"$programs/systemctl" <<-'END'
	#!/bin/bash
	case $* in
	*--property=Version) echo "Version=$VERSION-1" ;;
	*) [ -z "$SILENT" ] || exit 1
	printf '%s\n' Id=empty.service NFileDescriptorStore=0 FileDescriptorStorePreserve=yes '' \
		Id=agent.service NFileDescriptorStore=2 "FileDescriptorStorePreserve=$PRESERVE" ;;
	esac
END
cat >"$programs/systemd-analyze" <<-'END'
	#!/bin/bash
	case $* in
	*empty.service) echo '[{"fdname":"x","path":"anon_inode:[luo_session] other"}]' ;;
	*agent.service) echo '[{"fdname":"guests","path":"anon_inode:[luo_session] guests","flags":"rw"},{"path":null}]' ;;
	*) echo 'Failed to query' >&2; exit 1 ;;
	esac
END
chmod +x "$programs"/*
machine
put sys/kernel/liveupdate/obstacles ''
mkdir -p "$root/run/systemd/system"
holder 1 systemd /sbin/init 0 guests
holder 71 agent agent 0 guests
# stored VERSION PRESERVE: what doctor says of sessions in the store of a unit
stored() { VERSION=$1 PRESERVE=$2 PATH=$programs:$PATH ended; }
is "a store that systemd carries through kexec keeps a session" "$(stored 262 yes)" ''
is "in a unit that ends well, too" "$(stored 261 on-success)" ''
is "not in a unit that only has it over restarts" "$(stored 262 restart)" 'guests warn'
is "nor in a systemd that carries no store" "$(stored 260 yes)" 'guests warn'
like "what to do is told" "$(VERSION=262 PRESERVE=restart PATH=$programs:$PATH doctor --sessions)" \
	"session 'guests' is in a store of systemd's that does not go through kexec.*"
like "what systemd does not say is not guessed" "$(VERSION=262 PRESERVE=yes SILENT=yes PATH=$programs:$PATH doctor --sessions)" \
	"session 'guests' is in a store of systemd's, which does not say.*"
holder 74 keeper @keeper 0 third
ln -s /dev/liveupdate "$root/proc/74/fd/10"
is "who keeps systemd from it is named" "$(VERSION=262 PRESERVE=yes PATH=$programs:$PATH doctor --sessions -j |
	jq -r '.checks[] | select(.kind == "device") | "\(.found) \(.session)"')" \
	"keeper (74) has /dev/liveupdate open to the end, so that systemd cannot carry the stores of units through kexec null"
is "not where systemd carries none" "$(VERSION=260 PRESERVE=yes PATH=$programs:$PATH doctor --sessions -j |
	jq -c '[.checks[].kind]')" '["holder"]'
ln -sf /dev/liveupdate "$root/proc/71/fd/10"
rm "$root/proc/74/fd/10"
is "nor whom systemd ends" "$(VERSION=262 PRESERVE=yes PATH=$programs:$PATH doctor --sessions -j | jq -c '[.checks[].kind // "none"]')" '["none"]'
rm -f "$root/proc/1/fd/9"
ln -s "anon_inode:[luo_session] other" "$root/proc/1/fd/9"
is "nor one that only an empty store's unit claims" "$(stored 262 yes)" 'guests warn, other warn'

# Its types are none here, so that nothing that needs BPF works.
machine
works() { doctor -j | jq -r '[.features[] | select(.works) | .with] | join("; ")'; }
is "what works is told feature by feature" "$(works)" \
	"live update; time, blame, critical-chain, steps, plot, record; report, diff, plot, export FILE"
like "what does not has a reason" "$(doctor)" '^ *this kernel does not describe its types; it needs CONFIG_DEBUG_INFO_BTF[.]$'
# A kernel's real types, so that only what hides them is in the way.
if [ -s "$build/linux/lab/vmlinux" ]; then
	ln -sf "$build/linux/lab/vmlinux" "$root/sys/kernel/btf/vmlinux"
	like "with the kernel's types page tables are read" "$(works)" 'walk, snapshot --output.*; snapshot, verify;'
	put proc/sys/kernel/kptr_restrict 2
	is "not where kptr_restrict hides the units" "$(works | grep -cE 'walk|verify')" 0
	like "which is the reason" "$(doctor)" '^ *kernel\.kptr_restrict=2 hides where'
	like "faults are watched there all the same" "$(works)" 'dma_faults'
	put sys/kernel/security/lockdown 'none integrity [confidentiality]'
	is "under lockdown=confidentiality not" "$(works | grep -cE 'walk|dma_faults|immutable')" 0
fi
machine
rm -r "$root/sys/kernel/liveupdate"
is "without a ledger there is no pause" "$(works | grep -c 'time, blame')" 0
like "unless lutrace keeps one, which it can" "$(doctor)" "keeps no ledger; 'lutrace mark --keep' keeps one for it"
mkdir -p "$root/run/lutrace/ledger" && : >"$root/run/lutrace/ledger/current"
is "then there is" "$(works | grep -c 'time, blame')" 1
machine
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
