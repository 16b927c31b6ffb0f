// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Configuration space of a device, as vfio shows it. */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/pci_regs.h>
#include <linux/vfio.h>

#include "dma-session.h"

/* Returns the file, and adds where it is there. */
static int config(const char *device, off_t *where)
{
	struct vfio_region_info region = {
		.argsz = sizeof(region),
		.index = VFIO_PCI_CONFIG_REGION_INDEX,
	};
	int fd = find(devices, device)->fd;

	if (ioctl(fd, VFIO_DEVICE_GET_REGION_INFO, &region))
		err(1, "configuration space");
	*where += region.offset;
	return fd;
}

static uint16_t read_config(const char *device, off_t where)
{
	int fd = config(device, &where);
	uint16_t value;

	if (pread(fd, &value, sizeof(value), where) != sizeof(value))
		err(1, "configuration space");
	return value;
}

int write_config(const char *device, off_t where, uint16_t value)
{
	int fd = config(device, &where);

	return pwrite(fd, &value, sizeof(value), where) == sizeof(value) ? 0 : -errno;
}

static int do_config(char **word)
{
	if (word[3])
		return write_config(word[1], number(word[2]), number(word[3]));
	printf("%#x\n", read_config(word[1], number(word[2])));
	return 1;
}

static int do_write_config(char **word)
{
	uint16_t value = number(word[3]);
	off_t where = number(word[2]);
	int fd = config(word[1], &where);
	pid_t pid = fork();
	ssize_t written;

	/* Refused or not, it is tried again. */
	if (!pid) {
		for (;;) {
			written = pwrite(fd, &value, sizeof(value), where);
			(void)written;
		}
	}
	return pid < 0 ? -errno : 0;
}

static int do_capability(char **word)
{
	off_t where = read_config(word[1], PCI_CAPABILITY_LIST) & 0xfc;

	while (where && (read_config(word[1], where) & 0xff) != number(word[2]))
		where = read_config(word[1], where) >> 8 & 0xfc;
	printf("%#lx\n", (long)where);
	return 1;
}

static int do_save_config(char **word)
{
	uint8_t bytes[4096];
	off_t where = 0;
	int fd = config(word[1], &where), out;
	/* Only PCI Express has the larger one, and nothing is read across the end. */
	ssize_t got = pread(fd, bytes, sizeof(bytes), where);

	if (got < 0)
		got = pread(fd, bytes, 256, where);
	out = open(word[2], O_WRONLY | O_CREAT | O_TRUNC, 0644);
	if (got < 0 || out < 0 || write(out, bytes, got) != got)
		return -errno;
	return close(out) ? -errno : 0;
}

const struct command config_commands[] = {
	{ "config", 3, do_config },
	{ "capability", 3, do_capability },
	{ "write-config", 4, do_write_config },
	{ "save-config", 3, do_save_config },
	{},
};
