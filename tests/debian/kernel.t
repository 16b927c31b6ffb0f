#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# A host as an operator sets it up: the packages of the kernel and of the toolkit are
# installed on Debian, which boots with them, from its disk and with its own initial
# file system, and goes into the same kernel again by systemctl kexec. What crossed is
# recorded and exported by the services that the package brought. That kernel crashes;
# kdump-tools save its memory, which is explained. In the laboratory the kernel carries a
# device over. PACKAGE_SUITES names the releases; by default this machine's own.

set -u
project=$(cd "$(dirname "$(readlink -f "$0")")/../.." && pwd)
# shellcheck source=tests/lab/tap.sh
. "$project/tests/lab/tap.sh"
# shellcheck source=tests/debian/machine.sh
. "$project/tests/debian/machine.sh"
export BUILD=${BUILD:-$project/build}
[ "$(id -u)" = 0 ] || skip_all "only root may install a package"
! reason=$(no_namespaces) || skip_all "$reason"
# shellcheck source=/dev/null
. /etc/os-release

one_kernel
toolkit=$(echo "$BUILD"/deb/lutrace_*.deb)
mapfile -t needed < <(dpkg-deb -f "$toolkit" Depends | tr ',' '\n' | sed 's/^ *//; s/[ |(].*//')

# What the machine does when it has booted: it says what it has, and goes on into the
# next kernel; there it says what came with it, and crashes.
check() {
	cat <<-'END'
		#!/bin/bash
		exec >/dev/ttyS1 2>&1
		ledger=/sys/kernel/liveupdate/ledger
		boot=first
		[ ! -e $ledger/previous ] || boot=second
		[ $boot = first ] || echo resume:late >$ledger/mark
		say() { echo "$boot $*"; }
		say release "$(uname -r)"
		systemctl is-system-running --wait >/dev/null
		say failed "$(systemctl list-units --failed --plain --no-legend | cut -d ' ' -f 1 | xargs)"
		say root "$(findmnt -n -o SOURCE,FSTYPE / | xargs)"
		if [ $boot = first ]; then
			for file in /dev/liveupdate /dev/iommu $ledger/current /sys/class/iommu/dmar0; do
				[ -e "$file" ] && say has "$file"
			done
			say controllers "$(cat /sys/fs/cgroup/cgroup.controllers)"
			modprobe -n -v mlx5_core >/dev/null && say module mlx5_core
			modprobe kvm && say module kvm
			say doctor "$(lutrace doctor -j)"
			kexec -s -l "/boot/vmlinuz-$(uname -r)" --initrd="/boot/initrd.img-$(uname -r)" --reuse-cmdline &&
				echo pause:early >$ledger/mark && echo pause:late >$ledger/mark &&
				echo begin:systemctl-kexec >$ledger/mark && systemctl kexec &&
				echo end:systemctl-kexec >$ledger/mark && exit
			say "cannot jump"
		else
			say time "$(lutrace time -j)"
			lutrace record --units systemd --output /recording.json || say "cannot record with units"
			systemctl start lutrace-collect.service || say "cannot record"
			for ((tries = 0; tries < 60; tries++)); do
				exec 3<>/dev/tcp/127.0.0.1/9739 && break
				sleep 1
			done 2>/dev/null
			printf 'GET /metrics HTTP/1.0\r\n\r\n' >&3 && while read -r line; do
				case $line in liveupdate_*) say metric "$line" ;; esac
			done <&3
			systemctl is-active --quiet lutrace-export.service || journalctl -b --no-pager -u lutrace-export.service
			say kdump "$(kdump-config status)"
			say end
			sync
			echo c >/proc/sysrq-trigger
		fi
		systemctl poweroff --force
	END
}
# takes_out NAME: what is in /var/crash of the disk afterwards is in crash, and the recording in NAME.json
takes_out() {
	debugfs -R 'rdump /var/crash .' disk >>"$1.qemu" 2>&1
	debugfs -R "dump /recording.json $1.json" disk >>"$1.qemu" 2>&1
	rm -f disk
}

