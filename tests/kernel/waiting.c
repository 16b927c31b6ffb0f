// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A device across the kexec, whose owner does not come back for it.
 *
 *	waiting preserve CDEV		in the outgoing kernel: preserve it, write
 *					"preserved", and stay until the jump
 *	waiting refused SYSFS-DEVICE	in the incoming one: try to get at it
 *	waiting works CDEV		another device, which was not preserved
 */
#include <dirent.h>
#include <limits.h>
#include <stdlib.h>

#include "vfio_session.h"

/* What new_id wants to know of an igb. */
#define IGB_ID "8086 10c9"

#define SESSION "waiting"
#define SIZE	(2 * MEGABYTE)

static int preserve(const char *path)
{
	struct machine m = make_machine(path, SIZE);
	int session = create_session(SESSION);
	uint64_t *words;

	enable_bus_mastering(m.cdev);
	words = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, m.memory, 0);
	if (words == MAP_FAILED)
		err(1, "mmap");
	for (size_t i = 0; i < SIZE / sizeof(*words); i++)
		words[i] = ~i;
	must(try_mark(m.iommufd, m.hwpt, TOKEN_HWPT), "mark");
	preserve_machine(&m, session);
	puts("preserved");
	fflush(stdout);
	pause();
	return 1;
}

/* A path; what it is made of is never freed */
static char *in(const char *directory, const char *name)
{
	char *path;

	if (asprintf(&path, "%s/%s", directory, name) < 0)
		err(1, "asprintf");
	return path;
}

