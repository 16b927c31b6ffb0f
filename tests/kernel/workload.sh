# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# For tests with several workloads or several live updates, and for their stages:
# a workload has a name, its report is workload-NAME.json in the results.

# In a stage: workload NAME VERB [OPTION]...: run one in the background
declare -A workload_pid=()
workload() {
	local name=$1
	shift
	[ "$1" != resume ] || set -- "$@" --seconds $((60 * LAB_SLOWER))
	rm -f "$LAB_RESULTS/workload-$name.json"
	lu-workload "$@" --report "$LAB_RESULTS/workload-$name.json" \
		>>"$LAB_RESULTS/workload-$name.log" 2>&1 &
	workload_pid[$name]=$!
}

# In a stage: workload_reaches NAME STATE: wait until its report says so
workload_reaches() {
	until grep -qs "\"state\": \"$2\"" "$LAB_RESULTS/workload-$1.json"; do
		kill -0 "${workload_pid[$1]}" 2>/dev/null || {
			echo "the workload $1 ended before it was $2:"
			cat "$LAB_RESULTS/workload-$1.log"
			return 1
		}
		sleep 0.02
	done
}

# In a stage: workload_go_on NAME: let it do its next part
workload_go_on() { kill -USR1 "${workload_pid[$1]}"; }

# In a test: options of the laboratory for senders: start-senders starts one for
# each NIC, stop-sender NUMBER (from 0) ends one of them
# shellcheck disable=SC2016,SC2034 # expanded on the host; used by the test
workload_senders=(
	--hook 'start-senders=cd "$LAB_RESULTS" && n=0 && for port in $LAB_PORTS; do
		"$LAB_BUILD/bin/lu-sender" --port "$port" --rate $(((40 + LAB_SLOWER - 1) / LAB_SLOWER)) >"sender$n.new" 2>"sender$n.err" &
		echo $! >"sender$n.pid"; n=$((n + 1)); done
		stat -c %s "$LAB_TRACE" >trace.begin'
	--hook 'stop-sender=cd "$LAB_RESULTS" && n=$(cat hooks/stop-sender.words) && pid=$(cat "sender$n.pid") &&
		kill "$pid" && while kill -0 "$pid" 2>/dev/null; do sleep 0.02; done; rm "sender$n.pid"
		stat -c %s "$LAB_TRACE" >trace.end; mv "sender$n.new" "sender$n.json"'
)

# In a test: a run that failed leaves no sender behind
workload_end_senders() {
	local file
	for file in "$tap_scratch"/run*/sender*.pid; do
		[ ! -e "$file" ] || kill "$(cat "$file")" 2>/dev/null
	done
}
[ -z "${tap_scratch-}" ] || trap workload_end_senders EXIT

# In a test: workload_trace PATTERN: how often QEMU's trace has it from the start of
# the senders until the first that was stopped last
workload_trace() {
	local begin end
	begin=$(cat "$lab_results/trace.begin")
	end=$(cat "$lab_results/trace.end")
	tail -c "+$((begin + 1))" "$tap_scratch/trace" | head -c $((end - begin)) | grep -c -e "$1"
}
