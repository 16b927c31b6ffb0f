#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Calls that nobody would make, for SECONDS_OF_STRESS in each kernel (8, more where it is slow; 'make stress' has 1800):
# none hangs, no kernel complains, and a live update between the two goes as always.
# SEED is printed; MODE is the IOMMU's, scalable.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/kernel/dma-session.sh
. "$here/dma-session.sh"

seconds=${SECONDS_OF_STRESS:-$((8 * ${LAB_SLOWER:-1}))}
seed=${SEED:-$RANDOM}

stage before <<'END'
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
read -r kept others <<<"$LAB_DEVICES"
stress=$LAB_BUILD/tests/kernel/stress
"$stress" "$STRESS_SECONDS" "$STRESS_SEED" "$((60 * LAB_SLOWER))" $(bind-vfio $others) >"$LAB_RESULTS/stress-before" || exit
cat /sys/kernel/liveupdate/obstacles >"$LAB_RESULTS/obstacles"
# What is left for the other one
"$stress" sessions /run/sessions &
until_there /run/sessions $! || exit
bind-vfio "$kept" >/dev/null
dma_preserved_device owner "$kept" || exit
dma write 0x0 0x1234
dma load "$kept" 0x1000000
dma hold
END
before=$stage
stage after <<'END'
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
read -r kept others <<<"$LAB_DEVICES"
bind-vfio "$kept" >/dev/null
# The device waits for its owner, and what others do is none of its business.
"$LAB_BUILD/tests/kernel/stress" "$STRESS_SECONDS" "$((STRESS_SEED + 1000))" "$((60 * LAB_SLOWER))" \
	$(bind-vfio $others) >"$LAB_RESULTS/stress-after" || exit
dma_session
dma retrieve-session owner && dma retrieve memory 1 && dma retrieve iommufd 2 && dma retrieve d 3 && dma bind d || exit
dma store "$kept" 0x1001000
note wrote "$(dma read 0x1000)"
dma domain new d && dma map new 0x1000000 && dma move d new && dma finish && note finished yes
cat /sys/kernel/liveupdate/obstacles >"$LAB_RESULTS/obstacles-after"
END

# never FILE CALL...: those of them that did not once succeed: they were not really tried
never() { awk -v of=" ${*:2} " '$3 == 0 && index(of, " " $1 " ") { print $1 }' "$lab_results/$1" | xargs; }
often='open_luo new_session preserve get_name make_memory change_memory open_iommu make_space map open_device bind_device own close_one'
seldom='unmap make_table destroy mark unmark attach detach reset interrupts duplicate leave_child look'
back='session_back finish'
[ "$seconds" -ge 300 ] && back+=' retrieve' || seldom=
# shellcheck disable=SC2086 # lists of names
lab_what="seed $seed"
lab_run --mode "${MODE:-scalable}" --devices edu,edu,edu --timeout $((300 + 2 * seconds)) \
	--env STRESS_SECONDS="$seconds" --env STRESS_SEED="$seed" "$before" "$stage"
ok "no call hangs in the outgoing kernel" [ -s "$lab_results/stress-before" ]
is "each kind of call succeeded now and then" "$(never stress-before $often $seldom)" ''
is "nothing is left when all has been closed" "$(cat "$lab_results/obstacles")" ''
ok "no call hangs in the incoming kernel" [ -s "$lab_results/stress-after" ]
is "so does each there, and sessions come back" "$(never stress-after $often $seldom $back)" ''
is "the device that waited has its memory" "$(fact wrote)" 0x1234
is "and finishes" "$(fact finished)" yes
is "then it is in nobody's way" "$(grep -c owner "$lab_results/obstacles-after")" 0
# What syzkaller is told of the interfaces
described=$here/../syzkaller/dev_liveupdate.txt
headers=${BUILD:-$here/../../build}/headers/include/linux
defined=$(grep -hoE '^#define (LIVEUPDATE|IOMMU_HWPT_LIVEUPDATE)_[A-Z_]+' "$headers"/{liveupdate,iommufd}.h | sed 's/.* //' | sort)
is "each constant that syzkaller is told of is in the headers, and each call is described" \
	"$(grep -oE 'cmd const\[[A-Z_]+' "$described" | sed 's/.*\[//' | sort -u)" \
	"$(grep -vE '_(TYPE|LENGTH|BASE)$' <<<"$defined" | sort -u)"
diag "$(sed 's/^/before: /' "$lab_results/stress-before" | grep -v '#' | head -n 40)"
tap_done
