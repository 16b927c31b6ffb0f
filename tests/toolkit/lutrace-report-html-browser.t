#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# The page that report --html writes, in a real browser that can reach nobody:
# by keyboard, as a screen reader has it, in light and dark, on paper.

set -u
project=$(cd "$(dirname "$(readlink -f "$0")")/../.." && pwd)
# shellcheck source=tests/lab/tap.sh
. "$project/tests/lab/tap.sh"
# shellcheck source=tests/toolkit/browser.sh
. "$project/tests/toolkit/browser.sh"
build=${BUILD:-$project/build}
lutrace=$build/bin/lutrace
export LC_ALL=C
cd "$tap_scratch" || exit 1

make_ledgers handover crowded
"$lutrace" record -l handover -m "$project/tests/toolkit/evidence.json" -o different.json
"$lutrace" report --html different.json -o different.html
"$lutrace" report --html -l crowded -o crowded.html
jq '"<img src=http://127.0.0.1/x onerror=document.title=1>\"><script>document.title=1</script>" as $evil |
	.ledgers.outgoing.release = $evil[:40] | .generator = $evil | (.identity.differences[] | .kind, .unit, .device, .iova, .old, .new) = $evil |
	.dma[$evil] = $evil | .session.name = $evil' different.json >evil.json
"$lutrace" report --html evil.json -o evil.html

browser_start || { ok "a browser starts" false; tap_done; }

### It loads
browser_log performance >/dev/null
ok "the page is opened from a file" browser_open different.html
is "under its title" "$(browser GET /title)" '"Live update from Linux 7.3.4 to Linux 7.3.4-successor"'
is "the console has nothing to say" "$(browser_log browser)" '[]'
is "nothing but the page itself is asked for" "$(browser_log performance |
	jq -c '[.[].message | fromjson.message | select(.method == "Network.requestWillBeSent").params |
		select(.documentURL | startswith("file:")).request.url | split("/")[-1]] | unique')" '["different.html"]'

### As a screen reader has it
browser_devtools Accessibility.getFullAXTree '{}' | jq '[.nodes[] | select(.ignored | not) |
	{ role: .role.value, name: .name.value, description: .description.value,
	  level: ([.properties[]? | select(.name == "level") | .value.value][0]) }]' >tree.json
is "there is one of each landmark" "$(jq -c '[.[].role | select(IN("banner", "navigation", "main", "contentinfo"))] | sort' tree.json)" \
	'["banner","contentinfo","main","navigation"]'
is "every section has a name" "$(jq -r '[.[] | select(.role == "region") | .name] | join(", ")' tree.json)" \
	'Overview, Time line, Phases, Steps, Page tables, DMA, Interrupts, Session, Referee, Environment'
is "headings go down one level at a time" "$(jq -c '[.[] | select(.role == "heading") | .level] |
	[.[0] == 1, ([.[] | select(. == 1)] | length), ([.[1:], .[:-1]] | transpose | all(.[0] <= .[1] + 1))]' tree.json)" '[true,1,true]'
is "the time line is a picture with a name and a description" "$(jq -r '.[] | select(.role == "image" or .role == "img") |
	.name + ": " + .description' tree.json | grep -cE '^Time line of a live update: From left to right')" 1
is "every table has a name" "$(jq -c '[.[] | select(.role == "table") | .name // "" | select(. == "")]' tree.json)" '[]'
ok "rows and columns have headers" [ "$(jq '[.[].role | select(IN("rowheader", "columnheader"))] | length' tree.json)" -gt 60 ]
is "whatever can be operated has a name" "$(jq -c '[.[] | select(.role | IN("link", "button", "searchbox", "DisclosureTriangle")) |
	.name // "" | select(. == "")]' tree.json)" '[]'

