# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# For tests with dma-session (dma-session/main.c says what it is), and for their
# stages: stages note facts, the test reads them.

# In a stage: talk to one dma-session, which stays when the stage ends; DMA_NAME is its argv[0]
dma_session() {
	coproc DMA { exec -a "${DMA_NAME:-dma-session}" "$LAB_BUILD/tests/kernel/dma-session"; }
	# Copies that command substitutions see, too.
	exec {dma_to}>&"${DMA[1]}" {dma_from}<&"${DMA[0]}"
	# The process has to see the end of its input.
	eval "exec ${DMA[1]}>&-"
}

# In a stage: another one that has a device, until it is killed; its PID is in $holder.
# Its file can be seen before the device is bound, which fails if unbinding has begun.
dma_holder() { # BDF
	printf '%s\n' "device d $1" hold | "$LAB_BUILD/tests/kernel/dma-session" >/run/holder &
	holder=$!
	until grep -q ok /run/holder; do
		kill -0 "$holder" || return
		sleep 0.05
	done
}

# In a stage: kill it, and wait until all that it had open is closed
dma_killed() {
	kill -KILL "$DMA_PID"
	wait "$DMA_PID" 2>/dev/null || :
	exec {dma_to}>&- {dma_from}<&-
}

# dma COMMAND...: give one command, print what is answered unless it is "ok"
dma() {
	local answer
	echo "$*" >&"$dma_to"
	read -r answer <&"$dma_from" || { echo "dma $*: failed"; return 1; }
	[ "$answer" = ok ] && [ "$1" != try ] || echo "$answer"
}

# In a stage: dma_preserve SESSION: memory as 1, iommufd as 2, the device d as 3
dma_preserve() {
	dma session "$1" && dma preserve memory 1 && dma preserve iommufd 2 && dma preserve d 3
}

# In a stage: dma_preserved_device SESSION BDF [PAGES]: a dma-session of its own in
# which the device d is on a page table one, token 1, that maps PAGES (16) of memory
# at 0x1000000, and all of it is preserved
dma_preserved_device() {
	dma_session
	dma memory "${3:-16}" && dma device d "$2" && dma domain one d && dma map one 0x1000000 &&
		dma attach d one && dma mark one 1 && dma_preserve "$1"
}

# In a stage: dma_group FIRST SECOND: a dma-session of its own in which two edu devices, a
# and b, are on a page table one as above. They have read 0x1111 and 0x2222. Memory and
# iommufd are preserved in the session group, and they are not yet.
dma_group() {
	local call
	dma_session
	for call in "memory 16" "device a $1" "device b $2" "domain one a" "map one 0x1000000" "attach a one" \
		"attach b one" "mark one 1" "write 0x0 0x1111" "load $1 0x1000000" "write 0x0 0x2222" \
		"load $2 0x1000000" "fill 0" "session group" "preserve memory 1" "preserve iommufd 2"; do
		# shellcheck disable=SC2086 # words
		dma $call || return
	done
}

# In a stage: until a process has made a file, or has ended
until_there() { # FILE PID
	until [ -e "$1" ]; do
		kill -0 "$2" || return
		sleep 0.1
	done
}

# In a stage: how many pages can be had before Linux looks for more
free_pages() {
	local free
	free=$(sed -n 's/^MemFree: *\([0-9]*\) kB/\1/p' /proc/meminfo)
	echo $(((free - $(cat /proc/sys/vm/min_free_kbytes) - 49152) / 4))
}

# In a stage: guard [PAGES]: fill all other memory, or so many pages, with a pattern, from
# a process of its own
guard() {
	coproc GUARD { exec "$LAB_BUILD/tests/kernel/dma-session"; }
	exec {guard_to}>&"${GUARD[1]}" {guard_from}<&"${GUARD[0]}"
	eval "exec ${GUARD[1]}>&-"
	guard_pages=${1:-$(free_pages)}
	guarded "memory $guard_pages" && guarded "fill 0x7777777777777777"
}

# In a stage: give the guard one command
guarded() {
	local answer
	echo "$1" >&"$guard_to"
	read -r answer <&"$guard_from" || { echo "guard: $1: failed"; return 1; }
	[ "$answer" = ok ] || echo "$answer"
}

# In a stage: how many words of the guard's are not what it wrote
guard_damage() { echo $((guard_pages * 512 - $(guarded "count 0x7777777777777777"))); }

# In a stage: give the guard's memory back
guard_ends() {
	kill -KILL "$GUARD_PID"
	wait "$GUARD_PID" 2>/dev/null || :
	exec {guard_to}>&- {guard_from}<&-
}

# In a stage: writes_always BDF ADDRESS PAGES: the device writes to these pages, one
# after the other, again and again, until writes_end. It takes 100 ms for each.
writes_always() {
	{
		trap '' PIPE
		while :; do
			for ((page = 0; page < $3; page++)); do
				echo "store $1 $(($2 + page * 4096))" || exit
			done
		done 2>/dev/null
	} | exec "$LAB_BUILD/tests/kernel/dma-session" >/dev/null &
	writer=$!
}

# What it has been told last it still does.
writes_end() {
	kill -KILL "$writer"
	wait "$writer" 2>/dev/null || :
	sleep 0.3
}

# In a stage: note NAME VALUE..., for the test
note() { echo "$*" >>"$LAB_RESULTS/facts"; }

# In a stage: the log from the last log_begins on. Nothing is cleared: at the end of a run the
# whole log is kept, and searched for what a kernel complains of.
log_begins() { echo "the log begins here" >/dev/kmsg; }
log() { dmesg | awk '/] the log begins here$/ { text = ""; next } { text = text $0 "\n" } END { printf "%s", text }'; }

# In a test: what a stage noted
fact() { sed -n "s/^$1 //p" "$lab_results/facts"; }

# In a stage: let devices decode memory and master the bus, as setpci would
make_master() {
	local bdf
	for bdf; do
		printf '\006' | dd of="/sys/bus/pci/devices/$bdf/config" bs=1 seek=4 conv=notrunc status=none
	done
}

# In a stage: 1 if the device masters the bus, else 0
is_master() {
	echo $(($(od -A n -t u1 -j 4 -N 1 "/sys/bus/pci/devices/$1/config") >> 2 & 1))
}
