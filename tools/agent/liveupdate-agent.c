// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * An example: a host's live update agent, with systemd's file-descriptor store and
 * without. It keeps a memfd, as guests' memory is one, in a session; a VMM adds its
 * iommufd and its devices to the same session. docs/agents.md explains it.
 *
 *	liveupdate-agent NAME
 *		NAME is the session's, and what it is called in the store
 *
 * systemd from 261 on carries the store through 'systemctl kexec', and hands it to the
 * unit in the next kernel. Without it, or without systemd, the agent has to live until
 * the jump, and asks for its session by name.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sysexits.h>
#include <systemd/sd-daemon.h>
#include <time.h>
#include <unistd.h>

#include <linux/liveupdate.h>

/* What the memory is called in the session, and in the store while it is in no session */
#define MEMORY_TOKEN UINT64_C(1)
#define MEMORY_NAME  "memory"

/* How many live updates there were: a memfd in the store itself, of which systemd takes care */
#define STATE_NAME "state"

#define GUEST_TEXT  "what a guest has in its memory"
#define BARRIER_US  UINT64_C(10000000)
#define DEVICE_WAIT 500

static char **names;
static int stored;

/* What systemd has under that name, or -1. It is this process's to close. */
static int from_store(const char *name)
{
	int i;

	for (i = 0; i < stored; i++) {
		if (!strcmp(names[i], name))
			return SD_LISTEN_FDS_START + i;
	}
	return -1;
}

/* A copy stays with systemd; without systemd nobody is told. */
static void to_store(int fd, const char *name)
{
	char message[128];
	int ret;

	snprintf(message, sizeof(message), "FDSTORE=1\nFDPOLL=0\nFDNAME=%s", name);
	ret = sd_pid_notify_with_fds(0, 0, message, &fd, 1);
	if (ret < 0)
		errx(1, "systemd does not take %s: %s", name, strerror(-ret));
}

static void drop_from_store(const char *name)
{
	sd_notifyf(0, "FDSTOREREMOVE=1\nFDNAME=%s", name);
}

/* The device has one opener at a time, and systemd is one of them: it is open for one call alone. */
static int open_device(void)
{
	const struct timespec pause = { .tv_nsec = 10000000 };
	int tries, fd = -1;

	for (tries = 0; tries < DEVICE_WAIT; tries++) {
		fd = open("/dev/liveupdate", O_RDWR | O_CLOEXEC);
		if (fd >= 0 || errno != EBUSY)
			break;
		nanosleep(&pause, NULL);
	}
	return fd < 0 ? -errno : fd;
}

static int session_create(const char *name)
{
	struct liveupdate_ioctl_create_session create = { .size = sizeof(create) };
	int device = open_device(), ret;

	if (device < 0)
		return device;
	snprintf((char *)create.name, sizeof(create.name), "%s", name);
	ret = ioctl(device, LIVEUPDATE_IOCTL_CREATE_SESSION, &create) ? -errno : create.fd;
	close(device);
	return ret;
}

/* One that came with the last live update, and that nobody has */
static int session_retrieve(const char *name)
{
	struct liveupdate_ioctl_retrieve_session retrieve = { .size = sizeof(retrieve) };
	int device = open_device(), ret;

	if (device < 0)
		return device;
	snprintf((char *)retrieve.name, sizeof(retrieve.name), "%s", name);
	ret = ioctl(device, LIVEUPDATE_IOCTL_RETRIEVE_SESSION, &retrieve) ? -errno : retrieve.fd;
	close(device);
	return ret;
}

static int preserve(int session, int fd, uint64_t token)
{
	struct liveupdate_session_preserve_fd file = {
		.size = sizeof(file),
		.fd = fd,
		.token = token,
	};

	return ioctl(session, LIVEUPDATE_SESSION_PRESERVE_FD, &file) ? -errno : 0;
}

static int retrieve(int session, uint64_t token)
{
	struct liveupdate_session_retrieve_fd file = { .size = sizeof(file), .token = token };

	return ioctl(session, LIVEUPDATE_SESSION_RETRIEVE_FD, &file) ? -errno : file.fd;
}

