#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Agents whose sessions are in systemd's file-descriptor store, on a Debian whose systemd
# carries the store through systemctl kexec (261 and later). The example's agent is stopped
# as any service, and has its session, with memory, iommufd and device in it, and its state
# back by name in two kernels in a row; so has one without rights. In a third kernel an
# agent that outlives the shutdown with /dev/liveupdate open keeps systemd from it.
# PACKAGE_SUITES names the releases; by default forky.

set -u
project=$(cd "$(dirname "$(readlink -f "$0")")/../.." && pwd)
# shellcheck source=tests/lab/tap.sh
. "$project/tests/lab/tap.sh"
# shellcheck source=tests/debian/machine.sh
. "$project/tests/debian/machine.sh"
export BUILD=${BUILD:-$project/build}
[ "$(id -u)" = 0 ] || skip_all "only root may install a package"
! reason=$(no_namespaces) || skip_all "$reason"

one_kernel

# What the machine does in each of four kernels when it has booted
check() {
	cat <<-'END'
		#!/bin/bash
		exec >/dev/ttyS1 2>&1
		boot=$(($(cat /boots) + 1))
		echo $boot >/boots
		say() { echo "$boot $*"; }
		status() { say "$1 $2" "$(systemctl show --property=StatusText --value "$2.service")"; }
		# Until then jobs may wait for one that is being started, and a jump for both.
		systemctl is-system-running --wait >/dev/null
		say release "$(uname -r)"
		say systemd "$(systemctl --version | sed -n '1s/systemd \([0-9]*\).*/\1/p')"
		say kexecs "$(systemctl show --property=KExecCount --value)"
		say failed "$(systemctl list-units --failed --plain --no-legend | cut -d ' ' -f 1 | xargs)"
		for unit in liveupdate-agent-fdstore tenants; do
			status started $unit
			say names $unit "$(systemd-analyze --json=short fdstore $unit.service | jq -r '[.[].fdname] | sort | join(" ")')"
		done
		say driver "$(basename "$(readlink /sys/bus/pci/devices/$(cat /run/device)/driver)")"
		say doctor "$(lutrace doctor --sessions -j)"
		say postmortem "$(lutrace postmortem -j)"
		say time "$(lutrace time -j)"
		say recorded "$(systemctl show --property=Result --value lutrace-collect.service)"
		case $boot in
		1 | 2)	systemctl restart liveupdate-agent-fdstore
			status restarted liveupdate-agent-fdstore ;;
		3)	systemctl start blocker
			say blocker "$(systemctl is-active blocker)" ;;
		4)	systemctl poweroff --force
			exit ;;
		esac
		kexec -s -l "/boot/vmlinuz-$(uname -r)" --initrd="/boot/initrd.img-$(uname -r)" --reuse-cmdline && systemctl kexec ||
			{ say "cannot jump"; systemctl poweroff --force; }
	END
}
# The device is vfio-pci's before the agent starts: in the kernels behind the first it is already.
bind_device() {
	cat <<-'END'
		#!/bin/bash
		for device in /sys/bus/pci/devices/*; do
			[ "$(cat $device/device)" = 0x10c9 ] || continue
			echo "${device##*/}" >/run/device
			[ ! -e $device/vfio-dev ] || exit 0
			echo vfio-pci >$device/driver_override
			[ ! -e $device/driver ] || echo "${device##*/}" >$device/driver/unbind
			echo "${device##*/}" >/sys/bus/pci/drivers_probe
		done
	END
}
units() {
	cp "$project/tools/systemd/examples/liveupdate-agent-fdstore.service" .
	mkdir liveupdate-agent-fdstore.service.d
	cat >liveupdate-agent-fdstore.service.d/device.conf <<-'END'
		[Service]
		ExecStartPre=/bind
		ExecStart=
		ExecStart=/bin/sh -c 'exec /usr/local/sbin/liveupdate-agent guests $(cat /run/device)'
	END
	# One without rights, whose session systemd creates
	cat >tenants.service <<-'END'
		[Service]
		Type=notify
		DynamicUser=yes
		LUOSession=tenants
		FileDescriptorStoreMax=16
		FileDescriptorStorePreserve=yes
		ExecStart=/usr/local/sbin/liveupdate-agent tenants
		RestartForceExitStatus=75
	END
	# One whose store is for restarts alone
	cat >lost.service <<-'END'
		[Service]
		Type=notify
		FileDescriptorStoreMax=16
		ExecStart=/usr/local/sbin/liveupdate-agent lost
	END
	# One that outlives the shutdown, with the device open
	cat >blocker.service <<-'END'
		[Unit]
		DefaultDependencies=no
		[Service]
		Slice=-.slice
		ExecStart=@/usr/local/sbin/agent @agent create blocker /bin/true
	END
	printf '[Service]\nExecStart=/check\n' >check.service
}

