#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# The command line of lutrace: help, options, exit codes, errors.

set -u
project=$(cd "$(dirname "$(readlink -f "$0")")/../.." && pwd)
# shellcheck source=tests/lab/tap.sh
. "$project/tests/lab/tap.sh"
build=${BUILD:-$project/build}
lutrace=$build/bin/lutrace
verbs=$("$lutrace" --help | sed -nE 's/^  ([a-z-]+) +[^ -].*/\1/p')
cd "$tap_scratch" || exit 1

# fits FILE LINES: a screen of 80 columns and 24 lines, of which it takes so many at most
fits() { awk -v lines="$2" 'length > 79 { bad = 1 } END { exit bad || NR > lines }' "$1"; }

like "--version says what it is" "$("$lutrace" --version)" '^lutrace [0-9]+\.[0-9]+$'
"$lutrace" --help >help.txt
ok "--help fits a screen" fits help.txt 24 || diag "$(wc -l <help.txt) lines"
is "--help names every verb that has a manual page" "$(sort <<<"$verbs")" \
	"$(cd "$project/tools/man" && printf '%s\n' lutrace-*.rst | sed -E 's/^lutrace-(.*)\.rst$/\1/' | sort)"
is "-h is --help" "$("$lutrace" -h)" "$(cat help.txt)"

for verb in $verbs; do
	"$lutrace" "$verb" --help >help.txt
	is "$verb --help succeeds" $? 0
	ok "$verb --help fits a screen, and the prompt below it" fits help.txt 23
	is "help $verb is the same" "$("$lutrace" help "$verb")" "$(cat help.txt)"
	is "an unknown option of $verb is an error" "$(status "$lutrace" "$verb" --lunch)" 1
	page=$project/tools/man/lutrace-$verb.rst
	ok "$verb has a manual page" [ -s "$page" ] || continue
	ok "the manual of $verb is built" [ -s "$build/man/lutrace-$verb.1" ]
done

is "an unknown verb is an error" "$(status "$lutrace" lunch)" 1
like "and the message says where to look" "$("$lutrace" lunch 2>&1)" "lutrace --help"
is "one argument too many is an error" "$(status "$lutrace" report a b)" 1
is "a recording and --ledger together are an error" \
	"$(status "$lutrace" time -l . handover.json)" 1
is "a file that is not there is an error" "$(status "$lutrace" report nowhere.json)" 1
like "which names it" "$("$lutrace" report nowhere.json 2>&1)" 'nowhere\.json: No such file'
echo 'not JSON' >text
like "what is no JSON is no recording" "$("$lutrace" report text 2>&1)" 'lutrace record'
echo '{}' >empty.json
like "what is no recording is refused" "$("$lutrace" report empty.json 2>&1)" 'no recording'
is "with -j an error is JSON" "$("$lutrace" -j report nowhere.json 2>/dev/null | jq -r 'keys[]')" error
is "-p may stand after the verb" \
	"$("$lutrace" report nowhere.json -p 2>/dev/null | jq -r 'keys[]')" error
like "a directory is no recording" "$("$lutrace" report . 2>&1)" 'is a directory; name a recording in it, or ledgers'
echo '{}' >handover.json
like "and the one in it is named" "$("$lutrace" report . 2>&1)" 'such as handover.json'
rm handover.json
mkdir -p none
like "a directory without ledgers is an error" "$("$lutrace" time -l none 2>&1)" 'no ledger'
"$build/tests/unit/make-ledger" handover none || exit 1
is "a file that cannot be written is an error" \
	"$(status "$lutrace" record -l none -o none/there/is/no/such/place)" 1
ok "and nothing of it is left" [ -z "$(find . -name 'place*')" ]
is "a full output is an error" "$("$lutrace" record -l none >/dev/full 2>/dev/null; echo $?)" 1

# The table of exit codes, as lutrace(1) has it
[ -e /sys/kernel/liveupdate/ledger ] ||
	for verb in time blame critical-chain advise steps plot record postmortem export; do
		is "$verb: no ledger on this machine, no answer" "$(status "$lutrace" $verb)" 2
	done
for verb in time blame critical-chain advise steps plot record postmortem; do
	is "$verb: a directory of ledgers that is named and is not there is an error" "$(status "$lutrace" $verb -l nowhere)" 1
done
[ -e /var/lib/lutrace/bench/set ] || {
	is "bench: nothing was benchmarked yet, no answer" "$(status "$lutrace" bench)" 2
	like "and it says how" "$("$lutrace" bench 2>&1)" '--begin before and --end after'
}
is "bench: a set that is named and is not there is an error" "$(status "$lutrace" bench nowhere)" 1
is "changes and faults: a program that is not attached, no answer" \
	"$(status "$lutrace" changes) $(status "$lutrace" faults)" "2 2"
# What is named has to be there.
for option in '-t -' '-L 127.0.0.1:0'; do
	# shellcheck disable=SC2086 # words
	is "export $option: a source that is named and is not there is an error" \
		"$(timeout 10 "$lutrace" export $option nowhere 2>&1 >/dev/null; echo $?)" \
		'lutrace: cannot read nowhere: No such file or directory
