#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# What the scripts that set a machine up do on machines that are not as the authors' are.

set -u
project=$(cd "$(dirname "$(readlink -f "$0")")/../.." && pwd)
# shellcheck source=tests/lab/tap.sh
. "$project/tests/lab/tap.sh"
cd "$tap_scratch" || exit 1
# shellcheck source=/dev/null
. /etc/os-release
unset BUILD CDPATH MAKEFLAGS MAKELEVEL

# A program that is found before that of the machine; its text comes from standard input.
mkdir bin
stub() { { echo '#!/bin/bash'; cat; } >"bin/$1" && chmod 755 "bin/$1"; }
# The sources as an archive of them has it.
sources() { mkdir -p "$1" && tar -C "$project" --exclude=./build --exclude=./.git -cf - . | tar -xf - -C "$1"; }
# as_nobody COMMAND...
as_nobody() { setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; }
# as_anybody COMMAND...: not as root, whose directories are all writable
as_anybody() { if [ "$(id -u)" = 0 ]; then as_nobody "$@"; else "$@"; fi; }
said() { "$@" 2>&1; }
sources checkout

### Packages
# apt-get notes what it was asked for; $refuses is what it fails at.
stub apt-get <<'END'
case " $* " in
*' indextargets '*)
	while [ $# -gt 1 ] && [ "$1" != --format ]; do shift; done
	line=${2//'$(REPO_URI)'/http://archive.example/debian}
	line=${line//'$(RELEASE)'/stable} line=${line//'$(COMPONENT)'/main}
	echo "${line//'$(CODENAME)'/$codename}"
	exit ;;
esac
echo "proxy=${http_proxy-} $*" >>"$asked"
[ -z "${refuses-}" ] || [[ " $* " != *" $refuses "* ]] || { echo "E: Packages need to be removed but remove is disabled."; exit 100; }
END
stub dpkg-query </dev/null
stub systemctl </dev/null
stub dpkg <<<'[ "$1" = -L ] || exec /usr/bin/dpkg "$@"'
export codename=$VERSION_CODENAME asked=$PWD/asked refuses=
# dependencies: what install-dependencies says; what it asked for is in $asked
dependencies() {
	: >"$asked"
	PATH=$PWD/bin:$PATH said checkout/tools/setup/install-dependencies
}

dependencies >/dev/null
is "nothing is removed to install something" "$(grep ' install ' asked | grep -vc -- ' --no-remove ')" 0
ok "packages are asked for" grep -q ' install ' asked
refuses=update
output=$(dependencies)
ok "a list that cannot be fetched is not in the way" grep -q ' install ' asked
like "but is said" "$output" "going on with the lists"
refuses=install
like "a conflict is explained" "$(dependencies)" 'conflicts with one that is installed.*remove it yourself'
refuses=

is "an archive is found whose sources say 'stable'" \
	"$(PATH=$PWD/bin:$PATH said checkout/tools/setup/debian-suite --archive)" http://archive.example/debian

if [ "$(id -u)" = 0 ]; then
	chmod 755 . bin && touch asked && chmod 666 asked && chown -R 65534:65534 checkout
	PATH=$PWD/bin:$PATH said checkout/tools/setup/debian-suite "$VERSION_CODENAME-more" -q install nothing >/dev/null
	ok "what sudo made in a user's checkout is the user's" as_nobody mkdir checkout/build/source
	rm -rf checkout/build
	# As sudo does it: nothing of the environment is left.
	stub sudo <<<'exec env -i PATH="$PATH" codename="$codename" asked="$asked" "$@"'
	: >asked
	(export PATH=$PWD/bin:$PATH http_proxy=http://proxy.example:3128
	said as_nobody checkout/tools/setup/install-dependencies) >log
	like "sudo is given the proxy" "$(grep update asked)" '^proxy=http://proxy.example:3128' || diag "$(tail -n 3 log)"
	chown -R 0:0 checkout
else
	skip "what sudo made in a user's checkout is the user's" "only root can be somebody else"
	skip "sudo is given the proxy" "only root can be somebody else"
fi

### Environments
exported='ARCH CROSS_COMPILE LLVM LOCALVERSION KCONFIG_CONFIG KBUILD_OUTPUT KCFLAGS INSTALL_MOD_PATH'
is "what kernel developers export does not reach the build" "$(
	for name in $exported; do export "$name=other"; done
	. checkout/kernel/scripts/paths
	for name in $exported; do echo "${!name-}"; done | xargs)" ''
echo 'int x;' >x.c
chmod 777 .
for home in / /nonexistent; do
	rm -f x.o
	said as_anybody env -i PATH="$PATH" HOME=$home checkout/kernel/scripts/compiler gcc -c -o x.o x.c >log
	ok "the compiler runs with $home for a home" [ -s x.o ] || diag "$(cat log)"
done
cd checkout || exit 1
is "CDPATH does not lead astray" "$(CDPATH=.:/tmp bash -c '. kernel/scripts/paths; echo "$build"')" "$PWD/build"
ok "nor make's shells" test "$(CDPATH=.:/tmp said make -f Makefile --eval 'where: ; @cd tools && pwd' where)" = "$PWD/tools"
cd ..
cp -r checkout 'a checkout'
like "a path that cannot be built in is refused at once" "$(said make -C 'a checkout' build)" 'has a blank or a colon'
ok "so is one for BUILD" eval '! make -C checkout help BUILD="/tmp/a b" >/dev/null 2>&1'

### make check
like "an archive of the sources is not called checked" "$(said checkout/tests/check/run licences)" 'needs git'
(cd checkout && git init -q . && sed -i 1,3d tools/setup/progress && git add -A) 2>/dev/null
[ "$(id -u)" != 0 ] || chown -R 65534:65534 checkout
like "a checkout of another user's is looked at" "$(HOME=$PWD said checkout/tests/check/run licences)" 'tools/setup/progress: no SPDX'

tap_done
