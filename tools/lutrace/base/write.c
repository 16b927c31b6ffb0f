// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/say.h"
#include "base/write.h"

/**
 * output_file - write a file as a whole or not at all
 * @path: the file; NULL or "-" for standard output
 * @data: its contents
 * @size: bytes of @data
 *
 * Return: EXIT_GOOD, or EXIT_BAD after an error message.
 */
int output_file(const char *path, const void *data, size_t size)
{
	char temporary[PATH_MAX];
	mode_t mask;
	FILE *file;
	int fd;

	if (!path || !strcmp(path, "-")) {
		if (fwrite(data, 1, size, stdout) != size || fflush(stdout))
			return fail("cannot write the output: %s", strerror(errno));
		return EXIT_GOOD;
	}

	if (snprintf(temporary, sizeof(temporary), "%s.XXXXXX", path) >= (int)sizeof(temporary))
		return fail("%s: the name is too long", path);
	fd = mkstemp(temporary);
	if (fd < 0)
		return fail("cannot write %s: %s", path, strerror(errno));
	mask = umask(0);
	umask(mask);
	fchmod(fd, 0666 & ~mask);

	file = fdopen(fd, "w");
	if (!file || fwrite(data, 1, size, file) != size || fflush(file) ||
	    rename(temporary, path)) {
		int error = errno;

		unlink(temporary);
		if (file)
			fclose(file);
		return fail("cannot write %s: %s", path, strerror(error));
	}
	fclose(file);
	return EXIT_GOOD;
}
