#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Directories of recordings that cannot be read, or have something else in them that has the
# name of a recording: nothing is passed over without a word, and what is written is not one.

set -u
project=$(cd "$(dirname "$(readlink -f "$0")")/../.." && pwd)
# shellcheck source=tests/lab/tap.sh
. "$project/tests/lab/tap.sh"
# shellcheck source=tests/dashboards/serve.sh
. "$project/tests/dashboards/serve.sh"
build=${BUILD:-$project/build}
lutrace=$build/bin/lutrace
recording=$project/tests/dashboards/data/scalable/handover.json
cd "$tap_scratch" || exit 1

# value SAMPLE FILE: the value of a sample, whose name and labels are given
value() { awk -v sample="$1" '$1 == sample { print $2 }' "$2"; }

# Somebody whom permissions hold, which root's capabilities do not
plainly=()
[ "$(id -u)" = 0 ] && plainly=(setpriv --bounding-set -dac_override,-dac_read_search)

# said COMMAND...: standard error, and the exit status
said() {
	"${plainly[@]}" "$@" >output 2>words
	local code=$?
	cat words && echo $code
}

### Permissions
mkdir closed && cp "$recording" closed/a.json
chmod 000 closed
is "prune of a directory that may not be read is an error" "$(said "$lutrace" prune closed)" \
	'lutrace: cannot read closed: Permission denied
1'
chmod 444 closed
is "so is one that may not be searched" "$(said "$lutrace" prune closed)" \
	'lutrace: cannot read closed: Permission denied
1'
like "export does not begin with it" "$(said "$lutrace" export -t - closed)" 'cannot read closed: Permission denied'
like "nor does diff take it for one without a recording" "$(said "$lutrace" diff -b closed -a closed)" \
	'cannot read closed/a.json: Permission denied'
chmod 755 closed
mkdir closed/below && chmod 000 closed/below
like "nor one below it" "$(said "$lutrace" diff -b closed -a closed)" 'cannot read closed/below: Permission denied'
rmdir closed/below
chmod 000 closed/a.json
is "a file that prune may not read is an error, and not called something else" "$(said "$lutrace" prune closed) $(cat output)" \
	'lutrace: cannot read closed/a.json: Permission denied
1 Removed 0 of 0 recordings, 0 KiB.'
"${plainly[@]}" "$lutrace" prune -j closed >pruned.json 2>/dev/null
is "its answer names it" "$(jq -c '[.passed, .unread]' pruned.json)" '[[],["closed/a.json"]]'
schema "as the schema says" prune pruned.json
chmod 644 closed/a.json
is "one that it may is none" "$(said "$lutrace" prune closed)" 0
# What is mounted cannot be removed.
mkdir held
for i in 1 2 3 4; do cp "$recording" "held/$i.json" && touch -d "2026-01-0$i" "held/$i.json"; done
if reason=$(no_namespaces); then
	skip 1 "$reason"
else
	# shellcheck disable=SC2016
	said=$(unshare --mount sh -c 'mount --bind held/2.json held/2.json && exec "$1" prune --keep 2 held' - "$lutrace" 2>&1)
	is "one that cannot be removed is named, and those that are older go" "$? $said $(cd held && echo *)" \
		"1 lutrace: cannot remove held/2.json: Device or resource busy
held/1.json
Removed 1 of 4 recordings, $(($(stat -c %s "$recording") / 1024)) KiB. 2.json 3.json 4.json"
fi
mkdir -p pins/below
chmod 000 pins/below
like "pinned programs below a directory that may not be read are not none" "$(said "$lutrace" time --pinned pins)" \
	'nobody but its owner may read all that is pinned below pins'
like "export says that it counts none" "$(said "$lutrace" export -t - -P pins/below closed)" \
	'pins/below: Permission denied, so no program is counted'
