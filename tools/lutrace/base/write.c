// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The one writer of files. A regular file is replaced as a whole: a reader sees the
 * old contents or the new ones, and after a power failure there is one of the two. One is
 * written at a time, and nothing else is left of it, whatever ends the program but SIGKILL.
 * A symbolic link is followed, and what is no regular file (a device, a FIFO) is
 * written to and stays what it is. Where anybody may put files, as in /tmp, neither a link
 * nor a file of somebody else's is: what is written would be his.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/say.h"
#include "base/write.h"

/**
 * write_all - write() until all is written
 *
 * Return: 0, or a negative errno.
 */
int write_all(int fd, const void *data, size_t size)
{
	const char *from = data;

	while (size) {
		ssize_t written = write(fd, from, size);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return -errno;
		from += written;
		size -= (size_t)written;
	}
	return 0;
}

#define LINKS_MOST 40

/* Where a directory is named that a path is in. */
static int directory_of(const char *path, char directory[PATH_MAX])
{
	const char *slash = strrchr(path, '/');
	int length = slash ? (int)(slash - path) + (slash == path) : 1;

	return snprintf(directory, PATH_MAX, "%.*s", length, slash ? path : ".") >= PATH_MAX
		       ? -ENAMETOOLONG
		       : 0;
}

/*
 * Somebody else put it where anybody may put files and nobody takes away another's. The
 * kernel's own protection of links and files there (fs.protected_*) is not of what is
 * replaced, and can be off.
 */
static int check_owner(const char *path, const struct stat *found)
{
	char directory[PATH_MAX];
	struct stat around;
	int error = directory_of(path, directory);

	if (error)
		return error;
	if (found->st_uid == geteuid() || stat(directory, &around) || !(around.st_mode & S_ISVTX) ||
	    !(around.st_mode & (S_IWGRP | S_IWOTH)))
		return 0;
	return found->st_uid == around.st_uid ? 0 : -EKEYREJECTED;
}

/*
 * What is there by a name: a link with what is in it, or something else with a length of -1.
 * It is asked for through one descriptor, as others may put another one there meanwhile.
 */
static int look(const char *path, struct stat *found, char link[PATH_MAX], ssize_t *length)
{
	int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC), error = 0;

	*length = -1;
	if (fd < 0)
		return -errno;
	if (fstat(fd, found))
		error = -errno;
	else if (S_ISLNK(found->st_mode))
		*length = readlinkat(fd, "", link, PATH_MAX - 1);
	close(fd);
	return error ?: check_owner(path, found);
}

/* Where a path leads: links are followed, also to what is not there yet. */
static int resolve(const char *path, struct stat *found, char target[PATH_MAX])
{
	char link[PATH_MAX], *slash, *last;
	ssize_t length;
	int links = 0, error;

	memset(found, 0, sizeof(*found));
	if (snprintf(target, PATH_MAX, "%s", path) >= PATH_MAX)
		return -ENAMETOOLONG;
	while (!(error = look(target, found, link, &length)) && length >= 0) {
		if (links++ == LINKS_MOST)
			return -ELOOP;
		link[length] = '\0';
		slash = link[0] == '/' ? NULL : strrchr(target, '/');
		last = slash ? slash + 1 : target;
		if (last - target + length >= PATH_MAX)
			return -ENAMETOOLONG;
		memcpy(last, link, (size_t)length + 1);
	}
	if (error != -ENOENT)
		return error;
	/* Links of /proc lead to what has no name; else there is nothing yet. */
	if (!stat(path, found))
		return 0;
	found->st_mode = 0;
	return errno == ENOENT ? 0 : -errno;
}

/* Its temporary name goes when a signal ends the program. */
static char *volatile unfinished;

static const int ending[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGXCPU };

/* The signal is sent again, and ends the program as soon as this returns. */
static void on_ending(int number)
{
	if (unfinished)
		unlink(unfinished);
	raise(number);
}

