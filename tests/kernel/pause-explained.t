#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Nearly all that the kernels do in a pause lies in steps that have a name, and lutrace says
# in which.

# shellcheck source=tests/lab/tap.sh
. "$(dirname "$0")/../lab/tap.sh"

# The share of what the kernels do that the laboratory's minimal host reaches. What its user
# space does before the agent has no marks.
kernels=0.98

stage before <<'END'
lutrace mark pause:a-machine-with-a-long-name
END
before=$stage
stage after <<'END'
lutrace mark begin agent-of-the-machine
lutrace mark end agent-of-the-machine
lutrace mark resume:a-machine-with-a-long-name
lutrace record -o "$LAB_RESULTS/handover.json"
END
lab_run "$before" "$stage" || tap_done
recording=$lab_results/handover.json
lutrace=${BUILD:-$(dirname "$0")/../../build}/bin/lutrace

"$lutrace" time "$recording" >"$tap_scratch/time.txt"
while IFS= read -r line; do diag "$line"; done <"$tap_scratch/time.txt"
ok "at least $kernels of what the kernels do lies in named steps" \
	[ "$("$lutrace" time -j "$recording" | jq --argjson least "$kernels" '[.blackout.phases[]
		| select(.name | IN("quiesce", "userspace", "retrieve") | not)]
		| 1 - (map(.unexplained_ns) | add) / (map(.ns) | add) >= $least')" = true ]
like "which time says, with what takes most" "$(cat "$tap_scratch/time.txt")" \
	'^Explained: [0-9.]+ % of the pause; most: [a-z-]+ '
is "a machine with a long name has its pause" \
	"$("$lutrace" time -j "$recording" | jq -r '.blackout.workloads[] | select(.ns != null).name')" \
	a-machine-with-a-long-name
is "what user space marks is a step" \
	"$("$lutrace" steps -L -j "$recording" | jq -r '.steps[] | select(.step == "user-mark" and .ns > 0).object')" \
	agent-of-the-machine
is "initcalls are part of their level, by their whole names" \
	"$("$lutrace" steps -L -j "$recording" | jq -c '(.steps | map({ key: (.sequence | tostring), value: .step }) | from_entries) as $of
		| [.steps[] | select(.step == "initcall") | $of[.parent | tostring]] | unique | map(select(. != "initcall" and . != "probe"))')" \
	'["initcalls"]'

tap_done
