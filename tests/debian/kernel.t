#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# The Debian package of the kernel: it installs on Debian, Debian boots with it, from
# its disk and with its own initial file system, and it carries a device over into
# itself. PACKAGE_SUITES names the releases; by default this machine's own.

set -u
project=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/lab/tap.sh
. "$project/tests/lab/tap.sh"
export BUILD=${BUILD:-$project/build}
[ "$(id -u)" = 0 ] || skip_all "only root may install a package"
# shellcheck source=/dev/null
. /etc/os-release

mapfile -t packages < <(find "$BUILD/deb" -name 'linux-image-*-liveupdate_*.deb')
is "there is one package of a kernel" "${#packages[@]}" 1 || tap_done
release=$(dpkg-deb -f "${packages[0]}" Package)
release=${release#linux-image-}

root=
# Called by the trap.
# shellcheck disable=SC2317,SC2329
clean_up() { [ -z "$root" ] || rm -rf --one-file-system "$root"; }
trap clean_up EXIT

# installs ROOT PACKAGE LOG: in ROOT, with its own dpkg
installs() {
	unshare --mount --pid --fork --kill-child --root="$1" --mount-proc=/proc \
		/usr/bin/env PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive dpkg --install "$2" >"$3" 2>&1
}
# What the machine does when it has booted: it says what it has, and stops.
check() {
	cat <<-END
		#!/bin/sh
		{
			echo "release \$(uname -r)"
			echo "state \$(systemctl is-system-running --wait)"
			echo "failed \$(systemctl list-units --failed --plain --no-legend | cut -d ' ' -f 1 | xargs)"
			for file in /dev/liveupdate /dev/iommu /dev/vfio/devices /sys/kernel/liveupdate/ledger/current /sys/class/iommu/dmar0; do
				[ -e "\$file" ] && echo "has \$file"
			done
			modprobe -n -v mlx5_core >/dev/null && echo "has the module mlx5_core"
			modprobe kvm && echo "loads a module"
			findmnt -n -o SOURCE,FSTYPE /
			echo end
		} >/dev/ttyS1 2>&1
		systemctl poweroff --force
	END
}
# boot ROOT: a machine with ROOT on its disk
boot() {
	rm -f disk
	mke2fs -q -t ext4 -d "$1" disk 3G >"$2.qemu" 2>&1 &&
		timeout 600 qemu-system-x86_64 -accel tcg -cpu max -M q35,kernel-irqchip=split -m 2048 -smp 2 -nodefaults \
			-display none -device intel-iommu,intremap=on,caching-mode=on,aw-bits=48 -drive file=disk,format=raw,if=virtio \
			-kernel "$1/boot/vmlinuz-$release" -initrd "$1/boot/initrd.img-$release" -no-reboot \
			-append "root=/dev/vda rw console=ttyS0 panic=-1 kho=on liveupdate=on intel_iommu=on no_timer_check" \
			-serial "file:$2.console" -serial "file:$2.said" >>"$2.qemu" 2>&1
	rm -f disk
}

cd "$tap_scratch" || exit
for suite in ${PACKAGE_SUITES:-$VERSION_CODENAME}; do
	image=$("$project/tests/toolkit/package-root" "$suite" systemd systemd-sysv udev kmod initramfs-tools zstd) ||
		{ ok "there is a $suite to install it on" false; continue; }
	root=$(mktemp -d "$tap_scratch/root.XXXXXX")
	tar -C "$root" -xf "$image" || exit
	cp "${packages[0]}" "$root/tmp/kernel.deb"
	ok "$suite: it is installed" installs "$root" /tmp/kernel.deb "$suite.log" || diag "$(cat "$suite.log")"
	rm "$root/tmp/kernel.deb"
	for file in "boot/config-$release" "lib/modules/$release/modules.dep" "boot/initrd.img-$release"; do
		ok "$suite: with /$file" [ -s "$root/$file" ]
	done
	mkdir -p "$root/proc/sys/kernel"
	echo "$release" >"$root/proc/sys/kernel/osrelease"
	is "$suite: the doctor misses no option" "$("$BUILD/bin/lutrace" doctor -j --root "$root" |
		jq -r '.checks[] | select(.check == "configuration") | .verdict')" ok
	rm -r "$root/proc/sys"

	check >"$root/check" && chmod +x "$root/check"
	cat >"$root/etc/systemd/system/check.service" <<-END
		[Service]
		ExecStart=/check
		[Install]
		WantedBy=multi-user.target
	END
	mkdir -p "$root/etc/systemd/system/multi-user.target.wants"
	ln -s ../check.service "$root/etc/systemd/system/multi-user.target.wants/"
	boot "$root" "$suite"
	said=$(tr -d '\r' <"$suite.said")
	is "$suite: Debian boots with it" "$(sed -n 's/^release //p' <<<"$said")" "$release" ||
		diag "$(tail -n 30 "$suite.console")"
	is "$suite: from its disk" "$(grep '^/dev/vda' <<<"$said" | xargs)" "/dev/vda ext4"
	is "$suite: and no service fails" "$(sed -n 's/^failed //p' <<<"$said")" ""
	is "$suite: what live update needs is there" "$(sed -n 's/^has //p' <<<"$said" | xargs)" \
		"/dev/liveupdate /dev/iommu /sys/kernel/liveupdate/ledger/current /sys/class/iommu/dmar0 the module mlx5_core"
	like "$suite: modules load" "$said" 'loads a module'
	is "$suite: the kernel complains of nothing" \
		"$(grep -aE 'WARNING:|BUG:|Oops|Kernel panic' "$suite.console")" ""
	if [ ! -s kernel ]; then
		cp "$root/boot/vmlinuz-$release" kernel
	fi
	clean_up
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
