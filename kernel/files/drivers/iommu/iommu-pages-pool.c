// SPDX-License-Identifier: GPL-2.0-only
/*
 * The pages of a page table that can cross a live update lie side by side.
 */

/**
 * DOC: Pools of IOMMU pages
 *
 * What crosses a live update is preserved block by block, and each block costs
 * time: when it is preserved, and in the boot of the next kernel, where no page
 * can be handed out before all blocks are known. 64 GiB in 4 KiB leaves have
 * 33,000 tables. So the tables of a domain that may cross come from chunks of up
 * to 512 pages, and a chunk is one block.
 *
 * A chunk is as large as half of what the pool has already, rounded down to a
 * power of two: a small table takes single pages, never more than a third of the
 * pages is unused while a table grows, and n pages lie in 2 log2(n) + n/512 chunks
 * or fewer. Where memory is too fragmented for that, smaller ones are taken, down
 * to a single page.
 *
 * A page that is given back stays with its chunk, and a chunk without a page in
 * use goes back to the page allocator. One such chunk is kept, if the pool would
 * ask for one as large next, so that mapping and unmapping the same memory over
 * and over does not allocate and free it every time.
 *
 * All pages of a chunk are accounted (NR_IOMMU_PAGES, NR_SECONDARY_PAGETABLE, the
 * memory cgroup of whoever made the pool grow), those too that hold no table: what
 * is counted is what nobody else can have.
 *
 * A chunk is not compound. Each of its pages has an ioptdesc to itself, as a
 * table has that was allocated alone, whose &ioptdesc._private leads to the chunk.
 * iommu_free_pages() and iommu_put_pages_list() work as they do otherwise, and a
 * table is not used again before the IOTLB flush that its being freed waits for.
 *
 * The next kernel gets the list of chunks with the domain's record. It looks at
 * each chunk when it checks the records, and at the pages when the domain is
 * adopted: the tables among them become ordinary IOMMU pages, one by one, and
 * the others are freed.
 */

#include <linux/cleanup.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/kexec_handover.h>
#include <linux/kho/abi/iommu.h>
#include <linux/kho_block.h>
#include <linux/list.h>
#include <linux/list_sort.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <kunit/static_stub.h>

#include "iommu-pages.h"
#include "iommu-pages-pool-priv.h"
#include "liveupdate.h"

static unsigned long chunk_pages(const struct iommu_pages_chunk *chunk)
{
	return 1UL << chunk->order;
}

static struct ioptdesc *chunk_iopt(const struct iommu_pages_chunk *chunk,
				   unsigned long index)
{
	return folio_ioptdesc(page_folio(chunk->page + index));
}

/* The order of the chunk that a pool asks for that has @pages pages. */
static unsigned int growth_order(unsigned long pages)
{
	return min(ilog2(max(pages / 2, 1UL)), IOMMU_PAGES_CHUNK_MAX_ORDER);
}

/* Where the page allocator comes in, for tests to fail it. */
struct page *iommu_pages_chunk_get(int nid, gfp_t gfp, unsigned int order)
{
	KUNIT_STATIC_STUB_REDIRECT(iommu_pages_chunk_get, nid, gfp, order);

	return alloc_pages_node(nid, gfp, order);
}

/* Try hard only for a single page: a chunk can always be smaller. */
static struct page *get_pages(int nid, gfp_t gfp, unsigned int *order)
{
	struct page *page;

	for (; *order; (*order)--) {
		page = iommu_pages_chunk_get(nid, gfp | __GFP_NORETRY | __GFP_NOWARN,
					     *order);
		if (page)
			return page;
	}
	return iommu_pages_chunk_get(nid, gfp, 0);
}

static struct iommu_pages_chunk *chunk_create(struct iommu_pages_pool *pool,
					      struct page *page, unsigned int order,
					      gfp_t gfp)
{
	struct iommu_pages_chunk *chunk = kzalloc_obj(*chunk, gfp);
	unsigned long i;

	if (!chunk)
		return NULL;
	chunk->pool = pool;
	chunk->page = page;
	chunk->order = order;
	INIT_LIST_HEAD(&chunk->free);
	for (i = 0; i < chunk_pages(chunk); i++)
		chunk_iopt(chunk, i)->_private = chunk;
	return chunk;
}

static void chunk_destroy(struct iommu_pages_chunk *chunk)
{
	unsigned long i;

	for (i = 0; i < chunk_pages(chunk); i++)
		chunk_iopt(chunk, i)->_private = NULL;
	iommu_account_pages(chunk->page, -(long)chunk_pages(chunk));
	__free_pages(chunk->page, chunk->order);
	kfree(chunk);
}

static void chunks_destroy(struct list_head *chunks)
{
	struct iommu_pages_chunk *chunk, *next;

	list_for_each_entry_safe(chunk, next, chunks, elm)
		chunk_destroy(chunk);
}

