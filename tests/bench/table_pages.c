// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * table_pages: hold a page table of many pages, in front of a device that does nothing.
 *
 * usage: table_pages DEVICE SHAPE COUNT
 *
 * COUNT is the number of tables of 4 KiB leaves. SHAPE is what is in each:
 *
 *	sparse		one entry
 *	full		512 entries, of memory that is mostly contiguous
 *	scattered	512 entries, of pages that were allocated in a random order
 *
 * Prints "ready" and waits to be ended. DEVICE is bound to vfio-pci.
 */
#include <dirent.h>
#include <err.h>
#include <fcntl.h>
#include <linux/iommufd.h>
#include <linux/vfio.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE	      4096UL
#define TABLE	      (512 * PAGE) /* what a table of leaves translates */
#define BUFFER_TABLES 32UL
#define IOVA	      (4UL << 30)

static int open_device(const char *bdf)
{
	char path[300];
	struct dirent *entry;
	DIR *directory;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/vfio-dev", bdf);
	directory = opendir(path);
	if (!directory)
		err(1, "%s", path);
	while ((entry = readdir(directory)) && entry->d_name[0] == '.')
		;
	if (!entry)
		errx(1, "%s is not bound to vfio-pci", bdf);
	snprintf(path, sizeof(path), "/dev/vfio/devices/%s", entry->d_name);
	closedir(directory);
	return open(path, O_RDWR | O_CLOEXEC);
}

/* Attaches the device to a page table of 4 KiB leaves; the address space that it has. */
static uint32_t attach(const char *bdf, int iommufd)
{
	struct vfio_device_bind_iommufd bind = { .argsz = sizeof(bind), .iommufd = iommufd };
	struct vfio_device_attach_iommufd_pt pt = { .argsz = sizeof(pt) };
	struct iommu_ioas_alloc ioas = { .size = sizeof(ioas) };
	struct iommu_option option = {
		.size = sizeof(option),
		.option_id = IOMMU_OPTION_HUGE_PAGES,
		.op = IOMMU_OPTION_OP_SET,
	};
	int device = open_device(bdf);

	if (device < 0 || ioctl(device, VFIO_DEVICE_BIND_IOMMUFD, &bind))
		err(1, "%s", bdf);
	if (ioctl(iommufd, IOMMU_IOAS_ALLOC, &ioas))
		err(1, "address space");
	option.object_id = ioas.out_ioas_id;
	if (ioctl(iommufd, IOMMU_OPTION, &option))
		err(1, "small leaves");
	pt.pt_id = ioas.out_ioas_id;
	if (ioctl(device, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &pt))
		err(1, "page table");
	return ioas.out_ioas_id;
}

static void map(int iommufd, uint32_t ioas, const void *memory, uint64_t iova, uint64_t length)
{
	struct iommu_ioas_map map = {
		.size = sizeof(map),
		.flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE |
			 IOMMU_IOAS_MAP_WRITEABLE,
		.ioas_id = ioas,
		.user_va = (uintptr_t)memory,
		.length = length,
		.iova = iova,
	};

	if (ioctl(iommufd, IOMMU_IOAS_MAP, &map))
		err(1, "map %#llx", (unsigned long long)iova);
}

/* Memory in small pages, which it gets in the order in which they are written to. */
static uint8_t *allocate(bool scattered)
{
	const size_t pages = BUFFER_TABLES * 512, size = pages * PAGE;
	uint8_t *memory =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint32_t *order = calloc(pages, sizeof(*order));
	size_t i, other;

	if (memory == MAP_FAILED || !order)
		err(1, "memory");
	madvise(memory, size, MADV_NOHUGEPAGE);
	for (i = 0; i < pages; i++) {
		order[i] = i;
		other = scattered ? (size_t)random() % (i + 1) : i;
		order[i] = order[other];
		order[other] = i;
	}
	for (i = 0; i < pages; i++)
		memory[order[i] * PAGE] = 1;
	free(order);
	return memory;
}

int main(int argc, char **argv)
{
	uint64_t count, i, iova, length;
	bool sparse, scattered;
	uint8_t *memory;
	uint32_t ioas;
	int iommufd;

	if (argc != 4)
		errx(1, "usage: table_pages DEVICE sparse|full|scattered COUNT");
	sparse = !strcmp(argv[2], "sparse");
	scattered = !strcmp(argv[2], "scattered");
	if (!sparse && !scattered && strcmp(argv[2], "full") != 0)
		errx(1, "'%s' is no shape", argv[2]);
	count = strtoull(argv[3], NULL, 0);
	iommufd = open("/dev/iommu", O_RDWR | O_CLOEXEC);
	if (iommufd < 0)
		err(1, "/dev/iommu");
	ioas = attach(argv[1], iommufd);
	memory = allocate(scattered);
	for (i = 0; i < count; i += sparse ? 1 : BUFFER_TABLES) {
		iova = IOVA + i * TABLE;
		length = count - i < BUFFER_TABLES ? (count - i) * TABLE : BUFFER_TABLES * TABLE;
		if (sparse)
			map(iommufd, ioas, memory + i % 512 * PAGE, iova, PAGE);
		else
			map(iommufd, ioas, memory, iova, length);
	}
	puts("ready");
	fflush(stdout);
	for (;;)
		pause();
}
