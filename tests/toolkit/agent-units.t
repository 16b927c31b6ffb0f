#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# The examples of an agent's unit, with systemd as it is: when it goes the way of systemctl
# kexec, and all processes have been ended, the agent is there still, and the one whose
# sessions systemd holds has been stopped behind all services. On the same way
# lutrace-shutdown.service marks when the services begin to stop. systemd runs in a
# container here, so that it ends that in place of the jump; the jump itself is in
# tests/kernel/systemd-kexec.t.

set -u
project=$(cd "$(dirname "$(readlink -f "$0")")/../.." && pwd)
# shellcheck source=tests/lab/tap.sh
. "$project/tests/lab/tap.sh"
[ "$(id -u)" = 0 ] || skip_all "only root may start a container"
! reason=$(no_namespaces) || skip_all "$reason"
[ -x /lib/systemd/systemd ] || skip_all "systemd is not installed"
build=${BUILD:-$project/build}
export project build
cd "$tap_scratch" || exit 1
mkdir units root ledger
# What the container writes is seen from outside; a layer may not lie on another overlay.
layers=$(mktemp -d /dev/shm/agent-units.XXXXXX) && mkdir "$layers/upper" "$layers/work" || exit 1
export layers
groups=$(findmnt -n -t cgroup2 -o TARGET | head -n 1)
group=$groups$(sed -n 's/^0:://p' /proc/self/cgroup)/agent-units.$$
clean_up() {
	rm -rf "$layers"
	find "$group" -depth -type d -exec rmdir {} + 2>/dev/null
}
trap clean_up EXIT
[ -n "$groups" ] && mkdir "$group" 2>/dev/null || skip_all "no control group can be made here"
alive=$layers/upper/alive

# What systemd-shutdown calls when it has ended all processes
cat >all-ended <<'END'
#!/bin/bash
for pid in /proc/[0-9]*; do tr '\0' ' ' <$pid/cmdline; echo; done >/alive
END
chmod 755 all-ended
# example NAME EDIT: the example with another program, and changed. A script would not do: its
# argv[0] is that of the interpreter. Not in all containers may a process be made so precious.
example() {
	sed "s,^ExecStart=.*,ExecStart=@/usr/bin/sleep @$1 infinity,; /^OOMScoreAdjust/d; $2" "$project/tools/systemd/examples/liveupdate-agent.service" \
		>"units/$1.service"
}
example example ''
example not-marked 's/ @not-marked/ not-marked/; /^SurviveFinalKillSignal/d'
example in-a-slice 's/^Slice=.*/Slice=guests.slice/'
example requires 's/^After=.*/Requires=local-fs.target/'
example as-usual '/^DefaultDependencies/d; s/^Slice=.*//'
# The one whose sessions are in the store: what it does with its workload is what it is stopped for.
sed "s,^ExecStart=.*,ExecStart=/usr/bin/sleep infinity,; s/^Type=.*/Type=exec/; /^ConditionPathExists/d; /^ExecStartPost/d
	s,^ExecStop=.*,ExecStop=sh -c 'echo pause:guests >/sys/kernel/liveupdate/ledger/mark'," \
	"$project/tools/systemd/examples/liveupdate-agent-fdstore.service" >units/fdstore.service
