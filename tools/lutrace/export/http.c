// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>

#include <microhttpd.h>

#include "base/number.h"
#include "base/say.h"
#include "export/accept.h"
#include "export/http.h"

/*
 * Two Prometheus servers and a curious person; one address has no more than half.
 * A request has come in ten seconds, and its answer has gone in ten, however they drip. How
 * long the answer is being made is nobody's fault: the first one may have to read thousands
 * of recordings.
 */
#define MAX_CONNECTIONS	 32
#define MAX_OF_ADDRESS	 16
#define DEADLINE_SECONDS 10

/* Of a connection: room for the lines of its request. */
#define REQUEST_ROOM 16384

/**
 * struct connection - one that is open
 * @fd:    its socket
 * @since: when it began, its answer was made, or its last request was answered
 * @busy:  its answer is being made
 * @open:  the others are valid
 */
struct connection {
	int fd;
	time_t since;
	bool busy;
	bool open;
};

/**
 * struct server - the server
 * @export:      what it answers with
 * @reload:      somebody asked that all sources be read again
 * @lock:        of @connections
 * @connections: all that there are
 */
struct server {
	struct export *export;
	atomic_bool reload;
	pthread_mutex_t lock;
	struct connection connections[MAX_CONNECTIONS];
};

static time_t seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

/* Its socket is closed after that, and its number may be another's then. */
static void note_connection(void *closure, struct MHD_Connection *connection, void **context,
			    enum MHD_ConnectionNotificationCode code)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct server *server = closure;
	struct connection *at = *context;
	size_t i;

	pthread_mutex_lock(&server->lock);
	if (code == MHD_CONNECTION_NOTIFY_CLOSED && at)
		at->open = false;
	for (i = 0; info && code == MHD_CONNECTION_NOTIFY_STARTED && i < MAX_CONNECTIONS; i++) {
		at = &server->connections[i];
		if (at->open)
			continue;
		*at = (struct connection){ info->connect_fd, seconds(), .open = true };
		*context = at;
		break;
	}
	pthread_mutex_unlock(&server->lock);
}

/* The time of a connection begins anew. */
static void note_time(struct server *server, struct MHD_Connection *connection, bool busy)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct connection *at = info ? info->socket_context : NULL;

	if (!at)
		return;
	pthread_mutex_lock(&server->lock);
	at->since = seconds();
	at->busy = busy;
	pthread_mutex_unlock(&server->lock);
}

static void note_answer(void *closure, struct MHD_Connection *connection, void **state,
			enum MHD_RequestTerminationCode code)
{
	(void)state;
	(void)code;
	note_time(closure, connection, false);
}

/* The library's own time for a connection begins anew when it gets one again. */
static void note_busy(struct server *server, struct MHD_Connection *connection, bool busy)
{
	note_time(server, connection, busy);
	MHD_set_connection_option(connection, MHD_CONNECTION_OPTION_TIMEOUT,
				  busy ? 0U : (unsigned int)DEADLINE_SECONDS);
}

/* The library counts the time since the last byte; who sends one now and then is for us. */
static void end_late_ones(struct server *server)
{
	time_t now = seconds();
	size_t i;

	pthread_mutex_lock(&server->lock);
	for (i = 0; i < MAX_CONNECTIONS; i++) {
		struct connection *at = &server->connections[i];

		if (at->open && !at->busy && now - at->since >= DEADLINE_SECONDS)
			shutdown(at->fd, SHUT_RDWR);
	}
	pthread_mutex_unlock(&server->lock);
}

/* Headers with one name are one list (RFC 9110, 5.2). */
static enum MHD_Result note_header(void *closure, enum MHD_ValueKind kind, const char *name,
				   const char *value)
{
	(void)kind;
	if (!strcasecmp(name, MHD_HTTP_HEADER_ACCEPT))
		accepted_note(closure, value);
	return MHD_YES;
}

/*
 * False if a client prefers OpenMetrics; true for everybody else, as anything that reads
 * metrics understands the classic format.
 */
