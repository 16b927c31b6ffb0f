#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# docs/probes.md, followed from top to bottom: its own commands, in both kernels of
# the laboratory and on the machine where Prometheus runs.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/dashboards/serve.sh
. "$here/../dashboards/serve.sh"
project=$(cd "$here/../.." && pwd)
page=$project/docs/probes.md

# blocks FIRST-LINE: the commands of the page that begin with it; as the page has it
blocks() { awk -v first="# $1" '/^```/ { on = 0 } on; $0 == first { on = 1 }' "$page"; }

stage before <<END
set -ex
$(blocks 'in the old kernel')
END
before=$stage
# What is compared with is asked for before the last block detaches everything.
stage after <<END
set -ex
$(blocks 'in the new kernel' | awk '/^rm / && !done { done = 1; print "cat /run/metrics >\"$LAB_RESULTS/metrics\""
	print "for of in time steps; do lutrace $of -j >\"$LAB_RESULTS/$of.json\"; lutrace $of -j --pinned /sys/fs/bpf/lu >\"$LAB_RESULTS/$of-pinned.json\"; done"
	print "lutrace probes -j --pinned /sys/fs/bpf/lu >\"$LAB_RESULTS/probes.json\""
	print "lutrace record -o \"$LAB_RESULTS/handover.json\"" } 1')
ls /sys/fs/bpf >"\$LAB_RESULTS/pins"
END
lab_run --mode scalable --devices edu --env OBJECTS="${BUILD:-$project/build}/bpf" "$before" "$stage" || tap_done

### In the machine
log=$(cat "$lab_results/stage1.log" "$lab_results/stage2.log")
is "all five probes are attached in the new kernel" "$(grep -c ' is attached, and pinned in /sys/fs/bpf/lu/' <<<"$log")" 5
like "the tables have a digest" "$log" '^devices [0-9]+ table-pages [0-9]+ leaf-entries [0-9]+ digest [0-9a-f]{32}$'
like "members of maps have names" "$log" '"changes": 0'
# What lies in a named step is known from the ledger alone.
measured='.blackout | del(.explained, .leaves, .phases[].unexplained_ns)'
is "the pause is what the ledgers say" "$(lab_json time-pinned.json "$measured")" "$(lab_json time.json "$measured")"
is "from mark to mark" "$(lab_json time.json '.blackout | "\(.from) \(.to)"')" 'pause-mark resume-mark'
# A step that has not ended is in the ledgers alone: the reboot call.
is "steps are counted as the ledgers have them" "$(lab_json steps-pinned.json '[.steps[] | "\(.step) \(.count)"] | sort | join(", ")')" \
	"$(lab_json steps.json '[.steps[] | select(.count > .open) | "\(.step) \(.count - .open)"] | sort | join(", ")')"

### What is exported is what the probes say
metric() { awk -v sample="$1" '$1 == sample { print $2 }' "$lab_results/metrics"; }
is "every program that lutrace shows is exported" \
	"$(grep -oE '^lutrace_probe_runs_total\{program="[a-z_]+' "$lab_results/metrics" | cut -d '"' -f 2 | sort)" \
	"$(lab_json probes.json '[.programs[].program] | unique | .[]')"
is "with as many runs, where nobody ran it since" "$(metric 'lutrace_probe_runs_total{program="fault_handled"}')" \
	"$(lab_json probes.json '.programs[] | select(.program == "fault_handled") | .runs // 0')"
ok "and the time that it took" [ "$(metric 'lutrace_probe_run_duration_seconds_total{program="step_end"}' | tr -d .)" -gt 0 ]
is "what immutable saw is exported" "$(metric lutrace_probe_changes_total)" 0
is "what dma_faults saw, by phase" "$(grep -c '^lutrace_probe_dma_faults_total{phase=".*"} 0$' "$lab_results/metrics")" 6
is "what each probe lost" "$(grep -oE '^lutrace_probe_lost_events_total\{probe="[a-z_]+"\} 0$' "$lab_results/metrics" | cut -d '"' -f 2 | sort | paste -sd ' ')" \
	'blackout dma_faults immutable pt_identity step_latency'
is "and since when each is pinned" "$(grep -oE '^lutrace_probe_pinned_timestamp_seconds\{probe="[a-z_]+"\} [1-9]' "$lab_results/metrics" | wc -l)" 5
is "promtool finds nothing to say about it" "$(promtool check metrics <"$lab_results/metrics" 2>&1)" ''
is "who removes the pins detaches" "$(cat "$lab_results/pins")" ''

### Where Prometheus runs
cd "$tap_scratch" || exit 1
ln -s "$project/dashboards" dashboards
exporter=$(free_port)
serve_metrics "$exporter" "$lab_results/metrics" || diag "no httpd"
web=$(free_port)
{
	echo 'set -e'
	# Ports that nobody has, and no minute between two scrapes.
	blocks 'where Prometheus runs' | sed -e "s/127.0.0.1:9739/127.0.0.1:$exporter/" -e "s/127.0.0.1:9090/127.0.0.1:$web/" \
		-e '/^promtool check/i sed -i "s/_interval: 1m/_interval: 1s/" prometheus.yml' -e 's/^prometheus /exec &/' -e 's/ &$//'
} >prometheus.sh
bash prometheus.sh >prometheus.log 2>&1 </dev/null &
served+=($!)
answers() { [ "$(get "http://127.0.0.1:$web/api/v1/query?query=liveupdate_last_blackout_known" | jq -r '.data.result[0].value[1]')" = 1 ]; }
ok "Prometheus has the update, as the page configures it" until_true 60 answers || diag "$(tail -n 5 prometheus.log)"
like "its alerts were tested" "$(cat prometheus.log)" 'SUCCESS'
is "its console shows the pause" "$(get "http://127.0.0.1:$web/consoles/liveupdate-host.html?instance=host-1" |
	grep -c 'class="key')" "$(lab_json time.json '.blackout.phases | length')"
is "every alert that the page names is one" "$(grep -oE '`LiveUpdate[A-Za-z]+' "$page" | tr -d '`' | while IFS= read -r alert; do
	grep -q "alert: $alert\$" "$project/dashboards/prometheus/alerts.yml" || echo "$alert"; done)" ''
tap_done
