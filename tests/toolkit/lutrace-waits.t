#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# A file that is named, or that is where a machine's files are: a FIFO, a device or a
# directory there keeps nobody waiting, and what is no file of its kind is refused with a
# sentence that says so.

set -u
project=$(cd "$(dirname "$(readlink -f "$0")")/../.." && pwd)
# shellcheck source=tests/lab/tap.sh
. "$project/tests/lab/tap.sh"
build=${BUILD:-$project/build}
lutrace=$build/bin/lutrace
export LC_ALL=C
cd "$tap_scratch" || exit 1

# said COMMAND...: its exit status, and what it said
said() {
	timeout 10 "$@" >out 2>err </dev/null
	echo "$? $(tail -n 1 err)"
}
mkdir ledgers
"$build/tests/unit/make-ledger" handover ledgers || exit 1
"$lutrace" record -l ledgers -o good.json || exit 1
"$build/tests/unit/make-snapshot" legacy none snapshot || exit 1
mkfifo fifo
python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("socket")'
mkdir previous current marks
for side in previous current; do
	cp ledgers/* $side/
	rm -f $side/$side
	mkfifo $side/$side
done
mkfifo marks/mark

# Each option that takes a file, but for JSON, which may come from a pipe.
refuses() { # FILE PATTERN
	local file=$1 pattern=$2
	like "walk --snapshot $file" "$(said "$lutrace" walk -s "$file")" "$pattern"
	like "verify --file $file" "$(said "$lutrace" verify -f "$file"; cat out)" "$pattern"
	like "diff $file" "$(said "$lutrace" diff "$file" snapshot)" "is a snapshot, $file is none"
	like "postmortem --vmcore $file" "$(said "$lutrace" postmortem -c "$file" -k "$lutrace")" "$pattern"
	like "probes --btf $file" "$(said "$lutrace" probes -b "$file")" "$pattern"
	like "doctor --successor $file" "$(said "$lutrace" doctor -s "$file")" "$pattern"
	like "export --state $file" "$(said "$lutrace" export -t out.prom -s "$file" good.json)" "$pattern"
}
refuses fifo 'it is a FIFO, where a regular file is needed'
refuses /dev/zero 'it is a device, where a file is needed'
refuses socket 'it is a socket, where a file is needed'
for side in previous current; do
	for verb in time postmortem report; do
		like "$verb of a FIFO in place of the ledger '$side'" "$(said "$lutrace" $verb -l $side)" '^1 .*it is a FIFO'
	done
	is "export of it goes on" "$(said "$lutrace" export -t out.prom -l $side | cut -d ' ' -f 1)" 0
done
like "mark into a FIFO" "$(said "$lutrace" mark -l marks pause)" '^1 lutrace: marks/mark: it is a FIFO'

# A machine of FIFOs: each file that anything looks at.
"$build/tests/unit/make-ledger" handover ledgers
machine() {
	mkdir -p machine/{proc/sys/kernel,proc/7/fd,sys/kernel/liveupdate/ledger,sys/class/iommu/dmar0/intel-iommu,sys/kernel/btf,sys/kernel/security,etc/default,dev,usr/sbin,boot,sys/bus/pci/devices/0000:01:00.0,sys/firmware/efi/efivars}
	ln -sfn /dev/iommu machine/proc/7/fd/3
	local name
	for name in proc/sys/kernel/osrelease proc/cmdline proc/config.gz proc/meminfo proc/7/{smaps,comm,cmdline,status} \
		sys/kernel/liveupdate/{obstacles,compatible,session_policy} sys/class/iommu/dmar0/intel-iommu/ecap \
		sys/kernel/btf/vmlinux sys/kernel/security/lockdown etc/default/kdump-tools dev/kmsg usr/sbin/bpftool \
		boot/vmlinuz- sys/bus/pci/devices/0000:01:00.0/liveupdate \
		sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c; do
		mkfifo "machine/$name"
	done
	chmod +x machine/usr/sbin/bpftool
}
machine
for options in doctor 'doctor --sessions' cmdline postmortem; do
	# shellcheck disable=SC2086 # words
	ok "$options of a machine of FIFOs does not wait" \
		[ "$(said "$lutrace" $options -r machine | cut -d ' ' -f 1)" -lt 3 ] || diag "$(cat err)"
done

# What is there, but is something else.
echo text >text
like "probes --btf says what a file without types lacks" "$(said "$lutrace" probes -b text)" \
	'^1 lutrace: cannot read types from text: it has no types'
is "and libbpf says nothing" "$(wc -l <err)" 1
like "doctor --successor says that a text is no kernel" "$(said "$lutrace" doctor -s text)" '^1 lutrace: text is no kernel image'
like "nor is a program" "$(said "$lutrace" doctor -s "$lutrace")" 'is no kernel image'
for verb in doctor cmdline postmortem 'doctor --sessions'; do
	# shellcheck disable=SC2086 # words
	{
		like "$verb: there is no such machine" "$(said "$lutrace" $verb -r nothing)" '^1 lutrace: nothing: No such file'
		like "$verb: a file is none" "$(said "$lutrace" $verb -r text)" '^1 lutrace: text is no directory'
		like "$verb: nor is a directory of other files" "$(said "$lutrace" $verb -r ledgers)" '^1 lutrace: ledgers has neither proc nor sys'
	}
done
tap_done
