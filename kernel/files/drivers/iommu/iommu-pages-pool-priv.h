/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pools of IOMMU pages: what their tests see of them.
 */
#ifndef __IOMMU_PAGES_POOL_PRIV_H
#define __IOMMU_PAGES_POOL_PRIV_H

#include <linux/kho_block.h>
#include <linux/list.h>
#include <linux/minmax.h>
#include <linux/mmzone.h>
#include <linux/spinlock.h>

/* 2 MiB: what a page allocator that serves huge pages has, and of use to them again */
#define IOMMU_PAGES_CHUNK_MAX_ORDER	min(9, MAX_PAGE_ORDER)

/**
 * struct iommu_pages_chunk - pages of a pool that lie side by side
 * @elm:      in &iommu_pages_pool.chunks
 * @room_elm: in &iommu_pages_pool.room unless all pages are in use
 * @free:     pages that were given back
 * @pool:     the pool
 * @page:     the first page
 * @order:    log2 of the number of pages
 * @fresh:    index of the first page that was never used
 * @used:     number of pages in use
 */
struct iommu_pages_chunk {
	struct list_head elm;
	struct list_head room_elm;
	struct list_head free;
	struct iommu_pages_pool *pool;
	struct page *page;
	unsigned int order;
	unsigned int fresh;
	unsigned int used;
};

/**
 * struct iommu_pages_pool - pages of one page table
 * @lock:       protects what follows, unless @preserved
 * @chunks:     all chunks
 * @room:       chunks that have a free page; @spare is the last
 * @spare:      the chunk without a page in use, or NULL
 * @pages:      pages of all chunks
 * @used:       pages in use
 * @num_chunks: number of @chunks
 * @last_order: order of the chunk that was allocated last
 * @nid:        NUMA node; does not change
 * @preserved:  no page is allocated or freed
 * @records:    of the chunks, as long as they are preserved
 */
struct iommu_pages_pool {
	spinlock_t lock; /* of what follows */
	struct list_head chunks;
	struct list_head room;
	struct iommu_pages_chunk *spare;
	unsigned long pages;
	unsigned long used;
	unsigned int num_chunks;
	unsigned int last_order;
	int nid;
	bool preserved;
	struct kho_block_set records;
};

struct page *iommu_pages_chunk_get(int nid, gfp_t gfp, unsigned int order);

#endif /* __IOMMU_PAGES_POOL_PRIV_H */