# A service of the host, whose stop is part of what is marked.
cat >units/host.service <<'END'
[Unit]
Before=multi-user.target
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=true
ExecStop=sh -c 'echo host.service stops >/sys/kernel/liveupdate/ledger/mark'
END
printf '[Unit]\nWants=host.service lutrace-shutdown.service\n' >units/multi-user.target
cp "$project/tools/systemd/lutrace-shutdown.service" units/
cat >units/go.service <<'END'
[Unit]
DefaultDependencies=no
After=lutrace-shutdown.service
[Service]
Type=oneshot
ExecStart=/bin/sh -c 'until [ "$(pgrep -xc sleep)" -ge 6 ]; do /usr/bin/nice true; done; systemctl restart lutrace-shutdown.service; systemctl start WAY.target --no-block'
END
cat >units/go.target <<'END'
[Unit]
DefaultDependencies=no
Wants=fdstore.service example.service not-marked.service in-a-slice.service requires.service as-usual.service multi-user.target go.service
END
cat >container <<'END'
#!/bin/bash
set -e
mount --make-rprivate /
mount -t overlay overlay -o "lowerdir=/,upperdir=$layers/upper,workdir=$layers/work" root
mount -t proc proc root/proc
mount -t tmpfs run root/run
mount -t tmpfs tmp root/tmp
mount --rbind /sys root/sys
mount -t tmpfs kernel root/sys/kernel
mkdir -p root/sys/kernel/liveupdate/ledger
mount --bind ledger root/sys/kernel/liveupdate/ledger
umount -R root/sys/fs/cgroup
mount -t cgroup2 cgroup root/sys/fs/cgroup
mount --rbind /dev root/dev
mkdir -p root/run/systemd/system root/usr/lib/systemd/system-shutdown
cp units/* root/run/systemd/system/
sed -i "s/WAY/$way/" root/run/systemd/system/go.service
cp all-ended "$project/tools/systemd/system-shutdown/lutrace" root/usr/lib/systemd/system-shutdown/
cp "$build/bin/lutrace" root/usr/bin/
exec env -i container=test PATH=/usr/sbin:/usr/bin:/sbin:/bin chroot root /lib/systemd/systemd --system --unit=go.target
END
chmod 755 container
mkfifo ledger/mark
# shut_down WAY: of systemd, by kexec.target or another; "marks" has what came to the ledger.
# In a control group of its own; systemd ends the container by a signal to process 1.
shut_down() {
	local reader
	exec 7<>ledger/mark
	cat <&7 >marks &
	reader=$!
	(
		echo $BASHPID >"$group/cgroup.procs"
		way=$1 timeout --signal=KILL 60 unshare --pid --mount --uts --ipc --cgroup --fork --kill-child ./container >log 2>&1
		:
	) 2>/dev/null
	# All is in the FIFO when its last writer is gone, and it is read when this is.
	echo over >&7
	until grep -q 'over$' marks; do sleep 0.01; done
	kill "$reader"
	exec 7>&-
}
shut_down kexec
[ -s "$alive" ] || skip_all "systemd does not run in a container here: $(tail -n 1 log)"

# left NAME: is its agent there when all processes have been ended?
left() { grep -c "^@*$1 infinity" "$alive"; }
is "the example's agent outlives systemctl kexec" "$(left example)" 1 || diag "$(cat log "$alive")"
is "not one that is not marked" "$(left not-marked)" 0
is "nor one in a slice that is stopped, that requires what is stopped, or with the usual dependencies" \
	"$(left in-a-slice) $(left requires) $(left as-usual)" "0 0 0"

# The unit alone is stopped first.
is "what lutrace-shutdown.service and its counterpart mark is all that is stopped between, an agent with a store last" \
	"$(cat marks)" \
	'begin:systemd-shutdown
end:systemd-shutdown
begin:systemd-shutdown
host.service stops
pause:guests
end:systemd-shutdown
over'
shut_down reboot
is "on another way than kexec it is taken back, and where the unit alone is stopped" "$(cat marks)" \
	'begin:systemd-shutdown
end:systemd-shutdown
begin:systemd-shutdown
end:systemd-shutdown
host.service stops
pause:guests
over'

# systemd before 255 does not know one of the lines, before 254 another one.
for unit in liveupdate-agent liveupdate-agent-fdstore lutrace-snapshot lutrace-keeper; do
	is "systemd-analyze has nothing to say of $unit" "$(systemd-analyze verify --man=no --recursive-errors=no \
		"$project/tools/systemd/examples/$unit.service" 2>&1 | grep -F "$unit" |
		grep -vE "SurviveFinalKillSignal|FileDescriptorStorePreserve|(liveupdate-agent|lutrace) is not executable")" ''
done
tap_done
