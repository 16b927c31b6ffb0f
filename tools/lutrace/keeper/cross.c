// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/write.h"
#include "iommu/luo_session.h"
#include "keeper/cross.h"

#define KEEPER_SESSION "lutrace-ledger"
#define KEEPER_TOKEN   0x6c75747261636532ULL /* "lutrace2" */

/* 2,044 records; those of a live update and its marks are some dozens. */
#define CROSSING_SIZE (128 << 10)

static int __attribute__((format(printf, 3, 4)))
refuse(int error, char why[LEDGER_WHY_SIZE], const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(why, LEDGER_WHY_SIZE, format, arguments);
	va_end(arguments);
	return error;
}

/* Why there is no session to be had. */
static int refuse_session(int error, char why[LEDGER_WHY_SIZE], const char *what)
{
	if (error == -EBUSY)
		return refuse(error, why,
			      "/dev/liveupdate is open elsewhere: do it before or after");
	return refuse(error, why, "cannot %s the session '" KEEPER_SESSION "': %s", what,
		      strerror(-error));
}

/* The session that came, as it is, or a negative errno: -ENOENT if none did. */
static int arrived_session(char why[LEDGER_WHY_SIZE])
{
	int session = luo_retrieve_session(KEEPER_SESSION);

	if (session >= 0)
		return session;
	if (session == -ENOENT)
		return refuse(session, why, "none came");
	return refuse_session(session, why, "retrieve");
}

/* Take the bytes out of the session, write them to @path, and finish the session. */
static int copy_arrived(int session, const char *path, char why[LEDGER_WHY_SIZE])
{
	int memfd = luo_retrieve(session, KEEPER_TOKEN), error;
	char *data = NULL;
	size_t size = 0;

	if (memfd < 0)
		return refuse(memfd, why, "what came cannot be retrieved: %s", strerror(-memfd));
	error = lseek(memfd, 0, SEEK_SET) < 0 ? -errno : file_read(memfd, &data, &size);
	error = error ?: file_write(path, data, size, 0600);
	free(data);
	close(memfd);
	error = error ?: luo_finish(session);
	return error ? refuse(error, why, "what came cannot be taken over: %s", strerror(-error))
		     : 0;
}

/**
 * cross_arrived - the ledger kept in the kernel before
 * @path:   where it is, or is put
 * @ledger: filled in
 * @why:    filled in if it fails
 *
 * Return: 0, -ENOENT if none came, -EINVAL if it cannot be used, or another negative errno if
 * there are no sessions to be had.
 */
int cross_arrived(const char *path, struct ledger *ledger, char why[LEDGER_WHY_SIZE])
{
	int session = arrived_session(why), error;

	if (session >= 0) {
		error = copy_arrived(session, path, why);
		close(session);
		if (error)
			return -EINVAL;
	} else if (session != -ENOENT && session != -EINVAL) {
		/* -EINVAL: somebody had it already, and it may be at @path. */
		return session;
	}
	return ledger_read(ledger, path, why);
}

/**
 * cross_memory - memory that can cross
 * @crossing: filled in
 * @why:      filled in if it fails
 *
 * Return: 0, or a negative errno.
 */
int cross_memory(struct crossing *crossing, char why[LEDGER_WHY_SIZE])
{
	crossing->size = CROSSING_SIZE;
	crossing->memfd = memfd_create("lutrace-ledger", MFD_ALLOW_SEALING | MFD_CLOEXEC);
	if (crossing->memfd < 0 || ftruncate(crossing->memfd, CROSSING_SIZE) ||
	    fcntl(crossing->memfd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK))
		return refuse(-errno, why, "cannot make a memfd: %s", strerror(errno));
	crossing->memory =
		mmap(NULL, CROSSING_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, crossing->memfd, 0);
	if (crossing->memory == MAP_FAILED)
		return refuse(-errno, why, "cannot map a memfd: %s", strerror(errno));
	return 0;
}

/**
 * cross_preserve - let memory cross, in a session that lasts as long as this process
 * @crossing: the memory, which may change until the jump
 * @why:      filled in if it fails
 *
 * Return: 0, or a negative errno.
 */
int cross_preserve(const struct crossing *crossing, char why[LEDGER_WHY_SIZE])
{
	int session = luo_create_session(luo_open(), KEEPER_SESSION), error;

	if (session < 0)
		return refuse_session(session, why, "create");
	error = luo_preserve(session, crossing->memfd, KEEPER_TOKEN);
	if (!error)
		return 0;
	close(session);
	return refuse(error, why, "cannot preserve the ledger: %s", strerror(-error));
}
