#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Units of systemd, on the time line of the ledgers: systemd is asked when a recording is
# made, and its clock is laid on the cycle counter by the pair of clocks in the ledger.

set -u
project=$(cd "$(dirname "$(readlink -f "$0")")/../.." && pwd)
# shellcheck source=tests/lab/tap.sh
. "$project/tests/lab/tap.sh"
build=${BUILD:-$project/build}
lutrace=$build/bin/lutrace
export LC_ALL=C
make_ledgers parts handover
cd "$tap_scratch" || exit 1

# Programs that answer as systemd's do.
mkdir bin answers
for program in busctl systemctl; do
	cat >bin/$program <<-END
		#!/bin/bash
		echo "$program \$*" >>"$PWD/asked"
		case \$* in
		*SoftRebootsCount) cat "$PWD/answers/soft-reboots" ;;
		*) cat "$PWD/answers/$program" ;;
		esac
	END
	chmod +x bin/$program
done
export PATH=$PWD/bin:$PATH
# The ledger's pair is of 1 ms before systemd was started, 1.4 s after CLOCK_MONOTONIC's 0,
# at 1.7 s of the pause.
manager() {
	printf '{"type":"%s","data":%s}\n' s '"257.4-1"' t "$1" t 1400000 t 0 t 0 t 0 t 1410000 t 1410000 t 1450000 t 1450000 t 1460000
}
manager 1790000001000000 >answers/busctl
# systemd before 256 has no such property, and says nothing.
: >answers/soft-reboots
cat >answers/systemctl <<'END'
Id=agent.service
ActiveState=active
InactiveExitTimestampMonotonic=1500000
ActiveEnterTimestampMonotonic=1650000
InactiveEnterTimestampMonotonic=0

Id=once.service
ActiveState=inactive
InactiveExitTimestampMonotonic=1510000
ActiveEnterTimestampMonotonic=0
InactiveEnterTimestampMonotonic=1520000

Id=broken.service
ActiveState=failed
InactiveExitTimestampMonotonic=1530000
ActiveEnterTimestampMonotonic=0
InactiveEnterTimestampMonotonic=1535000

Id=never-started.service
ActiveState=inactive
InactiveExitTimestampMonotonic=0
ActiveEnterTimestampMonotonic=0
InactiveEnterTimestampMonotonic=0

Id=still-starting.service
ActiveState=activating
InactiveExitTimestampMonotonic=1540000
ActiveEnterTimestampMonotonic=0
InactiveEnterTimestampMonotonic=0
END

"$lutrace" record -l parts --units systemd -o with.json
is "units are steps on the time line of the kernels, in the order in which they began" \
	"$("$lutrace" steps -L -j with.json | jq -r '.steps[] | select(.kind == "unit") | [.step, .object, .begin_ns, .ns, .ret] | @text')" \
	'["unit","before-systemd",1700000000,1000000,0]
["unit","systemd-generators",1711000000,40000000,0]
["unit","systemd-units-load",1751000000,10000000,0]
["unit","systemd-first-job",1761000000,40000000,0]
["unit","agent.service",1801000000,150000000,0]
["unit","once.service",1811000000,10000000,0]
["unit","broken.service",1831000000,5000000,-5]'
is "the recording's own steps are the same" \
	"$(jq -c '[.steps[] | select(.kind == "unit")] | length' with.json)" 7
is "what began in one of them and says nothing else is part of it" \
	"$("$lutrace" steps -L -j with.json | jq -r '(.steps[] | select(.step == "session-retrieve").parent) as $p |
		.steps[] | select(.sequence == $p).object')" agent.service
like "time tells units among what takes most" \
	"$("$lutrace" time -j with.json | jq -c '[.blackout.leaves[].object]')" acpi_init
like "blame has them" "$("$lutrace" blame --self with.json)" 'incoming +unit +once.service'
like "the picture has them" "$("$lutrace" plot with.json)" '>agent.service</text>'
"$lutrace" report --chrome with.json -o with.trace
is "a trace has tracks of units, beside each other" \
	"$(jq -c '[.traceEvents[] | select(.ph == "b" and .cat == "unit") | [.name, .id2.local]] | .[3:5]' with.trace)" \
	'[["unit systemd-first-job","units"],["unit agent.service","units"]]'
ok "only services, sockets, mounts and swaps are asked for" \
	grep -q 'systemctl show .* \*.service \*.socket \*.mount \*.swap$' asked
is "a unit that is recorded is not in the ledger" "$(jq '[.ledgers[].records[] | select(.step == "unit")] | length' with.json)" 0
"$lutrace" record with.json -o again.json
is "a recording of a recording keeps them" "$(jq -c .units again.json)" "$(jq -c .units with.json)"
jq '{units}' with.json >units.json
"$lutrace" record -l parts -m units.json -o merged.json
is "they can be merged" "$(jq -c '.blackout.explained' merged.json)" "$(jq -c '.blackout.explained' with.json)"