/* A verb that deals with a signal itself, and who ignores it, go on doing so. */
static void watch_ending(sigset_t *set)
{
	const struct sigaction action = { .sa_handler = on_ending, .sa_flags = (int)SA_RESETHAND };
	struct sigaction now;
	size_t i;

	sigemptyset(set);
	for (i = 0; i < sizeof(ending) / sizeof(ending[0]); i++) {
		sigaddset(set, ending[i]);
		if (!sigaction(ending[i], NULL, &now) && now.sa_handler == SIG_DFL)
			sigaction(ending[i], &action, NULL);
	}
}

/* mkostemp(), without a moment in which nobody knows of the file. */
static int make_temporary(char *name)
{
	sigset_t set, before;
	int fd;

	watch_ending(&set);
	pthread_sigmask(SIG_BLOCK, &set, &before);
	fd = mkostemp(name, O_CLOEXEC);
	if (fd >= 0)
		unfinished = name;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return fd;
}

static void free_names(struct new_file *file)
{
	unfinished = NULL;
	free(file->target);
	free(file->temporary);
}

/*
 * Root may replace a file of somebody else, who goes on reading and writing it. Whoever
 * may not give files away keeps the new one. A service that may not even ask is not made to.
 */
static int keep_owner(int fd, const struct stat *found)
{
	struct stat is;

	if (!found->st_mode)
		return 0;
	if (!fstat(fd, &is) && is.st_uid == found->st_uid && is.st_gid == found->st_gid)
		return 0;
	if (!fchown(fd, found->st_uid, found->st_gid))
		return 0;
	return errno == EPERM ? 0 : -1;
}

/* A file beside @target, with its owner, if there is one, and @mode. */
static int begin(struct new_file *file, const char *target, mode_t mode, const struct stat *found)
{
	int error;

	file->target = strdup(target);
	if (asprintf(&file->temporary, "%s.XXXXXX", target) < 0)
		file->temporary = NULL;
	file->fd = file->target && file->temporary ? make_temporary(file->temporary) : -1;
	if (file->fd >= 0 && !keep_owner(file->fd, found) && !fchmod(file->fd, mode))
		return 0;
	error = file->target && file->temporary ? -errno : -ENOMEM;
	if (file->fd >= 0) {
		close(file->fd);
		unlink(file->temporary);
	}
	free_names(file);
	*file = (struct new_file){ .fd = -1 };
	return error;
}

/**
 * new_file_open - begin to write a file
 * @file: filled in; @fd is to be written to, then new_file_close() called
 * @path: the file
 * @mode: permissions of a regular file; where 0, those that it has, else what the
 *        umask leaves of 0666
 *
 * Return: 0, or a negative errno with nothing to close, for write_error().
 */
int new_file_open(struct new_file *file, const char *path, mode_t mode)
{
	char target[PATH_MAX];
	struct stat found;
	int error = resolve(path, &found, target);

	memset(file, 0, sizeof(*file));
	if (error)
		return error == -EKEYREJECTED ? -EACCES : error;
	if (found.st_mode && !S_ISREG(found.st_mode)) {
		file->fd = open(path, O_WRONLY | O_CLOEXEC);
		return file->fd < 0 ? -errno : 0;
	}
	if (!mode && found.st_mode)
		mode = found.st_mode & 0777;
	if (!mode) {
		mode_t mask = umask(0);

		umask(mask);
		mode = 0666 & ~mask;
	}
	return begin(file, target, mode, &found);
}

/**
 * new_file_close - the file is complete, or will not be
 * @file:  from new_file_open()
 * @error: 0 if it is complete; else the old one stays
 *
 * Return: @error, or a negative errno.
 */
int new_file_close(struct new_file *file, int error)
{
	if (!error && file->temporary && fsync(file->fd))
		error = -errno;
	if (close(file->fd) && !error)
		error = -errno;
	if (file->temporary) {
		if (!error && rename(file->temporary, file->target))
			error = -errno;
		if (error)
			unlink(file->temporary);
	}
	free_names(file);
	return error;
}

/**
 * file_write - write a file, without a word
 * @path: the file
 * @data: its contents; NULL: there was no memory for them, and the old ones stay
 * @size: bytes of @data
 * @mode: as new_file_open() takes it
 *
 * Return: 0, or a negative errno, for write_error().
 */
