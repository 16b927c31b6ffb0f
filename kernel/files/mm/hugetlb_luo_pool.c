// SPDX-License-Identifier: GPL-2.0-only
/*
 * How many huge pages cross a live update: the record that the pools of the next
 * kernel are filled by, see hugetlb_luo.c.
 */

#define pr_fmt(fmt) "hugetlb_luo: " fmt

#include <linux/cleanup.h>
#include <linux/crc32.h>
#include <linux/err.h>
#include <linux/hugetlb.h>
#include <linux/io.h>
#include <linux/kexec_handover.h>
#include <linux/memblock.h>
#include <linux/mm.h>
#include <linux/mutex.h>

#include "hugetlb_internal.h"
#include "hugetlb_luo.h"

/* How many pages are preserved, for the next kernel's boot. */
static struct hugetlb_pool_ser *hugetlb_pool_out;
/* Protects hugetlb_pool_out and what it counts. */
static DEFINE_MUTEX(hugetlb_pool_lock);

/* What the previous kernel wrote there, until the pools are filled. */
static struct hugetlb_pool_ser *hugetlb_pool_in;

static u32 hugetlb_pool_crc(const struct hugetlb_pool_ser *pool)
{
	return crc32_le(~0, &pool->length,
			pool->length - offsetof(typeof(*pool), length));
}

/**
 * hugetlb_pool_create - have a record of how many huge pages are preserved.
 *
 * It is made with the first file that is preserved, and stays.
 *
 * Context: may sleep.
 * Return: 0, or -errno if there is no memory for it.
 */
int hugetlb_pool_create(void)
{
	struct hugetlb_pool_ser *pool;
	struct hstate *h;
	u32 i = 0;
	int err, nid;

	guard(mutex)(&hugetlb_pool_lock);
	if (hugetlb_pool_out)
		return 0;

	pool = kho_alloc_preserve(struct_size(pool, counts,
					      hugetlb_max_hstate * nr_node_ids));
	if (IS_ERR(pool))
		return PTR_ERR(pool);

	pool->magic = HUGETLB_POOL_SER_MAGIC;
	for_each_hstate(h) {
		for (nid = 0; nid < nr_node_ids; nid++) {
			pool->counts[i].order = huge_page_order(h);
			pool->counts[i++].nid = nid;
		}
	}
	pool->nr_counts = i;
	pool->length = struct_size(pool, counts, i);
	pool->crc = hugetlb_pool_crc(pool);

	err = kho_add_subtree(HUGETLB_POOL_KHO_ENTRY_NAME, pool, pool->length);
	if (err) {
		kho_unpreserve_free(pool);
		return err;
	}

	hugetlb_pool_out = pool;
	return 0;
}

/**
 * hugetlb_pool_add - count huge pages as preserved, or no longer.
 * @h: the hstate of their size.
 * @folios_ser: the records of the pages.
 * @nr_folios: how many there are.
 * @add: whether they are preserved from now on.
 *
 * Context: after hugetlb_pool_create(); may sleep.
 */
void hugetlb_pool_add(struct hstate *h,
		      const struct hugetlb_luo_folio_ser *folios_ser,
		      u64 nr_folios, bool add)
{
	struct hugetlb_pool_count_ser *counts;

	guard(mutex)(&hugetlb_pool_lock);
	/* In the order in which hugetlb_pool_create() made them */
	counts = &hugetlb_pool_out->counts[hstate_index(h) * nr_node_ids];
	for (u64 i = 0; i < nr_folios; i++)
		counts[folios_ser[i].nid].nr_folios += add ? 1 : -1;
	hugetlb_pool_out->crc = hugetlb_pool_crc(hugetlb_pool_out);
}

/**
 * hugetlb_pool_is_valid - tell whether another kernel's count can be.
 * @pool: what it wrote.
 * @size: how much of that there is.
 * @left: how much memory this kernel has, in bytes: no more can be preserved.
 *
 * Context: any.
 * Return: whether all of it can be used.
 */
bool hugetlb_pool_is_valid(const struct hugetlb_pool_ser *pool, size_t size,
			   phys_addr_t left)
{
	if (size < sizeof(*pool) || pool->magic != HUGETLB_POOL_SER_MAGIC ||
	    pool->length != size || pool->crc != hugetlb_pool_crc(pool) ||
	    pool->nr_counts != (size - sizeof(*pool)) / sizeof(pool->counts[0]))
		return false;

	for (u32 i = 0; i < pool->nr_counts; i++) {
		const struct hugetlb_pool_count_ser *count = &pool->counts[i];

		if (!count->nr_folios)
			continue;
		if (count->nid >= MAX_NUMNODES || count->order > MAX_FOLIO_ORDER ||
		    count->nr_folios > left / (PAGE_SIZE << count->order))
			return false;
		left -= count->nr_folios * (PAGE_SIZE << count->order);
	}

	return true;
}

/**
 * hugetlb_find_preserved - find out how many huge pages cross a live update.
 *
 * A count that is damaged is not used: pools are filled as if no page crossed, and
 * those that do are surplus when they are restored.
 *
 * Context: early boot, when all of the previous kernel's memory is intact and
 *          memory is taken from KHO's scratch areas alone.
 */
void __init hugetlb_find_preserved(void)
{
	struct hugetlb_pool_ser *pool;
	phys_addr_t phys;
	size_t size;
	int err;

	err = kho_retrieve_subtree(HUGETLB_POOL_KHO_ENTRY_NAME, &phys, &size);
	if (err == -ENOENT)
		return;

	if (!err && PAGE_ALIGNED(phys) && memblock_is_region_memory(phys, size)) {
		pool = phys_to_virt(phys);
		if (hugetlb_pool_is_valid(pool, size,
					  memblock_phys_mem_size())) {
			hugetlb_pool_in = pool;
			return;
		}
	}

	pr_err("the count of preserved huge pages is damaged: pools are filled as if there were none\n");
}

/**
 * hugetlb_nr_preserved - tell how many huge pages cross a live update.
 * @order: the order of a huge page.
 * @nid: the node that they are on, or NUMA_NO_NODE for all of them.
 *
 * Context: boot, after hugetlb_find_preserved().
 * Return: their number.
 */
unsigned long __init hugetlb_nr_preserved(unsigned int order, int nid)
{
	unsigned long nr = 0;

	if (!hugetlb_pool_in)
		return 0;

	for (u32 i = 0; i < hugetlb_pool_in->nr_counts; i++) {
		const struct hugetlb_pool_count_ser *count =
			&hugetlb_pool_in->counts[i];

		if (count->order == order &&
		    (nid == NUMA_NO_NODE || count->nid == nid))
			nr += count->nr_folios;
	}

	return nr;
}

static int __init hugetlb_pool_release(void)
{
	/* The pools have been filled. */
	if (hugetlb_pool_in && kho_is_preserved(virt_to_phys(hugetlb_pool_in)))
		kho_restore_free(hugetlb_pool_in);
	hugetlb_pool_in = NULL;

	return 0;
}
late_initcall(hugetlb_pool_release);
