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

# dma_continues MODE: the device goes on through a live update
dma_continues() {
	ok "a live update leaves a recording" demonstration --mode "$1" || tap_done
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
	is "no packet is lost" "$(of .dma.lost)" 0
	is "no packet comes twice" "$(of .dma.duplicates)" 0
	is "no packet is damaged" "$(of .dma.corrupt)" 0
	ok "packets are received while no kernel runs" [ "$(of '.dma.while_no_kernel_ran // 0')" -gt 0 ]
	ok "packets are received after the workload runs again" [ "$(of .dma.after_resume)" -gt 0 ]
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
	ok "packets are received during the move" [ "$(of '.dma.during_replace // 0')" -gt 0 ]
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

# dma_stops MODE: without the feature it does not, and everything notices
dma_stops() {
	ok "a kexec with the feature switched off leaves a recording" \
		demonstration --baseline --mode "$1" || tap_done
	is "the demonstration is content with the failure" "$demo_status" 0
	is "lutrace finds the page tables different" "$(of .identity.verdict)" different
	is "the referee finds the memory different" "$(of .referee.memory_identical)" false
	ok "the referee sees that translation is switched off" [ "$(of .referee.translation_off)" -gt 0 ]
	ok "the referee sees that an interrupt remapping table is left behind" [ "$(of .referee.remapping_stale)" -gt 0 ]
	ok "the referee sees that bus mastering is switched off" [ "$(of .referee.bus_master_off)" -gt 0 ]
	ok "packets are lost" [ "$(of .dma.lost)" -gt 0 ]
	is "no packet is received while no kernel runs" "$(of .dma.while_no_kernel_ran)" 0
	is "no packet is received after the kexec" "$(of .dma.after_resume)" 0
	is "the page table cannot be marked" "$(lab_json workload-outgoing.json .preserve.mark)" EOPNOTSUPP
	is "the memfd crosses all the same, and nothing else" \
		"$(of '[.session.files[] | "\(.file) \(.result)"] | join(", ")')" "memfd ok, iommufd ENOENT, device ENOENT"
	is "no page table is restored, and nothing is moved" "$(of '[.session.restore, .session.replace, .dma.during_replace] | map(. == null) | all')" true
	is "the session is finished" "$(of .session.finish.result)" ok
	is "no interrupt crosses" "$(of .interrupts.carried)" false
	tap_done
}
