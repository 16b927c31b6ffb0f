// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What cannot be preserved is refused with the error that says why, and a
 * refusal leaves nothing behind.
 *
 *	preserve-errors CDEV [off]
 *
 * "off" is for a kernel with iommu.liveupdate=off.
 */
#include <stdlib.h>

#include "vfio_session.h"

static const char *path;

static uint32_t alloc_faulting_hwpt(int iommufd, uint32_t device, uint32_t ioas)
{
	struct iommu_fault_alloc fault = { .size = sizeof(fault) };
	struct iommu_hwpt_alloc alloc = {
		.size = sizeof(alloc),
		.flags = IOMMU_HWPT_FAULT_ID_VALID,
		.dev_id = device,
		.pt_id = ioas,
	};

	must(try(iommufd, IOMMU_FAULT_QUEUE_ALLOC, &fault), "IOMMU_FAULT_QUEUE_ALLOC");
	close(fault.out_fault_fd);
	alloc.fault_id = fault.out_fault_id;
	must(try(iommufd, IOMMU_HWPT_ALLOC, &alloc), "IOMMU_HWPT_ALLOC with faults");
	return alloc.out_hwpt_id;
}

static void mark(void)
{
	struct machine m = make_machine(path, 2 * MEGABYTE);
	uint32_t other = alloc_hwpt(m.iommufd, m.device, m.ioas);
	uint32_t automatic = alloc_ioas(m.iommufd);
	uint32_t faulting = alloc_faulting_hwpt(m.iommufd, m.device, m.ioas);
	int session;

	fails(try_mark(m.iommufd, 12345, 1), ENOENT, "an id that there is not cannot be marked");
	fails(try_mark(m.iommufd, m.ioas, 1), ENOENT, "an IOAS cannot be marked");
	fails(try_mark(m.iommufd, faulting, 1), EOPNOTSUPP,
	      "a HWPT that delivers page faults cannot be marked");
	must(try_attach(m.cdev, &automatic), "attach to an IOAS");
	fails(try_mark(m.iommufd, automatic, 1), EOPNOTSUPP,
	      "a HWPT that was allocated by attaching cannot be marked");
	must(try_attach(m.cdev, &m.hwpt), "attach back");

	fails(try_mark(m.iommufd, m.hwpt, 1), 0, "a HWPT is marked");
	fails(try_mark(m.iommufd, other, 1), EADDRINUSE,
	      "a token that is in use marks no other HWPT");
	fails(try_mark(m.iommufd, m.hwpt, 2), EBUSY, "a HWPT is not marked twice");
	must(try_detach(m.cdev), "detach");
	fails(try_destroy(m.iommufd, m.hwpt), 0, "a marked HWPT can be destroyed");
	fails(try_mark(m.iommufd, other, 1), 0, "and its token is free again");

	session = create_session("mark");
	must(try_preserve(session, m.memory, TOKEN_MEMFD), "preserve memfd");
	must(try_preserve(session, m.iommufd, TOKEN_IOMMUFD), "preserve iommufd");
	m.hwpt = alloc_hwpt(m.iommufd, m.device, m.ioas);
	fails(try_mark(m.iommufd, m.hwpt, 2), EBUSY,
	      "nothing is marked in an iommufd that is preserved");
	close(session);
	fails(try_mark(m.iommufd, m.hwpt, 2), 0, "until its session is closed");
	free_machine(&m);
}

/* Where the second memfd is preserved, if it is */
enum where { NOWHERE, IN_THE_SESSION, IN_ANOTHER };

/*
 * Preserve an iommufd with a second mapping, which @add makes and which has
 * something wrong; it returns the memfd that it mapped, if it did.
 */
static void memory_is_refused(const char *sentence, int (*add)(struct machine *m), enum where where)
{
	struct machine m = make_machine(path, 2 * MEGABYTE);
	int session = create_session("memory");
	int other = create_session("other");
	int fd = add(&m);

	must(try_mark(m.iommufd, m.hwpt, TOKEN_HWPT), "mark");
	must(try_preserve(session, m.memory, TOKEN_MEMFD), "preserve memfd");
	if (where != NOWHERE)
		must(try_preserve(where == IN_ANOTHER ? other : session, fd, 4),
		     "preserve the other memfd");

	fails(try_preserve(session, m.iommufd, TOKEN_IOMMUFD), EINVAL, sentence);

	must(try_map_file(m.iommufd, m.ioas, m.memory, 0, 4096, 8 * IOVA), "map after a refusal");
	must(try_unmap(m.iommufd, m.ioas, 2 * IOVA, MEGABYTE), "unmap after a refusal");
	must(try_unmap(m.iommufd, m.ioas, 8 * IOVA, 4096), "unmap after a refusal");
	fails(try_preserve(session, m.iommufd, TOKEN_IOMMUFD), 0,
	      "  and without it the iommufd is preserved");
	if (fd >= 0)
		close(fd);
	close(session);
	close(other);
	free_machine(&m);
}

static int add_file(struct machine *m, int fd)
{
	must(try_map_file(m->iommufd, m->ioas, fd, 0, MEGABYTE, 2 * IOVA), "map another memfd");
	return fd;
}

