// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * unbind-frozen DEVICE RESULT: wait until the freeze of a reboot call has masked INTx in
 * a device, unbind its driver at once, and write into the file RESULT what came of it.
 * DEVICE is its directory in sysfs.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/pci_regs.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int open_in(const char *directory, const char *name, int flags)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	fd = open(path, flags | O_CLOEXEC);
	if (fd < 0)
		err(1, "%s", path);
	return fd;
}

int main(int argc, char **argv)
{
	const char *name, *answer;
	int config, unbind, result;
	uint16_t command = 0;
	ssize_t ret;

	if (argc != 3)
		errx(2, "usage: unbind-frozen DEVICE RESULT");
	name = strrchr(argv[1], '/') + 1;
	config = open_in(argv[1], "config", O_RDONLY);
	unbind = open_in(argv[1], "driver/unbind", O_WRONLY);
	result = open(argv[2], O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (result < 0 || mlockall(MCL_CURRENT))
		err(1, "%s", argv[2]);
	while (!(command & PCI_COMMAND_INTX_DISABLE))
		if (pread(config, &command, sizeof(command), PCI_COMMAND) != sizeof(command))
			err(1, "%s", argv[1]);
	ret = write(unbind, name, strlen(name));
	answer = ret < 0 ? strerrorname_np(errno) : "unbound";
	return write(result, answer, strlen(answer)) < 0;
}
