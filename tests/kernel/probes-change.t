#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# A change of a preserved page table is reported, with who made it; nothing else
# is. iommufd makes no such change: the test takes its memory of what is preserved
# away, by writing to the guest's memory from outside, as a stray write would.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/kernel/dma-session.sh
. "$here/dma-session.sh"

build=${BUILD:-$here/../../build}
bpftool=$(PATH=$PATH:/usr/sbin:/sbin command -v bpftool) || skip_all "bpftool is not installed"
bits=$("$bpftool" btf dump file "$build/linux/lab/vmlinux" |
	awk "/STRUCT 'io_pagetable'/ { found = 1 } found && /'num_preserved'/ { sub(/.*bits_offset=/, \"\"); print; exit }")
[ -n "$bits" ] || skip_all "the kernel keeps what is preserved elsewhere"

# QEMU's qtest protocol writes to the guest's memory; through two pipes.
mkfifo "$tap_scratch/qtest.in" "$tap_scratch/qtest.out"
cat >"$tap_scratch/poke" <<'END'
#!/bin/bash
# ask-host poke ADDRESS VALUE: write a word to physical memory
read -r address value <"$LAB_RESULTS/hooks/poke.words"
echo "writel $address $value" >"$QTEST.in"
read -r answer <"$QTEST.out"
[ "$answer" = OK ]
END
chmod +x "$tap_scratch/poke"

stage outgoing <<'END'
set -e
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
pins=/sys/fs/bpf/somebody
bpftool prog loadall "$LAB_BUILD/bpf/immutable.bpf.o" $pins autoattach pinmaps $pins/maps
changes() { lutrace changes --pinned $pins --json >"$LAB_RESULTS/$1.json" || [ $? = 1 ]; }
trace=/sys/kernel/tracing
echo 'p:ioas/map iopt_map_file_pages iopt=%si base=@page_offset_base:x64' >$trace/kprobe_events

bind-vfio $LAB_DEVICES
dma_session
dma memory 16
dma device kept $LAB_DEVICES
dma domain two kept
dma domain one kept
dma attach kept one
echo 1 >$trace/events/ioas/enable
dma map one 0x1000000
echo 0 >$trace/events/ioas/enable
dma mark one 7
changes before
dma session immutable
dma preserve memory 1
dma preserve iommufd 2
dma preserve kept 3

# Where a table is already: a preserved page table gets no new one, whoever asks.
dma map two 0x2000000
note refused "$(dma try map one 0x1100000)"
changes refused

read -r iopt base <<<"$(sed -n 's/.* iopt=\(0x[0-9a-f]*\) base=\(0x[0-9a-f]*\).*/\1 \2/p' $trace/trace)"
word=$(printf '0x%x' $((iopt - base + OFFSET)))
ask-host poke "$word" 0x0
note changed "$(dma try map one 0x1100000)"
ask-host poke "$word" 0x1
note refused-again "$(dma try map one 0x4000000)"
changes changed
note exit "$(lutrace changes >"$LAB_RESULTS/changes.txt"; echo $?)"
bpftool -j map dump pinned $pins/maps/changes >"$LAB_RESULTS/dump.json"

# Attached when it is too late to see that it was preserved.
rm -r $pins
lutrace probes --attach=$pins >"$LAB_RESULTS/attach.txt"
ask-host poke "$word" 0x0
dma map one 0x1180000
ask-host poke "$word" 0x1
changes late
END
lab_run --mode "${MODE:-scalable}" --devices edu --env OFFSET=$((bits / 8)) --env QTEST="$tap_scratch/qtest" \
	--qemu -qtest --qemu "pipe:$tap_scratch/qtest" --qemu -qtest-log --qemu none \
	--hook poke="$tap_scratch/poke" "$stage" || tap_done

is "before anything is preserved nothing is watched" "$(lab_json before.json '"\(.changes) \(.preserved)"')" "0 0"
is "iommufd refuses a change" "$(fact refused)" EBUSY
is "what it refuses is no change, nor is one of another page table" \
	"$(lab_json refused.json '"\(.changes) \(.refused) \(.preserved)"')" "0 0 1"
is "the watched page table is the one that was preserved" "$(lab_json refused.json '.domains[0] | "\(.token) \(.state)"')" "7 preserved"
is "an iommufd that has forgotten does not refuse" "$(fact changed)" ok
is "and when it remembers it does" "$(fact refused-again)" EBUSY
ok "the change is reported" [ "$(lab_json changed.json .changes)" -ge 1 ]
is "with what it was" "$(lab_json changed.json '.list[0] | "\(.change) \(.iova) \(.token)"')" "map 0x1100000 7"
is "every byte of it" "$(lab_json changed.json '[.list[].bytes] | add')" 65536
is "and who did it" "$(lab_json changed.json '[.list[].comm] | unique | join(" ")')" dma-session
is "the answer is a bad one" "$(fact exit)" 1
is "bpftool reads the same by name" "$(lab_json dump.json '.[0].formatted.value | "\(.kind) \(.comm)"')" \
	"DOMAIN_CHANGE_MAP dma-session"
is "a page table that was preserved before is watched as well" \
	"$(lab_json late.json '"\(.list[0].iova) \(.domains[0].state)"')" "0x1180000 marked"
tap_done
