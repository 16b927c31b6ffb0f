#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# The page that report --html writes: what is in it, and what must not get in,
# whatever a recording holds.

set -u
project=$(cd "$(dirname "$(readlink -f "$0")")/../.." && pwd)
# shellcheck source=tests/lab/tap.sh
. "$project/tests/lab/tap.sh"
build=${BUILD:-$project/build}
lutrace=$build/bin/lutrace
golden=$project/tests/toolkit/golden
data=$project/tests/dashboards/data
export LC_ALL=C

make_ledgers handover cold crowded deep
cd "$tap_scratch" || exit 1

count() { grep -oE -e "$2" "$1" | wc -l; }
# page NAME: of the recording NAME.json
page() { "$lutrace" report --html "$1.json" -o "$1.html"; }
# verdict FILE: of a page, in words
verdict() { grep -oE '<p class="verdict.*</p>' "$1" | sed -E 's/<[^>]*>//g'; }

### What is in it
"$lutrace" record -l handover -m "$project/tests/toolkit/evidence.json" -o different.json
page different
is "a page is made of a recording" $? 0
# The time line is what plot draws; style and script are files of their own.
sed -e '/^<svg /,/^<\/svg>/d' -e '/<style>/,/<\/style>/d' -e '/<script>/,/<\/script>/d' different.html |
	sed -e 's/lutrace [0-9.]*[0-9]/lutrace VERSION/' -e "s/sha256-[^']*/sha256-DIGEST/" >different.txt
ok "it says what it should" diff -u "$golden/report-html.txt" different.txt
sed -n '/^<svg /,/^<\/svg>/p' different.html >timeline.svg
ok "the time line is the one that plot draws" diff <("$lutrace" plot different.json | tail -n +2) timeline.svg
is "the phases are those of the recording, and their sum is the pause" \
	"$(sed -n '/id="phases"/,/<\/section>/p' different.html | grep -oE 'amount" data-value="[0-9]+">[^<]*</td><td class="amount" data-value="[0-9]+">[0-9.]+%' |
		grep -oE '^amount" data-value="[0-9]+' | grep -oE '[0-9]+$' | awk 'NR > 1 { print last } { last = $1; sum += last }
			END { if (sum - last != last) print "the sum is", last, "and not", sum - last }' | paste -sd ' ')" \
	"$(jq -r '[.blackout.phases[].ns | tostring] | join(" ")' different.json)"
is "what is bad is in its first sentence" "$(verdict different.html)" \
	"Bad. The workload was paused for $("$lutrace" time different.json | sed -n 's/^Blackout: //p'); the page tables are different; 1 of 1078 packets was lost; 1 call of the session failed."
jq '.identity |= { verdict: "identical", domains: 1 } | .dma.lost = 0 | .dma.received = 1078 | .session.finish.result = "ok"' different.json >good.json
page good
like "what is good is called good" "$(verdict good.html)" '^Good\. .*; the page tables are identical; no packet was lost\.$'
jq '.referee |= (.remapping_off = 1 | .remapping_stale = 1)' good.json >exposed.json
page exposed
like "interrupts that were not remapped, or by another kernel's table, are bad" "$(verdict exposed.html)" \
	'^Bad\. .*; interrupt remapping was off; an interrupt remapping table outlived its kernel\.$'
is "and the report says it" "$("$lutrace" report exposed.json | sed -n 's/^Referee: *//p')" \
	"translation switched off 0 times, interrupt remapping 1 times, 0 faults, memory identical"
"$lutrace" report --html -l handover >unproven.html
like "what nobody looked at is not called good" "$(verdict unproven.html)" '^Not proven\. .*not verified; nobody counted'
is "without a pause there is a page all the same, and 2" \
	"$("$lutrace" report --html -l cold -o cold.html; echo $?) $(grep -c 'class="verdict unsure"' cold.html)" '2 1'
"$lutrace" report --html "$data/refused/recording.json" -o refused.html
like "a reboot call that came back is bad" "$(verdict refused.html)" '^Bad\. .*; the reboot call failed'

### What it loads: nothing
# embedded ELEMENT: what is in the first element of that kind
embedded() { sed -n "/^<$1>/,/^<\/$1>/ { /^<\/$1>/q; s/^<$1>//; p }" different.html; }
for file in different cold; do
	is "$file: it refers to nothing but itself" "$(sed 's,xmlns="http://www.w3.org/2000/svg",,' "$file.html" |
		grep -oiE '(https?:|//[a-z]|url\(|@import|src *=|href="[^#]|[^a-z-]on[a-z]+ *=)[^<]{0,40}' | grep -v '^// ')" ''
done
is "every link leads to a section" "$(grep -oE 'href="#[^"]+' different.html | cut -d '#' -f 2 |
	while IFS= read -r id; do grep -qE "id=\"$id\"" different.html || echo "$id"; done)" ''
