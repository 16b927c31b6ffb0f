// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A live update session: the ioctls, each with a negative errno as its result. */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/liveupdate.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "session.h"

/*
 * The device has a single opener at a time, and others want it as well: keep it
 * open only for one call, and wait a little for whoever has it.
 */
static int open_orchestrator(void)
{
	const struct timespec pause = { .tv_nsec = 10000000 };
	int tries, fd;

	for (tries = 0; tries < 500; tries++) {
		fd = open("/dev/liveupdate", O_RDWR | O_CLOEXEC);
		if (fd >= 0)
			return fd;
		if (errno != EBUSY)
			break;
		nanosleep(&pause, NULL);
	}
	fd = -errno;
	if (fd == -ENOENT)
		warnx("there is no /dev/liveupdate: the kernel needs kho=on liveupdate=on; if it has them, KHO has switched itself off, and the kernel log says why");
	return fd;
}

/**
 * session_create() - create a session
 * @name: its name
 *
 * Return: file descriptor or a negative errno.
 */
int session_create(const char *name)
{
	struct liveupdate_ioctl_create_session args = { .size = sizeof(args) };
	int orchestrator = open_orchestrator(), ret;

	if (orchestrator < 0)
		return orchestrator;
	snprintf((char *)args.name, sizeof(args.name), "%s", name);
	ret = ioctl(orchestrator, LIVEUPDATE_IOCTL_CREATE_SESSION, &args) ? -errno : args.fd;
	close(orchestrator);
	return ret;
}

/**
 * session_retrieve() - get the session of that name from before the kexec
 * @name: its name
 *
 * Return: file descriptor or a negative errno.
 */
int session_retrieve(const char *name)
{
	struct liveupdate_ioctl_retrieve_session args = { .size = sizeof(args) };
	int orchestrator = open_orchestrator(), ret;

	if (orchestrator < 0)
		return orchestrator;
	snprintf((char *)args.name, sizeof(args.name), "%s", name);
	ret = ioctl(orchestrator, LIVEUPDATE_IOCTL_RETRIEVE_SESSION, &args) ? -errno : args.fd;
	close(orchestrator);
	return ret;
}

/**
 * session_preserve_file() - preserve a file
 * @session: the session
 * @fd: the file
 * @token: its name in the incoming kernel
 *
 * Return: 0 or a negative errno.
 */
int session_preserve_file(int session, int fd, uint64_t token)
{
	struct liveupdate_session_preserve_fd args = {
		.size = sizeof(args),
		.fd = fd,
		.token = token,
	};

	return ioctl(session, LIVEUPDATE_SESSION_PRESERVE_FD, &args) ? -errno : 0;
}

/**
 * session_retrieve_file() - get a preserved file back
 * @session: the session
 * @token: its name
 *
 * Return: file descriptor or a negative errno.
 */
int session_retrieve_file(int session, uint64_t token)
{
	struct liveupdate_session_retrieve_fd args = {
		.size = sizeof(args),
		.token = token,
	};

	return ioctl(session, LIVEUPDATE_SESSION_RETRIEVE_FD, &args) ? -errno : args.fd;
}

/**
 * session_finish() - the session is over, the kernel may forget it
 * @session: the session
 *
 * Return: 0 or a negative errno.
 */
int session_finish(int session)
{
	struct liveupdate_session_finish args = { .size = sizeof(args) };

	return ioctl(session, LIVEUPDATE_SESSION_FINISH, &args) ? -errno : 0;
}
