#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# The units of systemd, as make install lays them out.

set -u
project=$(cd "$(dirname "$(readlink -f "$0")")/../.." && pwd)
# shellcheck source=tests/lab/tap.sh
. "$project/tests/lab/tap.sh"
cd "$tap_scratch" || exit 1
root=$PWD/root

# logged FILE COMMAND...: what it says goes to a file
logged() { "${@:2}" >"$1" 2>&1; }

ok "make install installs them" logged install.log "$project/tools/setup/install" "$root" /usr
units=(lutrace-collect.service lutrace-collect.timer lutrace-export.service lutrace-prune.service
	lutrace-prune.timer lutrace-shutdown.service)
is "all of them" "$(cd "$root/usr/lib/systemd/system" && echo lutrace-*)" "${units[*]}"
is "dashboards as well" "$(cd "$root/usr/share/lutrace/dashboards" && find . -type f | sed 's,^./,,' | sort)" \
	"$(cd "$project/dashboards" && find . -type f | sed 's,^./,,' | sort)"

# Targets that the units depend on, and the shell, from this machine.
mkdir -p "$root/bin" && cp /bin/sh "$root/bin/"
cp -rn /usr/lib/systemd/system/*.target "$root/usr/lib/systemd/system/"
for unit in "${units[@]}"; do
	said=$(systemd-analyze verify --root="$root" --man=no --recursive-errors=no "$unit" 2>&1)
	is "systemd-analyze verify accepts $unit" "$?" 0
	is "and has nothing to say" "$(grep -F "$unit" <<<"$said")" ''
done
# A made unit that could do everything has 9.6; 2.0 is what systemd calls OK.
for unit in lutrace-collect lutrace-export lutrace-prune lutrace-shutdown; do
	ok "$unit.service may do little more than its task" logged "$unit.log" systemd-analyze security \
		--root="$root" --offline=true --threshold=15 "$unit.service" || diag "$(tail -n 1 "$unit.log")"
	like "what it may not ask for is refused, it is not killed" "$(cat "$root/usr/lib/systemd/system/$unit.service")" \
		'^SystemCallErrorNumber=EPERM$'
done
like "who records may ask systemd for its units" "$(cat "$root/usr/lib/systemd/system/lutrace-collect.service")" \
	'^RestrictAddressFamilies=AF_UNIX$'
# The recording is the service's last argument, and is one that root made for himself.
pre=$(sed -n 's,^ExecStartPre=\(.*\) /var/lib/lutrace/%b.json$,\1,p' "$root/usr/lib/systemd/system/lutrace-collect.service")
(umask 077 && : >own.json)
ok "a recording that is not there yet is made" eval "$pre missing.json"
ok "one that is not the group's to read" eval "$pre own.json"
is "becomes so" "$(stat -c %a own.json)" 640
like "the exporter is reloaded with SIGHUP" "$(cat "$root/usr/lib/systemd/system/lutrace-export.service")" '^ExecReload=.*kill -HUP \$MAINPID'
like "the exporter is no root" "$(cat "$root/usr/lib/systemd/system/lutrace-export.service")" '^User=lutrace$'
like "its user is made" "$(cd "$root" && mkdir -p etc &&
	systemd-sysusers --root="$root" --dry-run lutrace.conf 2>&1)" "Creating user 'lutrace'"
like "root writes the directory between the two, the exporter reads it" \
	"$(cat "$root/usr/lib/tmpfiles.d/lutrace.conf")" '^d /var/lib/lutrace 0750 root lutrace -$'
tap_done