1'
done
is "also one of several" "$(status "$lutrace" export -t - . nowhere)" 1
mkfifo fifo.json
like "what is no file is an error that names it" "$(timeout 10 "$lutrace" export -t - fifo.json 2>&1)" 'fifo\.json: it is a FIFO'
rm fifo.json
like "a directory for --probes that is not there is told of" "$("$lutrace" export -t - -l none -P nowhere 2>&1 >/dev/null)" 'nowhere: No such file'
like "a vmcore that is not there is named" "$("$lutrace" walk -c nowhere -k nowhere 2>&1)" 'nowhere cannot be used: No such file'

# An empty argument is no file, number or name.
tried=0
while read -r verb option argument; do
	[ "$argument" != WORDS ] || continue
	tried=$((tried + 1))
	said=$(timeout 10 "$lutrace" "$verb" "$option=" 2>&1)
	[ "$? $(grep -c "'.*$option.*' needs an argument that is not empty" <<<"$said")" = '1 1' ] || echo "$verb $option"
done < <(for verb in $verbs; do
	"$lutrace" "$verb" --help | sed -nE "s/^  (-., |    )(--[a-z-]+)( |\[=)([][A-Za-z|:-]+).*/$verb \2 \4/p" | grep -E ' [^ ]*[A-Z|]+[^ ]*$'
done) >accepted
is "no option takes an empty argument" "$((tried > 60)) $(cat accepted)" '1 '
is "and a short one does not" "$(status "$lutrace" verify -s '') $(status "$lutrace" walk -d '')" '1 1'
is "one that is missing is the same error" "$("$lutrace" verify -s 2>&1)" "$("$lutrace" verify -s '' 2>&1)"
like "an argument behind the options is not empty, either" "$("$lutrace" time '' 2>&1)" 'argument 1 is empty'
like "a command line may have no words" "$("$lutrace" doctor -s nowhere -c '' 2>&1)" '^lutrace: nowhere: No such file'

# What is no JSON is not asked for as JSON, and every error of a run with -j is.
for words in 'plot handover.json' 'report --html handover.json' 'report --chrome handover.json' \
	'report --perfetto handover.json' 'report --otlp handover.json' 'export -t - handover.json' \
	'export -t x.prom handover.json' 'export' 'completion bash'; do
	for json in -j -p; do
		# shellcheck disable=SC2086 # words
		like "$words is not printed with $json" "$("$lutrace" $words $json 2>&1 >out; echo $?)" '(leave -j and -p out|exclude --json)'
		is "and only the error is" "$(jq -sr 'map(keys[]) | join(" ")' out)" error
	done
done
like "a drawing of bench is not mixed with its answer" "$("$lutrace" bench none -o - 2>&1)" 'name a file for the drawing'
# Two questions, or two places, are not asked for at once.
for words in 'snapshot -o x -s 0' 'snapshot -a -d 01:00.0' 'verify -f x -s 0' 'steps -H -L -l none' 'advise -r -l none' \
	'probes -a -b x' 'probes -b x -P none' 'probes -a=x -m 1' 'export -L :0 -t x' \
	'check -a -u x' 'time -l none -P none' 'walk -s x -c y -k z' 'doctor -S -s x'; do
	# shellcheck disable=SC2086 # words
	like "'$words' contradicts itself" "$("$lutrace" $words 2>&1 >/dev/null; echo $?)" \
		'exclude each other|name one|not both|not two of them|leave|two questions'
done

# What would have no effect is refused, and named with what takes its effect away.
"$lutrace" record -l none -o a.json
"$build/tests/unit/make-snapshot" legacy none snapshot
idle() { # WORDS MESSAGE
	local words
	read -ra words <<<"$1"
	is "'$1': $2" "$(timeout 10 "$lutrace" "${words[@]}" 2>&1 >/dev/null; echo $?)" "lutrace: $2; see 'lutrace ${words[0]} --help'
1"
}
while IFS='|' read -r words message; do
	idle "$words" "$message"
