/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A vfio device, an iommufd and a live update session, one system call at a
 * time: what the tests of preserving devices put together in their own order.
 *
 * A function that has to succeed ends the program if it does not; one named
 * try_ returns 0 or the errno, for the test to look at.
 */
#ifndef VFIO_SESSION_H
#define VFIO_SESSION_H

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/iommufd.h>
#include <linux/liveupdate.h>
#include <linux/vfio.h>

#define SEALS (F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL)
#define MEGABYTE (1024ul * 1024)
#define IOVA (16 * MEGABYTE)

/* TAP */

static int tap_count, tap_failed;

static inline bool ok(bool good, const char *sentence)
{
	printf("%sok %d - %s\n", good ? "" : "not ", ++tap_count, sentence);
	tap_failed += !good;
	return good;
}

/* Did a system call fail in the way that is expected (0: not at all)? */
static inline bool fails(int got, int expected, const char *sentence)
{
	bool good = ok(got == expected, sentence);

	if (!good)
		printf("# got %s, expected %s\n", got ? strerrorname_np(got) : "success",
		       expected ? strerrorname_np(expected) : "success");
	return good;
}

static inline int tap_done(void)
{
	printf("1..%d\n", tap_count);
	return tap_failed != 0;
}

static inline int try(int fd, unsigned long request, void *argument)
{
	return ioctl(fd, request, argument) < 0 ? errno : 0;
}

static inline void must(int error, const char *what)
{
	errno = error;
	if (error)
		err(1, "%s", what);
}

/* Interrupts of a device: one vector, signalled to nobody that looks at it */
static inline int try_enable_irq(int cdev, uint32_t index)
{
	/* The structure is followed by one file descriptor. */
	union {
		struct vfio_irq_set set;
		uint8_t bytes[sizeof(struct vfio_irq_set) + sizeof(int32_t)];
	} irqs = {
		.set = {
			.argsz = sizeof(irqs.bytes),
			.flags = VFIO_IRQ_SET_DATA_EVENTFD |
				 VFIO_IRQ_SET_ACTION_TRIGGER,
			.index = index,
			.count = 1,
		},
	};
	int32_t fd = eventfd(0, EFD_CLOEXEC);
	int error;

	memcpy(irqs.set.data, &fd, sizeof(fd));
	error = try(cdev, VFIO_DEVICE_SET_IRQS, &irqs);
	close(fd);
	return error;
}

/* Memory */

static inline int memfd(size_t size, int seals)
{
	int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0 || ftruncate(fd, size) || fallocate(fd, 0, 0, size))
		err(1, "memfd");
	if (seals && fcntl(fd, F_ADD_SEALS, seals))
		err(1, "seal memfd");
	return fd;
}