### By keyboard
browser_run '
	window.seen = [];
	document.addEventListener("focusin", event => {
		const style = getComputedStyle(event.target);
		seen.push({ element: event.target, visible: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2 });
	});
	window.wanted = [...document.querySelectorAll("a[href], button, input, summary, [tabindex=\"0\"]")]
		.filter(element => element.checkVisibility());
	return wanted.length' >wanted
mapfile -t keys < <(yes Tab | head -n "$(cat wanted)")
browser_keys "${keys[@]}"
is "Tab reaches each thing that can be operated, in the order of the page ($(cat wanted) of them)" \
	"$(browser_run 'return wanted.filter((element, i) => seen[i]?.element !== element).map(element => element.outerHTML.slice(0, 60))' | jq -c .)" '[]'
is "and shows where it is" "$(browser_run 'return seen.filter(one => !one.visible).length')" 0
browser_open different.html
browser_keys Tab Return
is "the first of them leads past what is the same on every page" \
	"$(browser_run 'return [location.hash, document.activeElement.id]' | jq -c .)" '["#main","main"]'
browser_run 'document.querySelector(".tree summary").focus()' >/dev/null
is "differences are open" "$(browser_run 'return document.querySelector(".tree details").open')" true
browser_keys Return
is "Return closes them" "$(browser_run 'return document.querySelector(".tree details").open')" false
browser_run 'document.querySelectorAll("table.sort th button")[5].focus()' >/dev/null
browser_keys Space
is "the space bar on a heading sorts by it, the largest first" \
	"$(browser_run 'return Number(document.querySelector("table.sort").tBodies[0].rows[0].cells[5].dataset.value)')" \
	"$("$lutrace" steps -j different.json | jq '[.steps[].total_ns] | max')"
browser_keys Space
is "and once more the other way round" "$(browser_run 'return document.querySelectorAll("table.sort th")[5].ariaSort')" '"ascending"'
browser_run 'document.querySelector(".filter input").focus()' >/dev/null
browser_keys device
is "typing into the filter leaves the rows that have it, and says how many" "$(browser_run '
	const rows = [...document.querySelector("table.sort").tBodies[0].rows];
	return [rows.filter(row => row.checkVisibility()).map(row => row.cells[0].textContent).sort().join(" "),
		document.querySelector("[role=status]").textContent]' | jq -c .)" \
	"$("$lutrace" steps -j different.json | jq -c '[.steps[].step] | [(map(select(contains("device"))) | sort | join(" ")),
		"\(map(select(contains("device"))) | length) of \(length) rows"]')"

### Contrast, WCAG 2.2, 1.4.3: 4.5:1, of all text that there is
contrast=$(
	cat <<'END'
const parse = text => (text.match(/[\d.]+/g) || [0, 0, 0, 0]).map(Number);
const luminance = ([r, g, b]) => [r, g, b].map(value => value / 255).map(value =>
	value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4)
	.reduce((sum, value, i) => sum + value * [0.2126, 0.7152, 0.0722][i], 0);
const over = (top, below, alpha) => [0, 1, 2].map(i => top[i] * alpha + below[i] * (1 - alpha));
// What is painted behind an element of the page.
function behind(element) {
	for (; element; element = element.parentElement) {
		const colour = parse(getComputedStyle(element).backgroundColor);
		if (colour.length === 3 || colour[3] === 1)
			return colour;
	}
	return [255, 255, 255];
}
// The same for a text of the time line: the last shape below its middle.
function shapeBehind(text) {
	const box = text.getBBox(), x = box.x + box.width / 2, y = box.y + box.height / 2;
	let colour = behind(text.ownerSVGElement);
	for (const shape of text.ownerSVGElement.querySelectorAll("rect")) {
		const at = shape.getBBox();
		if (!(shape.compareDocumentPosition(text) & Node.DOCUMENT_POSITION_FOLLOWING) ||
		    x < at.x || x > at.x + at.width || y < at.y || y > at.y + at.height)
			continue;
		const style = getComputedStyle(shape);
		colour = over(parse(style.fill), colour, parseFloat(style.fillOpacity));
	}
	return colour;
}
for (const details of document.querySelectorAll("details"))
	details.open = true;
const found = [];
let count = 0;
for (const element of document.querySelectorAll("body *")) {
	const own = [...element.childNodes].filter(node => node.nodeType === 3 && node.data.trim());
	if (!own.length || !element.checkVisibility() || element.closest("script, style, title, desc, .skip:not(:focus)"))
		continue;
	const svg = element.ownerSVGElement !== null && element.ownerSVGElement !== undefined;
	const style = getComputedStyle(element);
	const a = luminance(parse(svg ? style.fill : style.color));
	const b = luminance(svg ? shapeBehind(element) : behind(element));
	const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
	count++;
	if (ratio < 4.5)
		found.push(`${ratio.toFixed(2)} ${element.tagName}.${element.getAttribute("class")} ${own[0].data.trim().slice(0, 30)}`);
}
return [count > 300, getComputedStyle(document.body).backgroundColor, ...new Set(found)];
END
)
browser_open different.html
browser_scheme light
is "light: all text stands out from what is behind it" "$(browser_run "$contrast" | jq -c .)" '[true,"rgb(255, 255, 255)"]'
browser_scheme dark
is "dark: so it does" "$(browser_run "$contrast" | jq -c .)" '[true,"rgb(13, 17, 23)"]'

