// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * /proc/PID/smaps: the kernel's own word on what a process has mapped. lutrace and the
 * demonstration workload both read it with this file.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "read/smaps.h"

#define PAGE_SMALL 4096

/*
 * The line that a mapping begins with, such as
 * "7f5a00000000-7f5a40000000 rw-s 00000000 00:01 1026   /memfd:guest (deleted)".
 */
static bool is_head(const char *line, struct smaps_mapping *mapping)
{
	struct smaps_mapping head = { .page_size = PAGE_SMALL };
	int length = 0;

	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %*s %*x %*x:%*x %" SCNu64 " %n", &head.start,
		   &head.end, &head.inode, &length) < 3 ||
	    !length)
		return false;
	head.memfd = !strncmp(line + length, "/memfd:", strlen("/memfd:"));
	*mapping = head;
	return true;
}

static void read_value(const char *line, struct smaps_mapping *mapping)
{
	char name[32];
	uint64_t bytes;

	if (sscanf(line, "%31[^:]: %" SCNu64 " kB", name, &bytes) != 2)
		return;
	bytes *= 1024;
	if (!strcmp(name, "KernelPageSize")) {
		mapping->page_size = bytes;
	} else if (!strcmp(name, "Rss")) {
		mapping->present += bytes;
	} else if (!strcmp(name, "ShmemPmdMapped")) {
		mapping->large += bytes;
	} else if (!strcmp(name, "Shared_Hugetlb") || !strcmp(name, "Private_Hugetlb")) {
		/* No part of Rss. */
		mapping->present += bytes;
		mapping->large += bytes;
	}
}

/**
 * smaps_read() - read what a process has mapped
 * @file: /proc/PID/smaps, open
 * @each: called for each mapping
 * @data: for @each
 */
void smaps_read(FILE *file, smaps_each each, void *data)
{
	struct smaps_mapping mapping = {}, next;
	bool any = false;
	char *line = NULL;
	size_t size = 0;

	while (getline(&line, &size, file) > 0) {
		if (!is_head(line, &next)) {
			read_value(line, &mapping);
			continue;
		}
		if (any)
			each(&mapping, data);
		mapping = next;
		any = true;
	}
	if (any)
		each(&mapping, data);
	free(line);
}