done <<'END'
blame -O -s a.json|--self has no effect with --objects
critical-chain -a -t 5 a.json|--threshold has no effect with --all
advise -r -L 5|--least has no effect with --remedies
advise -r -a x.service|--agent has no effect with --remedies
advise -r -c a.json|--config has no effect with --remedies
steps -c 3 a.json|--count has no effect without --interval
report --chrome -b 1s a.json|--budget has no effect with --chrome without --check
report --perfetto -b 1s a.json|--budget has no effect with --perfetto without --check
report --otlp -b 1s a.json|--budget has no effect with --otlp without --check
check -w me a.json|--who has no effect without --acknowledge
check -u -r seen a.json|--reason has no effect without --acknowledge
postmortem -n 3 a.json|--differences has no effect without --snapshot
postmortem -c x -k y -n 3|--differences has no effect without --snapshot
postmortem -k x a.json|--vmlinux has no effect without --vmcore
postmortem -s snapshot a.json|--snapshot has no effect without --vmcore
postmortem -r / a.json|--root has no effect with the argument 'a.json'
postmortem -r / -l none|--root has no effect with --ledger
postmortem -r / -c x -k y|--root has no effect with --vmcore
diff -n 3 a.json a.json|--differences has no effect with recordings
diff -l 3 snapshot snapshot|--limit has no effect with snapshots
diff -m 3 snapshot snapshot|--minimum has no effect with snapshots
bench -n 3 none|--count has no effect without --lab
bench -L 5 none|--limit has no effect without --compare
bench -m 5 none|--minimum has no effect without --compare
bench -s here none|--state has no effect without --begin or --end
bench -b -o x|--plot has no effect with --begin
bench -e -c none|--compare has no effect with --end
bench -b none|the argument 'none' has no effect with --begin
export -m -L :0|--listen has no effect with --metrics
export -m -t x.prom|--textfile has no effect with --metrics
export -m -P none|--probes has no effect with --metrics
export -m -w 3|--workloads has no effect with --metrics
export -m -l none|--ledger has no effect with --metrics
export -m -s x|--state has no effect with --metrics
export -m -n 3|--pairs has no effect with --metrics
export -m -b 1s|--budget has no effect with --metrics
export -m a.json|the argument 'a.json' has no effect with --metrics
snapshot -o x -t 3|--token has no effect with --output
verify -f snapshot -t 3|--token has no effect with --file
walk -P 3|--pasid has no effect without --device
walk -s snapshot -i 0x1000|--iova has no effect without --device
doctor -c quiet|--successor-cmdline has no effect without --successor
END
is "and nothing was written" "$(ls x.prom x here 2>/dev/null)" ''
is "what has an effect is not refused" "$(for words in 'blame -s a.json' 'critical-chain -t 5 -s mark a.json' 'advise -r' 'report --chrome -k -b 1s a.json' \
	'report --html -b 1s a.json' 'diff -n 3 snapshot snapshot' 'diff -l 3 -m 5 a.json a.json' 'export -m' 'export -w 3 -n 3 -b 1s -t - a.json'; do
	# shellcheck disable=SC2086 # words
	"$lutrace" $words 2>&1 | grep 'no effect'
done)" ''

# A terminal obeys control characters, and a name may have some.
odd=$'a\e[31mb\n\x9bc\xff'
for words in 'report' 'time -l' 'check' 'diff a.json' 'record -l none -m' 'export -t -' 'advise a.json -c' 'walk -s' 'bench' 'prune' 'plot a.json -c'; do
	# shellcheck disable=SC2086 # words
	is "$words: what is said of a name has no control characters" \
		"$(timeout 10 "$lutrace" $words "$odd" 2>&1 >/dev/null | LC_ALL=C tr -d '\n -~' | wc -c) $(timeout 10 "$lutrace" $words "$odd" 2>&1 >/dev/null | grep -c 'a?\[31mb??c?')" '0 1'
done
is "nor of a verb, an option or a word" "$(for words in "$odd" "time --$odd" "time a $odd" "verify -s $odd"; do
	# shellcheck disable=SC2086 # words
	IFS=' ' "$lutrace" $words 2>&1
done | LC_ALL=C tr -d '\n -~' | wc -c)" 0
# Nor what is found in a directory.
mkdir found && cp a.json "found/$odd.json" && echo '{}' >"found/none$odd.json" && touch -d yesterday found/* && cp a.json found/z.json
for words in 'prune -n -k 1 found' 'prune -n -k 1 -j found' 'diff found found' 'diff -j found found' 'export -t - found'; do
	# shellcheck disable=SC2086 # words
	is "$words: names that are found have none, either" "$("$lutrace" $words 2>&1 | LC_ALL=C tr -d '\n -~' | wc -c)" 0
done
is "and prune tells of both" "$("$lutrace" prune -n -k 1 found | grep -c '^found/.*a?\[31mb??c?')" 2
is "and with -j it is JSON" "$("$lutrace" report -j "$odd" 2>/dev/null | jq -r .error)" 'cannot read a?[31mb??c?: No such file or directory'

for words in 'verify -j --lunch' 'verify --lunch -j' '-j verify --lunch' '--lunch verify -j' 'verify -s abc -j' \
	'verify -j -s' 'blame --all=3 -j' 'lunch -j' 'blame -Z -p' 'time a b -j' 'report -j --html x'; do
	# shellcheck disable=SC2086 # words
	is "'$words': the error is JSON, and on standard error" \
		"$("$lutrace" $words 2>err | jq -r .error) $?" "$(sed 's/^lutrace: //' err) 0"
done
is "without -j none is" "$("$lutrace" verify --lunch 2>/dev/null)" ''
is "what is named -j asks for nothing" "$("$lutrace" time -f -j 2>/dev/null)" ''

for verb in $("$lutrace" --help | sed -n 's/^  \([a-z-]*\)  *[a-z].*/\1/p'); do
	is "$verb: an option that is none is an error" "$(status "$lutrace" "$verb" --lunch)" 1
	ok "$verb: its manual has the section" grep -q '^EXIT STATUS' "$project/tools/man/lutrace-$verb.rst"
done

tap_done
