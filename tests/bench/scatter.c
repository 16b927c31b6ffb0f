// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * scatter: leave only single free pages.
 *
 * Takes memory and gives every second page back, so that what is allocated next
 * has no two pages side by side: the memory of a host that has run for long, and
 * the worst case for anything that keeps a list of memory regions. Stays in the
 * background until it is killed.
 */
#include <err.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096UL

int main(int argc, char **argv)
{
	unsigned long mib, offset, size;
	void *memory;
	int fd;

	if (argc != 2 || !(mib = strtoul(argv[1], NULL, 0)))
		errx(2, "usage: scatter MIB");
	size = mib << 20;
	fd = memfd_create("scatter", MFD_CLOEXEC);
	if (fd < 0 || ftruncate(fd, size))
		err(1, "memfd");
	memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED || madvise(memory, size, MADV_POPULATE_WRITE))
		err(1, "%lu MiB", mib);
	for (offset = 0; offset < size; offset += 2 * PAGE)
		if (fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, PAGE))
			err(1, "hole");
	if (daemon(0, 0))
		err(1, "background");
	for (;;)
		pause();
}