int file_write(const char *path, const void *data, size_t size, mode_t mode)
{
	struct new_file file;
	int error = data ? new_file_open(&file, path, mode) : -ENOMEM;

	return error ?: new_file_close(&file, write_all(file.fd, data, size));
}

/**
 * file_place - write a file that nobody named, beside one that somebody did
 * @path:  the file; what is there is replaced, also a link, which is not followed
 * @data:  its contents; NULL: there was no memory for them
 * @size:  bytes of @data
 * @mode:  its permissions
 * @owner: whose it will be, if it is root who writes
 *
 * Return: 0, or a negative errno.
 */
int file_place(const char *path, const void *data, size_t size, mode_t mode,
	       const struct stat *owner)
{
	struct new_file file = { 0 };
	int error = data ? begin(&file, path, mode, owner) : -ENOMEM;

	return error ?: new_file_close(&file, write_all(file.fd, data, size));
}

/**
 * write_error - why a file cannot be written, in words
 * @path:  the file
 * @error: what was returned for it
 */
const char *write_error(const char *path, int error)
{
	char target[PATH_MAX];
	struct stat found;

	if (error == -EACCES && resolve(path, &found, target) == -EKEYREJECTED)
		return "it is another user's, or a link is that leads there, in a directory where anybody may put files; remove that, or name another file";
	return strerror(-error);
}

/**
 * file_target - what file of which name file_write() replaces
 * @path:   the file; links are followed, also to what is not there yet
 * @target: set to the name
 *
 * Return: 0, or a negative errno.
 */
int file_target(const char *path, char target[PATH_MAX])
{
	struct stat found;

	return resolve(path, &found, target);
}

/**
 * file_lock - keep others who ask for it from a file that is read and then replaced
 * @path: the file, which need not be there
 *
 * The lock is that of its directory: a file that is replaced is another one. Whoever may
 * read the directory can hold it, so that nobody is waited for without end.
 *
 * Return: a descriptor, which holds the lock until it is closed, or a negative errno: -EWOULDBLOCK
 * if somebody else has held it for FILE_LOCK_SECONDS.
 */
int file_lock(const char *path)
{
	const struct timespec pause = { .tv_nsec = 100000000 };
	char target[PATH_MAX], directory[PATH_MAX];
	int fd, error, tries = FILE_LOCK_SECONDS * 10;

	if (!realpath(path, target) && snprintf(target, sizeof(target), "%s", path) >= PATH_MAX)
		return -ENAMETOOLONG;
	error = directory_of(target, directory);
	if (error)
		return error;
	fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	while (flock(fd, LOCK_EX | LOCK_NB)) {
		if (errno == EINTR)
			continue;
		if (errno == EWOULDBLOCK && tries--) {
			nanosleep(&pause, NULL);
			continue;
		}
		error = -errno;
		close(fd);
		return error;
	}
	return fd;
}

/* By another name, such as /dev/stdout. What was written to it before stays. */
static bool is_standard_output(const char *path)
{
	struct stat named, output;

	return !stat(path, &named) && !fstat(STDOUT_FILENO, &output) &&
	       named.st_ino == output.st_ino && named.st_dev == output.st_dev;
}

/**
 * output_file - write what the user asked for
 * @path: the file; NULL or "-" for standard output
 * @data: its contents; NULL: there was no memory for them
 * @size: bytes of @data
 * @mode: as new_file_open() takes it
 *
 * Return: EXIT_GOOD, or EXIT_BAD after an error message.
 */
int output_file(const char *path, const void *data, size_t size, mode_t mode)
{
	int error;

	if (!data)
		return fail("out of memory");
	if (!path || !strcmp(path, "-") || is_standard_output(path)) {
		fwrite(data, 1, size, stdout);
		return output_end();
	}
	error = file_write(path, data, size, mode);
	return error ? fail("cannot write %s: %s", path, write_error(path, error)) : EXIT_GOOD;
}
