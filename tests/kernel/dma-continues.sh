# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# The demonstration and its baseline as tests, for one IOMMU mode.

# shellcheck source=tests/lab/tap.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lab/tap.sh"

# demonstration OPTION...: run it; its exit status in $demo_status
demonstration() {
	lab_results=$tap_scratch/run
	demo_status=0
	"$tap_directory/demo" --results "$lab_results" "$@" >"$tap_scratch/screen" 2>&1 ||
		demo_status=$?
	diag "$(cat "$tap_scratch/screen")"
	[ -s "$lab_results/handover.json" ]
}

# of FILTER: a value of the recording
of() { lab_json handover.json "$1"; }

# counts KIND: what its device does, in words: a packet is received, a command completed
counts() {
	case $1 in
	nic)	one=packet came=received ;;
	nvme)	one=command came=completed ;;
	esac
}

# disk_is_whole: each block that was written is there for whoever reads it
disk_is_whole() {
	ok "commands were in flight, and the device had some left to do" \
		[ "$(of '.dma | .in_flight_at_pause > .found_at_resume and .found_at_resume > 0')" = true ]
	ok "blocks were written" [ "$(of .dma.disk.written)" -gt 0 ]
	is "each is read back as it was written" "$(of .dma.disk.read_back)" "$(of .dma.disk.written)"
	is "each is on the disk when the machine has ended" "$(of .dma.disk.intact)" "$(of .dma.disk.written)"
	is "no block there is damaged" "$(of .dma.disk.damaged)" 0
	ok "QEMU's trace and the workload agree on how many were completed during the pause" \
		[ "$(jq '.during_blackout - '"$(of .dma.found_at_resume)"' | fabs < 5' "$lab_results/image.json")" = true ]
}

# dma_continues MODE TRANSLATION [KIND]: the device, a nic or an nvme, goes on through a
# live update
dma_continues() {
	local one came kind=${3:-nic}
	counts "$kind"
	ok "a live update leaves a recording" demonstration --workload "$kind" --mode "$1" || tap_done
	is "the demonstration is content" "$demo_status" 0
	is "lutrace finds the page tables identical" "$(of .identity.verdict)" identical
	is "the referee finds the memory identical" "$(of .referee.memory_identical)" true
	is "the device uses tables of the mode" "$(of .referee.translation)" "$2"
	is "translation is never switched off" "$(of .referee.translation_off)" 0
	is "the root table is never replaced" "$(of .referee.root_changes)" 0
	is "interrupt remapping is never switched off" "$(of .referee.remapping_off)" 0
	is "no interrupt remapping table outlives its kernel" "$(of .referee.remapping_stale)" 0
	is "no access of the device faults" "$(of .referee.faults)" 0
	is "bus mastering of the device and its bridge is never switched off" "$(of .referee.bus_master_off)" 0
	is "their power state never changes" "$(of .referee.power_changes)" 0
	is "the referee and lutrace count the same table pages" "$(of .referee.table_pages)" "$(of .identity.table_pages)"
	is "no $one is lost" "$(of .dma.lost)" 0
	is "no $one comes twice" "$(of .dma.duplicates)" 0
	is "no $one is damaged" "$(of .dma.corrupt)" 0
	ok "${one}s are $came while no kernel runs" [ "$(of '.dma.while_no_kernel_ran // 0')" -gt 0 ]
	[ "$kind" != nvme ] || disk_is_whole
	ok "${one}s are $came after the workload runs again" [ "$(of .dma.after_resume)" -gt 0 ]
	ok "the pause is known" [ "$(of '.blackout.ns // 0')" -gt 0 ]
	is "its phases add up to it exactly" "$(of '[.blackout.phases[].ns] | add')" "$(of .blackout.ns)"
	ok "at least 98 % of it has a name" [ "$(of '.blackout.explained >= 0.98')" = true ]
	is "its phases are adjacent" \
		"$(of '.blackout.phases | [range(1; length) as $i | .[$i].begin_ns == .[$i - 1].begin_ns + .[$i - 1].ns] | all')" true
	is_another "$(of .kernel.outgoing)" "$(of .kernel.incoming)"
	is "memory, page tables and device are retrieved" \
		"$(of '[.session.files[] | "\(.file) \(.result)"] | join(", ")')" "memfd ok, iommufd ok, device ok"
	is "the device is bound, and its page table restored" "$(of '[.session.bind, .session.restore] | map(.result) | join(" ")')" "ok ok"
	is "it is moved to a new page table, and the old one destroyed" \
		"$(of '[.session.map, .session.replace, .session.destroy] | map(.result) | join(" ")')" "ok ok ok"
	ok "${one}s are $came during the move" [ "$(of '.dma.during_replace // 0')" -gt 0 ]
	is "none of them is lost" "$(of .dma.replace.lost)" 0
	is "the session is finished" "$(of .session.finish.result)" ok
	is "the device's interrupt crosses" "$(of '.interrupts | "\(.carried) \(.vectors | length)"')" "true 1"
	ok "it came before, at once when it was enabled again, and comes" \
		[ "$(of '.interrupts.vectors[0] | [.before, .at_enable, .after] | map(. > 0) | all')" = true ]
	schema "the recording is what its schema says" handover "$lab_results/handover.json"
	schema "so is the verdict on the page tables" verify "$lab_results/identity.json"
	schema "and the snapshot" snapshot "$lab_results/snapshot.json"
	"${BUILD:-$tap_directory/../../build}/bin/lutrace" advise --least 0 -j "$lab_results/handover.json" >"$tap_scratch/advice.json"
	schema "so is the advice on the pause" advise "$tap_scratch/advice.json"
	is "its parts are the pause" \
		"$(jq '.blackout.ns - .addressed.ns - .unaddressed.ns - .unexplained.ns' "$tap_scratch/advice.json")" 0
	is "it knows the configuration of the incoming kernel, which is not the fast one" \
		"$(jq -c '[.remedies[] | select(.kind == "configuration").done] | unique' "$tap_scratch/advice.json")" '["no"]'
	is "all of it is good" "$("${BUILD:-$tap_directory/../../build}/bin/lutrace" check "$lab_results/handover.json" | cut -d ' ' -f 1)" Good.
	tap_done
}

