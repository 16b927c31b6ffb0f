// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What is preserved does not change: every way to change the mappings of a
 * preserved IOAS, to take a device off a preserved HWPT or to reset it fails
 * with EBUSY, and works again when the session is closed.
 *
 *	immutability CDEV SYSFS-DEVICE
 */
#include <pthread.h>
#include <stdatomic.h>

#include "vfio_session.h"

static const char *path, *sysfs;

static int try_copy(int iommufd, uint32_t to, uint64_t iova, uint32_t from)
{
	struct iommu_ioas_copy copy = {
		.size = sizeof(copy),
		.flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE |
			 IOMMU_IOAS_MAP_WRITEABLE,
		.dst_ioas_id = to,
		.src_ioas_id = from,
		.length = MEGABYTE,
		.dst_iova = iova,
		.src_iova = IOVA,
	};

	return try(iommufd, IOMMU_IOAS_COPY, &copy);
}

static int try_change_process(int iommufd)
{
	struct iommu_ioas_change_process change = { .size = sizeof(change) };

	return try(iommufd, IOMMU_IOAS_CHANGE_PROCESS, &change);
}

static int try_allow(int iommufd, uint32_t ioas)
{
	struct iommu_iova_range range = { .start = 0, .last = 1ull << 30 };
	struct iommu_ioas_allow_iovas allow = {
		.size = sizeof(allow),
		.ioas_id = ioas,
		.num_iovas = 1,
		.allowed_iovas = (uintptr_t)&range,
	};

	return try(iommufd, IOMMU_IOAS_ALLOW_IOVAS, &allow);
}

static int try_dirty_tracking(int iommufd, uint32_t hwpt)
{
	struct iommu_hwpt_set_dirty_tracking dirty = {
		.size = sizeof(dirty),
		.flags = IOMMU_HWPT_DIRTY_TRACKING_ENABLE,
		.hwpt_id = hwpt,
	};

	return try(iommufd, IOMMU_HWPT_SET_DIRTY_TRACKING, &dirty);
}

/* The vfio container's way of mapping, on the IOAS that was chosen for it */
static void choose_compatible(int iommufd, uint32_t ioas)
{
	struct iommu_vfio_ioas choose = {
		.size = sizeof(choose),
		.ioas_id = ioas,
		.op = IOMMU_VFIO_IOAS_SET,
	};

	must(try(iommufd, IOMMU_VFIO_IOAS, &choose), "IOMMU_VFIO_IOAS");
}

static int try_container_map(int iommufd, void *memory, uint64_t iova)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map),
		.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.vaddr = (uintptr_t)memory,
		.iova = iova,
		.size = 4096,
	};

	return try(iommufd, VFIO_IOMMU_MAP_DMA, &map);
}

static int try_container_unmap(int iommufd, uint64_t iova, uint64_t size, uint32_t flags)
{
	struct vfio_iommu_type1_dma_unmap unmap = {
		.argsz = sizeof(unmap),
		.flags = flags,
		.iova = iova,
		.size = size,
	};

	return try(iommufd, VFIO_IOMMU_UNMAP_DMA, &unmap);
}

static int try_reset(int cdev)
{
	return ioctl(cdev, VFIO_DEVICE_RESET) < 0 ? errno : 0;
}

static int try_hot_reset(int cdev)
{
	struct vfio_pci_hot_reset reset = { .argsz = sizeof(reset) };

	return try(cdev, VFIO_DEVICE_PCI_HOT_RESET, &reset);
}

