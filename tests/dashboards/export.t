#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# lutrace export: both formats over HTTP, the textfile, what is read again when,
# and that what laboratory machines recorded is counted as it should be.

set -u
project=$(cd "$(dirname "$(readlink -f "$0")")/../.." && pwd)
# shellcheck source=tests/lab/tap.sh
. "$project/tests/lab/tap.sh"
# shellcheck source=tests/dashboards/serve.sh
. "$project/tests/dashboards/serve.sh"
build=${BUILD:-$project/build}
lutrace=$build/bin/lutrace
data=$project/tests/dashboards/data
cd "$tap_scratch" || exit 1
openmetrics='Accept: application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1'

# value SAMPLE FILE: the value of a sample, whose name and labels are given
value() { awk -v sample="$1" '$1 == sample { print $2 }' "$2"; }

### Workloads
mkdir -p workloads
"$build/tests/unit/make-ledger" workloads:40 workloads || exit 1
"$lutrace" export -t - -l workloads >workloads.prom
is "workloads are counted, by whether their pause is known" \
	"$(value 'liveupdate_last_workloads{pause="known"}' workloads.prom) $(value 'liveupdate_last_workloads{pause="unknown"}' workloads.prom)" "40 2"
is "the longest pause is told" "$(value liveupdate_last_workload_longest_blackout_duration_seconds workloads.prom)" 2.22556789
is "and no name, unless somebody asks" "$(grep -c 'workload="' workloads.prom)" 0
"$lutrace" export -t - -l workloads --workloads 3 >names.prom
is "then there are as many as he asks for, the longest" \
	"$(grep '^liveupdate_last_workload_blackout_duration_seconds' names.prom)" \
	'liveupdate_last_workload_blackout_duration_seconds{workload="vm40"} 2.22556789
liveupdate_last_workload_blackout_duration_seconds{workload="vm39"} 2.200157634
liveupdate_last_workload_blackout_duration_seconds{workload="vm38"} 2.174747377'
is "promtool finds nothing to say about them" "$(promtool check metrics <names.prom 2>&1)" ''
is "no more than 64" "$(status "$lutrace" export -t - -l workloads --workloads 65)" 1
is "the pause of the host is from the first pause to the last resume" \
	"$(value liveupdate_last_blackout_duration_seconds workloads.prom)" 2.23456789

### Formats
serve_export legacy "$data/legacy"
url=http://$address
get "$url/metrics" >classic
get "$url/metrics" "$openmetrics" >openmetrics
like "who does not ask gets the classic format" \
	"$(curl -sI "$url/metrics" | tr -d '\r')" '^Content-Type: text/plain; version=0\.0\.4; charset=utf-8$'
like "who asks as Prometheus does gets OpenMetrics" \
	"$(curl -sI -H "$openmetrics" "$url/metrics" | tr -d '\r')" \
	'^Content-Type: application/openmetrics-text; version=1\.0\.0; charset=utf-8$'
like "who prefers text gets text" "$(curl -sI -H \
	'Accept: application/openmetrics-text;q=0.3, text/plain' "$url/metrics")" 'text/plain'
like "several headers are one list: the second one asks" "$(curl -sI -H 'Accept: text/html' -H 'Accept: application/openmetrics-text' "$url/metrics")" \
	'^Content-Type: application/openmetrics-text'
like "and the first one with more weight" "$(curl -sI -H 'Accept: text/plain' -H 'Accept: text/html, application/openmetrics-text;q=0.9' \
	"$url/metrics")" '^Content-Type: text/plain'
