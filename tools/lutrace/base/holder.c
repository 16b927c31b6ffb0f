// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/holder.h"
#include "base/open.h"
#include "base/say.h"
#include "base/write.h"

/* The process of a kind that runs; 0: none. */
pid_t holder_find(const struct holder_kind *kind)
{
	char path[64], name[32] = "";
	FILE *file = file_stream(kind->file);
	int pid = 0;

	if (file) {
		if (fscanf(file, "%d", &pid) != 1)
			pid = 0;
		fclose(file);
	}
	if (pid <= 0)
		return 0;
	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	file = file_stream(path);
	if (!file)
		return 0;
	if (!fgets(name, sizeof(name), file))
		name[0] = '\0';
	fclose(file);
	name[strcspn(name, "\n")] = '\0';
	return strcmp(name, kind->name) ? 0 : pid;
}

/* End the one that runs, if there is one. */
void holder_dismiss(const struct holder_kind *kind)
{
	pid_t pid = holder_find(kind);
	int i;

	if (!pid || kill(pid, SIGTERM))
		return;
	for (i = 0; i < 100 && !kill(pid, 0); i++)
		usleep(10000);
}

/* Of all that was inherited, @fd stays. */
static void detach(const struct holder_kind *kind, int fd)
{
	int null = open("/dev/null", O_RDWR);

	/* Nobody may wait for the end of what it inherited. */
	setsid();
	if (chdir("/"))
		_exit(EXIT_BAD);
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	dup2(null, STDERR_FILENO);
	dup2(fd, HOLDER_FD);
	close_range(HOLDER_FD + 1, ~0U, 0);
	prctl(PR_SET_NAME, kind->name);
	/*
	 * An init system that ends all processes before it calls reboot leaves
	 * out root's whose argv[0] begins so (systemd's "root storage daemons").
	 */
	if (*program_invocation_name)
		*program_invocation_name = '@';
}

/**
 * holder_start - start a process that stays behind
 * @kind: which
 * @fd:   what it keeps, as HOLDER_FD
 * @run:  what it does; it never returns
 *
 * Return: EXIT_GOOD, or EXIT_BAD after an error message.
 */
int holder_start(const struct holder_kind *kind, int fd, void (*run)(void))
{
	char text[16];
	pid_t pid;
	int error;

	fflush(NULL);
	pid = fork();
	if (pid < 0)
		return fail("cannot start the process that holds the session: %s", strerror(errno));
	if (!pid) {
		detach(kind, fd);
		run();
		_exit(EXIT_BAD);
	}
	mkdir(LUTRACE_RUN, 0700);
	snprintf(text, sizeof(text), "%d\n", pid);
	error = file_write(kind->file, text, strlen(text), 0);
	if (error) {
		kill(pid, SIGTERM);
		return fail("cannot write %s: %s", kind->file, strerror(-error));
	}
	return EXIT_GOOD;
}
