/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The memfd that holds everything. */
#ifndef WORKLOAD_MEMORY_H
#define WORKLOAD_MEMORY_H

#include <stddef.h>

#include "layout.h"

/**
 * enum page_kind - what pages a memfd is made of
 * @PAGES_SMALL: whatever the kernel takes, as a rule 4 KiB
 * @PAGES_THP:   large ones where the kernel has some left and its setting allows
 * @PAGES_2M:    2 MiB, from the pool of huge pages
 * @PAGES_1G:    1 GiB, from the pool of huge pages
 */
enum page_kind { PAGES_SMALL, PAGES_THP, PAGES_2M, PAGES_1G };

struct driver;

/**
 * struct memory - the memfd, mapped
 * @fd:    the memfd
 * @size:  its size
 * @base:  where it is mapped
 * @state: the state in it
 * @driver: what is done with the device that reaches it
 */
struct memory {
	int fd;
	size_t size;
	void *base;
	struct workload_state *state;
	const struct driver *driver;
};

int memory_create(struct memory *memory, const struct driver *driver, size_t more, uint64_t sparse,
		  enum page_kind kind);
int memory_open(struct memory *memory, int fd);

#endif /* WORKLOAD_MEMORY_H */
