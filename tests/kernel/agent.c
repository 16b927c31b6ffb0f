// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A host's live update agent: it owns /dev/liveupdate all the time, and hands a
 * session of its own to a command, as file descriptor 7.
 *
 *	agent create NAME COMMAND...
 *		create the session, run the command, write "held" if that
 *		succeeded, and keep the session open until the jump
 *	agent retrieve NAME COMMAND...
 *		retrieve the session, run the command, finish the session; the
 *		exit status is the command's, or 99 if the session cannot be
 *		finished
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/liveupdate.h>

#define SESSION_FD    7
#define NOT_FINISHED 99

static int create(int device, const char *name)
{
	struct liveupdate_ioctl_create_session create = { .size = sizeof(create) };

	snprintf((char *)create.name, sizeof(create.name), "%s", name);
	if (ioctl(device, LIVEUPDATE_IOCTL_CREATE_SESSION, &create))
		err(1, "create session %s", name);
	return create.fd;
}

static int retrieve(int device, const char *name)
{
	struct liveupdate_ioctl_retrieve_session retrieve = { .size = sizeof(retrieve) };

	snprintf((char *)retrieve.name, sizeof(retrieve.name), "%s", name);
	if (ioctl(device, LIVEUPDATE_IOCTL_RETRIEVE_SESSION, &retrieve))
		err(1, "retrieve session %s", name);
	return retrieve.fd;
}

/* The command's exit status; it inherits the session as SESSION_FD. */
static int run(int session, char **command)
{
	pid_t child = fork();
	int status;

	if (child < 0)
		err(1, "fork");
	if (!child) {
		if (dup2(session, SESSION_FD) < 0)
			err(1, "dup2");
		execvp(command[0], command);
		err(127, "%s", command[0]);
	}
	if (waitpid(child, &status, 0) < 0)
		err(1, "waitpid");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

int main(int argc, char **argv)
{
	struct liveupdate_session_finish finish = { .size = sizeof(finish) };
	int device, session, status;

	if (argc < 4)
		errx(2, "usage: agent create|retrieve NAME COMMAND...");
	device = open("/dev/liveupdate", O_RDWR | O_CLOEXEC);
	if (device < 0)
		err(1, "/dev/liveupdate");

	if (!strcmp(argv[1], "create")) {
		session = create(device, argv[2]);
		status = run(session, argv + 3);
		if (status)
			return status;
		puts("held");
		fflush(stdout);
		pause();
	}
	session = retrieve(device, argv[2]);
	status = run(session, argv + 3);
	if (ioctl(session, LIVEUPDATE_SESSION_FINISH, &finish)) {
		warn("finish session %s", argv[2]);
		return NOT_FINISHED;
	}
	return status;
}
