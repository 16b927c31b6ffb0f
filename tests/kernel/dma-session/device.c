// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A device by its vfio character device: bound, reset, its interrupts. */
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <uuid/uuid.h>

#include <linux/vfio.h>

#include "dma-session.h"

int iommufd = -1;

int open_cdev(const char *bdf)
{
	char path[512];
	struct dirent *entry;
	DIR *directory;
	int fd = -ENOENT;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/vfio-dev", bdf);
	directory = opendir(path);
	if (!directory)
		return -errno;
	while ((entry = readdir(directory))) {
		if (strncmp(entry->d_name, "vfio", 4) != 0)
			continue;
		snprintf(path, sizeof(path), "/dev/vfio/devices/%s", entry->d_name);
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd < 0)
			fd = -errno;
		break;
	}
	closedir(directory);
	return fd;
}

static int bind_device(struct object *device, int to, const char *token)
{
	struct vfio_device_bind_iommufd bind = { .argsz = sizeof(bind), .iommufd = to };
	uuid_t uuid;

	if (token) {
		if (uuid_parse(token, uuid))
			return -EINVAL;
		bind.flags = VFIO_DEVICE_BIND_FLAG_TOKEN;
		bind.token_uuid_ptr = (uintptr_t)uuid;
	}
	if (to < 0 || ioctl(device->fd, VFIO_DEVICE_BIND_IOMMUFD, &bind))
		return -errno;
	device->id = bind.out_devid;
	return 0;
}

static int open_iommufd(void)
{
	return open("/dev/iommu", O_RDWR | O_CLOEXEC);
}

static int do_device(char **word)
{
	struct object *device = add(devices, word[1]);

	if (iommufd < 0)
		iommufd = open_iommufd();
	device->fd = open_cdev(word[2]);
	if (device->fd < 0)
		return device->fd;
	return bind_device(device, iommufd, word[3]);
}

/* The iommufd, or for the word "other" one that is opened for a single call. */
int with_iommufd(const char *which, int (*call)(int fd, void *args), void *args)
{
	int fd, ret;

	if (!which)
		return call(iommufd, args);
	fd = open_iommufd();
	ret = call(fd, args);
	close(fd);
	return ret;
}

static int call_bind(int fd, void *args)
{
	return bind_device(args, fd, NULL);
}

static int do_bind(char **word)
{
	return with_iommufd(word[2], call_bind, find(devices, word[1]));
}

/* A copy of an argument that the kernel can read, and not answer in. */
void *read_only(const void *argument, size_t size)
{
	void *copy = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (copy == MAP_FAILED)
		err(1, "memory");
	memcpy(copy, argument, size);
	if (mprotect(copy, PAGE, PROT_READ))
		err(1, "read-only memory");
	return copy;
}

static int do_fault_bind(char **word)
{
	struct vfio_device_bind_iommufd bind = { .argsz = sizeof(bind), .iommufd = iommufd };
	void *argument = read_only(&bind, sizeof(bind));

	return ioctl(find(devices, word[1])->fd, VFIO_DEVICE_BIND_IOMMUFD, argument) ? -errno : 0;
}

static int do_reset(char **word)
{
	return ioctl(find(devices, word[1])->fd, VFIO_DEVICE_RESET) ? -errno : 0;
}

static int do_hot_reset(char **word)
{
	/* With a cdev the iommufd says who owns the devices of the bus: no fds. */
	struct vfio_pci_hot_reset reset = { .argsz = sizeof(reset) };

	return ioctl(find(devices, word[1])->fd, VFIO_DEVICE_PCI_HOT_RESET, &reset) ? -errno : 0;
}

static int feature(char **word, uint32_t flags)
{
	struct vfio_device_feature feature = {
		.argsz = sizeof(feature),
		.flags = flags | number(word[2]),
	};

	return ioctl(find(devices, word[1])->fd, VFIO_DEVICE_FEATURE, &feature) ? -errno : 0;
}

static int do_feature(char **word)
{
	return feature(word, VFIO_DEVICE_FEATURE_SET);
}

static int do_probe(char **word)
{
	return feature(word, VFIO_DEVICE_FEATURE_PROBE);
}

static int do_close_device(char **word)
{
	struct object *device = find(devices, word[1]);

	device->name[0] = '\0';
	return close(device->fd) ? -errno : 0;
}

static int vector = -1;

static int do_listen(char **word)
{
	/* The structure is followed by one file descriptor. */
	union {
		struct vfio_irq_set set;
		uint8_t bytes[sizeof(struct vfio_irq_set) + sizeof(int32_t)];
	} irqs = {
		.set = {
			.argsz = sizeof(irqs.bytes),
			.flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
			.index = VFIO_PCI_MSIX_IRQ_INDEX,
			.count = 1,
		},
	};

	vector = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (vector < 0)
		return -errno;
	memcpy(irqs.set.data, &vector, sizeof(int32_t));
	return ioctl(find(devices, word[1])->fd, VFIO_DEVICE_SET_IRQS, &irqs) ? -errno : 0;
}

static int do_signals(char **word)
{
	uint64_t count = 0;

	(void)word;
	if (read(vector, &count, sizeof(count)) < 0 && errno != EAGAIN)
		return -errno;
	printf("%llu\n", (unsigned long long)count);
	return 1;
}

#define MAX_VECTORS 16

static int do_interrupt(char **word)
{
	/* The structure is followed by the file descriptors. */
	union {
		struct vfio_irq_set set;
		uint8_t bytes[sizeof(struct vfio_irq_set) + MAX_VECTORS * sizeof(int32_t)];
	} irqs = {
		.set = {
			.argsz = sizeof(irqs.bytes),
			.flags = VFIO_IRQ_SET_ACTION_TRIGGER,
			.index = number(word[2]),
			.count = number(word[3]),
		},
	};
	int32_t fds[MAX_VECTORS];
	uint32_t i;

	if (irqs.set.count > MAX_VECTORS)
		errx(2, "%s: too many vectors", word[3]);
	irqs.set.flags |= irqs.set.count ? VFIO_IRQ_SET_DATA_EVENTFD : VFIO_IRQ_SET_DATA_NONE;
	for (i = 0; i < irqs.set.count; i++)
		fds[i] = eventfd(0, EFD_CLOEXEC);
	memcpy(irqs.set.data, fds, irqs.set.count * sizeof(*fds));
	return ioctl(find(devices, word[1])->fd, VFIO_DEVICE_SET_IRQS, &irqs) ? -errno : 0;
}

static int do_open(char **word)
{
	int fd = open_cdev(word[1]);

	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

static int do_open_group(char **word)
{
	int container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	char path[64];
	int group, ret = 0;

	if (container < 0)
		return -errno;
	snprintf(path, sizeof(path), "/dev/vfio/%s", word[1]);
	group = open(path, O_RDWR | O_CLOEXEC);
	if (group < 0 || ioctl(group, VFIO_GROUP_SET_CONTAINER, &container))
		ret = -errno;
	if (group >= 0)
		close(group);
	close(container);
	return ret;
}

const struct command device_commands[] = {
	{ "device", 3, do_device },
	{ "bind", 2, do_bind },
	{ "fault-bind", 2, do_fault_bind },
	{ "reset", 2, do_reset },
	{ "hot-reset", 2, do_hot_reset },
	{ "feature", 3, do_feature },
	{ "probe", 3, do_probe },
	{ "interrupt", 4, do_interrupt },
	{ "close-device", 2, do_close_device },
	{ "listen", 2, do_listen },
	{ "signals", 1, do_signals },
	{ "open", 2, do_open },
	{ "open-group", 2, do_open_group },
	{},
};