chmod 755 pins/below
# The service goes on when permissions are lost meanwhile.
printf '#!/bin/sh\nexec %s "%s" "$@"\n' "${plainly[*]}" "$lutrace" >plain && chmod 755 plain
lutrace=./plain serve_export bare closed
get "http://$address/metrics" >bare.prom
is "export reads it" "$(value lutrace_export_recordings bare.prom) $(value lutrace_export_unreadable_recordings bare.prom)" '1 0'
chmod 444 closed
for _ in 1 2; do get "http://$address/metrics" >bare.prom; done
is "and counts it as unreadable when it may not be searched any more" \
	"$(value lutrace_export_recordings bare.prom) $(value lutrace_export_unreadable_recordings bare.prom)" '0 1'
is "and says so, once" "$(cat bare.log)" 'lutrace export: closed: Permission denied'
chmod 755 closed

### What is no file
mkdir odd elsewhere && cp "$recording" odd/good.json
mkfifo odd/fifo.json
mkdir odd/directory.json
ln -s nowhere odd/dangling.json
ln -s looping.json odd/looping.json
cp "$recording" elsewhere/recording
ln -s ../elsewhere/recording odd/link.json
serve_export odd odd
for _ in 1 2 3; do get "http://$address/metrics" >odd.prom; done
is "FIFOs, directories and links that lead nowhere are named, each once" "$(sort odd.log)" \
	'lutrace export: odd/dangling.json: No such file or directory
lutrace export: odd/directory.json: it is a directory, where a file is needed
lutrace export: odd/fifo.json: it is a FIFO, where a regular file is needed
lutrace export: odd/looping.json: Too many levels of symbolic links'
is "and counted as what cannot be read is" "$(value lutrace_export_unreadable_recordings odd.prom)" 4
is "a link to a recording is followed" "$(value lutrace_export_recordings odd.prom) $(value liveupdate_handovers_total odd.prom)" '2 1'
touch odd/directory.json/file
cp "$recording" odd/nowhere
get "http://$address/metrics" >odd.prom
is "a link that leads somewhere again is read" "$(value lutrace_export_recordings odd.prom)" 3
is "and nothing is said again" "$(wc -l <odd.log)" 4
serve_stop
"$lutrace" diff -j -b odd -a odd >diff.json 2>diff.log
is "diff names and counts them, too, but for the directory, which it goes into" \
	"$(jq -c '[.before.unreadable, .after.unreadable]' diff.json) $(grep -c 'odd/fifo.json is left out: it is a FIFO' diff.log) $(grep -c \
		'odd/looping.json is left out: Too many' diff.log)" '[2,2] 2 2'

### The address
timeout 10 "$lutrace" export -L 127.0.0.1:0 odd >/dev/full 2>full.log
is "who cannot say where it listens does not" "$? $(grep '^lutrace:' full.log)" \
	'1 lutrace: cannot write the output: No space left on device'
timeout 10 "$lutrace" export -L 127.0.0.1:0 odd >&- 2>full.log
is "nor where there is no standard output" "$?" 1

### What is written is no recording
mkdir place && cp "$recording" place/a.json
mkdir other && ln -s ../place/linked.json other/state && ln -s ../other/outside place/link.json && ln -s place alias
for name in place/state.json ./place/../place/state.json alias/state.json other/state place/link.json; do
	for option in --state --textfile; do
		is "$option $name, which would be read as a recording, is refused" "$(timeout 10 "$lutrace" export $option $name place 2>&1; echo $?)" \
			"lutrace: $name would be read as a recording, as all files named *.json in its directory: name one elsewhere, or with another ending, with $option
1"
	done
done
is "also where it is the working directory" "$(cd place && "$lutrace" export -t - -s state.json . >/dev/null 2>&1; echo $?)" 1
is "and nothing is written" "$(ls place other)" 'other:
state

place:
a.json
link.json'
rm place/link.json
"$lutrace" export -t place/lutrace.prom -s place/state place 2>place.log
is "under another name it may be there" "$? $(cat place.log) $(cd place && echo *)" '0  a.json lutrace.prom state'
"$lutrace" export -t other/lutrace.json -s other/state.json place
is "so may *.json elsewhere" $? 0

tap_done
