#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Agents whose sessions are in systemd's file-descriptor store, on a Debian whose systemd
# carries the store through systemctl kexec (261 and later): the example's agent is stopped
# as any service, and has its session, with what is in it, and its state back by name in
# two kernels in a row. PACKAGE_SUITES names the releases; by default forky.

set -u
project=$(cd "$(dirname "$(readlink -f "$0")")/../.." && pwd)
# shellcheck source=tests/lab/tap.sh
. "$project/tests/lab/tap.sh"
# shellcheck source=tests/debian/machine.sh
. "$project/tests/debian/machine.sh"
export BUILD=${BUILD:-$project/build}
[ "$(id -u)" = 0 ] || skip_all "only root may install a package"
! reason=$(no_namespaces) || skip_all "$reason"

mapfile -t packages < <(find "$BUILD/deb" -name 'linux-image-*-liveupdate_*.deb')
is "there is one package of a kernel" "${#packages[@]}" 1 || tap_done
release=$(dpkg-deb -f "${packages[0]}" Package)
release=${release#linux-image-}

root=
# Called by the trap.
# shellcheck disable=SC2317,SC2329
clean_up() { [ -z "$root" ] || rm -rf --one-file-system "$root"; }
trap clean_up EXIT

# What the machine does in each of three kernels when it has booted
check() {
	cat <<-'END'
		#!/bin/bash
		exec >/dev/ttyS1 2>&1
		boot=$(($(cat /boots) + 1))
		echo $boot >/boots
		say() { echo "$boot $*"; }
		status() { say "$1 $2" "$(systemctl show -P StatusText "$2.service")"; }
		systemctl is-system-running --wait >/dev/null
		say release "$(uname -r)"
		say systemd "$(systemctl --version | sed -n '1s/systemd \([0-9]*\).*/\1/p')"
		say failed "$(systemctl list-units --failed --plain --no-legend | cut -d ' ' -f 1 | xargs)"
		status started liveupdate-agent-fdstore
		status started tenants
		systemd-analyze fdstore liveupdate-agent-fdstore.service
		systemd-analyze fdstore tenants.service
		say doctor "$(lutrace doctor --sessions -j)"
		systemctl show --property=Version --property=KExecCount
		systemd-analyze --json=short fdstore liveupdate-agent-fdstore.service
		time systemctl show --property=Id,FileDescriptorStorePreserve,NFileDescriptorStore '*.service' | cat >/dev/null
		time systemctl show --property=Id,FileDescriptorStorePreserve,NFileDescriptorStore '*.service' | grep -B2 -A2 NFile.*=[1-9]
		lutrace postmortem; lutrace postmortem -j
		systemd-analyze time
		busctl get-property org.freedesktop.systemd1 /org/freedesktop/systemd1 org.freedesktop.systemd1.Manager Version KExecCount
		journalctl -b --no-pager -o cat -u liveupdate-agent-fdstore -u tenants
		journalctl -b --no-pager -o cat _PID=1 | grep -i luo
		say time "$(lutrace time -j)"
		lutrace record --units systemd --output /recording-$boot.json
		if [ $boot -eq 3 ]; then
			( exec 3<>/dev/liveupdate; exec -a @blocker sleep infinity ) &
			systemd-run --property=DefaultDependencies=no --property=SurviveFinalKillSignal=yes --unit=blocker --slice=-.slice sh -c 'exec 3<>/dev/liveupdate; exec sleep infinity'
			sleep 5
			ls -l /proc/*/fd | grep liveupdate
		fi
		if [ $boot -lt 4 ]; then
			systemctl restart liveupdate-agent-fdstore
			status restarted liveupdate-agent-fdstore
			kexec -s -l "/boot/vmlinuz-$(uname -r)" --initrd="/boot/initrd.img-$(uname -r)" --reuse-cmdline &&
				systemctl kexec && exit
			say "cannot jump"
		fi
		systemctl poweroff --force
	END
}

cd "$tap_scratch" || exit
for suite in ${PACKAGE_SUITES:-forky}; do
	image=$("$project/tests/toolkit/package-root" "$suite" systemd systemd-sysv dbus udev kmod initramfs-tools \
		mount zstd kexec-tools libbpf1 libelf1t64 libjson-c5 libmicrohttpd12t64) ||
		{ ok "there is a $suite to install it on" false; continue; }
	root=$(mktemp -d "$tap_scratch/root.XXXXXX")
	tar -C "$root" -xf "$image" || exit
	install -m 644 "${packages[0]}" "$root/tmp/"
	ok "$suite: the kernel is installed" installs "$root" "$suite.log" "/tmp/${packages[0]##*/}" ||
		diag "$(cat "$suite.log")"
	rm "$root/tmp/"*.deb
	# The toolkit as it is here: a package of an older release may ask for a library that this one has not.
	"$project/tools/setup/install" "$root" /usr >install.log || exit
	ldd "$BUILD/bin/lutrace" | sed -n 's,.*=> \(/.*\) (.*,\1,p' | while read -r library; do
		[ -e "$root/usr/lib/x86_64-linux-gnu/${library##*/}" ] || cp -L "$library" "$root/usr/lib/x86_64-linux-gnu/"
	done
	install -m 755 "$BUILD/bin/liveupdate-agent" "$root/usr/local/sbin/"
	cp "$project/tools/systemd/examples/liveupdate-agent-fdstore.service" "$root/etc/systemd/system/"
	# One without rights, whose session systemd creates.
	cat >"$root/etc/systemd/system/tenants.service" <<-'END'
		[Service]
		Type=notify
		DynamicUser=yes
		LUOSession=tenants
		FileDescriptorStoreMax=16
		FileDescriptorStorePreserve=yes
		ExecStart=/usr/local/sbin/liveupdate-agent tenants
		RestartForceExitStatus=75
	END
	echo 0 >"$root/boots"
	check >"$root/check" && chmod +x "$root/check"
	printf '[Service]\nExecStart=/check\n' >"$root/etc/systemd/system/check.service"
	starts "$root" liveupdate-agent-fdstore.service sysinit.target
	cat >"$root/etc/systemd/system/lost.service" <<-'END'
		[Service]
		Type=notify
		FileDescriptorStoreMax=16
		ExecStart=/usr/local/sbin/liveupdate-agent lost
	END
	starts "$root" lost.service multi-user.target
	ln -s /usr/lib/systemd/system/lutrace-collect.service /usr/lib/systemd/system/lutrace-shutdown.service "$root/etc/systemd/system/multi-user.target.wants/"
	starts "$root" tenants.service multi-user.target
	starts "$root" check.service multi-user.target
	boot "$root" "$suite" "$release"
	cat "$suite.said"
	clean_up
	root=
done
tap_done
