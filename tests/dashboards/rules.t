#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# The rules, and every name: what rules, dashboards and documents ask for is in
# the one table of metrics, and the other way round.

set -u
project=$(cd "$(dirname "$(readlink -f "$0")")/../.." && pwd)
# shellcheck source=tests/lab/tap.sh
. "$project/tests/lab/tap.sh"
lutrace=${BUILD:-$project/build}/bin/lutrace
dashboards=$project/dashboards
rules=$dashboards/prometheus
cd "$tap_scratch" || exit 1

# logged FILE COMMAND...: what it says goes to a file
logged() { "${@:2}" >"$1" 2>&1; }

ok "promtool accepts the rules" logged check.log promtool check rules "$rules/recording.yml" "$rules/alerts.yml"
for tests in alerts_test alerts_week_test; do
	ok "the unit tests of $tests.yml pass" logged $tests.log promtool test rules "$rules/$tests.yml" ||
		diag "$(cat $tests.log)"
done
# An alert is tested where it is expected with labels, and where it is not yet or
# no longer there, or spares the host named good.
for alert in $(sed -nE 's/^ *- alert: (.*)/\1/p' "$rules/alerts.yml"); do
	ok "a unit test sees $alert fire" grep -qE -A 1 "alertname: $alert\$" "$rules/alerts_test.yml"
	is "for one host and not for another" "$(awk -v alert="$alert" '
		/^  - name:/ { good = bad = 0 }
		/instance="(good|other)"/ { good = 1 }
		$0 ~ "alertname: " alert "$" { named = 1; next }
		named && /exp_labels:.*instance: bad/ && good { print "tested"; exit }
		/alertname:/ { named = 0 }' "$rules/alerts_test.yml")" tested
	like "it says what to do" "$(awk -v alert="$alert" '/- alert:/ { on = $3 == alert } on' "$rules/alerts.yml")" \
		'description: .'
done

# Names. Of a histogram, the three that are made of it.
"$lutrace" export --metrics -j >metrics.json
jq -r '.[] | if .type == "histogram" then .name + ("_bucket", "_sum", "_count") else .name end' \
	metrics.json | sort >known
# Every metric that is named there; rules and templates have names of their own.
sed -E 's/\b[a-z_]+:[a-z_]+:[a-z_0-9]+//g; s/template "[a-z_]+"|define "[a-z_]+"//g; s/liveupdate_ledger=//g' \
	"$rules"/{recording,alerts,alerts_test,alerts_week_test}.yml "$dashboards"/grafana/*.json "$dashboards"/consoles/* |
	grep -oE '\b(liveupdate|lutrace)_[a-z_]+\b' | sort -u | comm -23 - known >unknown
is "rules and dashboards name no metric that there is not" "$(cat unknown)" ''
is "docs/metrics.md names every metric" "$(jq -r '.[].name' metrics.json | while IFS= read -r name; do
	grep -qF "\`$name\`" "$project/docs/metrics.md" || echo "$name"; done)" ''
is "with its type and labels" "$(jq -r '.[] | "| `\(.name)` | \(.type) | \(.labels | gsub(","; ", "))"' metrics.json |
	while IFS= read -r row; do grep -qF "$row |" "$project/docs/metrics.md" || echo "$row"; done)" ''
is "and no other" "$(grep -oE '^\| `(liveupdate|lutrace)_[a-z_]+`' "$project/docs/metrics.md" | tr -d '|` ' |
	grep -vxF -f <(jq -r '.[].name' metrics.json))" ''
is "times are in seconds, counters end in _total" "$(jq -r '.[] | select((.unit != "" and .unit != "seconds")
	or (.type == "counter") != (.name | endswith("_total"))
	or (.name | test("_(ns|us|ms|msec|nanoseconds|milliseconds)(_|$)"))) | .name' metrics.json)" ''
is "every metric is shown on a dashboard, or warned of" "$(jq -r '.[] | .name' metrics.json | while IFS= read -r name; do
	grep -qwE "${name}(_bucket|_sum|_count)?" "$rules"/{alerts,recording}.yml "$dashboards"/grafana/*.json "$dashboards"/consoles/* ||
		echo "$name"; done | tr '\n' ' ')" \
	'liveupdate_blackout_unknown_total liveupdate_steps_total liveupdate_devices_isolated_total lutrace_target_info lutrace_export_recordings_read_total lutrace_export_scrapes_total '
# Recorded names are used as they are recorded.
sed -nE 's/^ *- record: (.*)/\1/p' "$rules/recording.yml" | sort -u >recorded
is "dashboards and alerts name no rule that there is not" "$(grep -ohE '\b[a-z_]+:[a-z_]+:[a-z_0-9]+\b' \
	"$rules/alerts.yml" "$dashboards"/grafana/*.json "$dashboards"/consoles/* | sort -u | comm -23 - recorded)" ''

# Grafana is in no Debian archive: what can be known of its files without it.
for board in fleet host; do
	file=$dashboards/grafana/$board.json
	is "panels of the $board dashboard have numbers of their own" \
		"$(jq '[.panels[].id] | length == (unique | length)' "$file")" true
	is "they fit the grid and do not overlap" "$(jq -r '[.panels[] | {title} + .gridPos] as $p
		| $p[] | select(.x < 0 or .x + .w > 24 or .w < 1 or .h < 1), (. as $a | $p[]
		| select(.title != $a.title and .x < $a.x + $a.w and $a.x < .x + .w and .y < $a.y + $a.h and $a.y < .y + .h))
		| .title' "$file")" ''
	is "each has a title, a description, the data source, and queries with letters" "$(jq -r '.panels[]
		| select(.type != "row") | select((.title // "") == "" or (.description // "") == ""
		or .datasource.uid != "${datasource}" or ([.targets[] | .refId] | length == 0 or length != (unique | length))
		or any(.targets[]; .expr == "" or .datasource.uid != "${datasource}")) | .title' "$file")" ''
	is "they are of types that Grafana has" "$(jq -r '.panels[].type' "$file" |
		grep -vxE 'row|stat|table|bargauge|timeseries|piechart')" ''
	is "columns that are renamed or sorted are those that the queries return" "$(jq -r '.panels[]
		| select(.type == "table") | . as $p | .transformations[] | select(.id == "organize")
		| .options.renameByName | keys[] | select(startswith("Value #"))
		| select(ltrimstr("Value #") as $l | all($p.targets[]; .refId != $l)) | $p.title + ": " + .' "$file")" ''
	is "variables are those that queries use" "$(jq -r '[.panels[].targets[]?.expr | scan("\\$[a-z_]+")] | unique | .[]' "$file" |
		tr -d '$' | while IFS= read -r name; do
		jq -e --arg name "$name" 'any(.templating.list[]; .name == $name)' "$file" >/dev/null || echo "$name"; done)" ''
	is "links lead to the other dashboard" "$(grep -ohE '/d/liveupdate-[a-z]+' "$file" | sort -u |
		while IFS= read -r link; do
		jq -es --arg uid "${link#/d/}" 'any(.[]; .uid == $uid)' "$dashboards"/grafana/*.json >/dev/null || echo "$link"; done)" ''
done

tap_done
