/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The memory of a process, mapping by mapping, and in pages of which size it is. */
#ifndef LUTRACE_SMAPS_H
#define LUTRACE_SMAPS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/**
 * struct smaps_mapping - one mapping
 * @start:     first address
 * @end:       address behind it
 * @inode:     of the file
 * @memfd:     the file is a memfd
 * @page_size: of the smallest page there can be; more than 4 KiB with hugetlb
 * @present:   bytes of memory that the process has mapped there
 * @large:     of them, bytes that are mapped in one piece of 2 MiB or more each
 */
struct smaps_mapping {
	uint64_t start;
	uint64_t end;
	uint64_t inode;
	bool memfd;
	uint64_t page_size;
	uint64_t present;
	uint64_t large;
};

/* Called for each mapping, in the order of addresses. */
typedef void (*smaps_each)(const struct smaps_mapping *mapping, void *data);

void smaps_read(FILE *file, smaps_each each, void *data);

#endif /* LUTRACE_SMAPS_H */
