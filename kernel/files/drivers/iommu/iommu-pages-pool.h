/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pages of one page table that lie side by side, see iommu-pages-pool.c. Included
 * by iommu-pages.h.
 */
#ifndef __IOMMU_PAGES_POOL_H
#define __IOMMU_PAGES_POOL_H

#include <linux/kho_block.h>
#include <linux/types.h>

struct iommu_domain_ser;
struct iommu_pages_pool;
struct ioptdesc;

/**
 * struct iommu_pages_left - chunks of pages that the previous kernel left
 * @chunks: records of them, &struct iommu_chunk_ser, which have been checked:
 *          each is preserved memory of that size, and no two overlap
 * @pages:  sum of their pages
 * @tables: how many of these are tables
 */
struct iommu_pages_left {
	struct kho_block_set chunks;
	u64 pages;
	u64 tables;
};

#ifdef CONFIG_IOMMU_LIVEUPDATE

struct iommu_pages_pool *iommu_pages_pool_create(int nid, void *virt);
void iommu_pages_pool_destroy(struct iommu_pages_pool *pool);
void *iommu_pages_pool_alloc(struct iommu_pages_pool *pool, gfp_t gfp);
void iommu_pages_pool_free(struct ioptdesc *iopt);
int iommu_pages_pool_preserve(struct iommu_pages_pool *pool,
			      struct iommu_domain_ser *ser);
void iommu_pages_pool_unpreserve(struct iommu_pages_pool *pool);

int iommu_pages_left_adopt(struct iommu_pages_left *left);
int iommu_pages_left_claim(struct iommu_pages_left *left, phys_addr_t phys);
void iommu_pages_left_finish(struct iommu_pages_left *left);
void iommu_pages_left_forget(struct iommu_pages_left *left);

#else

static inline void iommu_pages_pool_destroy(struct iommu_pages_pool *pool)
{
}

static inline void *iommu_pages_pool_alloc(struct iommu_pages_pool *pool, gfp_t gfp)
{
	return NULL;
}

static inline void iommu_pages_pool_free(struct ioptdesc *iopt)
{
}

#endif
#endif /* __IOMMU_PAGES_POOL_H */