### Pictures, to be looked at
for scheme in light dark; do
	browser_scheme $scheme
	browser_open different.html
	browser_picture $scheme.png
done
browser_scheme light
ok "there are pictures of both, and they differ" [ "$(stat -c %s light.png)" -gt 100000 ] && ! cmp -s light.png dark.png
browser_width 360
browser_open different.html
browser_picture phone.png
is "at the width of a phone nothing but tables and the time line has to be scrolled" \
	"$(browser_run 'return [innerWidth, document.documentElement.scrollWidth]' | jq -c .)" '[360,360]'
browser_width 1280

### On paper
browser_open different.html
browser_run 'addEventListener("beforeprint", () => { window.leftClosed = document.querySelectorAll("details:not([open])").length })' >/dev/null
browser POST /print '{"background":false}' | jq -r . | base64 -d >page.pdf
is "it prints" "$(head -c 5 page.pdf)" '%PDF-'
is "with everything open" "$(browser_run 'return window.leftClosed')" 0
ok "and closes it again" [ "$(browser_run 'return document.querySelectorAll("details:not([open])").length')" -gt 0 ]

### Its own policy
is "a script that got in would not run" "$(browser_run 'const script = document.createElement("script");
	script.textContent = "document.title = 1"; document.body.append(script); return document.title.length > 1')" true
is "an image that got in would not be loaded" "$(browser POST /execute/async "$(jq -n '{ args: [], script: "
	const done = arguments[0];
	addEventListener(\"securitypolicyviolation\", event => done(event.effectiveDirective));
	new Image().src = \"http://127.0.0.1:9/x.png\";" }')" | jq -r .)" img-src
browser_log browser >/dev/null
browser_open evil.html
is "markup in a recording becomes no element" \
	"$(browser_run 'return [document.querySelectorAll("script").length, document.querySelectorAll("img").length, document.title.length > 1]' |
		jq -c .)" '[1,0,true]'
is "and nothing complains" "$(browser_log browser)" '[]'

### A hundred thousand records
browser_open crowded.html
ok "a page of 100,000 records has few elements" \
	[ "$(browser_run 'return document.querySelectorAll("*").length')" -lt 20000 ]
is "and does what it should" "$(browser_run 'document.querySelectorAll("table.sort th button")[1].click();
	return document.querySelector("table.sort").tBodies[0].rows[0].cells[0].textContent')" '"domain-restore"'
is "without a word in the console" "$(browser_log browser)" '[]'

tap_done