static void pool_add(struct iommu_pages_pool *pool, struct iommu_pages_chunk *chunk)
{
	list_add_tail(&chunk->elm, &pool->chunks);
	pool->num_chunks++;
	pool->pages += chunk_pages(chunk);
}

/* An empty chunk leaves the pool, to be destroyed without its lock. */
static void pool_remove(struct iommu_pages_pool *pool,
			struct iommu_pages_chunk *chunk, struct list_head *removed)
{
	list_del(&chunk->room_elm);
	list_move(&chunk->elm, removed);
	pool->num_chunks--;
	pool->pages -= chunk_pages(chunk);
}

/**
 * iommu_pages_pool_create - make a pool for the pages of one page table
 * @nid: NUMA node of the pages, or NUMA_NO_NODE
 * @virt: the only page that the table has by now, from
 *        iommu_alloc_pages_node_sz(); it becomes the pool's first chunk
 *
 * Context: May sleep.
 * Return: the pool, or NULL if memory is short, and then nothing has changed.
 */
struct iommu_pages_pool *iommu_pages_pool_create(int nid, void *virt)
{
	struct iommu_pages_chunk *chunk;
	struct iommu_pages_pool *pool;

	if (WARN_ON(folio_order(virt_to_folio(virt))))
		return NULL;
	pool = kzalloc_obj(*pool, GFP_KERNEL_ACCOUNT);
	if (!pool)
		return NULL;

	spin_lock_init(&pool->lock);
	INIT_LIST_HEAD(&pool->chunks);
	INIT_LIST_HEAD(&pool->room);
	kho_block_set_init(&pool->records, sizeof(struct iommu_chunk_ser));
	pool->nid = nid;

	chunk = chunk_create(pool, virt_to_page(virt), 0, GFP_KERNEL_ACCOUNT);
	if (!chunk) {
		kfree(pool);
		return NULL;
	}
	chunk->fresh = 1;
	chunk->used = 1;
	pool->used = 1;
	pool_add(pool, chunk);
	return pool;
}

/**
 * iommu_pages_pool_destroy - free a pool whose pages have been freed
 * @pool: the pool, or NULL
 */
void iommu_pages_pool_destroy(struct iommu_pages_pool *pool)
{
	/* Better lost than handed out while it is not known who uses them */
	if (!pool || WARN_ON(pool->used || pool->preserved))
		return;
	chunks_destroy(&pool->chunks);
	kfree(pool);
}

static struct ioptdesc *pool_take(struct iommu_pages_pool *pool)
{
	struct iommu_pages_chunk *chunk;
	struct ioptdesc *iopt;

	chunk = list_first_entry_or_null(&pool->room, struct iommu_pages_chunk, room_elm);
	if (!chunk)
		return NULL;

	iopt = list_first_entry_or_null(&chunk->free, struct ioptdesc, iopt_freelist_elm);
	if (iopt)
		list_del(&iopt->iopt_freelist_elm);
	else
		iopt = chunk_iopt(chunk, chunk->fresh++);

	if (chunk == pool->spare)
		pool->spare = NULL;
	if (++chunk->used == chunk_pages(chunk))
		list_del(&chunk->room_elm);
	pool->used++;
	return iopt;
}

static int pool_grow(struct iommu_pages_pool *pool, gfp_t gfp)
{
	struct iommu_pages_chunk *chunk;
	unsigned int order;
	struct page *page;

	/* Fragmented memory may have become less so, but is not searched each time */
	order = min(growth_order(READ_ONCE(pool->pages)), READ_ONCE(pool->last_order) + 1);
	page = get_pages(pool->nid, gfp, &order);
	if (!page)
		return -ENOMEM;
	chunk = chunk_create(pool, page, order, gfp);
	if (!chunk) {
		__free_pages(page, order);
		return -ENOMEM;
	}
	iommu_account_pages(page, chunk_pages(chunk));

	scoped_guard(spinlock_irqsave, &pool->lock) {
		pool->last_order = order;
		/* Unless somebody else was faster */
		if (list_empty(&pool->room)) {
			pool_add(pool, chunk);
			list_add(&chunk->room_elm, &pool->room);
			return 0;
		}
	}
	chunk_destroy(chunk);
	return 0;
}

/**
 * iommu_pages_pool_alloc - allocate a zeroed page of a pool
 * @pool: the pool; not preserved
 * @gfp: buddy allocator flags
 *
 * It is freed as any IOMMU page, by iommu_free_pages() or iommu_put_pages_list().
 *
 * Context: As @gfp says. Takes the lock of @pool.
 * Return: the virtual address, or NULL if memory is short.
 */
