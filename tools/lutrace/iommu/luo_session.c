// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <linux/liveupdate.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "iommu/luo_session.h"

/* So long another one may have the device open; an agent that keeps it open has to hand sessions out. */
#define OPEN_TRIES    500
#define OPEN_PAUSE_NS 10000000

/**
 * luo_open - open the device, which has one opener at a time
 *
 * It is waited for, as others have it open for a moment each, above all when the machine
 * starts. Have it open as briefly as can be.
 *
 * Return: the device, -EBUSY if another one has it open all the time, or another negative
 * errno.
 */
int luo_open(void)
{
	const struct timespec pause = { .tv_nsec = OPEN_PAUSE_NS };
	int tries, fd = -1;

	for (tries = 0; fd < 0 && tries < OPEN_TRIES; tries++) {
		if (tries)
			nanosleep(&pause, NULL);
		fd = open("/dev/liveupdate", O_RDWR | O_CLOEXEC);
		if (fd < 0 && errno != EBUSY)
			break;
	}
	return fd < 0 ? -errno : fd;
}

/**
 * luo_create_session - create a session that crosses the next live update
 * @device: from luo_open(), which is closed
 * @name:   its name
 */
int luo_create_session(int device, const char *name)
{
	struct liveupdate_ioctl_create_session create = { .size = sizeof(create) };
	int error = 0;

	if (device < 0)
		return device;
	snprintf((char *)create.name, sizeof(create.name), "%s", name);
	if (ioctl(device, LIVEUPDATE_IOCTL_CREATE_SESSION, &create))
		error = -errno;
	close(device);
	return error ?: create.fd;
}

/**
 * luo_retrieve_session - get back a session of the kernel before
 * @name: its name
 */
int luo_retrieve_session(const char *name)
{
	struct liveupdate_ioctl_retrieve_session retrieve = { .size = sizeof(retrieve) };
	int device = luo_open(), error = 0;

	if (device < 0)
		return device;
	snprintf((char *)retrieve.name, sizeof(retrieve.name), "%s", name);
	if (ioctl(device, LIVEUPDATE_IOCTL_RETRIEVE_SESSION, &retrieve))
		error = -errno;
	close(device);
	return error ?: retrieve.fd;
}

/**
 * luo_preserve - let a file cross with a session
 * @session: the session
 * @fd:      the file
 * @token:   by which luo_retrieve() will find it
 */
int luo_preserve(int session, int fd, uint64_t token)
{
	struct liveupdate_session_preserve_fd preserve = {
		.size = sizeof(preserve),
		.fd = fd,
		.token = token,
	};

	return ioctl(session, LIVEUPDATE_SESSION_PRESERVE_FD, &preserve) ? -errno : 0;
}

/**
 * luo_retrieve - get back a file that crossed
 * @session: the session
 * @token:   its token
 */
int luo_retrieve(int session, uint64_t token)
{
	struct liveupdate_session_retrieve_fd retrieve = {
		.size = sizeof(retrieve),
		.token = token,
	};

	return ioctl(session, LIVEUPDATE_SESSION_RETRIEVE_FD, &retrieve) ? -errno : retrieve.fd;
}

/**
 * luo_finish - the session has served its purpose
 * @session: the session
 */
int luo_finish(int session)
{
	struct liveupdate_session_finish finish = { .size = sizeof(finish) };

	return ioctl(session, LIVEUPDATE_SESSION_FINISH, &finish) ? -errno : 0;
}
