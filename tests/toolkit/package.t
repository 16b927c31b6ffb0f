#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# The toolkit's Debian package installs on Debian, works there, and goes without a
# trace. PACKAGE_SUITES names the releases; by default this machine's own.

set -u
project=$(cd "$(dirname "$(readlink -f "$0")")/../.." && pwd)
# shellcheck source=tests/lab/tap.sh
. "$project/tests/lab/tap.sh"
export BUILD=${BUILD:-$project/build}
[ "$(id -u)" = 0 ] || skip_all "only root may install a package"
# shellcheck source=/dev/null
. /etc/os-release

build_package() { "$project/tools/packaging/deb" >"$tap_scratch/deb.log"; }
ok "the package is built, and lintian finds no error" build_package || exit
package=$(echo "$BUILD"/deb/lutrace_*.deb)
mapfile -t needed < <(dpkg-deb -f "$package" Depends | tr ',' '\n' | sed 's/^ *//; s/[ |(].*//')
like "it depends on the libraries that it was linked with" "${needed[*]}" 'libbpf.*libjson-c.*libmicrohttpd'

mkdir "$tap_scratch/ledger" && "$BUILD/tests/unit/make-ledger" handover "$tap_scratch/ledger" &&
	"$BUILD/bin/lutrace" record --ledger "$tap_scratch/ledger" --output "$tap_scratch/handover.json" &&
	"$BUILD/bin/lutrace" report "$tap_scratch/handover.json" >"$tap_scratch/report.txt" || exit

# Without a package, anywhere.
place=$tap_scratch/place
installed() { "$project/tools/setup/install" "$@" "$place" /opt/lutrace >>"$tap_scratch/install.log"; }
mkdir -p "$place" && ok "it is installed below any directory" installed
is "with the same files that the package has" \
	"$(cd "$place/opt/lutrace" && find . -type f | sed 's,^[.]/,,; s,zsh/site-functions,zsh/vendor-completions,' |
		grep -v LICENSES/ | sort)" \
	"$(dpkg-deb -c "$package" | sed -n 's,^-.* [.]/usr/,,p' | grep -vE '^share/(lintian/|doc/lutrace/(changelog|copyright))' |
		sed '/^share\/man/s/[.]gz$//' | sort)"
: >"$place/opt/lutrace/share/lutrace/somebody"
BUILD=$tap_scratch/nothing-built ok "it is removed again, even if the build is not there any more" installed --remove
is "and all that is left is what somebody else put there" "$(cd "$place" && find . -type f)" ./opt/lutrace/share/lutrace/somebody

root=
# Called by the trap.
# shellcheck disable=SC2317,SC2329
clean_up() { [ -z "$root" ] || rm -rf --one-file-system "$root"; }
trap clean_up EXIT
for suite in ${PACKAGE_SUITES:-$VERSION_CODENAME}; do
	if reason=$(no_namespaces); then
		skip "it is installed on $suite" "$reason"
		continue
	fi
	image=$("$project/tests/toolkit/package-root" "$suite" passwd systemd man-db bash-completion "${needed[@]}") ||
		{ ok "there is a $suite to install it on" false; continue; }
	root=$(mktemp -d "$tap_scratch/root.XXXXXX")
	tar -C "$root" -xf "$image" || exit
	install -m 644 "$package" "$root/tmp/package.deb"
	cp "$project/tests/lab/tap.sh" "$project/tests/toolkit/package-check" "$tap_scratch/handover.json" \
		"$tap_scratch/report.txt" "$root/tmp/"
	unshare --mount --pid --fork --kill-child --root="$root" --mount-proc=/proc \
		/tmp/package-check /tmp/package.deb /tmp/tap.sh /tmp/handover.json /tmp/report.txt \
		>"$tap_scratch/$suite.tap" 2>"$tap_scratch/$suite.err"
	like "on $suite, all of it is looked at" "$(tail -n 1 "$tap_scratch/$suite.tap")" '^1\.\.[0-9]+$'
	repeat_tap "$tap_scratch/$suite.tap"
	[ ! -s "$tap_scratch/$suite.err" ] || diag "$(cat "$tap_scratch/$suite.err")"
	clean_up
	root=
done
tap_done