static bool wants_classic(struct MHD_Connection *connection)
{
	struct accepted accepted = { 0 };

	MHD_get_connection_values(connection, MHD_HEADER_KIND, note_header, &accepted);
	return !accepted.openmetrics || accepted.openmetrics < accepted.classic;
}

static enum MHD_Result answer(struct MHD_Connection *connection, unsigned int status,
			      const char *type, const char *text)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(
		strlen(text), (void *)(uintptr_t)text, MHD_RESPMEM_PERSISTENT);
	enum MHD_Result result = MHD_NO;

	if (response && MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type) &&
	    (status != MHD_HTTP_METHOD_NOT_ALLOWED ||
	     MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD")))
		result = MHD_queue_response(connection, status, response);
	if (response)
		MHD_destroy_response(response);
	return result;
}

static enum MHD_Result answer_metrics(struct server *server, struct MHD_Connection *connection)
{
	struct openmetrics page = { .classic = wants_classic(connection) };
	struct MHD_Response *response;
	enum MHD_Result result = MHD_NO;
	int error;

	note_busy(server, connection, true);
	if (atomic_exchange(&server->reload, false))
		export_sources_forget(&server->export->sources);
	error = export_page(server->export, &page);
	note_busy(server, connection, false);
	if (error) {
		openmetrics_free(&page);
		return answer(connection, MHD_HTTP_INTERNAL_SERVER_ERROR, "text/plain",
			      "out of memory\n");
	}
	/* The text is free()d with the response. */
	response = MHD_create_response_from_buffer(page.length, page.text, MHD_RESPMEM_MUST_FREE);
	if (!response) {
		openmetrics_free(&page);
		return MHD_NO;
	}
	if (MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
				    page.classic ? CLASSIC_CONTENT_TYPE
						 : OPENMETRICS_CONTENT_TYPE) &&
	    MHD_add_response_header(response, MHD_HTTP_HEADER_VARY, MHD_HTTP_HEADER_ACCEPT))
		result = MHD_queue_response(connection, MHD_HTTP_OK, response);
	MHD_destroy_response(response);
	return result;
}

/* The path of a URL that has a host in front, as proxies send it (RFC 9112, 3.2.2). */
static const char *path_of(const char *url)
{
	const char *path;

	if (strncasecmp(url, "http://", 7) != 0)
		return url;
	path = strchr(url + 7, '/');
	return path ?: "/";
}

static enum MHD_Result handle(void *closure, struct MHD_Connection *connection, const char *url,
			      const char *method, const char *version, const char *upload,
			      size_t *upload_size, void **state)
{
	struct server *server = closure;
	static int seen;

	(void)version;
	(void)upload;
	/* The first call comes before the body, if there is any: it is not wanted. */
	if (!*state) {
		*state = &seen;
		return MHD_YES;
	}
	if (*upload_size) {
		*upload_size = 0;
		return MHD_YES;
	}
	url = path_of(url);
	if (strcmp(url, "/") != 0 && strcmp(url, "/metrics") != 0)
		return answer(connection, MHD_HTTP_NOT_FOUND, "text/plain",
			      "only /metrics is here\n");
	/* The body of an answer to HEAD is left out by the library. */
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
		return answer(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "text/plain",
			      "only GET and HEAD\n");
	if (!strcmp(url, "/metrics"))
		return answer_metrics(server, connection);
	return answer(connection, MHD_HTTP_OK, "text/html; charset=utf-8",
		      "<!doctype html><html lang=\"en\"><title>lutrace</title>"
		      "<p>Live updates of this host: <a href=\"/metrics\">metrics</a></html>\n");
}