# dma_stops MODE [KIND]: without the feature it does not, and everything notices
dma_stops() {
	local one came kind=${2:-nic}
	counts "$kind"
	ok "a kexec with the feature switched off leaves a recording" \
		demonstration --baseline --workload "$kind" --mode "$1" || tap_done
	is "the demonstration is content with the failure" "$demo_status" 0
	is "lutrace finds the page tables different" "$(of .identity.verdict)" different
	is "the referee finds the memory different" "$(of .referee.memory_identical)" false
	ok "the referee sees that translation is switched off" [ "$(of .referee.translation_off)" -gt 0 ]
	ok "the referee sees that an interrupt remapping table is left behind" [ "$(of .referee.remapping_stale)" -gt 0 ]
	ok "the referee sees that bus mastering is switched off" [ "$(of .referee.bus_master_off)" -gt 0 ]
	ok "${one}s are lost" [ "$(of .dma.lost)" -gt 0 ]
	is "no $one is $came while no kernel runs" "$(of .dma.while_no_kernel_ran)" 0
	is "no $one is $came after the kexec" "$(of .dma.after_resume)" 0
	is "the page table cannot be marked" "$(lab_json workload-outgoing.json .preserve.mark)" EOPNOTSUPP
	is "the memfd crosses all the same, and nothing else" \
		"$(of '[.session.files[] | "\(.file) \(.result)"] | join(", ")')" "memfd ok, iommufd ENOENT, device ENOENT"
	is "no page table is restored, and nothing is moved" "$(of '[.session.restore, .session.replace, .dma.during_replace] | map(. == null) | all')" true
	is "the session is finished" "$(of .session.finish.result)" ok
	is "no interrupt crosses" "$(of .interrupts.carried)" false
	tap_done
}
