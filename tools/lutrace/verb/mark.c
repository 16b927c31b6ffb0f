// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* lutrace mark: say when a workload was paused, and when it ran again. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "liveupdate_mark.h"
#include "main.h"

/* The file that marks are written to, or a negative errno. */
static int open_file(const char *directory)
{
	char *path;
	int fd;

	if (!directory)
		return liveupdate_mark_open();
	if (asprintf(&path, "%s/mark", directory) < 0)
		return -ENOMEM;
	fd = open(path, O_WRONLY | O_CLOEXEC);
	fd = fd < 0 ? -errno : fd;
	free(path);
	return fd;
}

int do_mark(int argc, char **argv)
{
	const char *directory = NULL;
	int fd, ret;

	while (next_option(argc, argv) != -1)
		directory = optarg;
	if (optind == argc)
		return fail("name the mark, such as pause:NAME or resume:NAME; try --help");
	if (optind + 1 < argc)
		return fail("'%s' is one argument too many; try --help", argv[optind + 1]);

	fd = open_file(directory);
	if (fd == -ENOENT && directory)
		return fail("there is no file %s/mark to write to", directory);
	if (fd == -ENOENT)
		return unknown("the mark '%s' was not written: %s", argv[optind],
			       liveupdate_mark_error(fd));
	ret = fd < 0 ? fd : liveupdate_mark_write(fd, argv[optind]);
	if (fd >= 0)
		close(fd);
	return ret ? fail("the mark '%s' was not written: %s", argv[optind],
			  liveupdate_mark_error(ret))
		   : EXIT_GOOD;
}