units_of() { "$lutrace" record -l parts --units systemd | jq -r '[.units.list[].name] | join(" ")'; }
echo SoftRebootsCount=0 >answers/soft-reboots
is "a systemd that counts its soft reboots, and had none, is asked as any" "$(units_of)" \
	"before-systemd systemd-generators systemd-units-load agent.service once.service broken.service systemd-first-job"
echo SoftRebootsCount=2 >answers/soft-reboots
is "after one nobody knows how long the initrd ran" "$(units_of)" \
	"systemd-generators systemd-units-load agent.service once.service broken.service systemd-first-job"

: >answers/soft-reboots

# What was recorded when the host was started stays: a unit is restarted, one is forgotten, and one is new.
"$lutrace" record -l parts --units systemd --update boot.json
cp answers/systemctl answers/boot
sed -i '/^Id=broken/,/^$/d; /^Id=agent/,/^$/ s/=1[56]/=50000/' answers/systemctl
printf '\nId=late.service\nActiveState=active\nInactiveExitTimestampMonotonic=9000000000\nActiveEnterTimestampMonotonic=9000000001\n' >>answers/systemctl
"$lutrace" record -l parts --units systemd --update boot.json
is "a recording that is updated keeps the units of the start of the host" \
	"$(jq -c '[.units.list[] | [.name, .begin_us]]' boot.json)" \
	'[["before-systemd",1399000],["systemd-generators",1410000],["systemd-units-load",1450000],["agent.service",1500000],["once.service",1510000],["broken.service",1530000],["systemd-first-job",1460000],["late.service",9000000000]]'
is "what began later is as systemd says now" \
	"$(sed -i 's/9000000000/9500000000/; s/9000000001/9500000001/' answers/systemctl
		"$lutrace" record -l parts --units systemd --update boot.json; jq -c '.units.list[-1] | [.name, .begin_us]' boot.json)" \
	'["late.service",9500000000]'
mv answers/boot answers/systemctl

: >asked
"$lutrace" record -l parts -o without.json
is "who has saved ledgers is not asked about another host" "$(cat asked) $(jq -c .units without.json)" ' null'
"$lutrace" record -l parts --units none -o none.json
is "nor who does not want it" "$(cat asked) $(jq -c .units none.json)" ' null'

# refused SENTENCE REGULAR-EXPRESSION LEDGERS: no units are recorded, and it says why
refused() {
	local said status
	said=$("$lutrace" record -l "$3" --units systemd 2>&1 >/dev/null)
	status=$?
	ok "$1" [ "$status" = 1 ]
	like "and it says so" "$said" "$2"
}
refused "a ledger without a pair of clocks lays no unit anywhere" 'no wall-clock time' handover
# The pair was noted when systemd ran, and the clock is another one now.
manager 1789999000000000 >answers/busctl
refused "nor one of which the clock was set" 'clock was set' parts
# A systemd that was started before this ledger's kernel: an hour, by the clock as it is.
python3 - >answers/busctl <<-'END'
	import time
	ahead = (time.time_ns() - time.monotonic_ns()) // 1000
	for value in '"257"', ahead + 1400000, 1400000, 0, 0, 0, 0, 0, 0, 0, 0:
	    print('{"type":"t","data":%s}' % value)
END
later() { # NAME EDIT: a recording whose ledger has its pair of clocks an hour ahead
	jq --argjson ns "$((($(date +%s) + 3600) * 1000000000))" ".units = null | .ledgers.incoming |= (.wall_ns = \$ns$2)" with.json >"$1"
}
later other.json ''
is "nor is it laid on the ledger of another boot" \
	"$("$lutrace" record --units systemd other.json 2>&1 >/dev/null)" \
	"lutrace: the units are not known: the ledger is of another boot or host than this systemd"
later rebooted.json ' | .records += [.records[-1] | .sequence += 1 | .step = "reboot" | .kind = "none" | .edge = "begin" | del(.object, .name)]'
is "where a reboot call failed, the pair is of that" \
	"$("$lutrace" record --units systemd rebooted.json | jq -c '.units | [.unknown, (.list | length)]')" '[null,3]'
: >answers/busctl
refused "a systemd that does not answer is an error" 'busctl' parts
rm bin/busctl
printf '#!/bin/sh\nexit 1\n' >bin/busctl && chmod +x bin/busctl
refused "so is one that answers with an error" 'busctl' parts
is "and another service manager" "$("$lutrace" record -l parts --units upstart 2>&1)" \
	"lutrace: 'upstart' is not what to ask for units: auto, systemd or none"
jq '.units.list[0].begin_us = -1' with.json >bad.json
like "what cannot be a time is refused by its name" "$("$lutrace" time bad.json 2>&1)" "units.list\[0\].begin_us"

tap_done
