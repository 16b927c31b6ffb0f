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

/* What will be written, if it is there; a directory of inodes has no number 0. */
static dev_t output_device;
static ino_t output_inode;
static bool output_wanted;

/**
 * file_output - say what will be written, which file_open() does not open from then on
 * @path: the file; NULL or "-" for standard output
 */
void file_output(const char *path)
{
	struct stat found;
	bool file = path && strcmp(path, "-") != 0;

	if ((file ? stat(path, &found) : fstat(STDOUT_FILENO, &found)) || !S_ISREG(found.st_mode))
		return;
	output_device = found.st_dev;
	output_inode = found.st_ino;
}

/* Is it, by whatever name, what file_output() was told? */
static bool is_output(const struct stat *found)
{
	bool same = output_inode && found->st_ino == output_inode && found->st_dev == output_device;

	if (same)
		output_wanted = true;
	return same;
}

/**
 * file_output_is_read - was what will be written asked for as an input?
 *
 * For those who go on without an input.
 *
 * Return: true if file_open() refused it for that reason.
 */
bool file_output_is_read(void)
{
	return output_wanted;
}

/* A negative errno that file_error() has words for, or 0. */
static int refuse_kind(mode_t mode, enum file_kinds kinds)
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

static int refuse(const struct stat *found, enum file_kinds kinds)
{
	return is_output(found) ? -EEXIST : refuse_kind(found->st_mode, kinds);
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
	error = refuse(&found, kinds);
	if (error)
		return error;
	fd = open(path, flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	/* Another one may have that name by now. */
	error = fstat(fd, &found) ? -errno : refuse(&found, kinds);
	if (!error && fcntl(fd, F_SETFL, flags) < 0)
		error = -errno;
	if (!error)
		return fd;
	close(fd);
	return error;
}

/* Standard input, as file_open() opens a file; once, as a second reader would get its rest. */
int file_stdin(void)
{
	static bool taken;
	struct stat found;
	int fd;

	if (taken)
		return -EALREADY;
	taken = true;
	fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);
	if (fd < 0 || fstat(fd, &found) || !is_output(&found))
		return fd < 0 ? -errno : fd;
	close(fd);
	return -EEXIST;
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
	case -EALREADY:
		return "standard input is read already; it can be named once";
	case -EEXIST:
		return "it is the file that is to be written, which would be lost; write to another one";
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

/**
 * file_link_name - the last part of where a symbolic link leads
 * @path: the link
 * @text: where to write it
 *
 * Return: a place in @text; "" if it is no link.
 */
const char *file_link_name(const char *path, char text[PATH_MAX])
{
	ssize_t length = readlink(path, text, PATH_MAX - 1);
	char *slash;

	text[length > 0 ? length : 0] = '\0';
	slash = strrchr(text, '/');
	return slash ? slash + 1 : text;
}
