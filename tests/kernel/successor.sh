# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# For tests of what is jumped into: images that say something else of themselves, and
# for stages, how the reboot call takes an image.

# In a test: options of the laboratory for the kernels that the environment names
successor_incoming=${INCOMING:-${BUILD:-$(dirname "${BASH_SOURCE[0]}")/../../build}/linux/successor/arch/x86/boot/bzImage}
successor_outgoing=${OUTGOING:-${BUILD:-$(dirname "${BASH_SOURCE[0]}")/../../build}/linux/lab/arch/x86/boot/bzImage}
# shellcheck disable=SC2034 # used by the test
successor_kernels=(--outgoing "$successor_outgoing" --incoming "$successor_incoming")

# In a test: image_says OLD NEW OUTPUT [SIZE]: the incoming kernel with another string, of
# the same length, in what it says of live update, or with another size of that
image_says() {
	python3 - "$successor_incoming" "$@" <<-'END'
		import sys
		image, old, new, output, size = (sys.argv[1:] + [""])[:5]
		data = bytearray(open(image, "rb").read())
		assert len(old) == len(new)
		info = (data[0x1F1] + 1) * 512 + int.from_bytes(data[0x268:0x26C], "little")
		end = info + int.from_bytes(data[info + 8 : info + 12], "little")
		at = data.index(old.encode(), info, end)
		data[at : at + len(old)] = new.encode()
		if size:
		    at = data.index(b"LUIm", info, end)
		    data[at + 4 : at + 8] = bytes.fromhex(size)
		open(output, "wb").write(data)
	END
}

# In a stage: successor NAME COMMAND...: load an image with COMMAND, call for the reboot,
# and note the status of both, what the log says, and whether the device masters the bus
successor() {
	local name=$1 loaded
	shift
	kexec -u 2>/dev/null
	dmesg -C
	"$@" >>"$LAB_RESULTS/kexec.log" 2>&1
	loaded=$?
	kexec -e >>"$LAB_RESULTS/kexec.log" 2>&1
	note "$name" "loaded $loaded, jumped $?, master $(is_master "${LAB_DEVICES%% *}")"
	note "$name-log" "$(dmesg | sed -n 's/.*liveupdate: \(.*cannot take over.*\)/\1/p' | tr '\n' '|')"
	dmesg >>"$LAB_RESULTS/dmesg-refused.log"
}

# In a stage: load IMAGE [WORDS]: for kexec, as ever
load() {
	kexec -s -l "$1" --command-line="$LAB_INCOMING_CMDLINE${2:+ $2}"
}