/* Every other page is there, so that no two are preserved or retrieved in one go. */
static inline int scattered_memfd(size_t size)
{
	const size_t page = 4096;
	int fd = memfd_create("scattered", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	char *bytes;

	if (fd < 0 || ftruncate(fd, (off_t)size))
		err(1, "memfd");
	bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (bytes == MAP_FAILED)
		err(1, "mmap");
	for (size_t at = 0; at < size; at += 2 * page)
		bytes[at] = 1;
	munmap(bytes, size);
	return fd;
}

/* iommufd */

static inline int open_iommufd(void)
{
	int fd = open("/dev/iommu", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		err(1, "/dev/iommu");
	return fd;
}

static inline uint32_t alloc_ioas(int iommufd)
{
	struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };

	must(try(iommufd, IOMMU_IOAS_ALLOC, &alloc), "IOMMU_IOAS_ALLOC");
	return alloc.out_ioas_id;
}

static inline int try_map_file(int iommufd, uint32_t ioas, int fd, size_t start, size_t length,
			       uint64_t iova)
{
	struct iommu_ioas_map_file map = {
		.size = sizeof(map),
		.flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE |
			 IOMMU_IOAS_MAP_WRITEABLE,
		.ioas_id = ioas,
		.fd = fd,
		.start = start,
		.length = length,
		.iova = iova,
	};

	return try(iommufd, IOMMU_IOAS_MAP_FILE, &map);
}

static inline int try_map_user(int iommufd, uint32_t ioas, void *address, size_t length,
			       uint64_t iova)
{
	struct iommu_ioas_map map = {
		.size = sizeof(map),
		.flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE |
			 IOMMU_IOAS_MAP_WRITEABLE,
		.ioas_id = ioas,
		.user_va = (uintptr_t)address,
		.length = length,
		.iova = iova,
	};

	return try(iommufd, IOMMU_IOAS_MAP, &map);
}

static inline int try_unmap(int iommufd, uint32_t ioas, uint64_t iova, uint64_t length)
{
	struct iommu_ioas_unmap unmap = {
		.size = sizeof(unmap),
		.ioas_id = ioas,
		.iova = iova,
		.length = length,
	};

	return try(iommufd, IOMMU_IOAS_UNMAP, &unmap);
}

static inline uint32_t alloc_hwpt(int iommufd, uint32_t device, uint32_t ioas)
{
	struct iommu_hwpt_alloc alloc = {
		.size = sizeof(alloc),
		.dev_id = device,
		.pt_id = ioas,
	};

	must(try(iommufd, IOMMU_HWPT_ALLOC, &alloc), "IOMMU_HWPT_ALLOC");
	return alloc.out_hwpt_id;
}

static inline int try_destroy(int iommufd, uint32_t id)
{
	struct iommu_destroy destroy = { .size = sizeof(destroy), .id = id };

	return try(iommufd, IOMMU_DESTROY, &destroy);
}

static inline int try_mark(int iommufd, uint32_t hwpt, uint64_t token)
{
	struct iommu_hwpt_liveupdate_mark_preserve mark = {
		.size = sizeof(mark),
		.hwpt_id = hwpt,
		.hwpt_token = token,
	};

	return try(iommufd, IOMMU_HWPT_LIVEUPDATE_MARK_PRESERVE, &mark);
}

static inline int try_unmark(int iommufd, uint32_t hwpt)
{
	struct iommu_hwpt_liveupdate_unmark unmark = {
		.size = sizeof(unmark),
		.hwpt_id = hwpt,
	};

	return try(iommufd, IOMMU_HWPT_LIVEUPDATE_UNMARK, &unmark);
}

/* vfio */

static inline int open_cdev(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		err(1, "%s", path);
	return fd;
}

static inline uint32_t bind_iommufd(int cdev, int iommufd)
{
	struct vfio_device_bind_iommufd bind = {
		.argsz = sizeof(bind),
		.iommufd = iommufd,
	};

	must(try(cdev, VFIO_DEVICE_BIND_IOMMUFD, &bind), "VFIO_DEVICE_BIND_IOMMUFD");
	return bind.out_devid;
}

/* @id is that of an IOAS or a HWPT, and becomes that of the HWPT */
static inline int try_attach(int cdev, uint32_t *id)
{
	struct vfio_device_attach_iommufd_pt attach = {
		.argsz = sizeof(attach),
		.pt_id = *id,
	};
	int error = try(cdev, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach);

	if (!error)
		*id = attach.pt_id;
	return error;
}

static inline int try_detach(int cdev)
{
	struct vfio_device_detach_iommufd_pt detach = {
		.argsz = sizeof(detach),
	};

	return try(cdev, VFIO_DEVICE_DETACH_IOMMUFD_PT, &detach);
}

static inline off_t config_offset(int cdev)
{
	struct vfio_region_info region = {
		.argsz = sizeof(region),
		.index = VFIO_PCI_CONFIG_REGION_INDEX,
	};

	must(try(cdev, VFIO_DEVICE_GET_REGION_INFO, &region), "VFIO_DEVICE_GET_REGION_INFO");
	return region.offset;
}

static inline uint16_t read_config(int cdev, off_t where)
{
	uint16_t value;

	if (pread(cdev, &value, sizeof(value), config_offset(cdev) + where) != sizeof(value))
		err(1, "read of configuration space");
	return value;
}

static inline int try_write_config(int cdev, off_t where, uint16_t value)
{
	return pwrite(cdev, &value, sizeof(value), config_offset(cdev) + where) == sizeof(value)
		       ? 0
		       : errno;
}

/* Offset of a PCI capability, 0 if there is none */
static inline off_t find_capability(int cdev, uint8_t id)
{
	off_t where = read_config(cdev, 0x34) & 0xfc;

	while (where && (read_config(cdev, where) & 0xff) != id)
		where = read_config(cdev, where) >> 8 & 0xfc;
	return where;
}

static inline void enable_bus_mastering(int cdev)
{
	must(try_write_config(cdev, 0x04, read_config(cdev, 0x04) | 0x6), "bus mastering");
}

/* Live update */

static inline void ask_liveupdate(unsigned long request, void *argument, const char *what)
{
	int device = open("/dev/liveupdate", O_RDWR | O_CLOEXEC);

	if (device < 0)
		err(1, "/dev/liveupdate");
	must(try(device, request, argument), what);
	close(device);
}

/* Whether an IOAS may be mapped with leaves larger than 4 KiB */
static inline int try_huge_pages(int iommufd, uint32_t ioas, uint64_t enable)
{
	struct iommu_option option = {
		.size = sizeof(option),
		.option_id = IOMMU_OPTION_HUGE_PAGES,
		.op = IOMMU_OPTION_OP_SET,
		.object_id = ioas,
		.val64 = enable,
	};

	return try(iommufd, IOMMU_OPTION, &option);
}

static inline int create_session(const char *name)
{
	struct liveupdate_ioctl_create_session create = { .size = sizeof(create) };

	snprintf((char *)create.name, sizeof(create.name), "%s", name);
	ask_liveupdate(LIVEUPDATE_IOCTL_CREATE_SESSION, &create, "LIVEUPDATE_IOCTL_CREATE_SESSION");
	return create.fd;
}

static inline int retrieve_session(const char *name)
{
	struct liveupdate_ioctl_retrieve_session retrieve = { .size = sizeof(retrieve) };

	snprintf((char *)retrieve.name, sizeof(retrieve.name), "%s", name);
	ask_liveupdate(LIVEUPDATE_IOCTL_RETRIEVE_SESSION, &retrieve,
		       "LIVEUPDATE_IOCTL_RETRIEVE_SESSION");
	return retrieve.fd;
}

static inline int retrieve_file(int session, uint64_t token)
{
	struct liveupdate_session_retrieve_fd retrieve = {
		.size = sizeof(retrieve),
		.token = token,
	};

	must(try(session, LIVEUPDATE_SESSION_RETRIEVE_FD, &retrieve),
	     "LIVEUPDATE_SESSION_RETRIEVE_FD");
	return retrieve.fd;
}

static inline int try_preserve(int session, int fd, uint64_t token)
{
	struct liveupdate_session_preserve_fd preserve = {
		.size = sizeof(preserve),
		.fd = fd,
		.token = token,
	};

	return try(session, LIVEUPDATE_SESSION_PRESERVE_FD, &preserve);
}

/* All of it, ready to be preserved */

enum { TOKEN_MEMFD = 1, TOKEN_IOMMUFD = 2, TOKEN_CDEV = 3, TOKEN_HWPT = 0x11 };

struct machine {
	int iommufd;
	int cdev;
	int memory;
	size_t size;
	uint32_t device;
	uint32_t ioas;
	uint32_t hwpt;
};

/* A new HWPT for the device, whose IOAS maps the memory at IOVA */
static inline void make_hwpt(struct machine *m)
{
	m->ioas = alloc_ioas(m->iommufd);
	must(try_map_file(m->iommufd, m->ioas, m->memory, 0, m->size, IOVA), "IOMMU_IOAS_MAP_FILE");
	m->hwpt = alloc_hwpt(m->iommufd, m->device, m->ioas);
}

/* A device attached to a HWPT whose IOAS maps a sealed memfd at IOVA */
static inline struct machine make_machine(const char *path, size_t size)
{
	struct machine m = { .size = size };

	m.iommufd = open_iommufd();
	m.cdev = open_cdev(path);
	m.device = bind_iommufd(m.cdev, m.iommufd);
	m.memory = memfd(size, SEALS);
	make_hwpt(&m);
	must(try_attach(m.cdev, &m.hwpt), "VFIO_DEVICE_ATTACH_IOMMUFD_PT");
	return m;
}

static inline void free_machine(struct machine *m)
{
	close(m->cdev);
	close(m->iommufd);
	close(m->memory);
}

/* Memory, iommufd and device into a session, in the order that they need */
static inline void preserve_machine(struct machine *m, int session)
{
	must(try_preserve(session, m->memory, TOKEN_MEMFD), "preserve memfd");
	must(try_preserve(session, m->iommufd, TOKEN_IOMMUFD), "preserve iommufd");
	must(try_preserve(session, m->cdev, TOKEN_CDEV), "preserve cdev");
}

#endif /* VFIO_SESSION_H */
