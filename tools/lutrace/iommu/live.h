/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The tables of the running machine, read by the BPF program pt_pages. */
#ifndef LUTRACE_IOMMU_LIVE_H
#define LUTRACE_IOMMU_LIVE_H

#include "iommu/tables.h"

struct pt_pages;

/**
 * struct live - the running machine
 * @reader:    reads its physical memory
 * @bpf:       the BPF program
 * @base:      where physical memory is mapped in the kernel
 * @units:     its IOMMU hardware units, before anything else was read
 * @count:     their number
 * @slots:     of @reader
 * @addresses: of pages to read; PT_BATCH for each slot
 * @pages:     what is read; PT_BATCH for each slot
 */
struct live {
	struct page_reader reader;
	struct pt_pages *bpf;
	uint64_t base;
	struct pt_unit units[PT_UNITS_MAX];
	uint32_t count;
	unsigned int slots;
	uint64_t *addresses;
	const uint64_t (*pages)[VTD_PAGE_ENTRIES];
};

int live_open(struct live *live, struct table_set *set, unsigned int jobs);
int live_find(struct live *live, struct table_set *set, const struct wanted_device *wanted,
	      uint32_t wanted_count);
int live_unchanged(struct live *live, struct table_set *set);
void live_close(struct live *live);

int live_collect(struct table_set *set, const struct wanted_device *wanted, uint32_t wanted_count);

#endif /* LUTRACE_IOMMU_LIVE_H */
