#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# lutrace export as a service that lasts: what thousands of recordings and the largest
# ledger cost, and counters that go on when recordings are removed.

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

# value SAMPLE FILE: the value of a sample, whose name and labels are given
value() { awk -v sample="$1" '$1 == sample { print $2 }' "$2"; }
resident() { awk -v key="$1:" '$1 == key { print $2 }' "/proc/${served[-1]}/status"; }
# scrape FILE: one answer
scrape() { get "http://$address/metrics" >"$1"; }
made() { "$project/tests/dashboards/recordings" "$data/scalable/handover.json" "$@"; }
# without_exporter FILE: what the recordings say, without what the exporter says of itself
without_exporter() { grep -vE '^(#|lutrace_export_)' "$1"; }

### Four thousand recordings
made many 1 4000
serve_export many --state many.state many
scrape first.prom
is "four thousand recordings are counted" "$(value liveupdate_handovers_total first.prom)" 4000
is "each of them was read" "$(value lutrace_export_recordings_read_total first.prom)" 4000
# What is new is read by several threads, and taken in the order of the paths.
mkdir some && cp many/000?.json some/ && echo '{' >some/0004.json && echo '[]' >some/0007.json
strace -f -o threads -e trace=clone,clone3 "$lutrace" export -t several.prom some 2>several.log
is "as many threads read as there are CPUs, four at most" "$(($(grep -cE 'clone3?\(.* = [0-9]+$' threads) + 1))" \
	"$(nproc | awk '{ print ($1 > 4 ? 4 : $1) }')"
taskset -c "$(taskset -cp $$ | sed 's/.*: //; s/[-,].*//')" "$lutrace" export -t one.prom some 2>one.log
is "what they make of it is what one makes" "$(without_exporter several.prom)" "$(without_exporter one.prom)"
is "and what they say" "$(cat several.log)" "$(cat one.log)"
is "which is that of each file, in their order" "$(cut -d ' ' -f 3 one.log | xargs)" 'some/0004.json: some/0007.json:'
best=
for _ in 1 2 3 4 5; do
	scrape again.prom
	best=$(printf '%s\n' "${best:-9}" "$(value lutrace_export_scrape_duration_seconds again.prom)" | sort -g | head -n 1)
done
is "none is read again while it is as it was" "$(value lutrace_export_recordings_read_total again.prom)" 4000
# Wall-clock time, which others on the machine lengthen: beside that of the first answer. 10 ms where it is quiet.
ok "the answer takes a tenth of the time at most ($best s)" awk -v best="$best" \
	-v first="$(value lutrace_export_scrape_duration_seconds first.prom)" 'BEGIN { exit !(best * 10 <= first) }'
ok "and 64 MiB ($(resident VmHWM) KiB)" [ "$(resident VmHWM)" -le 65536 ]
made many 4001 4001
scrape more.prom
is "what is new is read, and nothing else" "$(value lutrace_export_recordings_read_total more.prom)" 4001
is "it is counted" "$(value liveupdate_handovers_total more.prom)" 4001
is "it is the last live update" \
	"$(value liveupdate_last_handover_timestamp_seconds more.prom | cut -c 1-6)" \
	"$("$lutrace" report -j many/4001.json | jq -r '.time | sub("\\.[0-9]+"; "") | fromdate' | cut -c 1-6)"

### What is removed stays counted
rm many/00*.json many/4001.json
scrape removed.prom
is "counters stay when recordings are removed" \
	"$(without_exporter removed.prom | grep -E '_(total|bucket|sum|count)[ {]' | md5sum)" \
	"$(without_exporter more.prom | grep -E '_(total|bucket|sum|count)[ {]' | md5sum)"
is "the last live update is that of the last recording that there is" \
	"$(value liveupdate_last_handover_timestamp_seconds removed.prom)" \
	"$(value liveupdate_last_handover_timestamp_seconds again.prom)"
serve_stop
serve_export again --state many.state many
scrape restarted.prom
is "an exporter that was started again goes on with them" \
	"$(without_exporter restarted.prom | md5sum)" "$(without_exporter removed.prom | md5sum)"
is "and reads the last one alone" "$(value lutrace_export_recordings_read_total restarted.prom)" 1
serve_stop