static int try_write_sysfs(const char *name)
{
	char file[256];
	int fd, error;

	snprintf(file, sizeof(file), "%s/%s", sysfs, name);
	fd = open(file, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	error = write(fd, "1", 1) == 1 ? 0 : errno;
	close(fd);
	return error;
}

static void mappings(struct machine *m, uint32_t other_ioas, void *memory)
{
	int fd = m->iommufd;

	fails(try_map_user(fd, m->ioas, memory, 4096, 4 * IOVA), EBUSY, "IOMMU_IOAS_MAP");
	fails(try_map_file(fd, m->ioas, m->memory, 0, 4096, 4 * IOVA), EBUSY,
	      "IOMMU_IOAS_MAP_FILE, of memory that is preserved, too");
	fails(try_unmap(fd, m->ioas, IOVA, m->size), EBUSY, "IOMMU_IOAS_UNMAP");
	fails(try_unmap(fd, m->ioas, 0, UINT64_MAX), EBUSY, "IOMMU_IOAS_UNMAP of everything");
	fails(try_copy(fd, m->ioas, 4 * IOVA, other_ioas), EBUSY, "IOMMU_IOAS_COPY into it");
	fails(try_copy(fd, m->ioas, 4 * IOVA, m->ioas), EBUSY, "IOMMU_IOAS_COPY within it");
	fails(try_copy(fd, other_ioas, 8 * IOVA, m->ioas), 0, "but IOMMU_IOAS_COPY from it works");
	fails(try_map_file(fd, other_ioas, m->memory, 0, 4096, 4 * IOVA), 0,
	      "and so does mapping in another IOAS of the iommufd");
	fails(try_unmap(fd, other_ioas, 4 * IOVA, 4096), 0, "and unmapping there");
	fails(try_change_process(fd), EBUSY, "IOMMU_IOAS_CHANGE_PROCESS");
	fails(try_allow(fd, m->ioas), EBUSY, "IOMMU_IOAS_ALLOW_IOVAS");
	fails(try_huge_pages(fd, m->ioas, 0), EBUSY, "IOMMU_OPTION_HUGE_PAGES off");
	fails(try_huge_pages(fd, m->ioas, 1), EBUSY, "IOMMU_OPTION_HUGE_PAGES on");
	fails(try_dirty_tracking(fd, m->hwpt), EBUSY, "IOMMU_HWPT_SET_DIRTY_TRACKING");
	fails(try_destroy(fd, m->hwpt), EBUSY, "IOMMU_DESTROY of the HWPT");
	fails(try_destroy(fd, m->ioas), EBUSY, "IOMMU_DESTROY of the IOAS");
	fails(try_mark(fd, m->hwpt, 99), EBUSY, "IOMMU_HWPT_LIVEUPDATE_MARK_PRESERVE");

	choose_compatible(fd, m->ioas);
	fails(try_container_map(fd, memory, 4 * IOVA), EBUSY, "VFIO_IOMMU_MAP_DMA");
	fails(try_container_unmap(fd, IOVA, m->size, 0), EBUSY, "VFIO_IOMMU_UNMAP_DMA");
	fails(try_container_unmap(fd, 0, 0, VFIO_DMA_UNMAP_FLAG_ALL), EBUSY,
	      "VFIO_IOMMU_UNMAP_DMA of everything");
	fails(fallocate(m->memory, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096) ? EBUSY : 0,
	      EBUSY, "punching a hole into its memory");
}

static void attachment(struct machine *m, uint32_t other_hwpt, uint32_t other_ioas)
{
	uint32_t id = other_hwpt;

	fails(try_attach(m->cdev, &id), EBUSY, "attaching to another HWPT");
	id = other_ioas;
	fails(try_attach(m->cdev, &id), EBUSY, "attaching to another IOAS");
	fails(try_detach(m->cdev), EBUSY, "detaching");
}

static void device(struct machine *m)
{
	off_t express = find_capability(m->cdev, 0x10);
	off_t power = find_capability(m->cdev, 0x01);
	uint16_t control = read_config(m->cdev, express + 8);

	fails(try_reset(m->cdev), EBUSY, "VFIO_DEVICE_RESET");
	fails(try_hot_reset(m->cdev), EBUSY, "VFIO_DEVICE_PCI_HOT_RESET");
	fails(try_write_config(m->cdev, express + 8, control | 0x8000), EBUSY,
	      "function level reset through configuration space");
	fails(try_write_config(m->cdev, power + 4, 3), EBUSY, "D3 through configuration space");
	fails(try_write_sysfs("reset"), EBUSY, "reset through sysfs");
	fails(try_write_sysfs("../reset_subordinate"), EBUSY,
	      "reset of the bridge above through sysfs");
	fails(try_write_sysfs("remove"), EBUSY, "removal through sysfs");
	fails(try_write_sysfs("../remove"), EBUSY, "removal of the bridge above through sysfs");
	ok(read_config(m->cdev, 0x04) & 4, "the device is still bus master");
	ok((read_config(m->cdev, power + 4) & 3) == 0, "and in D0");
}

/* Somebody maps and unmaps all the time while the iommufd is being preserved. */
struct racer {
	struct machine *m;
	atomic_bool stop;
	uint64_t iova;
	int unexpected;
};

static void *race(void *argument)
{
	struct racer *racer = argument;
	struct machine *m = racer->m;

	while (!racer->stop) {
		int error = try_map_file(m->iommufd, m->ioas, m->memory, 0, 64 * 1024, racer->iova);

		if (!error || error == EEXIST)
			error = try_unmap(m->iommufd, m->ioas, racer->iova, 64 * 1024);
		if (error && error != EBUSY)
			racer->unexpected = error;
	}
	return NULL;
}

static void racing(void)
{
	struct machine m = make_machine(path, 2 * MEGABYTE);
	struct racer racers[2] = {
		{ .m = &m, .iova = 4 * IOVA },
		{ .m = &m, .iova = 5 * IOVA },
	};
	pthread_t threads[2];
	int changed = 0, refused = 0;

	must(try_mark(m.iommufd, m.hwpt, TOKEN_HWPT), "mark");
	for (int i = 0; i < 2; i++)
		must(pthread_create(&threads[i], NULL, race, &racers[i]), "pthread_create");

	for (int round = 0; round < 100; round++) {
		int session = create_session("race");

		must(try_preserve(session, m.memory, TOKEN_MEMFD), "preserve memfd");
		if (!try_preserve(session, m.iommufd, TOKEN_IOMMUFD)) {
			/* Two goes: the same must be mapped both times. */
			for (int i = 0; i < 20; i++)
				changed += try_unmap(m.iommufd, m.ioas, 4 * IOVA, 64 * 1024) !=
					   EBUSY;
		} else {
			refused++;
		}
		close(session);
	}
	for (int i = 0; i < 2; i++) {
		racers[i].stop = true;
		pthread_join(threads[i], NULL);
	}
	ok(!changed, "nothing changes after the race with preserving is lost");
	fails(refused, 0, "preserving wins the race every time");
	fails(racers[0].unexpected ?: racers[1].unexpected, 0, "who loses the race gets EBUSY");
	free_machine(&m);
}

int main(int argc, char **argv)
{
	uint32_t other_ioas, other_hwpt;
	struct machine m;
	void *memory;
	int session;

	if (argc != 3)
		errx(2, "usage: immutability CDEV SYSFS-DEVICE");
	setbuf(stdout, NULL);
	path = argv[1];
	sysfs = argv[2];

	m = make_machine(path, 2 * MEGABYTE);
	enable_bus_mastering(m.cdev);
	other_ioas = alloc_ioas(m.iommufd);
	must(try_map_file(m.iommufd, other_ioas, m.memory, 0, m.size, IOVA),
	     "map in the other IOAS");
	other_hwpt = alloc_hwpt(m.iommufd, m.device, other_ioas);
	memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	session = create_session("immutability");
	must(try_mark(m.iommufd, m.hwpt, TOKEN_HWPT), "mark");
	must(try_preserve(session, m.memory, TOKEN_MEMFD), "preserve memfd");
	must(try_preserve(session, m.iommufd, TOKEN_IOMMUFD), "preserve iommufd");

	puts("# the iommufd is preserved, the device is not");
	mappings(&m, other_ioas, memory);
	attachment(&m, other_hwpt, other_ioas);
	fails(try_reset(m.cdev), 0, "the device can be reset");

	enable_bus_mastering(m.cdev);
	must(try_preserve(session, m.cdev, TOKEN_CDEV), "preserve cdev");
	puts("# the device is preserved, too");
	attachment(&m, other_hwpt, other_ioas);
	device(&m);

	close(session);
	puts("# nothing is preserved any more");
	fails(try_map_user(m.iommufd, m.ioas, memory, 4096, 4 * IOVA), 0, "mapping works again");
	fails(try_unmap(m.iommufd, m.ioas, IOVA, m.size), 0, "unmapping works again");
	fails(try_reset(m.cdev), 0, "reset works again");
	fails(try_attach(m.cdev, &other_hwpt), 0, "replacing works again");
	fails(try_detach(m.cdev), 0, "detaching works again");
	fails(try_destroy(m.iommufd, m.hwpt), 0, "destroying works again");
	free_machine(&m);

	racing();

	return tap_done();
}
