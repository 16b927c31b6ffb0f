# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# A Debian that is installed into a directory, and booted from a disk with what is in it.

# The kernel's package is the only one in packages, its release is in release; what makes a
# root that is to be removed in the end names it in root.
# shellcheck disable=SC2034
one_kernel() {
	mapfile -t packages < <(find "$BUILD/deb" -name 'linux-image-*-liveupdate_*.deb')
	is "there is one package of a kernel" "${#packages[@]}" 1 || tap_done
	release=$(dpkg-deb -f "${packages[0]}" Package)
	release=${release#linux-image-}
	root=
	trap remove_root EXIT
}

# Called by the trap.
# shellcheck disable=SC2317,SC2329
remove_root() { [ -z "$root" ] || rm -rf --one-file-system "$root"; }

# installs ROOT LOG PACKAGE...: in ROOT, with its own dpkg
installs() {
	local root=$1 log=$2
	shift 2
	unshare --mount --pid --fork --kill-child --root="$root" --mount-proc=/proc \
		/usr/bin/env PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive dpkg --install "$@" >"$log" 2>&1
}

# starts ROOT UNIT TARGET: UNIT is started for TARGET
starts() {
	mkdir -p "$1/etc/systemd/system/$3.wants"
	ln -s "../$2" "$1/etc/systemd/system/$3.wants/"
}

# boot ROOT NAME RELEASE [ARGUMENT...]: a machine with ROOT on its disk, and that kernel of it; more arguments are
# QEMU's. It says what goes to its consoles in NAME.console and NAME.said; its disk is in the file disk afterwards.
boot() {
	local root=$1 name=$2 release=$3
	shift 3
	rm -f disk
	mke2fs -q -t ext4 -d "$root" disk 3G >"$name.qemu" 2>&1 &&
		timeout 1800 qemu-system-x86_64 -accel tcg -cpu max -M q35,kernel-irqchip=split -m 2048 -smp 2 -nodefaults \
			-display none -device intel-iommu,intremap=on,caching-mode=on,aw-bits=48 -drive file=disk,format=raw,if=virtio \
			-kernel "$root/boot/vmlinuz-$release" -initrd "$root/boot/initrd.img-$release" -no-reboot \
			-append "root=/dev/vda rw console=ttyS0 panic=-1 liveupdate=on crashkernel=256M no_timer_check" \
			-serial "file:$name.console" -serial "file:$name.said" "$@" >>"$name.qemu" 2>&1
}
