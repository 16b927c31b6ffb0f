/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The memfd that holds everything. */
#ifndef WORKLOAD_MEMORY_H
#define WORKLOAD_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

#include "layout.h"

/**
 * struct memory - the memfd, mapped
 * @fd:    the memfd
 * @size:  its size
 * @base:  where it is mapped
 * @state: the state in it
 */
struct memory {
	int fd;
	size_t size;
	void *base;
	struct workload_state *state;
};

int memory_create(struct memory *memory, size_t more, uint64_t sparse, bool huge);
int memory_open(struct memory *memory, int fd);

#endif /* WORKLOAD_MEMORY_H */
