// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The session that a snapshot crosses in, and the process that holds it until the reboot. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/say.h"
#include "iommu/kept.h"
#include "iommu/luo_session.h"

static const struct holder_kind holder = { "lutrace-holder", LUTRACE_RUN "/holder" };

static void hold(void)
{
	for (;;)
		pause();
}

/**
 * snapshot_preserve - let a snapshot cross with a session
 * @session: the session
 * @memfd:   the snapshot, sealed
 * @token:   by which it will be found
 *
 * Return: EXIT_GOOD, or EXIT_BAD after an error message.
 */
int snapshot_preserve(int session, int memfd, uint64_t token)
{
	int error = luo_preserve(session, memfd, token);

	return error ? fail("cannot preserve the snapshot: %s", strerror(-error)) : EXIT_GOOD;
}

static int refuse_device(int error)
{
	if (error == -EBUSY)
		return fail(
			"/dev/liveupdate is open elsewhere: have its owner hand over a session (--session-fd)");
	if (error == -ENOENT)
		return fail(
			"there is no /dev/liveupdate: boot with liveupdate=on (see 'lutrace doctor'), or write a file (--output)");
	return fail("cannot open /dev/liveupdate: %s", strerror(-error));
}

/**
 * snapshot_keep - let a snapshot cross with a session of lutrace's own
 * @memfd: the snapshot, sealed
 * @token: by which it will be found
 *
 * It replaces the one before, whose session has the same name: that goes when a session can
 * be had, and not sooner.
 *
 * Return: EXIT_GOOD, or EXIT_BAD after an error message.
 */
int snapshot_keep(int memfd, uint64_t token)
{
	int device = luo_open(), session, code;
	bool earlier;

	if (device < 0)
		return refuse_device(device);
	earlier = holder_dismiss(&holder);
	session = luo_create_session(device, SNAPSHOT_SESSION);
	if (session < 0) {
		code = fail("cannot create the session '" SNAPSHOT_SESSION "': %s",
			    strerror(-session));
	} else {
		mkdir(LUTRACE_RUN, 0700);
		code = snapshot_preserve(session, memfd, token);
		if (!code)
			code = holder_start(&holder, session, hold);
		close(session);
	}
	if (code && earlier)
		warn("the earlier snapshot is given up: there is none now");
	return code;
}
