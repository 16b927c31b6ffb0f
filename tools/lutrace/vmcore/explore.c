// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Have drgn read the structures of the kernel that died. The script runs in a
 * process of its own and gets physical memory from here, request by request: the
 * dump is read in one place only, whatever its format.
 */
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/json.h"
#include "model/ledger.h"
#include "vmcore/vmcore.h"

/* explore.py (script.S) */
extern const char vmcore_script[];

/* Debian's package python3-drgn is for this one, whichever else is in PATH. */
#define PYTHON "/usr/bin/python3"

#define CHILD_SOCKET 3
#define MOST_READ    (1ULL << 20)
/* Types of a large kernel take a minute at most. */
#define PATIENCE_SECONDS 300

struct explore_request {
	uint64_t address;
	uint64_t size;
};

static bool send_all(int fd, const void *data, size_t size)
{
	const char *from = data;

	while (size) {
		ssize_t sent = send(fd, from, size, MSG_NOSIGNAL);

		if (sent <= 0)
			return false;
		from += sent;
		size -= (size_t)sent;
	}
	return true;
}

/* Answer requests until the script has no more; false if it is silent for too long. */
static bool serve(const struct vmcore *vmcore, int fd)
{
	struct timeval patience = { .tv_sec = PATIENCE_SECONDS };
	char *buffer = malloc(1 + MOST_READ);
	struct explore_request request;
	ssize_t got = -1;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	while (buffer) {
		got = recv(fd, &request, sizeof(request), MSG_WAITALL);
		if (got != sizeof(request) || request.size > MOST_READ)
			break;
		buffer[0] = vmcore_read(vmcore, request.address, buffer + 1, request.size);
		if (!send_all(fd, buffer, buffer[0] ? 1 + request.size : 1))
			break;
	}
	free(buffer);
	return !got;
}

static char *make_argument(const struct vmcore_kernel *kernel, const char *vmlinux)
{
	struct json_object *value = json_object_new_object();
	char *text;

	add_number(value, "socket", CHILD_SOCKET);
	json_object_object_add(value, "vmlinux", json_object_new_string(vmlinux));
	add_text(value, "release", kernel->release);
	add_text(value, "build_id", kernel->build_id);
	json_object_object_add(value, "swapper", json_object_new_uint64(kernel->swapper));
	json_object_object_add(value, "slide", json_object_new_uint64(kernel->slide));
	json_object_object_add(value, "phys_base", json_object_new_uint64(kernel->phys_base));
	json_object_object_add(value, "five_levels", json_object_new_boolean(kernel->five_levels));
	text = strdup(json_object_to_json_string(value));
	json_object_put(value);
	return text;
}

/* Above those that it is moved to in the child, which 0 to 2 need not be. */
static int raise_fd(int fd)
{
	int raised = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, CHILD_SOCKET + 1);

	if (fd >= 0)
		close(fd);
	return raised;
}

/* An anonymous file that the child inherits. */
static int scratch(const void *data, size_t size)
{
	int fd = memfd_create("lutrace-explore", MFD_CLOEXEC);

	if (fd >= 0 && size &&
	    (write(fd, data, size) != (ssize_t)size || lseek(fd, 0, SEEK_SET) < 0)) {
		close(fd);
		fd = -1;
	}
	return raise_fd(fd);
}

static void __attribute__((noreturn))
become_script(const char *python, const int files[3], int socket, const char *argument)
{
	int i;

	for (i = 0; i < 3; i++)
		dup2(files[i], i);
	dup2(socket, CHILD_SOCKET);
	close_range(CHILD_SOCKET + 1, ~0U, 0);
	execl(python, python, "-I", "-", argument, (char *)NULL);
	_exit(127);
}

static char *read_back(int fd)
{
	char *text = NULL;
	size_t size = 0;

	if (lseek(fd, 0, SEEK_SET) < 0 || file_read(fd, &text, &size)) {
		free(text);
		return NULL;
	}
	return text;
}

/* The last line of what the script said, which is its exception. */
static const char *last_line(char *text)
{
	char *at;

	if (!text)
		return "";
	for (at = text; *at; at++) {
		if ((*at < ' ' && *at != '\n') || *at > '~')
			*at = '?';
	}
	while (at > text && at[-1] == '\n')
		*--at = '\0';
	at = strrchr(text, '\n');
	return at ? at + 1 : text;
}

static struct json_object *conclude(struct vmcore *vmcore, const char *python, int status, int out,
				    int errors)
{
	char *said = read_back(errors), *text = read_back(out);
	struct json_object *value = NULL;

	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		snprintf(vmcore->why, sizeof(vmcore->why), "%s cannot be run: install python3-drgn",
			 python);
	else if (said && strstr(said, "No module named 'drgn'"))
		snprintf(
			vmcore->why, sizeof(vmcore->why),
			"%s has no drgn: install python3-drgn (Debian 12 and later have it), or name another Python in LUTRACE_PYTHON",
			python);
	else if (!WIFEXITED(status) || WEXITSTATUS(status))
		snprintf(vmcore->why, sizeof(vmcore->why), "drgn failed: %.160s", last_line(said));
	else if (text)
		value = json_tokener_parse(text);
	if (!value && !*vmcore->why)
		snprintf(vmcore->why, sizeof(vmcore->why), "drgn gave no answer");
	free(said);
	free(text);
	return value;
}

/**
 * vmcore_explore - what the kernel knew
 * @vmcore:  the dump
 * @kernel:  where in it the kernel is
 * @vmlinux: its image with types (DWARF)
 *
 * Return: what vmcore_explore.py prints, or NULL with the reason in @vmcore->why.
 */
struct json_object *vmcore_explore(struct vmcore *vmcore, const struct vmcore_kernel *kernel,
				   const char *vmlinux)
{
	const char *python = getenv("LUTRACE_PYTHON") ?: PYTHON;
	char *argument = make_argument(kernel, vmlinux);
	struct json_object *value = NULL;
	int files[3], sockets[2] = { -1, -1 }, status = 0, i;
	pid_t child = -1;

	*vmcore->why = '\0';
	files[STDIN_FILENO] = scratch(vmcore_script, strlen(vmcore_script));
	files[STDOUT_FILENO] = scratch(NULL, 0);
	files[STDERR_FILENO] = scratch(NULL, 0);
	fflush(NULL);
	if (argument && files[0] >= 0 && files[1] >= 0 && files[2] >= 0 &&
	    !socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets)) {
		sockets[1] = raise_fd(sockets[1]);
		child = fork();
	}
	if (!child)
		become_script(python, files, sockets[1], argument);
	if (child > 0) {
		close(sockets[1]);
		sockets[1] = -1;
		if (!serve(vmcore, sockets[0]))
			kill(child, SIGKILL);
		waitpid(child, &status, 0);
		value = conclude(vmcore, python, status, files[1], files[2]);
	} else {
		snprintf(vmcore->why, sizeof(vmcore->why), "cannot start drgn: %s",
			 strerror(errno));
	}
	for (i = 0; i < 3; i++) {
		if (files[i] >= 0)
			close(files[i]);
	}
	for (i = 0; i < 2; i++) {
		if (sockets[i] >= 0)
			close(sockets[i]);
	}
	free(argument);
	return value;
}
