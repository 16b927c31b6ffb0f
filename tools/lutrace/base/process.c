// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/process.h"

/*
 * Else the next file that is opened is standard output, and gets what is printed. What is
 * put there fails as if nothing was: it is opened for what nobody does with it.
 */
static void open_missing(void)
{
	int fd;

	for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) >= 0)
			continue;
		if (open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
			_exit(EXIT_FAILURE);
	}
}

static void on_file_size(int number)
{
	(void)number;
}

/**
 * process_begin - what main() does first
 *
 * There are descriptors 0, 1 and 2, and a file that grows beyond the limit is an error
 * (EFBIG) and not the end. A handler, as a signal that is ignored stays so for children.
 */
void process_begin(void)
{
	const struct sigaction action = { .sa_handler = on_file_size, .sa_flags = SA_RESTART };

	open_missing();
	sigaction(SIGXFSZ, &action, NULL);
}
