// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Live update sessions. */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/liveupdate.h>

#include "dma-session.h"

static int session = -1;

/* One process has it at a time: for one call, and after waiting for others. */
static int with_orchestrator(unsigned long command, void *args)
{
	int ret, fd, tries = 500;

	while ((fd = open("/dev/liveupdate", O_RDWR | O_CLOEXEC)) < 0 && errno == EBUSY && tries--)
		usleep(10000);
	if (fd < 0)
		return -errno;
	ret = ioctl(fd, command, args) ? -errno : 0;
	close(fd);
	return ret;
}

static int do_session(char **word)
{
	struct liveupdate_ioctl_create_session create = { .size = sizeof(create) };
	int ret;

	snprintf((char *)create.name, sizeof(create.name), "%s", word[1]);
	ret = with_orchestrator(LIVEUPDATE_IOCTL_CREATE_SESSION, &create);
	session = create.fd;
	return ret;
}

static int do_retrieve_session(char **word)
{
	struct liveupdate_ioctl_retrieve_session retrieve = { .size = sizeof(retrieve) };
	int ret;

	snprintf((char *)retrieve.name, sizeof(retrieve.name), "%s", word[1]);
	ret = with_orchestrator(LIVEUPDATE_IOCTL_RETRIEVE_SESSION, &retrieve);
	session = retrieve.fd;
	return ret;
}

/* What systemd does for a unit that has it in its file-descriptor store. */
static int do_become(char **word)
{
	const int first = 3; /* SD_LISTEN_FDS_START */
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", getpid());
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", "1", 1);
	setenv("LISTEN_FDNAMES", word[1], 1);
	if (session != first && dup2(session, first) < 0)
		return -errno;
	if (fcntl(first, F_SETFD, 0))
		return -errno;
	execv(word[2], word + 2);
	return -errno;
}

static int do_preserve(char **word)
{
	struct liveupdate_session_preserve_fd preserve = {
		.size = sizeof(preserve),
		.token = number(word[2]),
	};

	if (!strcmp(word[1], "memory"))
		preserve.fd = memfd;
	else if (!strcmp(word[1], "iommufd"))
		preserve.fd = iommufd;
	else
		preserve.fd = find(devices, word[1])->fd;
	return ioctl(session, LIVEUPDATE_SESSION_PRESERVE_FD, &preserve) ? -errno : 0;
}

static int do_preserve_apart(char **word)
{
	char *apart[] = { word[0], "apart" };
	int ret, kept = session;

	ret = do_session(apart);
	if (!ret) {
		ret = do_preserve(word);
		close(session);
	}
	session = kept;
	return ret;
}

static int do_retrieve(char **word)
{
	struct liveupdate_session_retrieve_fd retrieve = {
		.size = sizeof(retrieve),
		.token = number(word[2]),
	};

	if (ioctl(session, LIVEUPDATE_SESSION_RETRIEVE_FD, &retrieve))
		return -errno;
	if (!strcmp(word[1], "memory")) {
		memfd = retrieve.fd;
		return map_memory();
	}
	if (!strcmp(word[1], "iommufd"))
		iommufd = retrieve.fd;
	else if (strcmp(word[1], "file") != 0)
		add(devices, word[1])->fd = retrieve.fd;
	return 0;
}

static int do_finish(char **word)
{
	struct liveupdate_session_finish finish = { .size = sizeof(finish) };

	(void)word;
	return ioctl(session, LIVEUPDATE_SESSION_FINISH, &finish) ? -errno : 0;
}

static int do_close(char **word)
{
	(void)word;
	return close(session) ? -errno : 0;
}

const struct command session_commands[] = {
	{ "session", 2, do_session },
	{ "preserve", 3, do_preserve },
	{ "preserve-apart", 3, do_preserve_apart },
	{ "unpreserve", 1, do_close },
	{ "retrieve-session", 2, do_retrieve_session },
	{ "retrieve", 3, do_retrieve },
	{ "become", 3, do_become },
	{ "finish", 1, do_finish },
	{ "close", 1, do_close },
	{},
};