void *iommu_pages_pool_alloc(struct iommu_pages_pool *pool, gfp_t gfp)
{
	struct ioptdesc *iopt;
	void *virt;

	if (WARN_ON(gfp & __GFP_HIGHMEM) || WARN_ON_ONCE(READ_ONCE(pool->preserved)))
		return NULL;

	do {
		scoped_guard(spinlock_irqsave, &pool->lock)
			iopt = pool_take(pool);
	} while (!iopt && !pool_grow(pool, gfp & ~__GFP_ZERO));
	if (!iopt)
		return NULL;

	iopt->incoherent = false;
	virt = folio_address(ioptdesc_folio(iopt));
	clear_page(virt);
	return virt;
}

/*
 * A chunk has become empty. The smaller one of it and the spare one is kept, if
 * it is not larger than what the pool would ask for without it.
 */
static void pool_trim(struct iommu_pages_pool *pool, struct iommu_pages_chunk *chunk,
		      struct list_head *removed)
{
	struct iommu_pages_chunk *spare = pool->spare;

	if (spare && spare->order < chunk->order)
		swap(spare, chunk);
	if (spare)
		pool_remove(pool, spare, removed);

	if (chunk->order > growth_order(pool->pages - chunk_pages(chunk))) {
		pool_remove(pool, chunk, removed);
		pool->spare = NULL;
	} else {
		/* It is used again when no other has room */
		list_move_tail(&chunk->room_elm, &pool->room);
		pool->spare = chunk;
	}
}

/**
 * iommu_pages_pool_free - give a page back to its pool
 * @iopt: a page that iommu_pages_pool_alloc() returned. iommu_free_pages() and
 *        iommu_put_pages_list() come here.
 *
 * Context: Any. Takes the lock of the pool.
 */
void iommu_pages_pool_free(struct ioptdesc *iopt)
{
	struct iommu_pages_chunk *chunk = iopt->_private;
	struct iommu_pages_pool *pool = chunk->pool;
	LIST_HEAD(removed);

	scoped_guard(spinlock_irqsave, &pool->lock) {
		if (chunk->used == chunk_pages(chunk))
			list_add(&chunk->room_elm, &pool->room);
		list_add(&iopt->iopt_freelist_elm, &chunk->free);
		chunk->used--;
		pool->used--;
		/* What is preserved stays what it is, whoever is wrong */
		if (!chunk->used && !WARN_ON_ONCE(pool->preserved))
			pool_trim(pool, chunk, &removed);
	}
	chunks_destroy(&removed);
}

static int chunk_compare(void *priv, const struct list_head *a, const struct list_head *b)
{
	return page_to_pfn(list_entry(a, struct iommu_pages_chunk, elm)->page) >
	       page_to_pfn(list_entry(b, struct iommu_pages_chunk, elm)->page);
}

static int pool_record(struct iommu_pages_pool *pool, struct iommu_domain_ser *ser)
{
	struct iommu_pages_chunk *chunk;
	struct kho_block_set_it it;
	int ret;

	ret = kho_block_set_grow(&pool->records, pool->num_chunks);
	if (ret)
		return ret;

	kho_block_set_it_init(&it, &pool->records);
	list_for_each_entry(chunk, &pool->chunks, elm) {
		struct iommu_chunk_ser *record = kho_block_set_it_reserve_entry(&it);

		record->phys = page_to_phys(chunk->page);
		record->order = chunk->order;
		record->reserved = 0;
	}
	ser->chunks = kho_block_set_head_pa(&pool->records);
	ser->num_chunks = pool->num_chunks;
	ser->chunks_crc = chunks_crc(&pool->records);
	ser->tables = pool->used;
	return 0;
}

/**
 * iommu_pages_pool_preserve - let the pages of a pool cross a live update
 * @pool: the pool; no page is allocated or freed until it is unpreserved
 * @ser: record of the domain, in which what leads to the pages is written
 *
 * On failure nothing is preserved. The cost grows with the number of chunks.
 *
 * Context: May sleep.
 * Return: 0, or a negative errno of KHO.
 */
int iommu_pages_pool_preserve(struct iommu_pages_pool *pool,
			      struct iommu_domain_ser *ser)
{
	struct iommu_pages_chunk *chunk;
	int ret;

	scoped_guard(spinlock_irqsave, &pool->lock)
		pool->preserved = true;

	/* The next kernel sees at a glance that no two overlap */
	list_sort(NULL, &pool->chunks, chunk_compare);
	list_for_each_entry(chunk, &pool->chunks, elm) {
		ret = kho_preserve_pages(chunk->page, chunk_pages(chunk));
		if (ret)
			goto err_unpreserve;
		cond_resched();
	}
	ret = pool_record(pool, ser);
	if (ret)
		goto err_unpreserve;
	return 0;

err_unpreserve:
	list_for_each_entry_continue_reverse(chunk, &pool->chunks, elm)
		kho_unpreserve_pages(chunk->page, chunk_pages(chunk));
	scoped_guard(spinlock_irqsave, &pool->lock)
		pool->preserved = false;
	return ret;
}

