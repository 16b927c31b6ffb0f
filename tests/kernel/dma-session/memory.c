// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The memfd that a device reaches: its pages, and what is in them. */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <asm-generic/hugetlb_encode.h>
#include <linux/falloc.h>

#include "dma-session.h"

/* Some C libraries do not have them, and Linux's header does not go with theirs. */
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif
#ifndef MADV_SOFT_OFFLINE
#define MADV_SOFT_OFFLINE 101
#endif

int memfd = -1;
static volatile uint64_t *memory;
size_t memory_size;

int map_memory(void)
{
	struct stat status;

	if (fstat(memfd, &status))
		return -errno;
	memory_size = status.st_size;
	memory = mmap(NULL, memory_size, PROT_READ | PROT_WRITE, MAP_SHARED, memfd, 0);
	return memory == MAP_FAILED ? -errno : 0;
}

static int do_memory(char **word)
{
	int seals = F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL;

	const char *what = word[2] ? word[2] : "";
	unsigned int flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;

	if (!strcmp(what, "2M"))
		flags |= MFD_HUGETLB | HUGETLB_FLAG_ENCODE_2MB;
	else if (!strcmp(what, "1G"))
		flags |= MFD_HUGETLB | HUGETLB_FLAG_ENCODE_1GB;
	memfd = memfd_create("test", flags);
	if (memfd < 0 || ftruncate(memfd, number(word[1]) * PAGE))
		return -errno;
	if (strcmp(what, "unsealed") != 0 && fcntl(memfd, F_ADD_SEALS, seals))
		return -errno;
	return map_memory();
}

static volatile uint64_t *place(const char *offset)
{
	uint64_t value = number(offset);

	if (!memory || value % sizeof(*memory) || value >= memory_size)
		errx(2, "%s: not in the memory", offset);
	return memory + value / sizeof(*memory);
}

static int do_read(char **word)
{
	printf("%#llx\n", (unsigned long long)*place(word[1]));
	return 1;
}

static int do_write(char **word)
{
	*place(word[1]) = number(word[2]);
	return 0;
}

static int do_physical(char **word)
{
	uintptr_t address = (uintptr_t)place(word[1]);
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	uint64_t entry = *place(word[1]);

	if (fd < 0 ||
	    pread(fd, &entry, sizeof(entry), address / PAGE * sizeof(entry)) != sizeof(entry))
		return -errno;
	close(fd);
	/* Bits 0 to 54 are the page frame number, bit 63 says present. */
	if (!(entry >> 63))
		return -ENOENT;
	printf("%#llx\n",
	       (unsigned long long)((entry & ((1ULL << 55) - 1)) * PAGE + address % PAGE));
	return 1;
}

static int do_places(char **word)
{
	uint64_t entry, hash = 0xcbf29ce484222325;
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);

	(void)word;
	if (fd < 0)
		return -errno;
	for (size_t i = 0; i < memory_size; i += PAGE) {
		(void)memory[i / sizeof(*memory)];
		if (pread(fd, &entry, sizeof(entry),
			  ((uintptr_t)memory + i) / PAGE * sizeof(entry)) != sizeof(entry))
			return -errno;
		hash = (hash ^ (entry & ((1ULL << 55) - 1))) * 0x100000001b3;
	}
	close(fd);
	printf("%#llx\n", (unsigned long long)hash);
	return 1;
}

static int do_punch(char **word)
{
	(void)word;
	return fallocate(memfd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, memory_size) ? -errno
											    : 0;
}

static int do_truncate(char **word)
{
	return ftruncate(memfd, number(word[1]) * PAGE) ? -errno : 0;
}

static int do_advise(char **word)
{
	static const struct {
		const char *name;
		int advice;
	} all[] = {
		{ "remove", MADV_REMOVE },
		{ "collapse", MADV_COLLAPSE },
		{ "pageout", MADV_PAGEOUT },
		{ "soft-offline", MADV_SOFT_OFFLINE },
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		if (!strcmp(word[1], all[i].name))
			return madvise((void *)memory, memory_size, all[i].advice) ? -errno : 0;
	errx(2, "%s: no such advice", word[1]);
}

static int do_close_memory(char **word)
{
	(void)word;
	if (munmap((void *)memory, memory_size) || close(memfd))
		return -errno;
	memory = NULL;
	memfd = -1;
	return 0;
}

static int do_fill(char **word)
{
	uint64_t value = number(word[1]);

	for (size_t i = 0; i < memory_size / sizeof(value); i++)
		memory[i] = value;
	return 0;
}

static int do_count(char **word)
{
	uint64_t value = number(word[1]), other = word[2] ? number(word[2]) : value;
	size_t count = 0;

	for (size_t i = 0; i < memory_size / sizeof(value); i++) {
		uint64_t found = memory[i];

		count += found == value || found == other;
	}
	printf("%zu\n", count);
	return 1;
}

const struct command memory_commands[] = {
	{ "memory", 2, do_memory },
	{ "read", 2, do_read },
	{ "write", 3, do_write },
	{ "physical", 2, do_physical },
	{ "fill", 2, do_fill },
	{ "count", 2, do_count },
	{ "places", 1, do_places },
	{ "punch", 1, do_punch },
	{ "truncate", 2, do_truncate },
	{ "advise", 2, do_advise },
	{ "close-memory", 1, do_close_memory },
	{},
};
