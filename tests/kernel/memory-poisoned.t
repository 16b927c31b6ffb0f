#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Memory has errors (hwpoison). What says so is in this kernel alone, so a memfd with
# such a page is not preserved, and with one that was preserved before there is no
# reboot call. A page that fails while its memfd waits stays marked when it is retrieved.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/kernel/dma-session.sh
. "$here/dma-session.sh"

# Both kernels handle such errors.
kernel=${INCOMING:-${BUILD:-$here/../../build}/linux/successor/arch/x86/boot/bzImage}

# Both stages: poisons ADDRESS: there is an error in memory; nobody is told who has not asked
cat >"$tap_scratch/poison" <<'END'
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
poisons() { printf '%#x' $(($1 >> 12)) >/sys/kernel/debug/hwpoison/corrupt-pfn 2>/dev/null || :; }
END

stage before <<'END'
set -e
. "$POISON"
corrupted() { sed -n 's/^HardwareCorrupted: *//p' /proc/meminfo; }

# Before it is preserved
dma_session
dma memory 16
dma fill 0x5555
poisons "$(dma physical 0x3000)"
dma session poisoned
note before-preserve "$(dma try preserve memory 1)"
note before-log "$(dmesg | grep -c 'a memfd with a memory error cannot be preserved, at 0x[0-9a-f]*, page 3 of the file')"
dma punch
note punched-preserve "$(dma try preserve memory 1)"
dma_killed
note corrupted "$(corrupted)"

echo 8 >/proc/sys/vm/nr_hugepages
dma_session
dma memory 1024 2M
dma fill 1
dma session huge
dma preserve memory 1
poisons "$(dma physical 0x203000)"
note huge-obstacle "$(grep -c 'page 512 of a memfd has had a memory error' /sys/kernel/liveupdate/obstacles)"
note huge-jump "$(kexec -e 2>&1 | sed 's/.*: //')"
dma_killed

# After that, with a device that writes to it
bind-vfio "$LAB_DEVICES" >/dev/null
dma_preserved_device first "$LAB_DEVICES"
dma write 0x0 0x4711
dma load "$LAB_DEVICES" 0x1000000
note obstacle-none "$(grep -c memfd /sys/kernel/liveupdate/obstacles || :)"
poisons "$(dma physical 0x5000)"
note obstacle "$(grep -c 'page 5 of a memfd has had a memory error since it was preserved; close its session' /sys/kernel/liveupdate/obstacles)"
log_begins
note after-jump "$(kexec -e 2>&1 | sed 's/.*: //')"
note after-log "$(log | grep -c 'page 5 of a memfd has had a memory error since it was preserved')"
dma store "$LAB_DEVICES" 0x1001000
note after-works "$(dma read 0x1000)"
dma_killed

# The others cross
dma_preserved_device second "$LAB_DEVICES"
dma fill 0x5555
dma write 0x0 0x4711
dma load "$LAB_DEVICES" 0x1000000
note place "$(dma physical 0x7000)"
dma hold
END
before=$stage

stage after <<'END'
. "$POISON"
poisons "$(sed -n 's/^place //p' "$LAB_RESULTS/facts")"
dma_session
dma retrieve-session second
dma retrieve memory 1
dma retrieve iommufd 2
dma retrieve d 3
dma store "$LAB_DEVICES" 0x1001000
note value "$(dma read 0x1000)"
dma bind d
dma domain two d
dma map two 0x1000000
dma move d two
dma finish
note state "$(cat "/sys/bus/pci/devices/$LAB_DEVICES/liveupdate")"
dma session third
note again "$(dma try preserve memory 1)"
END
lab_run --mode scalable --devices edu --outgoing "$kernel" --incoming "$kernel" --timeout 120 --env POISON="$tap_scratch/poison" \
	--trace "$tap_scratch/trace" "$before" "$stage"
is "a page of a memfd has an error" "$(fact corrupted)" "4 kB"
is "that memfd is not preserved" "$(fact before-preserve)" EHWPOISON
is "the log says which page it is" "$(fact before-log)" 1
is "without that page it is" "$(fact punched-preserve)" ok
is "a huge page has one when it is preserved: that can be seen before the reboot call" "$(fact huge-obstacle)" 1
is "which fails" "$(fact huge-jump)" "Memory page has hardware error"
is "there is nothing in the way as long as there is no error" "$(fact obstacle-none)" 0
is "a page of a device's memory has one when it is preserved: that can be seen" "$(fact obstacle)" 1
is "the reboot call fails" "$(fact after-jump)" "Memory page has hardware error"
is "the log says why" "$(fact after-log)" 1
is "the device does DMA" "$(fact after-works)" 0x4711
is "a page has one while its memfd waits: the device does DMA" "$(fact value)" 0x4711
is "and comes home" "$(fact state)" none
is "the page is known to have an error" "$(fact again)" EHWPOISON
is "no access faults" "$(grep -c vtd_dmar_fault "$tap_scratch/trace")" 0
tap_done
