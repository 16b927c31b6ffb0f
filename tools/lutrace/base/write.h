/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Files are written here. */
#ifndef LUTRACE_WRITE_H
#define LUTRACE_WRITE_H

#include <limits.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

/**
 * struct new_file - a file that is being written
 * @fd:        to write to
 * @target:    what it replaces, NULL for what is no regular file
 * @temporary: its name until then
 */
struct new_file {
	int fd;
	char *target;
	char *temporary;
};

/* So long file_lock() waits. */
#define FILE_LOCK_SECONDS 30

int write_all(int fd, const void *data, size_t size);
int new_file_open(struct new_file *file, const char *path, mode_t mode);
int new_file_close(struct new_file *file, int error);
int file_write(const char *path, const void *data, size_t size, mode_t mode);
int file_place(const char *path, const void *data, size_t size, mode_t mode,
	       const struct stat *owner);
const char *write_error(const char *path, int error);
int file_target(const char *path, char target[PATH_MAX]);
int file_lock(const char *path);
int output_file(const char *path, const void *data, size_t size, mode_t mode);

#endif /* LUTRACE_WRITE_H */