# format ACCEPT: what who asks for that gets
format() { curl -sI -H "Accept: $1" "$url/metrics" | tr -d '\r' | sed -n 's/^Content-Type: \([^;]*\);.*/\1/p'; }
om=application/openmetrics-text
is "a version of OpenMetrics that is not spoken here is none" "$(format "$om;version=2.0.0")" text/plain
is "neither is one of the text format" "$(format "$om;q=0.5, text/plain;version=1.0.0;q=0.9")" $om
is "of several the one that is counts" "$(format "$om;version=2.0.0, $om; version=1.0.0; q=0.6, text/plain;version=0.0.4;q=0.3")" $om
is "with its own weight" "$(format "$om;version=2.0.0, $om;version=1.0.0;q=0.2, text/plain;version=0.0.4;q=0.3")" text/plain
is "as Prometheus 3 asks" "$(format "$om;version=1.0.0;escaping=allow-utf-8;q=0.6,$om;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2")" $om
is "a version may be quoted" "$(format "$om;version=\"1.0.0\"") $(format "$om; VERSION=\"1\\.0.0\" ;q=1") $(format "$om;version=\"2.0.0\"")" "$om $om text/plain"
is "a comma in quotes separates nothing" "$(format "text/html;note=\"x, $om;v=\"")" text/plain
is "nor does a semicolon" "$(format "$om;note=\"x;q=0.1\";q=0.9, text/plain;q=0.5")" $om
is "nor a quote with a backslash" "$(format "text/html;note=\"x\\\", $om;v=\"") $(format "text/html;note=\"x\\\\\", $om")" "text/plain $om"
is "a quote without an end goes to the end" "$(format "text/html;note=\"x, $om")" text/plain
is "promtool finds nothing to say about the names" "$(promtool check metrics <classic 2>&1)" ''
is "OpenMetrics ends with EOF" "$(tail -n 1 openmetrics)" '# EOF'
is "the classic format does not" "$(grep -c EOF classic)" 0
like "a counter is described without _total in OpenMetrics" "$(cat openmetrics)" \
	'^# TYPE liveupdate_handovers counter$'
like "and with it in the classic format" "$(cat classic)" '^# TYPE liveupdate_handovers_total counter$'
like "an info metric is one in OpenMetrics" "$(cat openmetrics)" '^# TYPE liveupdate_last_handover info$'
like "and a gauge in the classic format" "$(cat classic)" '^# TYPE liveupdate_last_handover_info gauge$'
is "a verdict is a state set in OpenMetrics" "$(grep -E '^# TYPE .* stateset$' openmetrics | sort)" \
	'# TYPE liveupdate_last_identity stateset
# TYPE liveupdate_last_verdict stateset'
is "of which one state is 1, and its label is its name" \
	"$(grep -cE '^(liveupdate_last_(identity|verdict))\{\1="[a-z]+"\} 1$' openmetrics)" 2
like "and a gauge in the classic format" "$(cat classic)" '^# TYPE liveupdate_last_identity gauge$'
like "units are told" "$(cat openmetrics)" '^# UNIT liveupdate_blackout_duration_seconds seconds$'
# What the exporter says of itself differs from one answer to the next.
ok "both have the same samples, with the same bounds of buckets" cmp \
	<(grep -vE '^(#|lutrace_export_)' classic) <(grep -vE '^(#|lutrace_export_)' openmetrics)
