// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * An example: a host's live update agent, with systemd's file-descriptor store and
 * without. It does in one process what a host's agent and a VMM do: it keeps a guest's
 * memory and device (guest.c) in a session. docs/agents.md explains it.
 *
 *	liveupdate-agent NAME [BDF]
 *		NAME is the session's, and what it is called in the store
 *
 * systemd from 261 on carries the store through 'systemctl kexec', and hands it to the
 * unit in the next kernel. Without it, or without systemd, the agent has to live until
 * the jump, and asks for its session by name.
 */
#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sysexits.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "guest.h"
#include "session.h"

/* In the store itself: how many live updates there were, and memory that is in no session yet */
#define STATE_NAME  "state"
#define MEMORY_NAME "memory"

#define BARRIER_US UINT64_C(10000000)

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

/* systemd keeps a copy; without systemd nobody is told. */
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

/* One more live update, or none: how many there were */
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

/*
 * What came with the last live update; the session is over then, and of no more use.
 * Returns false if it did not come, but is one for the next.
 */
static bool take_back(struct guest *guest, int session, const char *name)
{
	int ret = guest_take_back(guest, session);

	if (ret == -EINVAL)
		return false;
	ret = ret ?: session_finish(session);
	if (ret)
		errx(1, "session %s: %s", name, strerror(-ret));
	drop_from_store(name);
	close(session);
	return true;
}

/* Only root may; for others systemd does it (LUOSession=), when the unit is started. */
static int new_session(const char *name, int memory)
{
	int session = session_create(name);

	if (session >= 0) {
		to_store(session, name);
		return session;
	}
	if (session != -EACCES)
		errx(1, "create session %s: %s", name, strerror(-session));
	to_store(memory, MEMORY_NAME);
	sd_notify_barrier(0, BARRIER_US);
	errx(EX_TEMPFAIL, "session %s: systemd creates a new one when this unit starts again",
	     name);
}

int main(int argc, char **argv)
{
	struct guest guest = { .bdf = argc == 3 ? argv[2] : NULL, .device.cdev = -1 };
	const char *name = argv[1], *what = "is new";
	bool came = false;
	uint64_t updates;
	int session, ret;

	if (argc != 2 && argc != 3)
		errx(EX_USAGE, "usage: liveupdate-agent NAME [BDF]");
	stored = sd_listen_fds_with_names(1, &names);
	guest.memory = from_store(MEMORY_NAME);
	session = from_store(name);
	if (session < 0)
		session = session_retrieve(name);
	/*
	 * Whatever else it is, one may have come, with a device that does DMA for nobody
	 * else. Who has no right to ask is given by systemd what came.
	 */
	if (session < 0 && session != -ENOENT && session != -EACCES)
		errx(EX_TEMPFAIL, "retrieve session %s: %s", name, strerror(-session));
	if (session >= 0)
		came = take_back(&guest, session, name);
	updates = count_updates(came);
	if (guest.memory < 0 && guest_create_memory(&guest))
		return 1;
	if (came || session < 0)
		session = new_session(name, guest.memory);
	ret = guest_preserve(&guest, session);
	/* This unit was started before in the same kernel: the session has all of it. */
	if (ret == -EEXIST)
		what = "was in the store";
	else if (ret)
		errx(1, "session %s: preserve: %s", name, strerror(-ret));
	else if (came)
		what = "came back";
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
