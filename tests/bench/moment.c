// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * moment: write the machine's cycle counter to a file, and with --jump call the
 * kexec reboot right afterwards.
 *
 * The counter goes on across the kexec, so that two such files tell how long the
 * way from one program to the other was: for any kernel, one without a ledger
 * included. It is read before the file is written; the write is part of the
 * way, the same for all kernels. The plugin count counts the instructions of the
 * same way.
 */
#include <err.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/reboot.h>
#include <unistd.h>
#include <x86intrin.h>

#include "moment.h"

int main(int argc, char **argv)
{
	bool jump = argc == 3 && !strcmp(argv[1], "--jump");
	unsigned int aux;
	char text[32];
	int fd, length;

	if (argc != 2 + jump)
		errx(2, "usage: moment [--jump] FILE");
	fd = open(argv[argc - 1], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		err(1, "%s", argv[argc - 1]);
	if (jump)
		MOMENT_MARK(MOMENT_LEFT);
	else
		MOMENT_MARK(MOMENT_ARRIVED);
	length = snprintf(text, sizeof(text), "%llu\n", __rdtscp(&aux));
	if (write(fd, text, length) != length || close(fd))
		err(1, "%s", argv[argc - 1]);
	if (!jump)
		return 0;
	reboot(RB_KEXEC);
	err(1, "kexec");
}
