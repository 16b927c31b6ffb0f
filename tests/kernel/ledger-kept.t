#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# A ledger that lutrace keeps in user space, beside the kernel's own, which is hidden from
# it: what it says lies where the kernel's says that it was, and what it does not know, it
# does not say. tests/stock has the same on kernels that keep none.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/kernel/dma-session.sh
. "$here/dma-session.sh"
# shellcheck source=tests/kernel/ledger-kept.sh
. "$here/ledger-kept.sh"

kept_stages
lab_run "$kept_before" "$kept_after" || tap_done
kept_is

# One cycle counter for both: moments are compared, not how long something took.
"$BUILD/bin/lutrace" record --units none --ledger "$lab_results/own" --output "$lab_results/own.json" || tap_done
moment() { # RECORDING KERNEL STEP EDGE NAME: the first of these records
	printf '%d\n' "$(lab_json "$1" "first(.ledgers.$2.records[] | select(.step == \"$3\" and .edge == \"$4\" and ((.name // \"\") | startswith(\"$5\")))).cycles")"
}
between() { # WHAT KERNEL STEP EDGE NAME FROM TO
	local at
	at=$(moment handover.json "${@:2:4}")
	ok "$1" [ "$6" -le "$at" -a "$at" -le "$7" ] || diag "$6 <= $at <= $7"
}
pause=$(moment own.json outgoing user-mark instant pause:)
jump=$(moment own.json outgoing jump instant '')
boot=$(moment own.json incoming boot instant '')
init=$(moment own.json incoming init instant '')
retrieve=$(moment own.json incoming session-retrieve begin agent)
resume=$(moment own.json incoming user-mark instant resume:)
shutdown=$(moment own.json outgoing device-shutdown begin '')
between "the pause is after the kernel's mark" outgoing user-mark instant pause: "$pause" "$shutdown"
between "the reboot call is between that and the shutdown of devices" outgoing reboot begin '' "$pause" "$shutdown"
between "which is before the jump" outgoing device-shutdown begin '' "$(moment own.json outgoing reboot begin '')" "$jump"
between "the incoming kernel's clock begins after its boot" incoming boot instant '' "$boot" "$init"
between "its first process is run before a session is retrieved" incoming init instant '' "$boot" "$retrieve"
between "the resume is after the kernel's mark" incoming user-mark instant resume: "$resume" "$((2 * resume))"
is "the last step that is known is before the jump" \
	"$(lab_json handover.json '.ledgers.outgoing.records[].cycles' | while read -r cycles; do [ $((cycles)) -le "$jump" ] || echo "$cycles"; done)" ""
diag "the pause by the kernel's ledger: $(lab_json own.json .blackout.ns) ns, by the kept one $(lab_json handover.json .blackout.ns) ns"
diag "$("$BUILD/bin/lutrace" time "$lab_results/own.json")"
tap_done