is "no sample is there twice" "$(grep -v '^#' classic | cut -d ' ' -f 1 | sort | uniq -d)" ''
is "the bounds of the pause are those that all hosts have" \
	"$(grep -oE '^liveupdate_blackout_duration_seconds_bucket.*' classic | grep -oE 'le="[^"]*"' | tr -d 'le="\n' | md5sum)" \
	"$(printf 0.0010.00250.0050.010.0250.050.10.250.51.02.55.010.025.050.0100.0+Inf | md5sum)"

### Figures: the two recordings, as lutrace report computes them
for recording in first second; do
	"$lutrace" report -j "$data/legacy/$recording.json" >$recording.json
done
last=second.json
is "both live updates are counted" "$(value liveupdate_handovers_total classic)" 2
is "by kernel pair as well" "$(value \
	'liveupdate_pair_handovers_total{outgoing="7.3.4",incoming="7.3.4-successor"}' classic)" 2
is "their pauses add up" "$(value liveupdate_blackout_duration_seconds_sum classic)" \
	"$(jq -sr '[.[].blackout.ns] | add | tostring | .[:-9] + "." + .[-9:]' first.json second.json)"
is "a bucket has those that are not longer" \
	"$(value "liveupdate_blackout_duration_seconds_bucket{le=\"10.0\"}" classic)" \
	"$(jq -s '[.[] | select(.blackout.ns <= 10e9)] | length' first.json second.json)"
is "and no longer ones" \
	"$(value "liveupdate_blackout_duration_seconds_bucket{le=\"5.0\"}" classic)" \
	"$(jq -s '[.[] | select(.blackout.ns <= 5e9)] | length' first.json second.json)"
is "the last one is the later one" "$(value liveupdate_last_blackout_duration_seconds classic)" \
	"$(jq -r '.blackout.ns | tostring | .[:-9] + "." + .[-9:] | sub("0+$"; "")' $last)"
is "its phases are those of the recording, and add up to the pause" \
	"$(grep '^liveupdate_last_phase_duration_seconds' classic | awk '{ sum += $2 } END { printf "%.6f", sum }')" \
	"$(value liveupdate_last_blackout_duration_seconds classic | awk '{ printf "%.6f", $1 }')"
is "its steps are counted" "$(grep '^liveupdate_last_steps' classic | awk '{ sum += $2 } END { print sum }')" \
	"$(jq '.steps | length' $last)"
is "errors of steps are" "$(grep '^liveupdate_last_step_errors' classic | awk '{ sum += $2 } END { print sum }')" \
	"$(jq '[.steps[] | select(.ret != 0 and .ret != null)] | length' $last)"
is "the verdict is the recording's" "$(grep -E '^liveupdate_last_identity\{.* 1$' classic)" \
	"liveupdate_last_identity{liveupdate_last_identity=\"$(jq -r .identity.verdict $last)\"} 1"
is "the packets are" "$(value liveupdate_last_dma_received_packets classic)" "$(jq .dma.received $last)"
is "DMA faults are told by each witness" "$(grep -c '^liveupdate_last_dma_faults' classic)" 2

"$lutrace" export -t - "$data/baseline" >baseline
is "a baseline is different" "$(value 'liveupdate_last_identity{liveupdate_last_identity="different"}' baseline)" 1
is "and has lost packets" "$(value liveupdate_last_dma_lost_packets baseline)" \
	"$(jq .dma.lost "$data/baseline/handover.json")"
"$lutrace" export -t - "$data/ledger-full" >full
is "what a ledger dropped is told" "$(value 'liveupdate_last_ledger_dropped_records{kernel="outgoing"}' full)" \
	"$(jq .ledgers.outgoing.dropped "$data/ledger-full/handover.json")"
is "a pause that is not known has no length" "$(grep -c '^liveupdate_last_blackout_duration_seconds' full)" 0
is "but a reason" "$(value 'liveupdate_blackout_unknown_total{reason="dropped"}' full)" 1
is "of the last one, too" "$(grep '^liveupdate_last_blackout_unknown' full)" 'liveupdate_last_blackout_unknown{reason="dropped"} 1'
is "and none if it is known" "$(grep -c '^liveupdate_last_blackout_unknown' classic)" 0
is "what nobody looked at is not 0 but absent" "$(grep -c '^liveupdate_last_dma' full)" 0
"$lutrace" export -t - "$data/refused" >refused
is "a reboot call that came back is counted" "$(value liveupdate_reboots_failed_total refused)" \
	"$(jq '[.steps[] | select(.step == "reboot" and .ret < 0)] | length' "$data/refused/recording.json")"
is "one that did not is not" "$(value liveupdate_reboots_failed_total classic)" 0
is "and is no live update" "$(grep -c '^liveupdate_last_handover_info' refused)" 0

### A boot that is in two recordings is counted once
mkdir -p twice
cp "$data/scalable/handover.json" twice/early.json
# The same boot, recorded again when its ledger had three more records.
for i in 1 2 3; do
	jq --argjson i $i '.ledgers.incoming.records += [.ledgers.incoming.records[-1]
		| { sequence: (.sequence + $i), cycles, step: "user-mark", edge: "instant", kind: "user", name: "again" }]' \
		"$(ls -t twice/*.json | head -n 1)" >again && mv again twice/late.json
done
"$lutrace" export -t - twice >twice.prom
is "a live update that was recorded again is one" "$(value liveupdate_handovers_total twice.prom)" 1
is "its steps are those of the longer recording" "$(value 'liveupdate_steps_total{step="user-mark"}' twice.prom)" \
	"$(("$(jq '[.steps[] | select(.step == "user-mark")] | length' "$data/scalable/handover.json")" + 3))"
