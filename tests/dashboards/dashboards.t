#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# What laboratory machines recorded, served by lutrace export, scraped by a real
# Prometheus with the project's rules, passed on to VictoriaMetrics, and asked for
# by every panel of the Grafana dashboards and by the consoles, which a browser
# shows.

set -u
project=$(cd "$(dirname "$(readlink -f "$0")")/../.." && pwd)
# shellcheck source=tests/lab/tap.sh
. "$project/tests/lab/tap.sh"
# shellcheck source=tests/dashboards/serve.sh
. "$project/tests/dashboards/serve.sh"
lutrace=${BUILD:-$project/build}/bin/lutrace
data=$project/tests/dashboards/data
dashboards=$project/dashboards
cd "$tap_scratch" || exit 1
export TZ=UTC0	# Prometheus gives times in its zone

# logged FILE COMMAND...: what it says goes to a file
logged() { "${@:2}" >"$1" 2>&1; }

### A fleet: an exporter for each machine, and one that only left a textfile
mkdir -p prometheus/hosts
target() { # HOST ADDRESS
	printf '[{"targets":["%s"],"labels":{"instance":"%s"}}]\n' "$2" "$1" >"prometheus/hosts/$1.json"
}
recorded=0
for host in legacy scalable first-stage baseline packet-lost ledger-full refused; do
	serve_export "$host" "$data/$host" || diag "no exporter for $host"
	target "$host" "$address"
	recorded=$((recorded + 1))
done
port=$(free_port)
serve_metrics "$port" "$data/observed/lutrace.prom" || diag "no httpd"
target observed "127.0.0.1:$port"
target dead "127.0.0.1:$(free_port)"

### The engines, configured as dashboards/prometheus has it but for the intervals
store=$(free_port)
serve "$store" /health victoria-metrics -storageDataPath "$PWD/victoria" \
	-httpListenAddr "127.0.0.1:$store" -retentionPeriod 100y -memory.allowedBytes 64MB -search.latencyOffset 1s ||
	diag "$(tail -n 3 victoria-metrics.log)"
cp "$dashboards"/prometheus/*.yml prometheus/
sed -e 's/_interval: 1m/_interval: 1s/' -e 's/^# *$//' \
	-e '/^# remote_write:/,$ s/^# //' -e "s,http://victoria.example:8428,http://127.0.0.1:$store," \
	"$dashboards/prometheus/prometheus.yml" >prometheus/prometheus.yml
ok "the example of a configuration is one, remote write included" \
	logged check.log promtool check config prometheus/prometheus.yml || diag "$(cat check.log)"
port=$(free_port)
prometheus=http://127.0.0.1:$port
serve "$port" /-/ready prometheus --config.file=prometheus/prometheus.yml \
	--storage.tsdb.path="$PWD/tsdb" --web.listen-address="127.0.0.1:$port" \
	--web.console.templates="$dashboards/consoles" --web.console.libraries="$dashboards/consoles" \
	--log.level=warn || diag "$(tail -n 5 prometheus.log)"

# ask URL QUERY: the result of an instant query, as JSON
ask() { curl -sS --fail --max-time 20 "$1/api/v1/query" --data-urlencode "query=$2" | jq -c .data.result; }
# number URL QUERY: its only value
number() { ask "$1" "$2" | jq -r '.[0].value[1] // "none"'; }
has() { [ "$(number "$1" "$2")" = "$3" ]; }

### Scraped
ok "Prometheus scrapes every exporter" until_true 20 has "$prometheus" 'count(up == 1)' $((recorded + 1))
ok "and evaluates the rules upon it" until_true 20 has "$prometheus" \
	'sum(job_pair:liveupdate_handovers:sum)' 8
# Groups are evaluated each at a time of its own: wait until all of them have seen what was scraped.
scraped=$(date +%s)
evaluated() {
	get "$prometheus/api/v1/rules" | jq -e --argjson since "$scraped" \
		'[.data.groups[].lastEvaluation | sub("\\..*"; "Z") | fromdate] | min > $since'
}
ok "all of them" until_true 20 evaluated
is "all rules are healthy" "$(get "$prometheus/api/v1/rules" |
	jq -r '.data.groups[].rules[] | select(.health != "ok") | .name + ": " + .lastError')" ''
is "reboot calls that came back are counted" "$(number "$prometheus" 'sum(liveupdate_reboots_failed_total)')" 3
is "the exporter answered in OpenMetrics" "$(get "$prometheus/api/v1/metadata?metric=liveupdate_handovers" |
	jq -r '.data.liveupdate_handovers[0].type')" counter
is "the packets that were lost are those that the recordings say" \
	"$(number "$prometheus" 'sum(liveupdate_last_dma_lost_packets)')" \
	"$(jq -s '[.[].dma.lost | numbers] | add' "$data"/{legacy/second,scalable/handover,first-stage/handover,baseline/handover,packet-lost/handover}.json)"
is "the longest pause is that of the recordings" \
	"$(number "$prometheus" 'max(liveupdate_last_blackout_duration_seconds{instance!="observed"}) * 1e9' | xargs printf '%.0f')" \
	"$(jq -s '[.[].blackout.ns | numbers] | max' "$data"/*/*.json)"
