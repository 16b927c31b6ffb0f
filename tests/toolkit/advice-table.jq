# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# The table in docs/advice.md, of what 'lutrace advise --remedies -j' prints.
def anchor: ascii_downcase | gsub("[^a-z0-9 -]"; "") | gsub(" "; "-");
.remedies[] | [
	"`\(.id)`", .kind, (.steps | map("`\(.)`") | join(", ")), (.when // ""), .how,
	(.evidence | if . then
		"[\(.section)](benchmarks.md#\(.section | anchor)): \(.before) → \(.after), \(.unit)"
	else "the record itself" end),
	.hardware
] | "| " + join(" | ") + " |"