is "no name is there twice" "$(grep -oE ' id="[^"]+' different.html | sort | uniq -d)" ''
is "no script but its own may run" "$(grep -oE 'sha256-[A-Za-z0-9+/=]+' different.html)" \
	"sha256-$(sha256sum "$project/tools/lutrace/show/html.js" | cut -c -64 | tr a-f A-F | basenc --base16 -d | base64)"
like "nothing else may be loaded" "$(grep Content-Security-Policy different.html)" "default-src 'none'"
is "style and script are the files that are in the source" \
	"$(embedded style | cmp - "$project/tools/lutrace/show/html.css" && embedded script | cmp - "$project/tools/lutrace/show/html.js" &&
		echo yes)" yes

### A recording is not to be trusted
# shellcheck disable=SC2016
jq 'def evil: "\"'"'"'><script>alert(1)</script>&<img src=x onerror=alert(1)>\u0001\u001b[31m\u202e";
	.generator = evil | .ledgers.outgoing.release = "<script>a</script>\"&" |
	.ledgers.incoming.release = "</title><img src=x>" |
	(.ledgers[].records[] | select(.name) | .name) |= "<script>\"&" |
	(.identity | .reason, .snapshot_release) |= evil |
	(.identity.differences[] | .kind, .unit, .device, .iova, .old, .old_text, .new, .new_text) |= evil |
	.identity.differences += [evil, {}] | .identity[evil] = [evil] |
	(.identity.devices[] | .device, .unit, .mode, .stage, .top) |= evil |
	.dma[evil] = evil | .dma.sender[evil] = { (evil): evil } | .interrupts[evil] = evil |
	.session.name = evil | .referee.translation = evil | .referee.differences = [evil]' different.json >evil.json
page evil
# Without its marks the pause ends when all sessions are finished: that is one more in the picture.
is "markup in names is text" "$(count evil.html '<script') $(count evil.html '<img') $(count evil.html '</title>')" \
	"1 0 $(($(count different.html '</title>') + 1))"
ok "and is shown" [ "$(count evil.html '&lt;script&gt;')" -gt 20 ]
is "no letter is left that is not printable" "$(tr -d '\n\t\040-\176' <evil.html | wc -c)" 0
jq '("x" * 4096) as $long | .identity.reason = $long | .dma.note = $long * 200 |
	.dma += reduce range(100000) as $i ({}; .["m\($i)"] = $i) |
	.identity.differences = [range(100000) | { kind: "table-entry", device: "d\(.)", old: "0x1" }] |
	.identity.difference_count = 1e15 | .session.files += [range(100000) | { file: "memfd", token: ., result: "ok", ns: 1 }] |
	.interrupts.vectors = [range(100000) | { type: "MSI", vector: . }] |
	.dma.sender = (reduce range(7) as $i ("deep"; { a: . }))' different.json >long.json
page long
ok "what is absurdly long is cut" [ "$(stat -c %s long.html)" -lt 400000 ]
like "and says so" "$(cat long.html)" 'x&hellip; \(cut\)'
like "differences that are not shown are counted" "$(cat long.html)" '[0-9]+ more differences are not shown'

# Every member in turn missing, null, or of another type: a page, or the name of the member.
members='["kernel", "time", "blackout", "identity", "dma", "interrupts", "session", "referee", "steps", "generator"]'
members+=' + ["differences", "devices", "vectors", "files", "retrieve", "verdict", "finished", "carried"]'
jq -c --argjson names "$(jq -nc "$members")" '. as $all | $names[] as $name |
	[paths | select(.[-1] == $name)][] as $path | ($all | delpaths([$path])),
	((null, "text", -1e300, [[]], [null], {}) as $value | $all | setpath($path; $value))' \
	different.json >variants
bad=0
while IFS= read -r variant; do
	"$lutrace" report --html - <<<"$variant" >variant.html 2>variant.log
	code=$?
	[ "$code" = 0 ] && [ "$(tail -n 1 variant.html)" = '</html>' ] && continue
	[ "$code" = 1 ] && grep -qE "its member '[a-z_.]+(\[[0-9]+\])?[a-z_.]*' is " variant.log && continue
	bad=$((bad + 1))
	diag "exit status $code: $(head -c 300 <<<"$variant") ..."
done <variants
is "a member that is missing, null or of another type is refused by name, or does no harm ($(wc -l <variants) variants)" "$bad" 0

### Large ones stay usable
for shape in crowded deep; do
	"$lutrace" report --html -l "$shape" -o "$shape.html" 2>/dev/null
	ok "$shape: a page of 100,000 records is small" [ "$(stat -c %s "$shape.html")" -lt 1000000 ]
	like "$shape: it says how many steps are not drawn" "$(cat "$shape.html")" '[0-9]{5} shorter steps are not drawn'
	like "$shape: and how many are not listed" "$(cat "$shape.html")" 'The other [0-9]{5} are counted'
done
is "all of them are counted" "$(grep -oE '>domain-restore</th><td class="amount" data-value="[0-9]+' crowded.html |
	grep -oE '[0-9]+$')" "$(jq '[.steps[] | select(.step == "domain-restore")] | length' \
	<("$lutrace" report -j -l crowded))"

### Options
is "--chrome and --html exclude each other" "$(status "$lutrace" report --chrome --html different.json)" 1
is "what is no recording is an error" "$(status "$lutrace" report --html variant.html)" 1
is "a place that is not there is an error" "$(status "$lutrace" report --html -o none/x.html different.json)" 1

tap_done
