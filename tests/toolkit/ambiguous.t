#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# kernel/scripts/ambiguous: a hunk that patch(1) would put into the wrong function is
# refused before it is applied; one that has moved and fits once is not.

set -u
project=$(cd "$(dirname "$(readlink -f "$0")")/../.." && pwd)
# shellcheck source=tests/lab/tap.sh
. "$project/tests/lab/tap.sh"
work=$tap_scratch
mkdir "$work/tree"

# Functions that differ in their names alone.
functions() { # NAME...
	local name
	for name; do
		printf 'int %s(void *mem)\n{\n\tint error;\n\n\tif (!mem)\n\t\treturn 0;\n\n\terror = look(mem);\n\treturn error;\n}\n\n' "$name"
	done
}

# Write a patch that adds a check to one of FUNCTIONS.
patch_of() { # NAME [DIFF-OPTION...]
	local name=$1
	shift
	functions first second third >"$work/before"
	awk -v at="int $name(void *mem)" '{ print } $0 == at { inside = 1 }
		inside && /int error;/ { print ""; print "\tcheck(mem);"; inside = 0 }' "$work/before" >"$work/after"
	diff -up "$@" --label a/code.c --label b/code.c "$work/before" "$work/after" >"$work/patch"
	[ -s "$work/patch" ]
}

# Have the tree begin with so many lines of other code.
tree() { # LINES FUNCTION...
	local count=$1
	shift
	{ seq -f '/* line %g */' "$count"; functions "$@"; } >"$work/tree/code.c"
}
ambiguous() { "$project/kernel/scripts/ambiguous" -v tree="$work/tree" "$work/patch" 2>"$work/said"; }
patched() { # NAME: patch puts the check into that function
	patch -s -p1 -d "$work/tree" <"$work/patch" >>"$work/log" &&
		awk -v at="int $1(void *mem)" '$0 == at { inside = 1 } /^}/ { inside = 0 }
			inside && /check/ { found = 1 } END { exit !found }' "$work/tree/code.c"
}

patch_of second
tree 0 first second third
ok "where nothing has moved, a hunk that fits three times goes to its line" ambiguous
tree 3 first second third
ok "moved a little, the nearest place is still the one of its heading" ambiguous
ok "and there patch puts it" patched second
tree 8 first second third
ok "moved so far that the function before is nearer: refused" not ambiguous
like "with the file, and how often its lines are there" "$(<"$work/said")" ':3: these lines are in code\.c 3 times, and line [0-9]+ '
ok "it is where patch would have put it" not patched second
tree 60 first second third
ok "moved far down, the first place is nearest: refused" not ambiguous
tree 60 second
ok "moved as far, but there once: taken" ambiguous
patch_of second --unified=5
tree 60 first second third
ok "with the function's name in its context it fits once: taken" ambiguous
ok "and goes there" patched second

functions first >"$work/before"
functions first >>"$work/before"
sed '14s/.*/&\n\n\tcheck(mem);/' "$work/before" >"$work/after"
diff -up --label a/code.c --label b/code.c "$work/before" "$work/after" >"$work/patch"
{ echo; cat "$work/before"; } >"$work/tree/code.c"
ok "two places below the same heading, and the line is not right: refused" not ambiguous
cp "$work/before" "$work/tree/code.c"
ok "and taken where it is right" ambiguous
tap_done