static int try_write(const char *directory, const char *name, const char *value)
{
	int fd, error;

	fd = open(in(directory, name), O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	error = write(fd, value, strlen(value)) < 0 ? errno : 0;
	close(fd);
	return error;
}

static bool has_driver(const char *sysfs)
{
	return !access(in(sysfs, "driver"), F_OK);
}

static uint16_t read_sysfs_config(const char *sysfs, off_t where)
{
	int fd = open(in(sysfs, "config"), O_RDONLY | O_CLOEXEC);
	uint16_t value;

	if (fd < 0 || pread(fd, &value, 2, where) != 2)
		err(1, "configuration space of %s", sysfs);
	close(fd);
	return value;
}

/* Offset of the power management capability */
static off_t power_capability(const char *sysfs)
{
	off_t where = read_sysfs_config(sysfs, 0x34) & 0xfc;

	while (where && (read_sysfs_config(sysfs, where) & 0xff) != 0x01)
		where = read_sysfs_config(sysfs, where) >> 8 & 0xfc;
	return where;
}

static void runs(const char *sysfs, const char *sentence)
{
	const char *bridge = in(sysfs, "..");

	ok(read_sysfs_config(sysfs, 4) & 4 && read_sysfs_config(bridge, 4) & 4 &&
		   !(read_sysfs_config(sysfs, power_capability(sysfs) + 4) & 3),
	   sentence);
}

/* The vfio character device of a device, or its group's */
static int try_open_vfio(const char *sysfs)
{
	DIR *dir = opendir(in(sysfs, "vfio-dev"));
	const char *path = "";
	struct dirent *entry;
	int fd;

	if (!dir)
		return errno;
	while ((entry = readdir(dir)))
		if (!strncmp(entry->d_name, "vfio", 4))
			path = in("/dev/vfio/devices", entry->d_name);
	closedir(dir);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

/* Get the device through its group, the way without a character device */
static int try_open_group(const char *sysfs)
{
	const char *group = realpath(in(sysfs, "iommu_group"), NULL);
	struct iommu_vfio_ioas choose = {
		.size = sizeof(choose),
		.op = IOMMU_VFIO_IOAS_SET,
	};
	int iommufd, fd, error;

	if (!group)
		return errno;
	fd = open(in("/dev/vfio", strrchr(group, '/') + 1), O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return errno;

	iommufd = open_iommufd();
	choose.ioas_id = alloc_ioas(iommufd);
	must(try(iommufd, IOMMU_VFIO_IOAS, &choose), "IOMMU_VFIO_IOAS");
	error = ioctl(fd, VFIO_GROUP_SET_CONTAINER, &iommufd) < 0 ? errno : 0;
	if (!error)
		error = ioctl(fd, VFIO_GROUP_GET_DEVICE_FD, strrchr(sysfs, '/') + 1) < 0 ? errno
											 : 0;
	close(fd);
	close(iommufd);
	return error;
}

static void session_waits(void)
{
	struct liveupdate_ioctl_retrieve_session retrieve = {
		.size = sizeof(retrieve),
		.name = SESSION,
	};
	struct liveupdate_session_retrieve_fd file = { .size = sizeof(file) };
	struct liveupdate_session_finish finish = { .size = sizeof(finish) };
	int device = open("/dev/liveupdate", O_RDWR | O_CLOEXEC);
	size_t good = 0;
	uint64_t *words;

	if (device < 0)
		err(1, "/dev/liveupdate");
	must(try(device, LIVEUPDATE_IOCTL_RETRIEVE_SESSION, &retrieve),
	     "LIVEUPDATE_IOCTL_RETRIEVE_SESSION");

	file.token = TOKEN_MEMFD;
	if (fails(try(retrieve.fd, LIVEUPDATE_SESSION_RETRIEVE_FD, &file), 0,
		  "the memory can be retrieved alone")) {
		words = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, file.fd, 0);
		for (size_t i = 0; words != MAP_FAILED && i < SIZE / 8; i++)
			good += words[i] == ~i;
		ok(good == SIZE / 8, "and holds what it held");
	}
	fails(try(retrieve.fd, LIVEUPDATE_SESSION_FINISH, &finish), EBUSY,
	      "the session does not finish");
	close(retrieve.fd);
	fails(try(device, LIVEUPDATE_IOCTL_RETRIEVE_SESSION, &retrieve), 0,
	      "closing it does not let it go, it can be retrieved again");
	fails(try(retrieve.fd, LIVEUPDATE_SESSION_FINISH, &finish), EBUSY,
	      "and still does not finish");
	close(retrieve.fd);
	close(device);
}

static int refused(const char *link)
{
	const char *address = strrchr(link, '/') + 1;
	const char *drivers = "/sys/bus/pci/drivers";
	const char *sysfs = realpath(link, NULL);
	const char *bridge;

	if (!sysfs)
		err(1, "%s", link);
	bridge = realpath(in(sysfs, ".."), NULL);

	runs(sysfs, "the device masters the bus, the bridge above it, too, and it is in D0");
	fails(try_write(drivers, "vfio-pci/unbind", address), 0,
	      "the driver that preserved it has bound to it");

	fails(try_write(sysfs, "driver_override", "virtio-pci"), EBUSY,
	      "no other can be forced on it");
	/* Binds to each device with that id that it can have, here to none */
	must(try_write(drivers, "virtio-pci/new_id", IGB_ID), "new_id");
	fails(try_write(drivers, "virtio-pci/bind", address), EBUSY,
	      "none that would take it can be bound to it");
	ok(!has_driver(sysfs), "and none is");

	for (int round = 1; round <= 2; round++) {
		fails(try_write(drivers, "vfio-pci/bind", address), 0,
		      round == 1 ? "vfio-pci binds to it" : "and can be bound again");
		fails(try_open_vfio(sysfs), EBUSY, "but its character device cannot be opened");
		fails(try_open_group(sysfs), EBUSY, "nor can its group");
		fails(try_write(drivers, "vfio-pci/unbind", address), 0, "vfio-pci can be unbound");
	}
	runs(sysfs, "all that has not touched it");

	fails(try_write(sysfs, "reset", "1"), EBUSY, "it cannot be reset");
	fails(try_write(bridge, "reset_subordinate", "1"), EBUSY, "nor can the bus that it is on");
	fails(try_write(sysfs, "remove", "1"), EBUSY, "nor can it be removed");
	fails(try_write(bridge, "remove", "1"), EBUSY, "nor can the bridge above it");
	fails(try_write(drivers, "pcieport/unbind", strrchr(bridge, '/') + 1), EBUSY,
	      "nor can the bridge lose its driver");
	fails(try_write(sysfs, "enable", "1"), EBUSY, "nor can it be enabled through sysfs");
	try_write(sysfs, "enable", "0");
	runs(sysfs, "disabling it leaves it bus master");
	ok(try_write(in(sysfs, "iommu_group"), "type", "identity") != 0,
	   "its group's domain type cannot be changed");

	session_waits();
	runs(sysfs, "after all that it is still running");

	return tap_done();
}

static int works(const char *path)
{
	struct machine m = make_machine(path, SIZE);

	fails(try_unmap(m.iommufd, m.ioas, IOVA, SIZE), 0,
	      "another device can be bound, opened and attached");
	fails(ioctl(m.cdev, VFIO_DEVICE_RESET) < 0 ? errno : 0, 0, "and reset");
	free_machine(&m);
	return tap_done();
}

int main(int argc, char **argv)
{
	if (argc != 3)
		errx(2, "usage: waiting preserve|refused|works DEVICE");
	setbuf(stdout, NULL);

	if (!strcmp(argv[1], "preserve"))
		return preserve(argv[2]);
	if (!strcmp(argv[1], "refused"))
		return refused(argv[2]);
	if (!strcmp(argv[1], "works"))
		return works(argv[2]);
	errx(2, "%s: neither preserve nor refused nor works", argv[1]);
}