cd "$tap_scratch" || exit
for suite in ${PACKAGE_SUITES:-$VERSION_CODENAME}; do
	image=$("$project/tests/toolkit/package-root" "$suite" systemd systemd-sysv dbus udev kmod initramfs-tools \
		zstd kexec-tools kdump-tools makedumpfile "${needed[@]}") ||
		{ ok "there is a $suite to install it on" false; continue; }
	root=$(mktemp -d "$tap_scratch/root.XXXXXX")
	tar -C "$root" -xf "$image" || exit
	# It asks the machine it runs on for a root file system: after the boot its service calls it.
	chmod -x "$root/etc/kernel/postinst.d/kdump-tools"
	install -m 644 "${packages[0]}" "$toolkit" "$root/tmp/"
	ok "$suite: they are installed" installs "$root" "$suite.log" "/tmp/${packages[0]##*/}" "/tmp/${toolkit##*/}" ||
		diag "$(cat "$suite.log")"
	rm "$root/tmp/"*.deb
	chmod +x "$root/etc/kernel/postinst.d/kdump-tools"
	sed -i 's/^#*USE_KDUMP=.*/USE_KDUMP=1/; s/^#*MAKEDUMP_ARGS=.*/MAKEDUMP_ARGS="-c -d 23"/' "$root/etc/default/kdump-tools"
	for file in "boot/config-$release" "lib/modules/$release/modules.dep" "boot/initrd.img-$release"; do
		ok "$suite: with /$file" [ -s "$root/$file" ]
	done

	check >"$root/check" && chmod +x "$root/check"
	cat >"$root/etc/systemd/system/check.service" <<-END
		[Service]
		ExecStart=/check
		[Install]
		WantedBy=multi-user.target
	END
	# An agent that waits for nothing but what docs/agents.md says that it needs.
	cat >"$root/etc/systemd/system/early.service" <<-'END'
		[Unit]
		DefaultDependencies=no
		ConditionPathExists=/sys/kernel/liveupdate/ledger/previous
		[Service]
		Type=oneshot
		ExecStart=/bin/sh -c 'echo resume:early >/sys/kernel/liveupdate/ledger/mark'
		[Install]
		WantedBy=sysinit.target
	END
	starts "$root" early.service sysinit.target
	starts "$root" check.service multi-user.target
	rm -rf crash
	boot "$root" "$suite" "$release"
	takes_out "$suite"
	tr -d '\r' <"$suite.said" >said
	# said BOOT WHAT: in one of the two boots
	said() { sed -n "s/^$1 $2 //p" said; }
	is "$suite: Debian boots with it" "$(said first release)" "$release" || diag "$(tail -n 30 "$suite.console")"
	is "$suite: from its disk" "$(said first root)" "/dev/vda ext4"
	is "$suite: and no service fails" "$(said first failed)" ""
	is "$suite: what live update needs is there" "$(said first has | xargs)" \
		"/dev/liveupdate /dev/iommu /sys/kernel/liveupdate/ledger/current /sys/class/iommu/dmar0"
	is "$suite: the doctor misses no option" \
		"$(said first doctor | jq -r '.checks[] | select(.check == "configuration") | .verdict')" ok
	is "$suite: modules are found, and load" "$(said first module | xargs)" "mlx5_core kvm"
	like "$suite: systemd can divide the machine" "$(said first controllers)" 'cpuset cpu io memory .*pids'
	is "$suite: systemctl kexec goes into it again" "$(said second release)" "$release" || diag "$(cat said)"
	is "$suite: and no service fails there" "$(said second root), $(said second failed)" "/dev/vda ext4, "
	ok "$suite: the pause is known" [ "$(said second time | jq '.blackout.ns // 0')" -gt 0 ]
	ok "$suite: at least 95 % of it has a name" [ "$(jq '.blackout.explained >= 0.95' "$suite.json")" = true ] ||
		diag "$(jq -c '.blackout | .explained, .phases[]' "$suite.json")"
	# Two workloads: an agent that waits for the whole system, and one that does not.
	ok "$suite: an agent that starts early goes on sooner" [ "$(jq '[.blackout.workloads[] | {key: .name, value: .ns}] | from_entries |
		.early < .late' "$suite.json")" = true ] || diag "$(jq -c .blackout.workloads "$suite.json")"
	diag "$suite: the pause of an agent that starts early, to that of one that waits for the whole system: $(
		jq '[.blackout.workloads[] | {key: .name, value: .ns}] | from_entries | .early / .late * 100 | round / 100' "$suite.json")"
	is "$suite: it is exported, as recorded by the service" "$(said second metric |
		sed -n 's/^liveupdate_last_blackout_duration_seconds[^ ]* //p' | head -n 1)" \
		"$(said second time | jq '.blackout.ns / 1e9')"
	is "$suite: the kernels complain of nothing, until one is made to crash" \
		"$(sed '/sysrq: Trigger a crash/q' "$suite.console" | grep -aE 'WARNING:|BUG:|Oops|Kernel panic')" ""
	makedumpfile -R dump <"$(echo crash/*/dump.*)" >>"$suite.qemu" 2>&1
	"$BUILD/bin/lutrace" postmortem -j --vmcore dump --vmlinux "$BUILD/linux/host/vmlinux" \
		>postmortem.json 2>postmortem.err
	is "$suite: what kdump-tools saved of it is explained" "$(jq -r .panic postmortem.json)" "sysrq triggered crash" ||
		diag "$(said second kdump; cat postmortem.err "$suite.qemu"; tail -n 30 "$suite.console")"
	is "$suite: nothing of it is unreadable" "$(jq -c .unread postmortem.json)" '[]'
	rm -rf dump crash
	if [ ! -s kernel ]; then
		cp "$root/boot/vmlinuz-$release" kernel
	fi
	remove_root
	root=
done

mkdir run
"$project/tests/lab/demo" --results "$tap_scratch/run" -- --outgoing "$tap_scratch/kernel" --incoming "$tap_scratch/kernel" \
	>screen 2>&1
is "a live update into the same kernel is complete" $? 0 || diag "$(cat screen)"
lab_results=$tap_scratch/run
is "its page tables are identical" "$(lab_json handover.json .identity.verdict)" identical
is "no packet is lost" "$(lab_json handover.json .dma.lost)" 0
is "it was this kernel" "$(lab_json handover.json '[.kernel.outgoing, .kernel.incoming] | unique | join(" ")')" "$release"
rm -f kernel
tap_done
