#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# What lutrace postmortem says of ledgers whose content is known, of a machine made
# of files, and of files that are no dump. tests/kernel/postmortem-vmcore.t has real ones.

set -u
project=$(cd "$(dirname "$(readlink -f "$0")")/../.." && pwd)
# shellcheck source=tests/lab/tap.sh
. "$project/tests/lab/tap.sh"
build=${BUILD:-$project/build}
lutrace=$build/bin/lutrace
golden=$project/tests/toolkit/golden
export LC_ALL=C
cd "$tap_scratch" || exit 1

make_ledgers handover running no-marks refused-reboot died-frozen died-restoring unfinished damaged large \
	half-finished full-mark full-version-1 full-files full-cold

# golden SENTENCE NAME COMMAND...: it prints what tests/toolkit/golden/NAME holds
golden() {
	local sentence=$1 name=$2
	shift 2
	"$@" >"$name" 2>&1
	ok "$sentence" same "$golden/$name" "$name"
}
# same EXPECTED GOT: what differs is not TAP
same() { diff -u "$1" "$2" >&2; }
postmortem() { "$lutrace" postmortem "$@"; }

golden "a reboot call that failed is explained by the step that failed first" \
	postmortem-refused.txt postmortem -l refused-reboot
golden "records that end between freeze and jump say where" \
	postmortem-frozen.txt postmortem -l died-frozen
golden "records that end while the incoming kernel restores say in which step" \
	postmortem-restoring.txt postmortem -l died-restoring
golden "a session that cannot be finished is told from refusals" \
	postmortem-unfinished.txt postmortem -l unfinished
is "a live update that was finished is good" "$(status postmortem -l no-marks)" 0
is "one that was undone is not" "$(status postmortem -l refused-reboot)" 1
is "nor one that is not finished" "$(status postmortem -l running)" 1
is "of a damaged ledger nothing is said" "$(status postmortem -l damaged)" 1
"$lutrace" record -l died-restoring -o recording.json
baseline=$project/tests/dashboards/data/baseline/handover.json
is "what was finished, but lost packets, is not good" "$(status postmortem "$baseline")" 1
like "it is said why" "$(postmortem "$baseline")" \
	'^The live update was finished, but it was bad: the page tables are different; 348 of 496 packets were lost;'
is "by the reasons of check" "$(postmortem -j "$baseline" | jq -c '.verdict | [.verdict, .reasons]')" \
	"$("$lutrace" check -j "$baseline" | jq -c '[.verdict, .reasons]')"
postmortem -j "$baseline" >bad.json
schema "as the schema has it" postmortem bad.json
jq -c 'del(.identity, .dma, .referee, .session, .interrupts)' "$baseline" >bare.json
is "without what others saw it was finished" "$(status postmortem bare.json) $(postmortem -j bare.json | jq -r .summary)" \
	"0 The live update was finished."
is "a recording says the same as its ledgers" "$(postmortem -j recording.json)" \
	"$(postmortem -j -l died-restoring)"
is "the failure that began it is in JSON" "$(postmortem -j -l refused-reboot |
	jq -c '.failures[] | [.step, .object, .ret, .error, .within]')" \
	'["device-freeze","0000:01:00.0",-16,"EBUSY",["file-freeze of 3","serialize","reboot"]]'
is "the jump cuts off no step that began before it on purpose" \
	"$(postmortem -j -l unfinished | jq -c '[.open[].step]')" '[]'
is "a large ledger is no matter" "$(postmortem -j -l large | jq -r .point)" finished

summary() { postmortem -j "$@" | jq -r .summary; }
is "a failure names its session, all of it" "$(postmortem -j -l refused-reboot | jq -r '.failures[].session')" \
	"guests of the first tenant"
is "a session that is not finished is missed" "$(summary -l half-finished)" \
	"The live update is not finished: not all sessions are finished."