# The next live update: what was the incoming kernel is the outgoing one.
mkdir -p chain
cp "$data/scalable/handover.json" chain/
jq '.ledgers.incoming as $now | .ledgers.outgoing = $now | .ledgers.incoming = ($now
	| .records |= map(.sequence += 100000 | .cycles = "0x7fffffffffffff00"
		| if .ref then .ref += 100000 else . end) | .release = "7.3.5")' \
	"$data/scalable/handover.json" >chain/next.json
"$lutrace" export -t - chain >chain.prom
is "the kernel in the middle of two live updates recorded each step once" \
	"$(value 'liveupdate_steps_total{step="iommu-restore"}' chain.prom)" 2
is "there are two kernel pairs then" "$(grep -c '^liveupdate_pair_handovers_total' chain.prom)" 2

### A reboot by kexec that hands nothing over
mkdir -p plain
jq -c '(.identity, .dma, .session, .interrupts, .referee) = null | .ledgers[].records |= (
	[.[] | select(.step | IN("reboot", "serialize", "device-shutdown", "machine-shutdown", "jump", "boot",
		"kho-reserve", "deserialize", "init"))] | [.[].sequence] as $kept
	| map(if .ref and (.ref | IN($kept[]) | not) then del(.ref) else . end))' \
	"$data/scalable/handover.json" >plain/kexec.json
"$lutrace" export -t plain.prom plain
is "it is no live update" "$(value liveupdate_handovers_total plain.prom)" 0
is "so there is no last one, of which nobody knows whether it went well" "$(grep -c '^liveupdate_last' plain.prom)" 0
is "its steps are counted" "$(value 'liveupdate_steps_total{step="jump"}' plain.prom)" 1
jq -c '.ledgers.outgoing.dropped = 3' plain/kexec.json >plain/dropped.json
"$lutrace" export -t plain.prom plain/dropped.json
is "a ledger that dropped records may not say so: it is one then" "$(value liveupdate_handovers_total plain.prom)" 1
cp "$data/scalable/handover.json" plain/before.json
"$lutrace" export -t plain.prom plain/kexec.json plain/before.json
is "the last live update stays the one before" "$(value liveupdate_last_blackout_known plain.prom)" 1

### A host whose clock was wrong
mkdir -p clock
cp "$data/legacy/"*.json clock/
"$lutrace" export -t now.prom clock
# Three years ahead, of another kernel; written then, and set right since.
jq -c '.ledgers[] |= (.wall_ns = "0x1a3a000000000000" | .release = "9.9.9")' "$data/scalable/handover.json" >clock/wrong.json
"$lutrace" export -t wrong.prom --pairs 1 clock 2>wrong.log
like "a recording is of the future" "$("$lutrace" report -j clock/wrong.json | jq -r .time)" '^20(29|3.)-'
is "it is counted" "$(value liveupdate_handovers_total wrong.prom) $(value lutrace_export_future_recordings wrong.prom)" '3 1'
is "but the last live update is the last that was" "$(grep '^liveupdate_last_handover' wrong.prom)" "$(grep '^liveupdate_last_handover' now.prom)"
is "the last kernel pair as well" "$(grep -c '^liveupdate_pair_handovers_total{outgoing="7.3.4"' wrong.prom)" 1
is "the log names it" "$(grep -c "^lutrace export: clock/wrong.json: its live update is later than now, .* clock was wrong" wrong.log)" 1
touch -d '2060-01-01' clock/wrong.json
is "also if it was written by that clock" "$("$lutrace" export -t - clock 2>/dev/null | grep '^liveupdate_last_handover')" \
	"$(grep '^liveupdate_last_handover' now.prom)"
touch -d '2020-01-01' clock/first.json
is "so is a file that is older than its live update" "$("$lutrace" export -t - clock/first.json clock/wrong.json 2>/dev/null |
	awk '$1 == "lutrace_export_future_recordings" { print $2 }')" 2
rm clock/first.json clock/second.json
is "where there is no other it is the last" "$("$lutrace" export -t - clock 2>/dev/null | grep -c '^liveupdate_last_handover_info{outgoing="9.9.9"')" 1
serve_export clock clock
for _ in 1 2 3; do get "http://$address/metrics" >/dev/null; done
is "the log says it once" "$(grep -c 'clock was wrong' clock.log)" 1

