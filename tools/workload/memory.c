// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The memfd that holds everything: made and sealed, or taken over. */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <asm-generic/hugetlb_encode.h>

#include "driver.h"
#include "memory.h"

static int memory_map(struct memory *memory)
{
	memory->base = mmap(NULL, memory->size, PROT_READ | PROT_WRITE, MAP_SHARED, memory->fd, 0);
	if (memory->base == MAP_FAILED) {
		warn("memfd: mmap");
		return -errno;
	}
	memory->state = memory->base;
	return 0;
}

/* For each kind: the flags that its memfd is made with, and the size of a page. */
static const struct {
	unsigned int flags;
	size_t size;
} page_kinds[] = {
	[PAGES_SMALL] = { 0, PAGE },
	[PAGES_THP] = { 0, PAGE },
	[PAGES_2M] = { MFD_HUGETLB | HUGETLB_FLAG_ENCODE_2MB, 2 * MIB },
	[PAGES_1G] = { MFD_HUGETLB | HUGETLB_FLAG_ENCODE_1GB, 1024 * MIB },
};

/* All pages of the file, at once. Large pages of shmem are advice: see pages_report(). */
static int memory_populate(const struct memory *memory, enum page_kind kind)
{
	if (kind == PAGES_THP)
		madvise(memory->base, memory->size, MADV_HUGEPAGE);
	if (madvise(memory->base, memory->size, MADV_POPULATE_WRITE)) {
		warn("memfd: populate%s",
		     page_kinds[kind].flags
			     ? ": more huge pages are needed, see /sys/kernel/mm/hugepages"
			     : "");
		return -errno;
	}
	return 0;
}

/**
 * memory_create() - make the memfd
 * @memory: filled
 * @driver: what is done with the device
 * @more: bytes of further memory that the device shall be able to reach
 * @sparse: pages that shall be mapped one by one
 * @kind: what pages it is made of; with large pages the IOMMU gets large leaves
 *
 * The seals come before the first mapping for DMA: a file that can neither
 * shrink nor grow, and whose seals are final, is the only kind that may stay
 * under a running device across a kexec.
 *
 * Return: 0 or a negative errno; said on standard error.
 */
int memory_create(struct memory *memory, const struct driver *driver, size_t more, uint64_t sparse,
		  enum page_kind kind)
{
	size_t page = page_kinds[kind].size;

	memory->size = (OFFSET_MORE + more + page - 1) / page * page;
	memory->fd =
		memfd_create("workload", MFD_CLOEXEC | MFD_ALLOW_SEALING | page_kinds[kind].flags);
	if (memory->fd < 0 || ftruncate(memory->fd, memory->size)) {
		warn("memfd");
		return -errno;
	}
	if (fcntl(memory->fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL)) {
		warn("memfd: seals");
		return -errno;
	}
	if (memory_map(memory))
		return -errno;
	if (memory_populate(memory, kind))
		return -errno;
	memory->state->magic = WORKLOAD_MAGIC;
	memory->state->version = WORKLOAD_VERSION;
	memory->state->class = driver->class;
	memory->state->sparse = sparse;
	memory->driver = driver;
	return 0;
}

/**
 * memory_open() - take over the memfd that crossed the kexec
 * @memory: filled
 * @fd: the memfd
 *
 * Return: 0 or a negative errno; said on standard error.
 */
int memory_open(struct memory *memory, int fd)
{
	struct stat status;

	memory->fd = fd;
	if (fstat(fd, &status)) {
		warn("memfd");
		return -errno;
	}
	memory->size = status.st_size;
	if (memory->size < OFFSET_MORE) {
		warnx("memfd: only %zu bytes", memory->size);
		return -EINVAL;
	}
	if (memory_map(memory))
		return -errno;
	memory->driver = driver_of_class(memory->state->class);
	if (memory->state->magic != WORKLOAD_MAGIC || memory->state->version != WORKLOAD_VERSION ||
	    memory->state->next >= RING_ENTRIES || memory->state->sparse > SPARSE_MAX ||
	    memory->state->stamps > (memory->size - OFFSET_SPARSE) / PAGE || !memory->driver) {
		warnx("memfd: holds no state of this program");
		return -EINVAL;
	}
	return 0;
}
