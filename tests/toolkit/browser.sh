# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# A real browser without a screen, which a test drives with WebDriver. Source it
# after tap.sh; it ends with the test. No host but this one can be reached.

browser_session=	# address of the session
browser_process=
browser_stop() {
	[ -z "$browser_session" ] || browser DELETE '' >/dev/null
	[ -z "$browser_process" ] || { kill "$browser_process" && wait "$browser_process"; } 2>/dev/null
	browser_process=
}
trap browser_stop EXIT

# browser METHOD PATH [JSON]: what WebDriver answers
browser() {
	curl -sS --max-time 120 -X "$1" ${3+-H 'Content-Type: application/json' --data-binary @-} \
		"$browser_session$2" <<<"${3-}" | jq .value
}

browser_start() {
	local port='' options
	chromedriver --port=0 >"${tap_scratch:?}/chromedriver.log" 2>&1 &
	browser_process=$!
	for _ in $(seq 600); do
		port=$(sed -nE 's/.*started successfully on port ([0-9]+).*/\1/p' "$tap_scratch/chromedriver.log")
		[ -z "$port" ] || break
		sleep 0.1
	done
	[ -n "$port" ] || return 1
	options=$(jq -n --arg profile "$tap_scratch/chromium" '{capabilities: {alwaysMatch: {
		"goog:chromeOptions": { args: ["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run",
			"--disable-background-networking", "--host-resolver-rules=MAP * ~NOTFOUND",
			"--user-data-dir=\($profile)", "--window-size=1280,900"] },
		"goog:loggingPrefs": { browser: "ALL", performance: "ALL" } }}}')
	browser_session=http://127.0.0.1:$port/session
	browser_session+=/$(browser POST '' "$options" | jq -r .sessionId)
	[ "${browser_session##*/}" != null ]
}

# browser_open FILE: load it
browser_open() { browser POST /url "$(jq -n --arg url "file://$(readlink -f "$1")" '{$url}')" >/dev/null; }

# browser_run SCRIPT: what the body of a function returns in the page
browser_run() { browser POST /execute/sync "$(jq -n --arg script "$1" '{$script, args: []}')"; }

# browser_devtools COMMAND PARAMETERS: a command of the DevTools protocol
browser_devtools() {
	browser POST /goog/cdp/execute "$(jq -n --arg cmd "$1" --argjson params "$2" '{$cmd, $params}')"
}

# browser_scheme light|dark: what the reader prefers
browser_scheme() {
	browser_devtools Emulation.setEmulatedMedia \
		"{\"features\":[{\"name\":\"prefers-color-scheme\",\"value\":\"$1\"}]}" >/dev/null
}

# browser_width PIXELS: of the window
browser_width() {
	browser_devtools Emulation.setDeviceMetricsOverride \
		"{\"width\":$1,\"height\":900,\"deviceScaleFactor\":1,\"mobile\":false}" >/dev/null
}

# browser_picture FILE: all of the page, as PNG
browser_picture() {
	browser_devtools Page.captureScreenshot '{"format":"png","captureBeyondViewport":true}' |
		jq -r .data | base64 -d >"$1"
}

# browser_keys KEY...: press keys where the focus is: Tab, Return, Space, or a text
browser_keys() {
	browser POST /actions "$(jq -n '{ Tab: "\uE004", Return: "\uE006", Space: "\uE00D" } as $names |
		{ actions: [{ type: "key", id: "keyboard", actions: [$ARGS.positional[] | ($names[.] // .) | explode[] |
			[.] | implode | { type: "keyDown", value: . }, { type: "keyUp", value: . }] }] }' --args "$@")" >/dev/null
}

# browser_log KIND: what was logged since it was asked for the last time
browser_log() { browser POST /se/log "{\"type\":\"$1\"}"; }