/**
 * iommu_pages_pool_unpreserve - undo iommu_pages_pool_preserve()
 * @pool: the pool
 *
 * Context: May sleep.
 */
void iommu_pages_pool_unpreserve(struct iommu_pages_pool *pool)
{
	struct iommu_pages_chunk *chunk;

	kho_block_set_destroy(&pool->records);
	list_for_each_entry(chunk, &pool->chunks, elm)
		kho_unpreserve_pages(chunk->page, chunk_pages(chunk));
	scoped_guard(spinlock_irqsave, &pool->lock)
		pool->preserved = false;
}

/* Nothing is touched before all of it has been found. */
static bool left_is_preserved(struct iommu_pages_left *left)
{
	struct iommu_chunk_ser *chunk;
	struct kho_block_set_it it;

	kho_block_set_it_init(&it, &left->chunks);
	while ((chunk = kho_block_set_it_read_entry(&it)))
		if (!kho_is_preserved_block(chunk->phys, chunk->order))
			return false;
	return true;
}

/**
 * iommu_pages_left_adopt - take over the memory of pages that another kernel left
 * @left: chunks that the previous kernel preserved
 *
 * iommu_pages_left_claim() then makes ordinary IOMMU pages of those in use, and
 * iommu_pages_left_finish() frees the others. A page that is not claimed can be
 * neither used nor freed.
 *
 * Context: May sleep.
 * Return: 0, or -EINVAL if not all of @left is preserved memory any more, and then
 * all of it is as it was.
 */
int iommu_pages_left_adopt(struct iommu_pages_left *left)
{
	struct iommu_chunk_ser *chunk;
	struct kho_block_set_it it;

	KUNIT_STATIC_STUB_REDIRECT(iommu_pages_left_adopt, left);
	if (!left_is_preserved(left))
		return -EINVAL;

	kho_block_set_it_init(&it, &left->chunks);
	while ((chunk = kho_block_set_it_read_entry(&it))) {
		unsigned long nr_pages = 1UL << chunk->order;
		struct page *page = kho_restore_pages(chunk->phys, nr_pages);
		unsigned long i;

		if (WARN_ON(!page))
			return -EINVAL;
		for (i = 0; i < nr_pages; i++)
			folio_ioptdesc(page_folio(page + i))->_private = left;
		iommu_account_pages(page, nr_pages);
		cond_resched();
	}
	return 0;
}

/**
 * iommu_pages_left_claim - make an ordinary IOMMU page of one that was left
 * @left: chunks that have been adopted
 * @phys: address of the page, read from a table that was left, too; checked here
 *
 * Return: 0, or -EINVAL if @phys is not the address of a page of @left, or has
 * been claimed before.
 */
int iommu_pages_left_claim(struct iommu_pages_left *left, phys_addr_t phys)
{
	struct page *page = PAGE_ALIGNED(phys) ? pfn_to_online_page(PHYS_PFN(phys)) : NULL;
	struct ioptdesc *iopt;

	if (!page)
		return -EINVAL;
	iopt = folio_ioptdesc(page_folio(page));
	if (iopt->_private != left)
		return -EINVAL;
	iopt->_private = NULL;
	iopt->incoherent = false;
	return 0;
}

/**
 * iommu_pages_left_finish - free what has not been claimed
 * @left: chunks that have been adopted; gone afterwards
 *
 * Context: May sleep.
 */
void iommu_pages_left_finish(struct iommu_pages_left *left)
{
	struct iommu_chunk_ser *chunk;
	struct kho_block_set_it it;

	kho_block_set_it_init(&it, &left->chunks);
	while ((chunk = kho_block_set_it_read_entry(&it))) {
		struct page *page = phys_to_page(chunk->phys);
		unsigned long i;

		for (i = 0; i < 1UL << chunk->order; i++, page++) {
			struct ioptdesc *iopt = folio_ioptdesc(page_folio(page));

			if (iopt->_private != left)
				continue;
			iopt->_private = NULL;
			iommu_account_pages(page, -1);
			__free_page(page);
		}
		cond_resched();
	}
	kho_block_set_destroy(&left->chunks);
	kfree(left);
}

/**
 * iommu_pages_left_forget - leave pages to nobody
 * @left: chunks that another kernel left, adopted or not; gone afterwards
 *
 * All pages stay as they are, claimed or not: until the next boot nobody gets them.
 */
void iommu_pages_left_forget(struct iommu_pages_left *left)
{
	kho_block_set_forget(&left->chunks);
	kfree(left);
}