### What has changed is read again
mkdir -p many
cp "$data/first-stage/handover.json" many/a.json
serve_export many many
is "a directory is read" "$(get "http://$address/metrics" | grep '^lutrace_export_recordings ')" 'lutrace_export_recordings 1'
cp "$data/baseline/handover.json" many/b.json
get "http://$address/metrics" >more.prom
is "and again when there is a new file" "$(value lutrace_export_recordings more.prom)" 2
echo '{' >many/c.json
get "http://$address/metrics" >more.prom
is "a file that is no recording is counted" "$(value lutrace_export_unreadable_recordings more.prom)" 1
is "and the others are served" "$(value liveupdate_handovers_total more.prom)" 2
get "http://$address/metrics" >/dev/null
is "the log names it, once" "$(grep -c 'many/c.json' many.log)" 1
cp many/b.json many/c.json.part && mv many/c.json.part many/c.json
get "http://$address/metrics" >more.prom
is "it is read again when it is replaced" "$(value lutrace_export_recordings more.prom)" 3
rm many/c.json many/a.json
get "http://$address/metrics" >more.prom
is "what is gone is counted on" "$(value liveupdate_handovers_total more.prom)" 2
is "though its recording is none any more" "$(value lutrace_export_recordings more.prom)" 1
like "the exporter tells how long it took" "$(cat more.prom)" '^lutrace_export_scrape_duration_seconds 0\.[0-9]+$'

### Reload
echo '{' >many/c.json
get "http://$address/metrics" >before.prom
said=$(grep -c 'many/c.json' many.log)
kill -HUP "${served[-1]}"
until_true 5 eval 'get "http://$address/metrics" >more.prom; [ "$(grep -c "many/c.json" many.log)" -gt "$said" ]'
is "SIGHUP does not end it: it reads all again" "$(($(value lutrace_export_recordings_read_total more.prom) - $(value lutrace_export_recordings_read_total before.prom)))" 2
is "and says again what cannot be used" "$(($(grep -c 'many/c.json' many.log) - said))" 1
is "nothing is counted twice" "$(value liveupdate_handovers_total more.prom)" "$(value liveupdate_handovers_total before.prom)"
get "http://$address/metrics" >again.prom
is "once" "$(value lutrace_export_recordings_read_total again.prom)" "$(value lutrace_export_recordings_read_total more.prom)"
rm many/c.json

### HTTP
code() { curl -s -o /dev/null -w '%{http_code}' "$@"; }
is "what is not there is a 404" "$(code "$url/nothing")" 404
is "whatever the method is" "$(code -X DELETE "$url/nothing")" 404
is "only GET and HEAD are answered" "$(code -X POST -d x=1 "$url/metrics")" 405
like "and the answer says so" "$(curl -s -D - -o /dev/null -X POST -d x=1 "$url/metrics" | tr -d '\r')" '^Allow: GET, HEAD$'
is "HEAD has no body" "$(curl -s --head -o /dev/null -w '%{http_code} %{size_download}' "$url/metrics")" '200 0'
is "what proxies send has the host in front" "$(code --request-target "$url/metrics" "$url") $(code --request-target "HTTP://host/" "$url")" '200 200'
is "with no path, or another one, it is the same" "$(code --request-target "$url" "$url") $(code --request-target "$url/nothing" "$url")" '200 404'
is "a line of a request has an end" "$(code "$url/$(printf 'x%.0s' {1..30000})")" 414
is "its headers have, too" "$(code -H "X: $(printf 'x%.0s' {1..30000})" "$url/metrics")" 431