/* "ADDRESS:PORT", "[ADDRESS]:PORT", "*:PORT" for all addresses, or "PORT" for the loopback address. */
static struct addrinfo *resolve(const char *listen)
{
	static const struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
					       .ai_socktype = SOCK_STREAM };
	const char *port = strrchr(listen, ':');
	struct addrinfo *found = NULL;
	char host[64] = "127.0.0.1";
	uint64_t number;
	size_t length;

	if (port) {
		length = (size_t)(port - listen);
		if (length > 1 && listen[0] == '[' && listen[length - 1] == ']') {
			listen++;
			length -= 2;
		}
		if (!length || length >= sizeof(host))
			return NULL;
		memcpy(host, listen, length);
		host[length] = '\0';
		port++;
	} else {
		port = listen;
	}
	if (!number_parse(port, 0, UINT16_MAX, &number))
		return NULL;
	/* Every address: of IPv6, where a socket takes IPv4 as well, or of IPv4 alone. */
	if (!strcmp(host, "*"))
		snprintf(host, sizeof(host), "%s",
			 access("/proc/net/if_inet6", F_OK) ? "0.0.0.0" : "::");
	if (getaddrinfo(host, port, &hints, &found))
		return NULL;
	return found;
}

static bool address_is_any(const struct addrinfo *address)
{
	const struct sockaddr_in6 *at = (const struct sockaddr_in6 *)address->ai_addr;

	return IN6_IS_ADDR_UNSPECIFIED(&at->sin6_addr);
}

/**
 * export_serve - answer until the process is told to end
 * @export: the exporter
 * @listen: address and port
 *
 * One thread answers, one request after the other. After SIGHUP it reads all sources again
 * for the next one.
 *
 * Return: EXIT_GOOD after SIGTERM or SIGINT, EXIT_BAD after an error message, also where the
 * address could not be said.
 */
int export_serve(struct export *export, const char *listen)
{
	struct addrinfo *address = resolve(listen);
	const union MHD_DaemonInfo *info;
	struct server server = { .export = export, .lock = PTHREAD_MUTEX_INITIALIZER };
	const struct timespec second = { .tv_sec = 1 };
	struct MHD_Daemon *daemon;
	unsigned int flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_AUTO;
	char host[64];
	sigset_t signals;
	int got, code;

	if (!address)
		return fail("'%s' is no address to listen at; try 127.0.0.1:9739 or [::1]:9739",
			    listen);
	if (address->ai_family == AF_INET6)
		flags |= address_is_any(address) ? MHD_USE_DUAL_STACK : MHD_USE_IPv6;

	/* Blocked in all threads, to be waited for in this one. */
	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	signal(SIGPIPE, SIG_IGN);

	errno = 0;
	daemon = MHD_start_daemon(flags, 0, NULL, NULL, handle, &server, MHD_OPTION_SOCK_ADDR,
				  address->ai_addr, MHD_OPTION_CONNECTION_LIMIT, MAX_CONNECTIONS,
				  MHD_OPTION_PER_IP_CONNECTION_LIMIT, MAX_OF_ADDRESS,
				  MHD_OPTION_CONNECTION_TIMEOUT, DEADLINE_SECONDS,
				  MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)REQUEST_ROOM,
				  MHD_OPTION_NOTIFY_CONNECTION, note_connection, &server,
				  MHD_OPTION_NOTIFY_COMPLETED, note_answer, &server,
				  MHD_OPTION_END);
	if (!daemon) {
		freeaddrinfo(address);
		return fail("cannot listen at %s: %s", listen,
			    errno ? strerror(errno) : "the HTTP server does not start");
	}
	getnameinfo(address->ai_addr, address->ai_addrlen, host, sizeof(host), NULL, 0,
		    NI_NUMERICHOST);
	info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT);
	printf(address->ai_family == AF_INET6 ? "http://[%s]:%u/metrics\n"
					      : "http://%s:%u/metrics\n",
	       host, info ? info->port : 0);
	freeaddrinfo(address);
	/* Of port 0 nobody would know where it listens. */
	code = output_end();
	while (!code && ((got = sigtimedwait(&signals, NULL, &second)) < 0 || got == SIGHUP)) {
		if (got == SIGHUP)
			atomic_store(&server.reload, true);
		end_late_ones(&server);
	}
	MHD_stop_daemon(daemon);
	return code;
}
