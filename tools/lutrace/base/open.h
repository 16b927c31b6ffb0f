/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Files are opened for reading here. */
#ifndef LUTRACE_OPEN_H
#define LUTRACE_OPEN_H

#include <stdbool.h>
#include <stdio.h>
#include <linux/limits.h>

/* What may be behind a name. */
enum file_kinds {
	REGULAR_FILE,
	FILE_OR_PIPE,
	FILE_OR_DEVICE,
};

void file_output(const char *path);
bool file_output_is_read(void);
int file_open(const char *path, int flags, enum file_kinds kinds);
int file_stdin(void);
FILE *file_stream(const char *path);
const char *file_error(int error);
const char *file_link_name(const char *path, char text[PATH_MAX]);

#endif /* LUTRACE_OPEN_H */