static int memory_create(void)
{
	int fd = memfd_create(MEMORY_NAME, MFD_CLOEXEC);

	if (fd < 0 || pwrite(fd, GUEST_TEXT, sizeof(GUEST_TEXT), 0) != sizeof(GUEST_TEXT))
		err(1, "memfd");
	return fd;
}

/*
 * The memory that the session brought, which is then over: in this kernel it is of no
 * more use. -EINVAL if it did not come, but is one for the next live update.
 */
static int take_back(int session, const char *name)
{
	struct liveupdate_session_finish finish = { .size = sizeof(finish) };
	char text[sizeof(GUEST_TEXT)];
	int memory = retrieve(session, MEMORY_TOKEN);

	if (memory == -EINVAL)
		return memory;
	if (memory < 0)
		errx(1, "session %s: its memory: %s", name, strerror(-memory));
	if (pread(memory, text, sizeof(text), 0) != sizeof(text) ||
	    memcmp(text, GUEST_TEXT, sizeof(text)) != 0)
		errx(1, "session %s: another memory came back", name);
	/* A VMM has its devices back, and its guests run, before this: docs/agents.md */
	if (ioctl(session, LIVEUPDATE_SESSION_FINISH, &finish))
		err(1, "finish session %s", name);
	drop_from_store(name);
	close(session);
	return memory;
}

/* One more live update, or none: what is in the state in any case */
static uint64_t count_updates(uint64_t more)
{
	int fd = from_store(STATE_NAME);
	uint64_t updates = 0;

	if (fd < 0) {
		fd = memfd_create(STATE_NAME, MFD_CLOEXEC);
		if (fd < 0 || ftruncate(fd, sizeof(updates)))
			err(1, "memfd");
		to_store(fd, STATE_NAME);
	}
	if (pread(fd, &updates, sizeof(updates), 0) != sizeof(updates))
		err(1, "%s", STATE_NAME);
	updates += more;
	if (pwrite(fd, &updates, sizeof(updates), 0) != sizeof(updates))
		err(1, "%s", STATE_NAME);
	return updates;
}

int main(int argc, char **argv)
{
	const char *name = argv[1], *what = "begins";
	int session, memory, ret;
	uint64_t updates = 0;

	if (argc != 2)
		errx(EX_USAGE, "usage: liveupdate-agent NAME");
	stored = sd_listen_fds_with_names(1, &names);
	memory = from_store(MEMORY_NAME);
	session = from_store(name);
	if (session < 0)
		session = session_retrieve(name);
	if (session >= 0) {
		ret = take_back(session, name);
		if (ret >= 0) {
			what = "came with the last live update";
			memory = ret;
			session = -1;
			updates = 1;
		}
	}
	updates = count_updates(updates);
	if (memory < 0)
		memory = memory_create();
	if (session < 0) {
		session = session_create(name);
		if (session == -EACCES) {
			/* systemd has the right, and does it (LUOSession=) when the unit starts again. */
			to_store(memory, MEMORY_NAME);
			sd_notify_barrier(0, BARRIER_US);
			warnx("session %s: %s; may not open /dev/liveupdate: a new one is systemd's to create",
			      name, what);
			return EX_TEMPFAIL;
		}
		if (session < 0)
			errx(1, "create session %s: %s", name, strerror(-session));
		to_store(session, name);
	}
	ret = preserve(session, memory, MEMORY_TOKEN);
	/* This unit was started before in the same kernel: the memory is in the session. */
	if (ret == -EEXIST)
		what = "was in the store";
	else if (ret)
		errx(1, "session %s: preserve the memory: %s", name, strerror(-ret));
	drop_from_store(MEMORY_NAME);
	sd_notify_barrier(0, BARRIER_US);
	printf("session %s %s, live updates so far: %" PRIu64 "\n", name, what, updates);
	fflush(stdout);
	sd_notifyf(0, "READY=1\nSTATUS=session %s %s, live updates so far: %" PRIu64, name, what,
		   updates);
	/* systemd may end it: what is in the store crosses. Without the store it has to stay. */
	pause();
	return 0;
}
