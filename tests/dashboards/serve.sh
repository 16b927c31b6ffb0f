# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Servers that a test starts, each at a free port of the loopback address, and
# stops when it ends. Source it after tap.sh.

address=	# of the exporter that was started last
served=()
serve_stop() {
	local i
	# The last first: one that passes on what it has waits a minute for one that is gone.
	for ((i = ${#served[@]} - 1; i >= 0; i--)); do
		kill "${served[i]}" 2>/dev/null
		wait "${served[i]}"
	done
	served=()
}
trap serve_stop EXIT

# free_port: one that nobody listens at; below those that the kernel hands out
free_port() {
	local port
	for _ in $(seq 100); do
		port=$((10000 + RANDOM % 20000))
		(: <>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
	done
	echo "$port"
}

# until_true SECONDS COMMAND...: repeat it until it succeeds
until_true() {
	local end=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$end" ] || return 1
		sleep 0.1
	done
}

# serve_export NAME ARGUMENT...: an exporter; its address, as host:port, in $address
serve_export() {
	local name=$1
	shift
	"${lutrace:?}" export --listen 127.0.0.1:0 "$@" >"$name.address" 2>"$name.log" &
	served+=($!)
	until_true 20 grep -q . "$name.address" || return 1
	# shellcheck disable=SC2034  # for whoever sources this
	address=$(sed 's,^http://\(.*\)/metrics$,\1,' "$name.address")
}

# serve PORT PATH COMMAND...: any other server; waits until it answers at PATH
serve() {
	local port=$1 path=$2
	shift 2
	"$@" >"$1.log" 2>&1 </dev/null &
	served+=($!)
	until_true 30 get "http://127.0.0.1:$port$path"
}

# serve_metrics PORT FILE: what an exporter said, as it said it: Prometheus 3 takes nothing without a type
serve_metrics() {
	mkdir -p www/metrics && cp "$2" www/metrics/index.prom || return 1
	# busybox knows a type by a name's end: /metrics is a directory with this index.
	printf '%s\n' 'I:index.prom' '.prom:text/plain; version=0.0.4' >httpd.conf
	serve "$1" /metrics/ busybox httpd -f -p "127.0.0.1:$1" -c "$PWD/httpd.conf" -h "$PWD/www"
}

# get URL [HEADER]: the body of the answer; fails if it is no 200
get() { curl -sS --fail --max-time 20 ${2:+-H "$2"} "$1"; }