static int add_user_memory(struct machine *m)
{
	void *memory =
		mmap(NULL, MEGABYTE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	must(try_map_user(m->iommufd, m->ioas, memory, MEGABYTE, 2 * IOVA), "map user memory");
	return -1;
}

static int add_sealed(struct machine *m)
{
	return add_file(m, memfd(MEGABYTE, SEALS));
}

static int add_unsealed(struct machine *m)
{
	return add_file(m, memfd(MEGABYTE, F_SEAL_GROW | F_SEAL_SHRINK));
}

static int add_sealed_late(struct machine *m)
{
	int fd = add_file(m, memfd(MEGABYTE, 0));

	if (fcntl(fd, F_ADD_SEALS, SEALS))
		err(1, "seal");
	return fd;
}

/* The device goes on using the page, the file gets another one. */
static int add_punched(struct machine *m)
{
	int fd = add_sealed(m);

	if (fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 40960, 4096) ||
	    pwrite(fd, "x", 1, 40960) != 1)
		err(1, "punch a hole");
	return fd;
}

static void memory(void)
{
	memory_is_refused("memory that is not of a file is refused", add_user_memory, NOWHERE);
	memory_is_refused("a memfd without F_SEAL_SEAL is refused", add_unsealed, IN_THE_SESSION);
	memory_is_refused("a memfd that was sealed after it was mapped is refused", add_sealed_late,
			  IN_THE_SESSION);
	memory_is_refused("a memfd that is not preserved is refused", add_sealed, NOWHERE);
	memory_is_refused("a memfd that is preserved in another session is refused", add_sealed,
			  IN_ANOTHER);
	memory_is_refused("a page that is not in its memfd any more is refused", add_punched,
			  IN_THE_SESSION);
}

static void device(void)
{
	struct machine m = make_machine(path, 2 * MEGABYTE);
	int session = create_session("device");
	int other = create_session("other");
	uint32_t unmarked = alloc_hwpt(m.iommufd, m.device, m.ioas);
	int fd;

	must(try_mark(m.iommufd, m.hwpt, TOKEN_HWPT), "mark");
	fails(try_preserve(session, m.cdev, TOKEN_CDEV), ENOENT,
	      "a device is refused before its iommufd");
	must(try_preserve(session, m.memory, TOKEN_MEMFD), "preserve memfd");
	fails(try_preserve(session, m.cdev, TOKEN_CDEV), ENOENT,
	      "a device is refused after nothing but the memory");
	must(try_preserve(session, m.iommufd, TOKEN_IOMMUFD), "preserve iommufd");
	fails(try_preserve(other, m.iommufd, TOKEN_IOMMUFD), EBUSY,
	      "an iommufd is not preserved in two sessions");
	fails(try_preserve(session, m.iommufd, 77), EBUSY,
	      "an iommufd is not preserved twice in one session");
	fails(try_preserve(other, m.cdev, TOKEN_CDEV), ENOENT,
	      "a device is refused in another session than its iommufd");
	fails(try_preserve(session, m.cdev, TOKEN_IOMMUFD), EEXIST,
	      "a token is not used twice in one session");
	fails(try_preserve(session, m.cdev, TOKEN_CDEV), 0,
	      "a device is preserved after its iommufd");
	fails(try_preserve(session, m.cdev, 77), EBUSY, "a device is not preserved twice");

	/* A second file of the device is not bound to anything. */
	fd = open_cdev(path);
	fails(try_preserve(session, fd, 78), EINVAL, "a device file that is not bound is refused");
	close(fd);
	close(session);
	close(other);

	session = create_session("unmarked");
	must(try_attach(m.cdev, &unmarked), "attach to the unmarked HWPT");
	must(try_preserve(session, m.memory, TOKEN_MEMFD), "preserve memfd");
	must(try_preserve(session, m.iommufd, TOKEN_IOMMUFD), "preserve iommufd");
	fails(try_preserve(session, m.cdev, TOKEN_CDEV), EINVAL,
	      "a device that is attached to an unmarked HWPT is refused");
	must(try_detach(m.cdev), "detach from the unmarked HWPT");
	fails(try_preserve(session, m.cdev, TOKEN_CDEV), EINVAL,
	      "a device that is not attached is refused");
	must(try_attach(m.cdev, &m.hwpt), "attach to the preserved HWPT");
	fails(try_preserve(session, m.cdev, TOKEN_CDEV), 0,
	      "a device that is attached to a preserved HWPT is preserved");
	close(session);
	free_machine(&m);
}

