#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck disable=SC1091,SC2030,SC2031,SC2034,SC2317 # completion runs in subshells
#
# bash, zsh and fish complete the verbs of lutrace, the options that each has, and what
# those take. Each shell is asked itself.

set -u
project=$(cd "$(dirname "$(readlink -f "$0")")/../.." && pwd)
# shellcheck source=tests/lab/tap.sh
. "$project/tests/lab/tap.sh"
build=${BUILD:-$project/build}
scripts=$build/completion
cd "$tap_scratch" || exit 1
touch recording.json
mkdir ledgers

"$build/bin/lutrace" completion table >table
mapfile -t verbs < <(cut -f 1 table | uniq)
# options VERB: the long ones
options() { grep "^$1	" table | grep -oE -e '--[a-z-]+' | sort; }

# in_bash WORD...: what bash offers for the last one
in_bash() {
	(
		. "$scripts/lutrace"
		COMP_WORDS=(lutrace "$@") COMP_CWORD=$#
		_lutrace
		printf '%s\n' "${COMPREPLY[@]}" | sort
	)
}
# in_fish WORD...: the same of fish
in_fish() {
	HOME=$PWD fish --no-config -c 'source $argv[1]; complete -C "$argv[2]"' "$scripts/lutrace.fish" "lutrace $*" |
		cut -f 1 | sort
}
# in_zsh WORD...: the same of zsh. Its completion works in its line editor alone, which
# is at a terminal here; what it would offer is caught where it is handed over.
cat >zshrc <<'END'
autoload -Uz compinit
compinit -D -u
zstyle ':completion:*' list-grouped false
compadd() {
	local -a found
	builtin compadd -O found "$@"
	print -rl -- "${found[@]}" >>$OFFERED
	builtin compadd "$@"
}
PS1=ready
END
in_zsh() {
	: >offered
	TERM=dumb ZDOTDIR=$PWD/nothing OFFERED=$PWD/offered timeout 60 zsh -f -c '
		zmodload zsh/zpty
		zpty shell zsh -f -i
		zpty -w shell "fpath=($1 \$fpath); source ./zshrc; print re\ady"
		zpty -r shell seen "*ready*ready*"
		zpty -w -n shell "$2"$'\''\t'\''
		zpty -w -n shell $'\''\C-a\C-kprint do\\ne\n'\''
		zpty -r shell seen "*done*"
		zpty -d shell' zsh "$scripts" "lutrace $*" >/dev/null 2>&1
	grep -v '^$' offered | sort -u
}

# asks SHELL: the same questions for each
asks() {
	local shell=$1 verb
	is "$shell completes a verb" "$("in_$shell" sn)" snapshot
	is "$shell offers verbs behind help" "$("in_$shell" help wa)" walk
	for verb in "${verbs[@]}"; do
		is "$shell offers the options of $verb" "$("in_$shell" "$verb" -- | grep -e '^--')" "$(options "$verb")"
	done
	is "$shell completes a file where an option takes one" "$("in_$shell" snapshot --output rec)" recording.json
	is "$shell completes a recording" "$("in_$shell" report rec)" recording.json
	like "$shell completes a directory where an option takes one" "$("in_$shell" time --ledger '')" '^ledgers/?$'
	is "and no file there" "$("in_$shell" time --ledger rec)" ""
	is "$shell completes no file where none belongs" "$("in_$shell" faults rec)" ""
	is "nor where an option takes a number" "$("in_$shell" blame --number rec)" ""
}

asks bash
is "bash completes what stands behind =" "$(in_bash probes --attach = led)" ledgers
is "a directory that may be left out is named with = alone" "$(in_bash probes --attach led)" ""
is "what bash reads is as it should be" "$(shellcheck -s bash "$scripts/lutrace")" ""
for shell in fish zsh; do
	if command -v "$shell" >/dev/null; then
		asks "$shell"
	else
		ok "$shell is not installed # SKIP" true
	fi
done

# Where each shell looks for it
"$project/tools/setup/install" "$PWD/root" /usr/local >/dev/null
"$project/tools/setup/install" "$PWD/root" /usr >/dev/null
is "each is installed where its shell looks for it" "$(cd root && find . -path '*complet*' -type f -o -name _lutrace | sort)" \
	"./usr/local/share/bash-completion/completions/lutrace
./usr/local/share/fish/vendor_completions.d/lutrace.fish
./usr/local/share/zsh/site-functions/_lutrace
./usr/share/bash-completion/completions/lutrace
./usr/share/fish/vendor_completions.d/lutrace.fish
./usr/share/zsh/vendor-completions/_lutrace"
tap_done
