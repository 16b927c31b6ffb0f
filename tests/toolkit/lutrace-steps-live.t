#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# lutrace steps --interval: a view on a terminal, lines elsewhere.

set -u
project=$(cd "$(dirname "$(readlink -f "$0")")/../.." && pwd)
# shellcheck source=tests/lab/tap.sh
. "$project/tests/lab/tap.sh"
build=${BUILD:-$project/build}
lutrace=$build/bin/lutrace
export LC_ALL=C TERM=xterm

make_ledgers handover nested
cd "$tap_scratch" || exit 1
escape=$'\033'

# on_terminal OUTPUT COMMAND: run it on a terminal of 30 lines, with keys from
# standard input; what the terminal got, its settings, and the exit status.
# Ctrl-C reaches the shell, too, which must outlive it, whichever shell it is.
on_terminal() {
	rm -f status before after
	SHELL=/bin/sh script -qfec "trap : INT
		stty rows 30 cols 70; stty -a >before; $2; echo \$? >status
		stty -a >after" "$1" >/dev/null
}
# until_seen FILE TEXT: wait until it is there, at most ten seconds
until_seen() {
	local i
	for ((i = 0; i < 100; i++)); do
		! grep -qF -e "$2" "$1" 2>/dev/null || return 0
		sleep 0.1
	done
	return 1
}

mkdir -p ledger && cp handover/* ledger/
{
	until_seen screen 'domain-preserve'
	cp nested/current ledger/new && mv ledger/new ledger/current
	until_seen screen 'file-retrieve'
	printf 'h'
	until_seen screen '@ns[file-retrieve]'
	printf '%s[6~%s[6~%s[6~%s[6~' "$escape" "$escape" "$escape" "$escape"
	until_seen screen '@ns[device-keep]'
	printf 'l'
	until_seen screen 'begin       time'
	printf 'q'
} | on_terminal screen "'$lutrace' steps -n 0.2 -l ledger"
is "q ends the view" "$(cat status)" 0
like "it has a screen of its own" "$(tr -d '\n' <screen)" "$escape\[\?1049h.*$escape\[\?1049l"
ok "it is drawn anew with what was added" grep -q file-retrieve screen
ok "h shows the histograms" grep -qF '@ns[file-retrieve]' screen
ok "which can be scrolled" grep -qF '@ns[device-keep]' screen
ok "l shows the list" grep -qF 'begin       time' screen
ok "the terminal is left as it was" cmp before after
is "no line is wider than the terminal" "$(sed -e 's/\r//g' -e "s/$escape\[[?0-9;]*[A-Za-z]//g" screen |
	grep -v '^Script' | awk 'length > 70 && !/q: end.*q: end/ && !/lutrace steps/' | head -n 3)" ''

{
	until_seen interrupted 'domain-preserve'
	printf '\003'
} | on_terminal interrupted "'$lutrace' steps -n 60 -l handover"
is "so does Ctrl-C, at once" "$(cat status)" 0
ok "and the terminal is left as it was" cmp before after

{
	until_seen vanished 'domain-preserve'
	rm -r ledger
	sleep 1
} | on_terminal vanished "'$lutrace' steps -n 0.2 -l ledger"
is "if the ledger vanishes, it ends with 1" "$(cat status)" 1
like "and the message is on the screen from before" "$(tr -d '\n' <vanished)" \
	"$escape\[\?1049l.*there is no ledger"

"$lutrace" steps -n 0.1 -c 3 -l handover >lines
is "elsewhere one answer follows the other" "$(grep -c domain-preserve lines)" 3
ok "without any escape sequence" not grep -q "$escape" lines
is "each below the time of day" "$(grep -cE '^[0-9]{2}:[0-9]{2}:[0-9]{2}$' lines)" 3
is "and as one line of JSON with -j" "$("$lutrace" steps -j -n 0.1 -c 3 -l handover |
	jq -c '.steps | length' | tr '\n' ' ')" '19 19 19 '
"$lutrace" record -l handover -o handover.json
is "a recording is not watched" "$(status "$lutrace" steps -n 1 handover.json)" 1
is "an interval is a number" "$(status "$lutrace" steps -n soon -l handover)" 1
is "of seconds that are not too few" "$(status "$lutrace" steps -n 0 -l handover)" 1
is "a count needs an interval" "$(status "$lutrace" steps -c 3 -l handover)" 1

tap_done
