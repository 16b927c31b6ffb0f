/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Walk a page table in batches, on several CPUs. What is done with the pages
 * is up to a visitor.
 */
#ifndef LUTRACE_IOMMU_WALK_H
#define LUTRACE_IOMMU_WALK_H

#include "iommu/tables.h"

/* More threads than that do not read memory any faster. */
#define JOBS_MAX     64
#define JOBS_DEFAULT 8

/* Tables above those of leaves that a batch has room for. */
#define UPPER_BATCH 16
#define BATCH_PAGES (UPPER_BATCH + PT_BATCH)

/**
 * struct visited_page - one page of the walk
 * @address: physical address
 * @iova:    first address that it translates
 * @level:   1 for a table of 4 KiB leaves
 * @leaves:  present leaf entries; for the visitor to count
 * @digest:  of its place, level and contents; for the visitor to make
 * @entries: as the hardware has them; only while the batch is examined
 */
struct visited_page {
	uint64_t address;
	uint64_t iova;
	uint32_t level;
	uint32_t leaves;
	struct digest digest;
	const uint64_t *entries;
};

/**
 * struct page_batch - pages that follow each other in the walk
 * @stage:  of their page table
 * @count:  number of pages
 * @pages:  the pages
 * @result: what the visitor has found, @result_size zeroed bytes at first; not
 *          cleared from one batch to the next
 */
struct page_batch {
	enum table_stage stage;
	uint32_t count;
	struct visited_page pages[BATCH_PAGES];
	void *result;
};

/**
 * struct page_visitor - what is done with pages
 * @examine: looks at the pages of a batch, and sets digest and leaves of each;
 *           in any thread, and batches in any order
 * @take:    has the results in the order of the walk, in the thread that walks;
 *           0, or -1 with the reason in @set->error. May be NULL
 * @release: frees what hangs on a result. May be NULL
 * @result_size: bytes that a result has
 */
struct page_visitor {
	void (*examine)(struct page_visitor *visitor, struct page_batch *batch);
	int (*take)(struct page_visitor *visitor, struct table_set *set, struct page_batch *batch);
	void (*release)(void *result);
	size_t result_size;
};

int walk_domain(struct table_set *set, struct page_reader *reader, struct table_domain *domain,
		struct page_visitor *visitor);

/* For visitors. */
void page_digest(enum table_stage stage, struct visited_page *page);
uint32_t count_leaves(enum table_stage stage, unsigned int level,
		      const uint64_t entries[VTD_PAGE_ENTRIES]);

#define JOBS_WANTED "'%s' is no number of threads; wanted is one from 1 to 64"

unsigned int jobs_default(void);
int jobs_parse(const char *text, unsigned int *jobs);

#endif /* LUTRACE_IOMMU_WALK_H */
