#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# A kernel that cannot take over what is preserved is not jumped into: the reboot call
# fails, names what is missing, and changes nothing. A device receives all the time;
# when a kernel is loaded that can, all goes on with it.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/kernel/workload.sh
. "$here/workload.sh"
# shellcheck source=tests/kernel/dma-session.sh
. "$here/dma-session.sh"
# shellcheck source=tests/kernel/successor.sh
. "$here/successor.sh"

read -r stock _ <<<"$("$here/../toolkit/doctor-stock-kernel")"
ok "there is Debian's kernel" [ -s "$stock" ]
image_says LUIm NONE "$tap_scratch/silent"
image_says kho-v4 kho-v9 "$tap_scratch/other-kho"
image_says luo-v6 luo-v9 "$tap_scratch/other-luo"
image_says memfd-v4 memfd-v9 "$tap_scratch/other-memfd"
image_says iommufd-v1 iommufd-v9 "$tap_scratch/other-iommufd"
image_says vfio-pci-v1 vfio-pci-v9 "$tap_scratch/other-vfio"
image_says pci-liveupdate-v1 pci-liveupdate-v9 "$tap_scratch/other-pci"
image_says iommu-liveupdate-v1 iommu-liveupdate-v9 "$tap_scratch/other-iommu"
image_says ,vtdss, ,vtdxx, "$tap_scratch/other-format"
# Its size
image_says '' '' "$tap_scratch/damaged" 4 ffffffff

stage before <<'END'
. "$LAB_PROJECT/tests/kernel/workload.sh"
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
. "$LAB_PROJECT/tests/kernel/successor.sh"
set -e
bind-vfio "$LAB_DEVICES"
# Nothing is preserved yet.
cp /sys/kernel/liveupdate/compatible "$LAB_RESULTS/available" || :
workload 0 start --device "$LAB_DEVICES"
workload_reaches 0 receiving
ask-host start-senders
workload_reaches 0 ready
set +e
cp /sys/kernel/liveupdate/compatible "$LAB_RESULTS/used"

successor legacy-load kexec -c -l "$LAB_INCOMING" --command-line="$LAB_INCOMING_CMDLINE"
successor stock load "$STOCK"
for image in silent damaged other-kho other-luo other-memfd other-iommufd other-vfio other-pci other-iommu other-format; do
	successor $image load "$IMAGES/$image"
done
successor kho load "$LAB_INCOMING" kho=off
successor liveupdate load "$LAB_INCOMING" liveupdate=0
successor last-word load "$LAB_INCOMING" "kho=on kho=n kho=nonsense"
successor intel load "$LAB_INCOMING" "intel-iommu=off"
successor any-iommu load "$LAB_INCOMING" "iommu=pt,off"
[ "$LAB_MODE" = legacy ] || successor mode load "$LAB_INCOMING" "intel_iommu=sm_off"
successor state load "$LAB_INCOMING" "iommu.liveupdate=off"
successor memory load "$LAB_INCOMING" "mem=512M"
successor hole load "$LAB_INCOMING" 'memmap=64M$1G'
successor movable load "$LAB_INCOMING" "movablecore=256M"
successor exact load "$LAB_INCOMING" "memmap=exactmap memmap=512M@0"
successor test load "$LAB_INCOMING" "memtest=1"
successor interrupts load "$LAB_INCOMING" "intremap=off"
lutrace postmortem -j >"$LAB_RESULTS/postmortem.json"
cat /sys/kernel/liveupdate/ledger/current >"$LAB_RESULTS/current"

# What looks like it and is none.
load "$LAB_INCOMING" "kho=off kho=on \"x=a intel_iommu=off\" my_intel_iommu=off -- intel_iommu=off liveupdate=off mem=1M" || exit
note good-doctor "$(lutrace doctor -s "$load_image" -c "$load_words" >/dev/null; echo $?)"
workload_go_on 0
workload_reaches 0 paused
END
before=$stage
stage after <<'END'
set -e
. "$LAB_PROJECT/tests/kernel/workload.sh"
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
bind-vfio $LAB_DEVICES >/dev/null
workload 1 resume --until "$LAB_RESULTS/sender0.json"
workload_reaches 1 resumed
workload_go_on 1
workload_reaches 1 finished
sleep 0.3
ask-host stop-sender 0
wait "${workload_pid[1]}" || true
END
after=$stage