# What happened while it did not run.
rm many/01*.json
made many 4002 4002
serve_export meanwhile --state many.state many
scrape meanwhile.prom
is "recordings that are removed while none runs are counted on, new ones too" \
	"$(value liveupdate_handovers_total meanwhile.prom)" 4002
kill -KILL "${served[-1]}" && wait "${served[-1]}" 2>/dev/null
served=()
rm many/4002.json
"$lutrace" export -t killed.prom --state many.state many
is "so is what came before it was killed" "$(value liveupdate_handovers_total killed.prom)" 4002
made many 50 50
"$lutrace" export -t back.prom --state many.state many
is "a recording that comes back is not counted again" "$(value liveupdate_handovers_total back.prom)" 4002

### The state file
is "it is for the exporter and its group" "$(stat -c %a many.state)" 640
ok "it is much smaller than the recordings" [ "$(stat -c %s many.state)" -lt 4000000 ]
mkdir few && made few 1 3
"$lutrace" export -t few.prom --state few.state few
size=$(stat -c %s few.state)
# A byte of each kind: of the first line, the sums, the list, the digest; and a shorter file.
for at in 31 40 200 $((size / 2)) $((size - 60)) $((size - 3)); do
	cp few.state damaged.state
	printf '\377' | dd of=damaged.state bs=1 seek="$at" conv=notrunc status=none
	"$lutrace" export -t damaged.prom --state damaged.state few 2>damaged.log
	is "a state with a damaged byte $at is not believed" \
		"$(value liveupdate_handovers_total damaged.prom) $(grep -c 'the counters start anew' damaged.log)" '3 1'
done
head -c 300 few.state >damaged.state
"$lutrace" export -t damaged.prom --state damaged.state few 2>damaged.log
is "nor is one that was cut" \
	"$(value liveupdate_handovers_total damaged.prom) $(grep -c 'the counters start anew' damaged.log)" '3 1'
ok "it is kept for whoever wants to know" [ -s damaged.state.damaged ]
# A recording that is named, and in a directory that is named
for run in 1 2; do
	"$lutrace" export -t "twice$run.prom" --state twice.state few few/0001.json 2>>twice.log
done
is "a recording that is named twice is one" \
	"$(value liveupdate_handovers_total twice2.prom) $(value lutrace_export_recordings twice2.prom) $(cat twice.log)" '3 3 '
cp few.prom foreign
"$lutrace" export -t foreign.prom --state foreign few 2>foreign.log
is "a file that is no state is not written over" "$? $(cmp foreign few.prom)" '1 '
like "and the error says what to do" "$(cat foreign.log)" 'name another file'
"$lutrace" export -t - --state no/where few >nowhere.prom 2>nowhere.log
is "metrics are served even if the state cannot be written" "$(value liveupdate_handovers_total nowhere.prom)" 3
like "and the log says what that means" "$(cat nowhere.log)" 'no/where: it cannot be written'

### Series do not grow with the number of kernels
mkdir kernels
for i in $(seq 12); do
	made made "$i" "$i"
	sed "s/7\.3\.4/7.3.$i/g" "made/$(printf %04d "$i").json" >"kernels/$i.json"
