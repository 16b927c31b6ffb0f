# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Someone changes what the IOMMU walks, behind the kernel's back: lutrace verify
# finds each change, says where, and finds nothing else. For one IOMMU mode.

# shellcheck source=tests/lab/tap.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lab/tap.sh"

# identity_tampered MODE
identity_tampered() {
	stage tamper <<'END'
set -u
device=${LAB_DEVICES%% *}
report=/tmp/workload.json
mask=0x000ffffffffff000

ok() {
	local sentence=$1
	shift
	if "$@" >/dev/null; then echo "ok - $sentence"; else echo "not ok - $sentence"; fi
}
peek() { busybox devmem "$1" 64; }
poke() { busybox devmem "$1" 64 "$2"; }

# A verdict in /tmp/verdict.json
verify() {
	lutrace verify -j --file /tmp/snapshot >/tmp/verdict.json
	status=$?
	cat /tmp/verdict.json
}
is_verdict() { [ "$status" = "$1" ] && jq -e "$2" /tmp/verdict.json >/dev/null; }

# The change of one entry is the only difference: kind, text before, text now
is_only() {
	is_verdict 1 ".verdict == \"different\" and .difference_count == 1 and
		(.differences[0] | .kind == \"$1\" and .device == \"$device\" and
		 (.old_text | test(\"$2\")) and (.new_text | test(\"$3\")))"
}
answers() { jq -e "$1" /tmp/verdict.json >/dev/null; }
is_at() { answers ".differences[0] | .iova == \"$1\" and .level == $2"; }

bind-vfio "$device" || exit 1
lu-workload start --device "$device" --report $report --packets 0 --no-preserve --sparse 4 \
	>/tmp/workload.log 2>&1 &
workload=$!
until grep -qs '"state": "ready"' $report; do
	kill -0 $workload || { cat /tmp/workload.log; exit 1; }
	sleep 0.1
done

lutrace snapshot --output /tmp/snapshot || exit 1
lutrace walk -j --device "$device" >/tmp/walk.json || exit 1
verify
# Which bits are which: IW or W of a leaf, accessed and dirty; and where the domain id is.
writable=2 context=context-entry holder=pasid-entry step=1
case $LAB_MODE in
legacy)		bits=0x300 holder=context-entry step=256 ;;
first-stage)	bits=0x60 ;;
amd)		bits=0x60 writable=$((1 << 62)) context=device-table-entry; holder=$context ;;
*)		bits=0x300 ;;
esac
ok "untouched tables are identical" is_verdict 0 '.verdict == "identical" and .leaf_entries > 4 and .table_pages > 4'

# entry FILTER: sets address, word, iova and level of the first entry that fits
entry() {
	read -r address word iova level <<<"$(
		jq -r "[.entries[] | select($1)][0] | \"\(.address) \(.word // .words[0]) \(.iova) \(.level)\"" /tmp/walk.json)"
	[ "$address" != null ]
}

entry '.level == 1' || exit 1
poke "$address" $((word ^ writable))
verify
poke "$address" $((word))
ok "a flipped bit of a leaf is the only difference" is_only table-entry 'rw' 'r-'
ok "it is decoded with its IOVA and level" is_at "$iova" 1

entry '.level == 2 and (.text | startswith("level 1 table"))' || exit 1
table_address=$address table_word=$word table_iova=$iova
# A page of the device's own memory receives a copy of the table.
spare=$(jq -r '[.entries[] | select(.level == 1)][-1].word' /tmp/walk.json)
spare=$((spare & mask))
dd if=/dev/mem of=/dev/mem bs=4096 count=1 conv=notrunc status=none \
	skip=$(((table_word & mask) / 4096)) seek=$((spare / 4096)) || exit 1
poke "$table_address" $((table_word & ~mask | spare))
verify
ok "a table page that moved is the only difference, though its contents are the same" \
	is_only table-entry "level 1 table $(printf '%#x' $((table_word & mask)))" "level 1 table $(printf '%#x' $spare)"
ok "it is decoded at the entry that leads to it" is_at "$table_iova" 2

# Beyond any memory of this guest.
poke "$table_address" $((table_word & ~mask | 0xfff0000000))
verify
poke "$table_address" $((table_word))
ok "a table that cannot be read makes the verdict unknown, with the reason" \
	is_verdict 2 '.verdict == "unknown" and (.reason | test("0xfff0000000"))'

entry ".kind == \"$context\"" || exit 1
poke "$address" $((word ^ 2))
verify
poke "$address" $((word))
ok "a changed $context is the only difference" is_only $context . .

entry ".kind == \"$holder\"" || exit 1
at=$((address + 8))
id=$(peek $at)
poke $at $((id + step))
verify
poke $at $((id))
ok "a changed domain id is the only difference" is_only $holder 'domain id [0-9]' 'domain id [0-9]'
cp /tmp/verdict.json "$LAB_RESULTS/different.json"
ok "both domain ids are shown" answers '.differences[0] |
	(.old_text | capture("domain id (?<n>[0-9]+)").n | tonumber) + 1 ==
	(.new_text | capture("domain id (?<n>[0-9]+)").n | tonumber)'

jq -r '.entries[] | select(.level) | "\(.address) \(.word)"' /tmp/walk.json | head -n 12 |
while read -r address word; do poke "$address" $((word | bits)); done
verify
ok "accessed and dirty bits are no difference" is_verdict 0 '.verdict == "identical"'
lutrace walk -j --device "$device" >/tmp/walk.json
ok "although they are there" jq -e '[.entries[] | select(.text | test("accessed, dirty"))] | length > 4' /tmp/walk.json

# The same walk in the kernel, by a program that bpftool loads.
bpffs=/sys/fs/bpf/identity
bpftool prog loadall "$LAB_BUILD/bpf/pt_identity.bpf.o" $bpffs autoattach pinmaps $bpffs/maps || exit 1
lutrace snapshot -j --all --output /tmp/all >/tmp/all.json || exit 1
cp /tmp/walk.json /tmp/all.json "$LAB_RESULTS"
cat $bpffs/pt_report | tee /tmp/report
ok "the BPF iterator that bpftool loads gives the digest that lutrace gives" \
	grep -q "^devices .* digest $(jq -r .digest /tmp/all.json)\$" /tmp/report
bpftool -j map dump pinned $bpffs/maps/identity >/tmp/identity.json
ok "its map reads like a report" jq -e '.[0].formatted.value | .known == 1 and .devices > 0' /tmp/identity.json
kill $workload
END
	lab_run --mode "$1" --devices igb --timeout 560 "$stage"
	stage_tap 1
	schema "the walk is what its schema says" walk "$lab_results/walk.json"
	schema "so is a snapshot" snapshot "$lab_results/all.json"
	schema "and a verdict with a difference" verify "$lab_results/different.json"
	tap_done
}