problems=$(ask "$prometheus" 'job_instance:liveupdate_problem:value' | jq -r '.[].metric | .instance + ": " + .problem')
for problem in 'baseline: page tables differ' 'baseline: packets lost' 'packet-lost: packets lost' \
	'ledger-full: ledger dropped records' 'ledger-full: pause not known' 'ledger-full: page tables not verified' 'observed: page tables differ' \
	'scalable: over budget'; do
	ok "a problem is seen: $problem" grep -qxF "$problem" <<<"$problems"
done
is "and none where there is none" "$(grep -cE '^(refused|legacy: (page|packets|DMA))' <<<"$problems")" 0

### Every query of every panel
hosts='legacy observed baseline'
# panel_answers URL EXPRESSION: it has data, for one of the hosts
panel_answers() {
	local host query
	for host in $hosts; do
		query=${2//\$job/liveupdate}
		# An error is no data either.
		[[ $(ask "$1" "${query//\$instance/$host}") = '[{'* ]] && return 0
		[[ $2 = *\$instance* ]] || return 1
	done
	return 1
}
# silent URL DASHBOARD: panels with a query that has no data
silent() {
	local title expression
	jq -r '.panels[] | .title as $title | .targets[]? | [$title, .expr] | @tsv' "$2" | sed 's/\\\\/\\/g' |
		while IFS=$'\t' read -r title expression; do
			panel_answers "$1" "$expression" || printf '%s: %s\n' "$title" "$expression"
		done
}
for board in fleet host; do
	file=$dashboards/grafana/$board.json
	is "\"all jobs\" of the $board dashboard are those with live updates" \
		"$(jq -r '.templating.list[] | select(.allValue) | .name' "$file")" ''
	is "every query of the $board dashboard has data ($(jq '[.panels[].targets[]?] | length' "$file"))" \
		"$(silent "$prometheus" "$file")" ''
	is "so have its variables" "$(jq -r '.templating.list[] | select(.type == "query") | .definition' "$file" |
		while IFS= read -r definition; do
			selector=${definition#label_values(}
			[ "$(ask "$prometheus" "$(sed 's/\$job/liveupdate/' <<<"${selector%,*}")" |
				jq --arg name "$(sed 's/.*, *\(.*\))/\1/' <<<"$definition")" 'all(.metric[$name] != null) and length > 0')" = true ] ||
				echo "$definition"
		done)" ''
done

### Consoles
page() { get "$prometheus/consoles/$1"; }
page liveupdate-fleet.html >fleet.html
page 'liveupdate-host.html?instance=legacy' >host.html
like "the fleet console shows the kernel pair" "$(cat fleet.html)" '<td>7\.3\.4</td><td>7\.3\.4-successor</td>'
is "and every host with a problem" "$(grep -oE '^<tr><td><a href="liveupdate-host.html\?instance=[a-z-]+">[a-z-]+</a></td><td class="bad">[^<]*' fleet.html |
	sed -E 's/.*">([a-z-]+)<.*"bad">([^<,]*).*/\1: \2/' | sort)" "$(sort <<<"$problems")"