cd "$tap_scratch" || exit
for suite in ${PACKAGE_SUITES:-forky}; do
	image=$("$project/tests/toolkit/package-root" "$suite" systemd systemd-sysv dbus udev kmod initramfs-tools mount \
		zstd kexec-tools jq libbpf1 libelf1t64 libjson-c5 libmicrohttpd12t64 libuuid1) ||
		{ ok "there is a $suite to install it on" false; continue; }
	root=$(mktemp -d "$tap_scratch/root.XXXXXX")
	tar -C "$root" -xf "$image" || exit
	install -m 644 "${packages[0]}" "$root/tmp/"
	ok "$suite: the kernel is installed" installs "$root" "$suite.log" "/tmp/${packages[0]##*/}" ||
		diag "$(cat "$suite.log")"
	rm "$root/tmp/"*.deb
	# The toolkit as it is here, with the libraries that another release does not have
	"$project/tools/setup/install" "$root" /usr >install.log || exit
	ldd "$BUILD/bin/lutrace" | sed -n 's,.*=> \(/.*\) (.*,\1,p' | while read -r library; do
		[ -e "$root/usr/lib/x86_64-linux-gnu/${library##*/}" ] || cp -L "$library" "$root/usr/lib/x86_64-linux-gnu/"
	done
	install -m 755 "$BUILD/bin/liveupdate-agent" "$BUILD/tests/kernel/agent" "$root/usr/local/sbin/"
	(cd "$root/etc/systemd/system" && units) || exit
	echo 0 >"$root/boots"
	check >"$root/check" && bind_device >"$root/bind" && chmod +x "$root/check" "$root/bind"
	starts "$root" liveupdate-agent-fdstore.service sysinit.target
	for unit in tenants lost check lutrace-collect lutrace-shutdown; do
		starts "$root" $unit.service multi-user.target
	done
	boot "$root" "$suite" "$release" -device igb
	tr -d '\r' <"$suite.said" >said
	# said BOOT WHAT: in one of the boots
	said() { sed -n "s/^$1 $2 //p" said; }
	is "$suite: it boots with it" "$(said 1 release)" "$release" || diag "$(tail -n 30 "$suite.console")"
	diag "$suite: systemd $(said 1 systemd)"
	is "$suite: and no service fails" "$(said 1 failed)" ""
	is "$suite: agents have a session, in systemd's store" \
		"$(said 1 'started liveupdate-agent-fdstore'), $(said 1 'names liveupdate-agent-fdstore'); $(said 1 'started tenants'), $(said 1 'names tenants')" \
		"session guests is new, live updates so far: 0, guests state; session tenants is new, live updates so far: 0, state tenants"
	is "$suite: which outlives a restart of the unit" "$(said 1 'restarted liveupdate-agent-fdstore')" \
		"session guests was in the store, live updates so far: 0"
	# The agents' processes end, and the sessions do not: doctor knows which is lost.
	is "$suite: doctor tells which session is lost" \
		"$(said 1 doctor | jq -r '[.checks[] | select(.kind == "holder").session] | join(" ")')" lost
	for boot in 2 3; do
		is "$suite: in kernel $boot they have it back by name, and the state" \
			"$(said $boot 'started liveupdate-agent-fdstore'); $(said $boot 'started tenants')" \
			"session guests came back, live updates so far: $((boot - 1)); session tenants is new, live updates so far: $((boot - 1))" ||
			diag "$(grep "^$boot " said; grep -a 'systemd-shutdown\|luo' "$suite.console")"
		is "$suite: and no service fails there, as each is recorded" "$(said $boot failed), $(said $boot recorded)" ", success"
		is "$suite: the device is where it was" "$(said $boot driver)" vfio-pci
		is "$suite: systemd counts the kexecs" "$(said $boot kexecs)" $((boot - 1))
		ok "$suite: the pause of the guests is known" [ "$(said $boot time |
			jq '[.blackout.workloads[] | select(.name == "guests").ns] | first // 0')" -gt 0 ]
	done
	is "$suite: postmortem tells what was lost" "$(said 2 postmortem | jq -r '[.given_up[].session] | join(" ")')" lost
	is "$suite: where /dev/liveupdate is held open to the end, no store is carried" \
		"$(said 3 blocker), $(said 4 kexecs), $(said 4 'started liveupdate-agent-fdstore')" \
		"active, 0, session guests came back, live updates so far: 1"
	like "$suite: which systemd says" "$(cat "$suite.console")" \
		'systemd-shutdown.*Failed to open /dev/liveupdate: Device or resource busy'
	is "$suite: the kernels complain of nothing" "$(grep -aE 'WARNING:|BUG:|Oops|Kernel panic' "$suite.console")" ""
	rm -f disk
	remove_root
	root=
done
tap_done