done
"$lutrace" export -t kernels.prom kernels
is "the last four kernel pairs have series of their own" \
	"$(sed -n 's/^liveupdate_pair_handovers_total{outgoing="\([^"]*\)".*/\1/p' kernels.prom | xargs)" \
	'7.3.12 7.3.11 7.3.10 7.3.9'
is "all of them are counted" "$(value liveupdate_handovers_total kernels.prom)" 12
"$lutrace" export -t pairs.prom --pairs 2 kernels
is "as many as somebody asks for" "$(grep -c '^liveupdate_pair_handovers_total' pairs.prom)" 2

### Retention
mkdir keep && made keep 1 10
for i in {1..10}; do touch -d "$(((11 - i) * 24 + 1)) hours ago" "keep/$(printf %04d "$i").json"; done
jq -n '{ version: 1 }' >keep/settings.json
jq -n '{ version: 1, ledgers: { cash: [1, 2] } }' >keep/accounts.json
touch -d '1 year ago' keep/settings.json keep/accounts.json
ln -s 0001.json keep/link.json
echo 'no JSON' >keep/notes.json && touch -d '2 years ago' keep/notes.json
cp keep/0001.json keep/0001.json.part
mkdir keep/directory.json
before=$(ls keep)
"$lutrace" prune --dry-run --keep 7 keep >dry.txt
is "a dry run says what would be removed" "$(grep -c '^keep/000[1-3]\.json$' dry.txt)" 3
is "and removes nothing" "$(ls keep)" "$before"
"$lutrace" export -t - --state keep.state keep >before.prom 2>/dev/null
"$lutrace" prune --keep 7 keep -j >pruned.json
is "the oldest recordings are removed" "$(jq -r '.removed | sort | join(" ")' pruned.json) $(find keep -name '00*.json' | wc -l)" \
	'keep/0001.json keep/0002.json keep/0003.json 7'
is "what is no recording stays, however old" "$(find keep -name '*.json' ! -name '00*' | sort | xargs)" \
	'keep/accounts.json keep/directory.json keep/link.json keep/notes.json keep/settings.json'
is "and is named" "$(jq -c '.passed | sort' pruned.json)" '["keep/accounts.json","keep/notes.json","keep/settings.json"]'
"$lutrace" export -t - --state keep.state keep >after.prom 2>/dev/null
is "the counters go on" "$(value liveupdate_handovers_total after.prom)" 10
"$lutrace" prune --days 5 keep >days.txt
is "so are those that are older than some days" "$(cd keep && echo 00??.json)" '0007.json 0008.json 0009.json 0010.json'
# A file that is newer takes the place of no recording.
echo '{}' >keep/newest.json
"$lutrace" prune --keep 1 --days 1 keep >one.txt
is "the newest recording always stays" "$(find keep -name '00*.json')" keep/0010.json
like "and of how many is told" "$(cat one.txt)" '^Removed 3 of 4 recordings, '
is "a directory that is not there is an error" "$("$lutrace" prune nowhere 2>&1 >/dev/null; echo $?)" \
	'lutrace: cannot read nowhere: No such file or directory
1'
is "so is no directory" "$("$lutrace" prune >/dev/null 2>&1; echo $?)" 1

### Somebody has seen it
acknowledged() { "$lutrace" export -t - "$1" 2>/dev/null | awk '$1 == "liveupdate_last_acknowledged" { print $2 }'; }
mkdir seen
lost() { jq "{dma: (.dma | .lost = $1 | .received = .sent - $1)}" "$data/scalable/handover.json"; }
lost 2 >two.json
lost 3 >three.json
jq '{session: (.session | .finished = false)}' "$data/scalable/handover.json" >session.json
"$lutrace" record "$data/scalable/handover.json" -m two.json -o seen/1.json
is "a live update that nobody looked at is not acknowledged" "$(acknowledged seen)" 0
like "what is acknowledged is said" "$("$lutrace" check --acknowledge --who fred --reason 'bug 1' seen/1.json | xargs)" \
	'2 of 520 packets were lost.* Acknowledged by fred: bug 1'
is "then it is" "$(acknowledged seen)" 1
is "whoever may read the recording may read that" "$(stat -c '%a %U %G' seen/1.json.acknowledged)" "$(stat -c '%a %U %G' seen/1.json)"
is "who said so, and why, is kept" "$(jq -r '.by, .reason, .version' seen/1.json.acknowledged | xargs)" 'fred bug 1 1'
"$lutrace" record "$data/scalable/handover.json" -m three.json -o seen/1.json
is "another count was not seen" "$(acknowledged seen)" 0
"$lutrace" check --acknowledge seen/1.json >/dev/null
"$lutrace" record seen/1.json -m session.json -o seen/1.json
is "neither was a further reason" "$(acknowledged seen)" 0
"$lutrace" check --acknowledge seen/1.json >/dev/null
is "until somebody has seen that, too" "$(acknowledged seen)" 1
"$lutrace" check --undo seen/1.json >undone.txt
is "it is taken back" "$(acknowledged seen) $(grep cknowledged undone.txt)" '0 '
is "twice is no error" "$("$lutrace" check --undo seen/1.json >/dev/null; echo $?)" 0
"$lutrace" check --acknowledge seen/1.json >/dev/null
"$lutrace" record "$data/scalable/handover.json" -o seen/2.json
touch -d '1 day ago' seen/1.json
"$lutrace" prune --keep 1 --dry-run seen >/dev/null
ok "a dry run leaves it" [ -e seen/1.json.acknowledged ]
"$lutrace" prune --keep 1 seen >/dev/null
is "it goes with its recording" "$(ls seen)" 2.json
touch seen/gone.json.acknowledged seen/mine.acknowledged
"$lutrace" prune seen >/dev/null
is "so does one whose recording somebody else removed" "$(cd seen && echo *)" '2.json mine.acknowledged'
rm seen/mine.acknowledged
ln -s seen/2.json link.json
"$lutrace" check --acknowledge link.json >/dev/null
is "through a link the recording is acknowledged" "$(acknowledged seen) $(ls link.json*)" '1 link.json'
"$lutrace" check --undo link.json >/dev/null
refused="lutrace: name the recording's file, such as /var/lib/lutrace/BOOT-ID.json"
is "standard input is no file that one could stand beside" "$("$lutrace" check --acknowledge - <seen/2.json 2>&1)" "$refused"
# shellcheck disable=SC2002 # a pipe
is "neither is a pipe" "$(cat seen/2.json | "$lutrace" check --acknowledge /dev/stdin 2>&1)" "$refused"
like "nobody is nobody's name" "$("$lutrace" check --acknowledge --who '' seen/2.json 2>&1)" "'-w, --who NAME' needs an argument"
like "where sudo says nothing it is whose process it is" \
	"$(SUDO_USER='' "$lutrace" check --acknowledge seen/2.json)" "Acknowledged by $(id -un)"
"$lutrace" check --undo seen/2.json >/dev/null
"$lutrace" check --acknowledge seen/2.json >good.txt
is "of one that was good, whose pause was long, it is possible as well" "$(acknowledged seen)" 1
for damage in 'no JSON' '{"version":2,"time":1,"by":"","reason":"","seen":[]}' '{"version":1}' '{"version":1,"seen":{}}' '[]' null; do
	echo "$damage" >seen/2.json.acknowledged
	is "an acknowledgement that is '$damage' is none" "$(acknowledged seen)" 0
	like "and the log says so" "$("$lutrace" export -t /dev/null seen 2>&1)" 'seen/2.json: its acknowledgement cannot be used: '
done
rm seen/2.json.acknowledged
mkfifo seen/2.json.acknowledged
is "nobody waits for a FIFO" "$(timeout 10 "$lutrace" export -t - seen | awk '$1 == "liveupdate_last_acknowledged" { print $2 }')" 0
is "what is no recording is not acknowledged" "$(echo '{}' >seen/3.json; "$lutrace" check --acknowledge seen/3.json 2>&1; echo $?)" \
	'lutrace: seen/3.json cannot be used: it is no recording of version 1
1'
is "nor is what the kernel has now" "$("$lutrace" check --acknowledge -l seen 2>&1; echo $?)" \
	'lutrace: name the recording'\''s file, such as /var/lib/lutrace/BOOT-ID.json
1'
rm seen/2.json.acknowledged
"$lutrace" check --acknowledge seen/2.json >/dev/null
is "the verdict stays what it is" "$("$lutrace" check -j seen/2.json | jq -c '[.verdict, .acknowledgement.holds]')" '["bad",true]'

### The largest ledger
mkdir large ledgers
"$build/tests/unit/make-ledger" crowded:131000 ledgers || exit 1
"$lutrace" record -l ledgers -o large/handover.json
serve_export large large
scrape large.prom
is "a ledger with a quarter of a million records is read" \
	"$(value 'liveupdate_last_steps{step="domain-restore"}' large.prom)" 131001
ok "in less than half of the 256 MiB that the service has ($(resident VmHWM) KiB)" [ "$(resident VmHWM)" -le 131072 ]
ok "and nothing of it is kept ($(resident VmRSS) KiB)" [ "$(resident VmRSS)" -le 24576 ]

tap_done