like "and hosts that do not answer" "$(cat fleet.html)" '<td>dead</td><td class="warn">does not answer'
like "the host console shows the verdict" "$(cat host.html)" '<b class="good">identical</b>'
is "and all phases of the pause" "$(grep -c '^<tr><td><span class="key' host.html)" \
	"$(jq '.blackout.phases | length' "$data/legacy/second.json")"
like "and the steps" "$(cat host.html)" '<tr><td>device-shutdown</td>'
like "and the pages that were compared" "$(cat host.html)" \
	"pages of them</th><td class=\"n\">$(jq .identity.table_pages "$data/legacy/second.json")<"
page 'liveupdate-host.html?instance=baseline' >baseline.html
like "a baseline is different there" "$(cat baseline.html)" '<b class="bad">different</b>'
page 'liveupdate-host.html?instance=observed' >observed.html
like "what was not counted is not 0" "$(cat observed.html)" '<b class="quiet">not counted</b>'
like "what probes cost is shown" "$(cat observed.html)" 'BPF program step_end ran for'
like "and what they saw" "$(cat observed.html)" 'changes of preserved page tables that a probe saw</th><td class="n">0<'
like "and the pauses of workloads, where there are names" "$(cat observed.html)" '<tr><td>vm2</td><td class="n">8.3'
is "where there are none there is no table of them" "$(grep -c '<h2>Workloads' host.html)" 0
like "a host that is none leads to those that are" "$(page 'liveupdate-host.html?instance=none')" 'href="\?instance=legacy"'
is "a host's name is text" "$(page 'liveupdate-host.html?instance=%3Cscript%3E' | grep -c '<script>')" 0

### A browser
# shot NAME PAGE OPTION...: a picture of it
shot() {
	local name=$1 page=$2
	shift 2
	chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --no-first-run --user-data-dir="$PWD/chromium" \
		--window-size=1280,1500 --screenshot="$PWD/$name.png" "$@" "$prometheus/consoles/$page" >"$name.log" 2>&1
	# Width and height of a PNG stand at byte 16; an empty page is a few KB.
	[ "$(od -An -tu4 --endian=big -j 16 -N 8 "$name.png" | xargs)" = '1280 1500' ] &&
		[ "$(stat -c %s "$name.png")" -gt 50000 ]
}
ok "a browser shows the fleet" shot fleet-light liveupdate-fleet.html
ok "and a host, in dark mode" shot host-dark 'liveupdate-host.html?instance=legacy' --force-dark-mode

### VictoriaMetrics
victoria=http://127.0.0.1:$store
ok "what the fleet's store is to keep arrives there" until_true 20 has "$victoria" \
	'count(liveupdate_last_blackout_duration_seconds)' "$(number "$prometheus" 'count(liveupdate_last_blackout_duration_seconds)')"
# What the cell's rules make arrives with their next evaluation, after what they are made from.
nothing_silent() { silent "$victoria" "$dashboards/grafana/fleet.json" >silent.txt && [ ! -s silent.txt ]; }
ok "it is what the fleet dashboard asks for" until_true 20 nothing_silent || diag "$(cat silent.txt)"
ok "condensed histograms, too" until_true 20 has "$victoria" \
	'sum(job_pair_le:liveupdate_blackout_duration_seconds_bucket:sum{le="+Inf"})' \
	"$(number "$prometheus" 'sum(liveupdate_blackout_duration_seconds_count)')"
is "and nothing of each host's histograms" "$(ask "$victoria" 'liveupdate_step_duration_seconds_bucket')" '[]'

tap_done