# drip NAME: a request that never ends, a byte a second; how many seconds it was let
drip() {
	local begin=$SECONDS i
	local at=${url#http://}
	exec {socket}<>"/dev/tcp/${at/:/\/}" || return
	printf 'GET /metrics HTTP/1.1\r\nX-%s: ' "$1" >&"$socket"
	for ((i = 0; i < 30; i++)); do
		# What is sent to a closed socket comes back as a reset, and then fails.
		{ printf x >&"$socket"; } 2>/dev/null || break
		sleep 1
	done
	echo $((SECONDS - begin)) >"drip.$1"
}
trap '' PIPE
drips=()
for i in {1..16}; do
	drip "$i" 2>/dev/null &
	drips+=($!)
done
sleep 1
is "an address that has sixteen connections gets no more" "$(code --max-time 5 "$url/metrics")" 000
wait "${drips[@]}"
trap - PIPE
is "who drips is cut off after ten seconds" "$(sort -n drip.* | awk '$1 < 9 || $1 > 15')" ''
# One that has much to read, and is slow: it stops while it does.
mkdir -p slow
for i in {1..600}; do cp "$data/legacy/first.json" "slow/$i.json"; done
serve_export slow slow
slow=${served[-1]}
was_read() { sed -n 's/^rchar: //p' /proc/"$slow"/io; }
begun=$(was_read)
get "http://$address/metrics" >slow.prom &
asked=$!
until [ $(($(was_read) - begun)) -gt 1000000 ] || ! kill -0 $asked 2>/dev/null; do :; done
kill -STOP "$slow"
is "the answer is being made" "$(stat -c %s slow.prom)" 0
sleep 11
kill -CONT "$slow"
wait $asked
is "who waits longer for an answer that is being made gets it" "$? $(tail -n 1 slow.prom | grep -c '^lutrace_export_scrape')" "0 1"
is "then there is room again" "$(code --max-time 5 "$url/metrics")" 200
like "/ leads to /metrics" "$(get "$url/")" 'href="/metrics"'
is "it listens at the loopback address alone" "$(awk -v port="$(printf ':%04X' "${url##*:}")" \
	'$4 == "0A" && $2 ~ port { print substr($2, 1, 8) }' /proc/net/tcp)" 0100007F
is "an address that is none is an error" "$(status "$lutrace" export --listen lunch "$data")" 1
is "so is one that somebody listens at" "$(status "$lutrace" export --listen "${url#http://}" "$data")" 1

### Whose recordings they are
mkdir -p host
"$build/tests/unit/make-ledger" handover host || exit 1
id=$(cat /etc/machine-id 2>/dev/null)
"$lutrace" record -l host -o saved.json
is "ledgers that were saved are nobody's" "$(jq -c .host saved.json)" null
"$lutrace" record -l host --host this -o this.json
is "unless somebody says that they are this machine's" "$(jq -r '.host.name, .host.machine_id // ""' this.json)" "$(uname -n)
$id"
like "a report names the host" "$("$lutrace" report this.json)" "^Host: +$(uname -n), machine ID "
like "so does a page" "$("$lutrace" report --html this.json)" "$(uname -n), machine ID"
is "metrics as well" "$("$lutrace" export -t - this.json | grep '^lutrace_target_info')" \
	"lutrace_target_info{host_name=\"$(uname -n)\",machine_id=\"$id\"} 1"
"$lutrace" record this.json --host none -o none.json
is "it can be left out" "$(jq -c .host none.json) $("$lutrace" export -t - none.json | grep -c '^lutrace_target_info')" 'null 0'
jq '.host.machine_id = "lunch"' this.json >lunch.json
like "an ID that is none is an error" "$("$lutrace" report lunch.json 2>&1)" '32 hexadecimal digits'
is "so is another word" "$(status "$lutrace" record -l host --host me)" 1

### Textfile
"$lutrace" export --textfile lutrace.prom "$data/scalable"
is "a textfile is written" $? 0
is "promtool finds nothing to say about it" "$(promtool check metrics <lutrace.prom 2>&1)" ''
is "everybody may read it" "$(stat -c %a lutrace.prom)" 644
is "nothing else is left" "$(find . -name 'lutrace.prom*')" ./lutrace.prom
inode=$(stat -c %i lutrace.prom)
"$lutrace" export --textfile lutrace.prom "$data/baseline"
ok "a new one replaces it as a whole" [ "$(stat -c %i lutrace.prom)" != "$inode" ]
strace -o trace -e trace=fsync,rename "$lutrace" export -t lutrace.prom "$data/baseline"
is "it is synchronised before it is renamed" "$(grep -oE '^(fsync|rename)' trace | tr -d '\n')" fsyncrename
is "a place that is not there is an error" "$(status "$lutrace" export -t none/x.prom "$data")" 1

### Sources
mkdir -p ledgers
"$build/tests/unit/make-ledger" handover ledgers || exit 1
is "the machine's own ledgers are a source" \
	"$("$lutrace" export -t - -l ledgers | grep -c '^liveupdate_last_handover_info')" 1
is "a machine without a ledger is an error" "$(status "$lutrace" export -t - -l nowhere)" 1
tap_done
