// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The one opener of files that others made. Whoever opens a FIFO waits for its other
 * end, and a device may do something as soon as it is opened: what a file is, is looked
 * at first.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/open.h"

/* A negative errno that file_error() has words for, or 0. */
static int refuse(mode_t mode, enum file_kinds kinds)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return 0;
	case S_IFDIR:
		return -EISDIR;
	case S_IFIFO:
		return kinds == FILE_OR_PIPE ? 0 : -ESPIPE;
	case S_IFSOCK:
		return -ENOTSOCK;
	}
	return kinds == FILE_OR_DEVICE ? 0 : -ENODEV;
}

/**
 * file_open - open a file without waiting for anybody
 * @path:  the file
 * @flags: O_RDONLY or O_WRONLY; with O_NONBLOCK if read() is not to wait either
 * @kinds: what it may be; a FIFO that nobody writes to is empty
 *
 * Return: a file descriptor, or a negative errno, for file_error().
 */
int file_open(const char *path, int flags, enum file_kinds kinds)
{
	struct stat found;
	int fd, error;

	if (stat(path, &found))
		return -errno;
	error = refuse(found.st_mode, kinds);
	if (error)
		return error;
	fd = open(path, flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	/* Another one may have that name by now. */
	error = fstat(fd, &found) ? -errno : refuse(found.st_mode, kinds);
	if (!error && fcntl(fd, F_SETFL, flags) < 0)
		error = -errno;
	if (!error)
		return fd;
	close(fd);
	return error;
}

/**
 * file_stream - fopen() of a regular file for reading, without waiting for anybody
 * @path: the file
 *
 * Return: the stream, or NULL with errno.
 */
FILE *file_stream(const char *path)
{
	int fd = file_open(path, O_RDONLY, REGULAR_FILE);
	FILE *stream;

	if (fd < 0) {
		errno = -fd;
		return NULL;
	}
	stream = fdopen(fd, "r");
	if (!stream)
		close(fd);
	return stream;
}

/* What file_open() says, or a later read(), in words. */
const char *file_error(int error)
{
	switch (error) {
	case -EISDIR:
		return "it is a directory, where a file is needed";
	case -ESPIPE:
		return "it is a FIFO, where a regular file is needed";
	case -ENOTSOCK:
		return "it is a socket, where a file is needed";
	case -ENODEV:
		return "it is a device, where a file is needed";
	}
	return strerror(-error);
}