/* A device file that came through the device's group */
static void device_of_group(void)
{
	struct iommu_vfio_ioas choose = {
		.size = sizeof(choose),
		.op = IOMMU_VFIO_IOAS_SET,
	};
	int session = create_session("group");
	int iommufd = open_iommufd();
	char *link, *group, *address;
	int container, fd;

	/* /dev/vfio/devices/vfioN is /sys/class/vfio-dev/vfioN */
	if (asprintf(&link, "/sys/class/vfio-dev/%s/device", strrchr(path, '/') + 1) < 0)
		err(1, "asprintf");
	address = realpath(link, NULL);
	if (!address || asprintf(&link, "%s/iommu_group", address) < 0)
		err(1, "%s", link);
	group = realpath(link, NULL);
	if (!group || asprintf(&link, "/dev/vfio/%s", strrchr(group, '/') + 1) < 0)
		err(1, "%s", link);

	choose.ioas_id = alloc_ioas(iommufd);
	must(try(iommufd, IOMMU_VFIO_IOAS, &choose), "IOMMU_VFIO_IOAS");
	container = open_cdev(link);
	must(try(container, VFIO_GROUP_SET_CONTAINER, &iommufd), "VFIO_GROUP_SET_CONTAINER");
	fd = ioctl(container, VFIO_GROUP_GET_DEVICE_FD, strrchr(address, '/') + 1);
	if (fd < 0)
		err(1, "VFIO_GROUP_GET_DEVICE_FD");

	must(try_preserve(session, iommufd, TOKEN_IOMMUFD), "preserve iommufd");
	fails(try_preserve(session, fd, TOKEN_CDEV), EOPNOTSUPP,
	      "a device file that came through a group is refused");
	close(session);
	close(fd);
	close(container);
	close(iommufd);
}

/* An IOAS keeps the files that it maps: what keeps the iommufd must not be one of them. */
static void circle(void)
{
	struct machine m = make_machine(path, 2 * MEGABYTE);
	int session = create_session("circle");
	uint32_t ioas = alloc_ioas(m.iommufd);

	fails(try_map_file(m.iommufd, ioas, session, 0, 4096, IOVA), EINVAL,
	      "a session's file is not mapped");
	fails(try_map_file(m.iommufd, ioas, m.cdev, 0, 4096, IOVA + MEGABYTE), EINVAL,
	      "a device's file is not mapped");
	fails(try_map_file(m.iommufd, ioas, m.iommufd, 0, 4096, IOVA + 2 * MEGABYTE), EINVAL,
	      "an iommufd's file is not mapped");
	must(try_mark(m.iommufd, m.hwpt, TOKEN_HWPT), "IOMMU_HWPT_LIVEUPDATE_MARK_PRESERVE");
	must(try_preserve(session, m.memory, TOKEN_MEMFD), "preserve memfd");
	must(try_preserve(session, m.iommufd, TOKEN_IOMMUFD), "preserve iommufd");
	close(session);
	free_machine(&m);
	/* EEXIST if something keeps it */
	ok(!close(create_session("circle")),
	   "a session whose users have closed everything is over");
}

/* With iommu.liveupdate=off */
static void switched_off(void)
{
	struct machine m = make_machine(path, 2 * MEGABYTE);
	int session = create_session("off");

	fails(try_mark(m.iommufd, m.hwpt, TOKEN_HWPT), EOPNOTSUPP,
	      "switched off, no HWPT is marked");
	fails(try_preserve(session, m.memory, TOKEN_MEMFD), 0,
	      "switched off, a memfd is preserved");
	fails(try_preserve(session, m.iommufd, TOKEN_IOMMUFD), EOPNOTSUPP,
	      "switched off, no iommufd is preserved");
	ok(try_preserve(session, m.cdev, TOKEN_CDEV) != 0, "switched off, no device is preserved");
	close(session);
	free_machine(&m);
}

/* It costs its user nothing, and a list of its pages would cost the host gigabytes. */
static void sparse(void)
{
	int memory = memfd_create("sparse", MFD_CLOEXEC | MFD_HUGETLB | MFD_ALLOW_SEALING);
	int session = create_session("sparse");

	if (memory < 0 || ftruncate(memory, 1L << 48))
		err(1, "memfd of huge pages");
	fails(try_preserve(session, memory, TOKEN_MEMFD), ENOMEM,
	      "a memfd of huge pages that is larger than all huge pages is refused");
	close(memory);
	close(session);
}

/* Preserving freezes a file for all, and it comes back as one that can be written to. */
static void read_only(void)
{
	int memory = memfd(MEGABYTE, 0), session = create_session("read-only"), reader;
	char name[32];

	snprintf(name, sizeof(name), "/proc/self/fd/%d", memory);
	reader = open(name, O_RDONLY | O_CLOEXEC);
	if (reader < 0)
		err(1, "%s", name);
	fails(try_preserve(session, reader, TOKEN_MEMFD), EPERM,
	      "who may only read a memfd cannot have it preserved");
	ok(ftruncate(memory, 2 * MEGABYTE) == 0, "and does not freeze it");
	close(reader);
	close(memory);
	close(session);
}

int main(int argc, char **argv)
{
	if (argc < 2 || (argc == 3 && strcmp(argv[2], "off") != 0) || argc > 3)
		errx(2, "usage: preserve-errors CDEV [off]");
	setbuf(stdout, NULL);
	path = argv[1];

	if (argc == 3) {
		switched_off();
		return tap_done();
	}

	mark();
	memory();
	device();
	device_of_group();
	circle();
	sparse();
	read_only();

	return tap_done();
}
