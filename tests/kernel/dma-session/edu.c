// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * An edu device (QEMU's docs/specs/edu.rst) is a buffer with a DMA engine. It is told what to do
 * through sysfs, so that it does so with any driver and with none: what it reaches is for the
 * IOMMU to decide.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "dma-session.h"

/* Registers of edu, and where its buffer is for its DMA engine. */
#define EDU_SIZE	(1UL << 20)
#define EDU_SOURCE	0x80
#define EDU_DESTINATION 0x88
#define EDU_COUNT	0x90
#define EDU_COMMAND	0x98
#define EDU_RUN		1
#define EDU_TO_RAM	2
#define EDU_BUFFER	0x40000

/* Give the engine one job and wait until it is done; QEMU takes 100 ms for it. */
static int edu(const char *bdf, uint64_t from, uint64_t to, uint64_t command)
{
	volatile uint64_t *bar;
	char path[512];
	int fd, tries;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/resource0", bdf);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	bar = mmap(NULL, EDU_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (bar == MAP_FAILED)
		return -errno;
	bar[EDU_SOURCE / 8] = from;
	bar[EDU_DESTINATION / 8] = to;
	bar[EDU_COUNT / 8] = sizeof(uint64_t);
	bar[EDU_COMMAND / 8] = command | EDU_RUN;
	for (tries = 0; tries < 5000 && bar[EDU_COMMAND / 8] & EDU_RUN; tries++)
		usleep(1000);
	munmap((void *)bar, EDU_SIZE);
	return tries < 5000 ? 0 : -ETIMEDOUT;
}

static int do_load(char **word)
{
	return edu(word[1], number(word[2]), EDU_BUFFER, 0);
}

static int do_store(char **word)
{
	return edu(word[1], EDU_BUFFER, number(word[2]), EDU_TO_RAM);
}

const struct command edu_commands[] = {
	{ "load", 3, do_load },
	{ "store", 3, do_store },
	{},
};