# Ledgers that were full.
is "a kernel that says when all sessions are finished has not said so" "$(summary -l full-mark)" \
	"The live update is not finished: not all sessions are finished."
is "of one that does not, nobody knows" "$(summary -l full-version-1)" \
	"3 records were dropped: how far the live update came cannot be said; the last step on record is session-retrieve of 0x1234."
is "nor whether anything is preserved, or failed" "$(summary -l full-cold)" \
	"40 records were dropped: how far the live update came cannot be said; the last step on record is user-mark of pause."
is "that is no answer" "$(status postmortem -l full-version-1) $(status postmortem -l full-cold)" "2 2"
is "a live update that was finished was, but failures may be missing" "$(summary -l full-files)" \
	"The live update was finished; on the way file-preserve of 9 failed with EINVAL (Invalid argument); 40 records were dropped, and a failure may be among them."
is "that is good" "$(status postmortem -l full-files)" 0
like "the text says that something is missing" "$(postmortem -l full-files)" \
	'40 records were dropped, as the ledger was full: what they say is missing below'

# A machine whose second kernel has a device that waits, and one that came home.
root=$tap_scratch/machine
for device in 0000:01:00.0/waiting 0000:02:00.0/retrieved 0000:03:00.0/none; do
	mkdir -p "$root/sys/bus/pci/devices/${device%/*}" "$root/sys/bus/pci/drivers/vfio-pci"
	echo "${device#*/}" >"$root/sys/bus/pci/devices/${device%/*}/liveupdate"
	ln -s ../../drivers/vfio-pci "$root/sys/bus/pci/devices/${device%/*}/driver"
done
mkdir -p "$root/sys/kernel/liveupdate/ledger" "$root/sys/kernel/debug/kho/in/sub_fdts" "$root/dev"
touch "$root/sys/kernel/debug/kho/in/sub_fdts"/{LUO,liveupdate-ledger}
cp unfinished/* "$root/sys/kernel/liveupdate/ledger"
printf '%s\n' '6,1,100000,-;e1000e: something else' \
	'4,2,1234567,-;vfio-pci 0000:01:00.0: liveupdate: has been running, waits' ' SUBSYSTEM=pci' \
	$'3,3,2234567,-;iommu: liveupdate: \e[31mred' >"$root/dev/kmsg"
golden "a machine says what waits, what KHO has, and what its log has of it" \
	postmortem-machine.txt postmortem --root "$root"
cp no-marks/* "$root/sys/kernel/liveupdate/ledger"
is "a device that waits after all is finished is not good" \
	"$(postmortem -j --root "$root" | jq -r .summary)" "1 device still waits to be retrieved."
is "its exit code says so" "$(status postmortem --root "$root")" 1

# As nobody's sysfs has it, but files somebody sent may.
ln -sfn vfio-pci "$root/sys/bus/pci/devices/0000:01:00.0/driver"
ln -sfn drivers/ "$root/sys/bus/pci/devices/0000:02:00.0/driver"
is "a driver's link may lead anywhere" \
	"$(postmortem -j --root "$root" | jq -c '[.devices[].driver]')" '["vfio-pci",null]'

like "a vmcore needs the kernel that died" "$(postmortem --vmcore x 2>&1)" 'needs --vmlinux'
like "a recording and a vmcore are one too many" \
	"$(postmortem --vmcore x --vmlinux y recording.json 2>&1)" 'not two of them'
head -c 100000 /dev/zero >zeros
like "what is no dump is no vmcore" "$(postmortem --vmcore zeros --vmlinux zeros 2>&1)" \
	"zeros cannot be used: it is neither an ELF file nor kdump's; wanted is what makedumpfile"
like "nor is a program" "$(postmortem --vmcore "$lutrace" --vmlinux zeros 2>&1)" 'but no core'
is "a file that is not there is an error" "$(status postmortem --vmcore nowhere --vmlinux zeros)" 1

tap_done