# refused NAME WHAT REGEX: by the reboot call, with a message
refused() {
	is "$mode: refused: $2" "$(fact "$1")" "loaded 0, jumped 255, master 1"
	like "$mode: and it is said why" "$(fact "$1-log")" "$3"
	[ "$1" = legacy-load ] ||
		is "$mode: lutrace doctor says the same" "$(fact "$1-doctor")" "$(fact "$1-log")"
}
cannot='the image loaded for kexec cannot take over'

for mode in ${MODES:-legacy scalable}; do
	lab_what=$mode
	lab_run --mode $mode "${successor_kernels[@]}" --devices igb --trace "$tap_scratch/trace" --env STOCK="$stock" --timeout 600 \
		--env IMAGES="$tap_scratch" "${workload_senders[@]}" "$before" "$after" || continue
	is "$mode: what can be preserved is listed" "$(awk '{ print $1 }' "$lab_results/available" | sort | uniq -c | xargs)" \
		"6 available 2 used"
	like "$mode: and what is, with the components that are used" "$(cat "$lab_results/used")" \
		"^used iommu-liveupdate-v1;intel,$([ $mode = legacy ] || echo 'intel-scalable,')irq-remap,vtdss\$"

	refused legacy-load "an image of kexec_load(2)" "$cannot what is preserved: it was loaded with kexec_load.2., .*; load it with kexec_file_load"
	refused stock "Debian's own kernel" "$cannot what is preserved: it does not say that it takes over anything; "
	refused silent "an image that says nothing" "$cannot what is preserved: it does not say that it takes over anything; "
	refused damaged "an image whose words are damaged" "$cannot what is preserved: what it says of live update cannot be read"
	refused other-kho "another version of KHO" "$cannot 'kho-v4': it does not accept that"
	refused other-luo "another version of LUO" "$cannot 'luo-v6': it does not accept that"
	refused other-memfd "another version of memfds" "$cannot 'memfd-v4': it does not accept that"
	refused other-iommufd "another version of iommufd" "$cannot 'iommufd-v1': it does not accept that"
	refused other-vfio "another version of devices" "$cannot 'vfio-pci-v1': it does not accept that"
	refused other-pci "another version of the PCI records" "$cannot 'pci-liveupdate-v1': it does not accept that"
	refused other-iommu "another version of the IOMMU records" "$cannot 'iommu-liveupdate-v1;.*': it does not accept that"
	refused other-format "page tables of an unknown format" "$cannot 'iommu-liveupdate-v1;.*vtdss': it does not accept that"
	refused kho "kho=off" "$cannot what is preserved: its command line leaves kexec handover off; add kho=on"
	refused liveupdate "liveupdate=0" "$cannot what is preserved: its command line leaves live update off; add liveupdate=on"
	refused last-word "the last word that means something" "leaves kexec handover off"
	refused intel "intel-iommu=off" "$cannot 'iommu-liveupdate-v1;.*': its command line leaves off the IOMMU"
	refused any-iommu "iommu=off" "$cannot 'iommu-liveupdate-v1;.*': its command line leaves off the IOMMU"
	if [ $mode = scalable ]; then
		refused mode "the other mode" "$cannot 'iommu-liveupdate-v1;.*': its command line runs VT-d in another mode; add intel_iommu=sm_on"
	fi
	refused state "iommu.liveupdate=off" "$cannot 'iommu-liveupdate-v1;.*': .*remove iommu.liveupdate=off"
	for words in memory hole movable exact; do
		refused $words "other memory ($words)" "$cannot what is preserved: its command line does not leave it the memory that this kernel has; let mem= and memmap= be those of this kernel"
	done
	refused test "a test of memory" "$cannot what is preserved: its command line writes to memory .*; remove memtest"
	refused interrupts "intremap=off" "$cannot 'iommu-liveupdate-v1;.*': its command line leaves interrupt remapping off"
	like "$mode: the post-mortem tells of the last one" "$(lab_json postmortem.json .summary)" \
		"^The live update failed: successor-refuse failed with ENOEXEC .its command line leaves interrupt remapping off; "

	is "$mode: lutrace doctor finds the last one good" "$(fact good-doctor)" 0
	is "$mode: the jump into a kernel that can loses nothing" "$(lab_json workload-1.json '"\(.dma.lost) \(.dma.duplicates) \(.dma.corrupt)"')" "0 0 0"
	is "$mode: the session is finished" "$(lab_json workload-1.json .session.finished)" true
	is "$mode: translation is never switched off" "$(workload_trace 'vtd_dmar_enable enable 0')" 0
	is "$mode: no access of the device faults" "$(workload_trace vtd_dmar_fault)" 0
done
rm -f "$tap_scratch"/{silent,damaged,other-*}
tap_done
