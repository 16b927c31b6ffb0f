# shellcheck shell=bash disable=SC2154 # tap.sh sets what is used here
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# For tests of what is jumped into: images that say something else of themselves, and
# for stages, how the reboot call takes an image.

# In a test: options of the laboratory for the kernels that the environment names
successor_incoming=${INCOMING:-${BUILD:-$(dirname "${BASH_SOURCE[0]}")/../../build}/linux/successor/arch/x86/boot/bzImage}
successor_outgoing=${OUTGOING:-${BUILD:-$(dirname "${BASH_SOURCE[0]}")/../../build}/linux/lab/arch/x86/boot/bzImage}
# shellcheck disable=SC2034 # used by the test
successor_kernels=(--outgoing "$successor_outgoing" --incoming "$successor_incoming")

# In a test: image_says OLD NEW OUTPUT [OFFSET BYTES]: the incoming kernel with another string,
# of the same length, in what it says of live update, and with other bytes in its head
image_says() {
	python3 - "$successor_incoming" "$@" <<-'END'
		import sys
		image, old, new, output, offset, head = (sys.argv[1:] + ["0", ""])[:6]
		data = bytearray(open(image, "rb").read())
		assert len(old) == len(new)
		info = (data[0x1F1] + 1) * 512 + int.from_bytes(data[0x268:0x26C], "little")
		end = info + int.from_bytes(data[info + 8 : info + 12], "little")
		at = data.index(old.encode(), info, end)
		data[at : at + len(old)] = new.encode()
		if head:
		    at = data.index(b"LUIm", info, end) + int(offset)
		    data[at : at + len(head) // 2] = bytes.fromhex(head)
		open(output, "wb").write(data)
	END
}

# In a test: image_lies OUTPUT: the incoming kernel, which says that its command line
# means nothing and that all is on
image_lies() { image_says '' '' "$1" 12 1f000000; }

# In a stage: successor NAME COMMAND...: load an image with COMMAND, call for the reboot,
# and note the status of both, what the log says, whether the device masters the bus, and
# what lutrace doctor says of the image
successor() {
	local name=$1 loaded
	shift
	kexec -u 2>/dev/null
	log_begins
	"$@" >>"$LAB_RESULTS/kexec.log" 2>&1
	loaded=$?
	kexec -e >>"$LAB_RESULTS/kexec.log" 2>&1
	note "$name" "loaded $loaded, jumped $?, master $(is_master "${LAB_DEVICES%% *}")"
	note "$name-log" "$(log | sed -n 's/.*liveupdate: \(.*cannot take over.*\)/\1/p' | tr '\n' '|')"
	log >>"$LAB_RESULTS/dmesg-refused.log"
	[ "$1" != load ] || note "$name-doctor" "$(lutrace doctor -j -s "$load_image" -c "$load_words" |
		jq -r '.checks[] | select(.advice) | "the image loaded for kexec " + (.found | ltrimstr("it ")) + "; " + .advice' | tr '\n' '|')"
}

# In a stage: load IMAGE [WORDS]: for kexec, as ever
load() {
	load_image=$1 load_words="$LAB_INCOMING_CMDLINE${2:+ $2}"
	kexec -s -l "$1" --command-line="$load_words"
}

# In a test: memory where the ring of a workload would be if nothing translated. It is
# kept from all kernels of a run with 5 GiB by memmap=1M$...
successor_guard=0x100000000

# In a test: successor_guarded NAME: a command for a hook that copies that memory
successor_guarded() {
	cat >"$tap_scratch/guard.py" <<-'END'
		import json, os, socket, sys
		qmp = socket.socket(socket.AF_UNIX)
		qmp.connect(os.environ["LAB_QMP"])
		lines = qmp.makefile("rw")
		lines.readline()
		copy = {"val": int(sys.argv[2], 0), "size": 1 << 20, "filename": sys.argv[1]}
		for name, arguments in (("qmp_capabilities", {}), ("pmemsave", copy)):
		    lines.write(json.dumps({"execute": name, "arguments": arguments}) + "\n")
		    lines.flush()
		    while not any(key in json.loads(lines.readline()) for key in ("return", "error")):
		        pass
	END
	printf 'python3 "%s" "$LAB_RESULTS/guard-%s" %s' "$tap_scratch/guard.py" "$1" "$successor_guard"
}

# In a test: how many bytes of it are not what they were before
successor_written() {
	cmp -l "$lab_results/guard-before" "$lab_results/guard-after" 2>&1 | wc -l
	rm -f "$lab_results"/guard-*
}
