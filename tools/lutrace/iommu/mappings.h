/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What page tables map, whatever pages they are of and however large their leaves are:
 * ranges of I/O virtual addresses, the memory that is there, and the rights to it.
 */
#ifndef LUTRACE_IOMMU_MAPPINGS_H
#define LUTRACE_IOMMU_MAPPINGS_H

#include <stddef.h>
#include <stdint.h>
#include <json-c/json.h>

#include "iommu/offline.h"

/**
 * struct mapping - a range that is mapped as one
 * @iova:   first I/O virtual address
 * @last:   last one
 * @memory: physical address of the first
 * @flags:  all other bits of its entries that are content
 */
struct mapping {
	uint64_t iova;
	uint64_t last;
	uint64_t memory;
	uint64_t flags;
};

/** struct mappings - those of a page table, by address */
struct mappings {
	struct mapping *list;
	size_t count;
	size_t space;
};

enum mapping_error { MAPPING_NO_MEMORY = -1, MAPPING_DAMAGED = -2 };

int mappings_list(const struct table_set *set, const struct table_domain *domain,
		  struct mappings *mappings);
void mappings_free(struct mappings *mappings);

int mappings_diff(const struct offline *before, const struct offline *after, uint64_t max,
		  struct json_object *value);

#endif /* LUTRACE_IOMMU_MAPPINGS_H */
