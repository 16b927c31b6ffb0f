// SPDX-License-Identifier: GPL-2.0-only
/*
 * Preserve memfds of hugetlb across a live update.
 */

/**
 * DOC: Hugetlb memfd Preservation via LUO
 *
 * Memory file descriptors that were made with ``MFD_HUGETLB`` can be preserved
 * over a kexec using the Live Update Orchestrator (LUO) file preservation, with
 * pages of any size, pages of 1 GiB included. What is said of other memfds holds
 * for them, too: contents, size, position, seals and file status flags cross, and
 * all other properties are reset to default. Files of a hugetlbfs that is mounted
 * somewhere cannot be preserved.
 *
 * Preserving
 * ==========
 *
 * All pages of the file are allocated, which takes them from the pool
 * (``-ENOMEM`` if it has not enough), and pinned. Pinning moves pages that are in
 * movable or CMA memory, KHO's scratch memory for one, where pages that were
 * added to the pool at run time may be; those of ``hugepages=`` are not. From then
 * on the file is frozen: its size cannot be changed, holes cannot be punched, and
 * it cannot be mapped beyond its end (``-EPERM``). A file cannot be preserved
 * (``-EOPNOTSUPP``) with a page of the area that ``hugetlb_cma=`` reserves, which
 * the next kernel reserves somewhere else, or with one that overlaps the scratch
 * memory of KHO; nor (``-EHWPOISON``) with one that has a memory error.
 *
 * It makes no difference whether the struct pages of a page are optimized
 * (``hugetlb_free_vmemmap=``), as none of them crosses.
 *
 * The Pool of the Next Kernel
 * ===========================
 *
 * A preserved page belongs to the pool of the next kernel from boot on, as a page
 * that is in use. ``hugepages=`` and ``nr_hugepages`` count it: with the same
 * number as before the update, HugePages_Total and HugePages_Free are what they
 * were, on each node, and no memory is taken for pages that have crossed. If
 * fewer are asked for than have crossed, the rest is surplus (HugePages_Surp),
 * whatever ``nr_overcommit_hugepages`` allows: such pages go back to the system
 * when they are freed.
 *
 * A preserved page is not available for pages of 1 GiB that are allocated at
 * boot, nor for ``hugetlb_cma=``.
 *
 * Its struct pages are not optimized, even with ``hugetlb_free_vmemmap=on``, as
 * long as it is a huge page.
 *
 * From Retrieve to Finish
 * =======================
 *
 * A retrieved file can be read, written, mapped and pinned as any other, but
 * until the session has finished it is frozen, its pages are neither freed nor
 * migrated nor taken offline, and it cannot be preserved in another session
 * (``-EBUSY``). With finish it becomes an ordinary memfd.
 *
 * The pages and their reservation are charged to the hugetlb cgroup of the task
 * that retrieves the file, and to its memory cgroup where that accounts hugetlb. If
 * a charge or anything else fails, retrieve fails with ``-ENOMEM`` (or ``-EINTR``,
 * when the task is killed), nothing is charged, all pages stay preserved, and the
 * file can be retrieved again, by the same task or another.
 *
 * Retrieve fails with ``-ENODEV`` if the next kernel has no pages of that size.
 *
 * Finish without retrieve frees the pages: into the pool, or to the system those
 * that are surplus.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cleanup.h>
#include <linux/crc32.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/hugetlb.h>
#include <linux/hugetlb_cgroup.h>
#include <linux/io.h>
#include <linux/kexec_handover.h>
#include <linux/kho/abi/hugetlb.h>
#include <linux/liveupdate.h>
#include <linux/liveupdate_trace.h>
#include <linux/magic.h>
#include <linux/memblock.h>
#include <linux/memcontrol.h>
#include <linux/memfd.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>
#include <linux/vmalloc.h>
#include <linux/vmstat.h>
#include <uapi/linux/memfd.h>

#include "hugetlb_internal.h"
#include "internal.h"
#include "luo_poison.h"

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

static int hugetlb_pool_create(void)
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

/* The counts are in the order in which hugetlb_pool_create() made them. */
static void hugetlb_pool_add(struct hstate *h,
			     const struct hugetlb_luo_folio_ser *folios_ser,
			     u64 nr_folios, bool add)
{
	struct hugetlb_pool_count_ser *counts;

	guard(mutex)(&hugetlb_pool_lock);
	counts = &hugetlb_pool_out->counts[hstate_index(h) * nr_node_ids];
	for (u64 i = 0; i < nr_folios; i++)
		counts[folios_ser[i].nid].nr_folios += add ? 1 : -1;
	hugetlb_pool_out->crc = hugetlb_pool_crc(hugetlb_pool_out);
}

static bool __init hugetlb_pool_is_valid(const struct hugetlb_pool_ser *pool,
					 size_t size)
{
	phys_addr_t left = memblock_phys_mem_size();

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
		if (hugetlb_pool_is_valid(pool, size)) {
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

static u32 hugetlb_luo_crc(const struct hugetlb_luo_ser *ser)
{
	return crc32_le(~0, &ser->length,
			sizeof(*ser) - offsetof(typeof(*ser), length));
}

/* Units of the ledger: pages as they are counted for any other memfd. */
static u64 hugetlb_luo_pages(const struct hugetlb_luo_ser *ser)
{
	return ser->nr_folios << ser->order;
}

static int hugetlb_luo_check_folio(struct folio *folio)
{
	phys_addr_t phys = PFN_PHYS(folio_pfn(folio));

	if (folio_test_hwpoison(folio)) {
		pr_warn("a memfd with a memory error cannot be preserved, at %pa\n",
			&phys);
		return -EHWPOISON;
	}
	if (folio_test_hugetlb_cma(folio)) {
		pr_warn("a memfd with a page of hugetlb_cma= cannot be preserved, use hugepages= instead: %pa\n",
			&phys);
		return -EOPNOTSUPP;
	}
	if (kho_scratch_overlap(phys, folio_size(folio))) {
		pr_warn("a memfd with a page in KHO's scratch memory cannot be preserved: %pa\n",
			&phys);
		return -EOPNOTSUPP;
	}

	return 0;
}

static int hugetlb_luo_preserve_folio(struct folio *folio, unsigned int order,
				      struct hugetlb_luo_folio_ser *pfolio)
{
	int err;

	err = hugetlb_luo_check_folio(folio);
	if (err)
		return err;

	err = kho_preserve_folio(folio);
	if (err)
		return err;

	pfolio->pfn = folio_pfn(folio);
	pfolio->index = folio->index >> order;
	pfolio->nid = folio_nid(folio);

	return 0;
}

/* Fill all holes, and pin all pages. */
static int hugetlb_luo_pin_folios(struct file *file, struct folio **folios,
				  u64 nr_folios)
{
	pgoff_t offset;
	long nr;

	nr = memfd_pin_folios(file, 0, i_size_read(file_inode(file)) - 1, folios,
			      nr_folios, &offset);
	if (nr == nr_folios)
		return 0;

	if (nr >= 0) {
		unpin_folios(folios, nr);
		nr = -EIO;
	}
	pr_warn("the %llu pages of a memfd cannot be allocated from %s and pinned: %pe\n",
		nr_folios, hstate_file(file)->name, ERR_PTR(nr));

	return nr;
}

static int hugetlb_luo_preserve_folios(struct file *file,
				       struct hugetlb_luo_ser *ser,
				       struct hugetlb_luo_folio_ser **out)
{
	struct hugetlb_luo_folio_ser *folios_ser;
	struct folio **folios;
	u64 i = 0;
	int err;

	*out = NULL;
	if (!ser->nr_folios)
		return 0;

	folios = kvmalloc_objs(*folios, ser->nr_folios);
	folios_ser = vcalloc(ser->nr_folios, sizeof(*folios_ser));
	if (!folios || !folios_ser) {
		err = -ENOMEM;
		goto err_free;
	}

	err = hugetlb_luo_pin_folios(file, folios, ser->nr_folios);
	if (err)
		goto err_free;

	for (; i < ser->nr_folios; i++) {
		err = hugetlb_luo_preserve_folio(folios[i], ser->order,
						 &folios_ser[i]);
		if (err)
			goto err_unpreserve;
		cond_resched();
	}

	err = kho_preserve_vmalloc(folios_ser, &ser->folios);
	if (err)
		goto err_unpreserve;
	ser->folios_crc = crc32_le(~0, folios_ser,
				   ser->nr_folios * sizeof(*folios_ser));

	kvfree(folios);
	*out = folios_ser;

	return 0;

err_unpreserve:
	while (i--)
		kho_unpreserve_folio(folios[i]);
	unpin_folios(folios, ser->nr_folios);
err_free:
	vfree(folios_ser);
	kvfree(folios);

	return err;
}

static int __hugetlb_luo_preserve(struct file *file, struct hugetlb_luo_ser *ser,
				  struct hugetlb_luo_folio_ser **out)
{
	struct inode *inode = file_inode(file);
	struct hstate *h = hstate_file(file);
	int err;

	ser->magic = HUGETLB_LUO_SER_MAGIC;
	ser->length = sizeof(*ser);
	ser->pos = file->f_pos;
	ser->size = i_size_read(inode);
	ser->order = huge_page_order(h);
	ser->nr_folios = DIV_ROUND_UP_ULL(ser->size, huge_page_size(h));
	ser->seals = memfd_get_seals(file);
	if (!(inode->i_mode & 0111) && (ser->seals & F_SEAL_EXEC))
		ser->flags |= HUGETLB_LUO_NOEXEC;

	/* Make sure the file only has the seals supported by this version. */
	if (ser->seals & ~HUGETLB_LUO_ALL_SEALS)
		return -EOPNOTSUPP;
	/* More than memfd_pin_folios() can be asked for. */
	if (ser->nr_folios > UINT_MAX)
		return -EFBIG;

	err = hugetlb_pool_create();
	if (err)
		return err;

	err = hugetlb_luo_preserve_folios(file, ser, out);
	if (err)
		return err;

	hugetlb_pool_add(h, *out, ser->nr_folios, true);
	ser->crc = hugetlb_luo_crc(ser);

	return 0;
}

static int hugetlb_luo_preserve(struct liveupdate_file_op_args *args)
{
	struct inode *inode = file_inode(args->file);
	struct hugetlb_luo_folio_ser *folios_ser;
	struct hugetlb_luo_ser *ser;
	struct liveupdate_step step;
	int err;

	liveupdate_step_begin(&step, LIVEUPDATE_STEP_MEMFD_PRESERVE,
			      LIVEUPDATE_KIND_NONE, 0);
	inode_lock(inode);
	hugetlbfs_freeze(inode, true);

	ser = kho_alloc_preserve(sizeof(*ser));
	if (IS_ERR(ser)) {
		err = PTR_ERR(ser);
		goto err_unfreeze;
	}

	err = __hugetlb_luo_preserve(args->file, ser, &folios_ser);
	if (err)
		goto err_free;

	inode_unlock(inode);
	liveupdate_step_end(&step, 0, hugetlb_luo_pages(ser));

	args->private_data = folios_ser;
	args->serialized_data = virt_to_phys(ser);

	return 0;

err_free:
	kho_unpreserve_free(ser);
err_unfreeze:
	hugetlbfs_freeze(inode, false);
	inode_unlock(inode);
	liveupdate_step_end(&step, err, 0);

	return err;
}

/* The first page of the file that had a memory error since it was preserved, or NULL */
static struct folio *hugetlb_luo_poisoned(struct liveupdate_file_op_args *args)
{
	const struct hugetlb_luo_ser *ser = phys_to_virt(args->serialized_data);
	const struct hugetlb_luo_folio_ser *folios_ser = args->private_data;

	if (!memory_has_poison())
		return NULL;

	for (u64 i = 0; i < ser->nr_folios; i++)
		if (folio_test_hwpoison(pfn_folio(folios_ser[i].pfn)))
			return pfn_folio(folios_ser[i].pfn);
	return NULL;
}

static bool hugetlb_luo_veto(struct liveupdate_file_op_args *args, char *why,
			     size_t size)
{
	struct folio *folio = hugetlb_luo_poisoned(args);

	if (folio)
		snprintf(why, size, MEMORY_POISON_VETO, folio->index);
	return folio;
}

static int hugetlb_luo_freeze(struct liveupdate_file_op_args *args)
{
	struct hugetlb_luo_ser *ser = phys_to_virt(args->serialized_data);
	struct liveupdate_step step;
	struct folio *folio;

	liveupdate_step_begin(&step, LIVEUPDATE_STEP_MEMFD_FREEZE,
			      LIVEUPDATE_KIND_NONE, 0);
	folio = hugetlb_luo_poisoned(args);
	if (folio) {
		pr_warn(MEMORY_POISON_VETO "\n", folio->index);
		liveupdate_step_end(&step, -EHWPOISON, 0);
		return -EHWPOISON;
	}

	/* All else is as it was when the file was preserved. */
	ser->pos = args->file->f_pos;
	ser->crc = hugetlb_luo_crc(ser);
	liveupdate_step_end(&step, 0, hugetlb_luo_pages(ser));

	return 0;
}

static void hugetlb_luo_unpreserve(struct liveupdate_file_op_args *args)
{
	struct hugetlb_luo_ser *ser = phys_to_virt(args->serialized_data);
	struct hugetlb_luo_folio_ser *folios_ser = args->private_data;
	struct inode *inode = file_inode(args->file);
	u64 pages = hugetlb_luo_pages(ser);
	struct liveupdate_step step;

	liveupdate_step_begin(&step, LIVEUPDATE_STEP_MEMFD_UNPRESERVE,
			      LIVEUPDATE_KIND_NONE, 0);
	inode_lock(inode);

	if (ser->nr_folios) {
		hugetlb_pool_add(hstate_file(args->file), folios_ser,
				 ser->nr_folios, false);
		kho_unpreserve_vmalloc(&ser->folios);
		for (u64 i = 0; i < ser->nr_folios; i++) {
			struct folio *folio = pfn_folio(folios_ser[i].pfn);

			kho_unpreserve_folio(folio);
			unpin_folio(folio);
		}
		vfree(folios_ser);
	}

	kho_unpreserve_free(ser);
	hugetlbfs_freeze(inode, false);
	inode_unlock(inode);
	liveupdate_step_end(&step, 0, pages);
}

/**
 * struct hugetlb_luo_incoming - The pages of a memfd of the previous kernel.
 * @h:           What they are pages of, NULL if there are none of that size.
 * @order:       The order of a page.
 * @folios_ser:  What the previous kernel wrote about them.
 * @nr_folios:   How many entries @folios_ser has.
 * @nr_restored: How many of the first entries have been restored from KHO. A
 *               reference is held on each of these folios until .finish().
 *
 * Made by the first attempt to retrieve the file and kept until .finish(). A
 * preserved folio can be restored once only, so an attempt that fails leaves
 * the restored ones here for the next attempt.
 */
struct hugetlb_luo_incoming {
	struct hstate *h;
	unsigned int order;
	struct hugetlb_luo_folio_ser *folios_ser;
	u64 nr_folios;
	u64 nr_restored;
};

/* What the previous kernel wrote about a file, if it can be. */
static struct hugetlb_luo_ser *hugetlb_luo_incoming_ser(u64 data)
{
	struct hugetlb_luo_ser *ser;
	u64 room;

	if (kho_preserved_size(data) < sizeof(*ser))
		goto bad;

	ser = phys_to_virt(data);
	room = (u64)ser->folios.total_pages * PAGE_SIZE;
	if (ser->magic != HUGETLB_LUO_SER_MAGIC || ser->length != sizeof(*ser) ||
	    ser->crc != hugetlb_luo_crc(ser) ||
	    ser->size > MAX_LFS_FILESIZE || ser->pos > MAX_LFS_FILESIZE ||
	    (ser->seals & ~HUGETLB_LUO_ALL_SEALS) ||
	    (ser->flags & ~HUGETLB_LUO_NOEXEC) ||
	    !ser->order || ser->order > MAX_FOLIO_ORDER ||
	    ser->nr_folios != DIV_ROUND_UP_ULL(ser->size, PAGE_SIZE << ser->order) ||
	    (ser->nr_folios &&
	     ser->nr_folios > room / sizeof(struct hugetlb_luo_folio_ser)))
		goto bad;

	return ser;

bad:
	pr_err("the record %#llx of a preserved memfd is damaged\n", data);
	return NULL;
}

/* The struct pages of a GiB are prepared in a millisecond. */
#define HUGETLB_LUO_MAX_RUN(order) max(SZ_1G >> PAGE_SHIFT >> (order), 1UL)

/*
 * How many pages from @i on follow each other in memory, are in their place in the
 * file, and are preserved with the size of the file's: so many can be restored
 * at once. 0 if @i itself cannot be.
 */
static u64 hugetlb_luo_run(const struct hugetlb_luo_folio_ser *folios_ser, u64 i,
			   u64 nr_folios, unsigned int order)
{
	const struct hugetlb_luo_folio_ser *first = &folios_ser[i];
	u64 max = min_t(u64, nr_folios - i, HUGETLB_LUO_MAX_RUN(order));
	unsigned int found;
	u64 nr = 0;

	/* Another address would come out if it is none */
	if (first->pfn != PHYS_PFN(PFN_PHYS(first->pfn)))
		return 0;
	while (nr < max && first[nr].index == i + nr && !first[nr].flags &&
	       first[nr].pfn == first->pfn + (nr << order))
		nr++;
	if (!nr)
		return 0;

	nr = kho_preserved_run(PFN_PHYS(first->pfn), nr, &found);

	return nr && found == order ? nr : 0;
}

/* Each page has to be preserved with the size of the file's, and in its place. */
static int hugetlb_luo_check_folios(const struct hugetlb_luo_ser *ser,
				    const struct hugetlb_luo_folio_ser *folios_ser)
{
	u64 i, nr;

	for (i = 0; i < ser->nr_folios; i += nr) {
		nr = hugetlb_luo_run(folios_ser, i, ser->nr_folios, ser->order);
		if (!nr) {
			pr_err("page %llu of a preserved memfd is damaged: pfn %#llx, index %#llx\n",
			       i, folios_ser[i].pfn, folios_ser[i].index);
			return -EINVAL;
		}
		cond_resched();
	}

	return 0;
}

/* Whether the list of the pages is what the previous kernel made. */
static bool hugetlb_luo_has_list(const struct hugetlb_luo_ser *ser)
{
	return kho_vmalloc_check(&ser->folios,
				 ser->nr_folios * sizeof(struct hugetlb_luo_folio_ser),
				 ser->folios_crc);
}

/*
 * Nothing is restored but the list of the pages, and that only if all is well.
 * Without pages nothing can be retrieved, nor given back.
 */
static struct hugetlb_luo_incoming *
hugetlb_luo_incoming_create(const struct hugetlb_luo_ser *ser)
{
	struct hugetlb_luo_incoming *in __free(kfree) = kzalloc_obj(*in);

	if (!in)
		return ERR_PTR(-ENOMEM);

	in->order = ser->order;
	in->h = size_to_hstate(PAGE_SIZE << ser->order);
	if (ser->nr_folios && !hugetlb_luo_has_list(ser)) {
		pr_err("the list of the pages of a preserved memfd is damaged\n");
	} else if (ser->nr_folios) {
		in->folios_ser = kho_restore_vmalloc(&ser->folios);
		if (!in->folios_ser)
			return ERR_PTR(-ENOMEM);

		if (!hugetlb_luo_check_folios(ser, in->folios_ser))
			in->nr_folios = ser->nr_folios;
	}

	return_ptr(in);
}

static void hugetlb_luo_incoming_destroy(struct hugetlb_luo_incoming *in)
{
	vfree(in->folios_ser);
	kfree(in);
}

static void hugetlb_luo_adopt_folio(struct hugetlb_luo_incoming *in,
				    const struct hugetlb_luo_folio_ser *pfolio)
{
	struct folio *folio = pfn_folio(pfolio->pfn);

	if (in->h)
		hugetlb_adopt_folio(in->h, folio);
	if (pfolio->nid != folio_nid(folio))
		pr_info_once("node %u of the previous kernel is node %d of this one\n",
			     pfolio->nid, folio_nid(folio));
}

/*
 * The reference that is returned with the folio is the one @in has. Those that
 * follow it in memory are restored with it.
 */
static struct folio *hugetlb_luo_restore_folio(struct hugetlb_luo_incoming *in,
					       u64 i)
{
	phys_addr_t phys = PFN_PHYS(in->folios_ser[i].pfn);
	u64 nr;

	if (i < in->nr_restored)
		return pfn_folio(in->folios_ser[i].pfn);

	/* It is not preserved any more if the list has it twice. */
	nr = hugetlb_luo_run(in->folios_ser, i, in->nr_folios, in->order);
	if (!nr || kho_restore_folios(phys, in->order, nr)) {
		pr_err("page %llu of a preserved memfd cannot be restored: %pa\n", i,
		       &phys);
		return NULL;
	}
	for (u64 n = i; n < i + nr; n++)
		hugetlb_luo_adopt_folio(in, &in->folios_ser[n]);
	in->nr_restored = i + nr;

	return pfn_folio(in->folios_ser[i].pfn);
}

/* Add a page to a file that nobody else knows of yet, and charge the caller. */
static int hugetlb_luo_add_folio(struct inode *inode, struct folio *folio, u64 i,
				 struct hugetlb_cgroup *h_cg)
{
	struct hstate *h = hstate_inode(inode);
	int err;

	if (mem_cgroup_charge_hugetlb(folio, current->mm,
				      htlb_alloc_mask(h) | __GFP_RETRY_MAYFAIL))
		return -ENOMEM;
	lruvec_stat_mod_folio(folio, NR_HUGETLB, folio_nr_pages(folio));

	__folio_mark_uptodate(folio);
	err = hugetlb_add_to_page_cache(folio, inode->i_mapping, i);
	if (err) {
		lruvec_stat_mod_folio(folio, NR_HUGETLB, -folio_nr_pages(folio));
		mem_cgroup_uncharge(folio);
		return err;
	}
	folio_unlock(folio);

	guard(spinlock_irq)(&hugetlb_lock);
	hugetlb_cgroup_commit_charge(hstate_index(h), folio_nr_pages(folio), h_cg,
				     folio);

	return 0;
}

/* Undo hugetlb_luo_add_folio(). The next attempt may be made in other cgroups. */
static void hugetlb_luo_remove_folio(struct inode *inode, struct folio *folio)
{
	struct hstate *h = hstate_inode(inode);

	folio_lock(folio);
	folio_clear_dirty(folio);
	folio_clear_uptodate(folio);
	filemap_remove_folio(folio);
	folio_unlock(folio);

	scoped_guard(spinlock, &inode->i_lock)
		inode->i_blocks -= blocks_per_huge_page(h);
	scoped_guard(spinlock_irq, &hugetlb_lock)
		hugetlb_cgroup_uncharge_folio(hstate_index(h),
					      folio_nr_pages(folio), folio);
	lruvec_stat_mod_folio(folio, NR_HUGETLB, -folio_nr_pages(folio));
	mem_cgroup_uncharge(folio);
}

/*
 * All of the pages are added to the file, or none. Those that were restored on
 * the way are in @in.
 */
static int hugetlb_luo_retrieve_folios(struct file *file,
				       struct hugetlb_luo_incoming *in)
{
	const unsigned long nr_pages = pages_per_huge_page(in->h);
	const int idx = hstate_index(in->h);
	struct inode *inode = file_inode(file);
	struct hugetlb_cgroup *h_cg = NULL;
	struct folio *folio;
	u64 i;
	int err;

	/* What fails most often comes first. */
	err = hugetlb_cgroup_charge_cgroup(idx, in->nr_folios * nr_pages, &h_cg);
	if (err)
		return err;

	for (i = 0; i < in->nr_folios; i++) {
		err = -EINTR;
		if (fatal_signal_pending(current))
			goto err_remove;

		err = -EIO;
		folio = hugetlb_luo_restore_folio(in, i);
		if (!folio)
			goto err_remove;

		err = hugetlb_luo_add_folio(inode, folio, i, h_cg);
		if (err)
			goto err_remove;
		cond_resched();
	}

	err = hugetlb_reserve_present(inode, in->nr_folios);
	if (err)
		goto err_remove;

	return 0;

err_remove:
	hugetlb_cgroup_uncharge_cgroup(idx, (in->nr_folios - i) * nr_pages, h_cg);
	while (i--)
		hugetlb_luo_remove_folio(inode, pfn_folio(in->folios_ser[i].pfn));

	return err;
}

static struct file *hugetlb_luo_retrieve_file(const struct hugetlb_luo_ser *ser,
					      struct hugetlb_luo_incoming *in)
{
	unsigned int flags = MFD_HUGETLB |
			     huge_page_shift(in->h) << MFD_HUGE_SHIFT;
	struct inode *inode;
	struct file *file;
	int err;

	/* The seals are preserved, and added to those that the file has now. */
	flags |= ser->flags & HUGETLB_LUO_NOEXEC ? MFD_NOEXEC_SEAL : MFD_ALLOW_SEALING;
	file = memfd_alloc_file("", flags);
	if (IS_ERR(file))
		return file;
	inode = file_inode(file);

	err = memfd_add_seals(file, ser->seals);
	if (err)
		goto err_put_file;

	vfs_setpos(file, ser->pos, MAX_LFS_FILESIZE);
	i_size_write(inode, ser->size);

	if (in->nr_folios) {
		err = hugetlb_luo_retrieve_folios(file, in);
		if (err)
			goto err_put_file;
	}

	inode_lock(inode);
	hugetlbfs_freeze(inode, true);
	inode_unlock(inode);

	return file;

err_put_file:
	fput(file);
	return ERR_PTR(err);
}

/*
 * A device that was preserved with the memory does DMA to it before, during and
 * after this, see memfd_luo_retrieve(). So the file is frozen, as it was from
 * preserve on. A reference to each page is kept, so that it is not freed whatever
 * happens, and none is marked as migratable, without which it cannot be isolated.
 *
 * A retrieve that fails frees nothing.
 */
static int hugetlb_luo_retrieve(struct liveupdate_file_op_args *args)
{
	struct hugetlb_luo_incoming *in = args->private_data;
	struct hugetlb_luo_ser *ser;
	struct liveupdate_step step;
	struct file *file;
	int err;

	ser = hugetlb_luo_incoming_ser(args->serialized_data);
	if (!ser)
		return -EINVAL;

	liveupdate_step_begin(&step, LIVEUPDATE_STEP_MEMFD_RETRIEVE,
			      LIVEUPDATE_KIND_NONE, 0);
	args->unchanged = true;

	if (!in) {
		in = hugetlb_luo_incoming_create(ser);
		if (IS_ERR(in)) {
			err = PTR_ERR(in);
			goto err_end;
		}
		args->private_data = in;
	}

	err = -EINVAL;
	if (in->nr_folios != ser->nr_folios)
		goto err_end;

	err = -ENODEV;
	if (!in->h) {
		pr_err("a memfd cannot be retrieved: this kernel has no huge pages of %lu KiB\n",
		       (PAGE_SIZE << ser->order) / SZ_1K);
		goto err_end;
	}

	file = hugetlb_luo_retrieve_file(ser, in);
	if (IS_ERR(file)) {
		err = PTR_ERR(file);
		pr_warn("a memfd of %llu pages of %s cannot be retrieved: %pe\n",
			ser->nr_folios, in->h->name, file);
		goto err_end;
	}

	args->file = file;
	liveupdate_step_end(&step, 0, hugetlb_luo_pages(ser));

	return 0;

err_end:
	liveupdate_step_end(&step, err, 0);
	return err;
}

/* The pages are the file's from now on. */
static void hugetlb_luo_release_folios(struct file *file,
				       struct hugetlb_luo_incoming *in)
{
	struct inode *inode = file_inode(file);

	inode_lock(inode);
	for (u64 i = 0; i < in->nr_restored; i++) {
		struct folio *folio = pfn_folio(in->folios_ser[i].pfn);

		folio_set_hugetlb_migratable(folio);
		folio_put(folio);
		cond_resched();
	}
	hugetlbfs_freeze(inode, false);
	inode_unlock(inode);
}

/* Nobody retrieved the file: the pages go to the pool, or to the system. */
static void hugetlb_luo_discard_folios(struct hugetlb_luo_incoming *in)
{
	for (u64 i = 0; i < in->nr_folios; i++) {
		struct folio *folio = hugetlb_luo_restore_folio(in, i);

		if (!folio)
			continue;
		/* free_huge_folio() takes it from what is in use. */
		if (in->h)
			lruvec_stat_mod_folio(folio, NR_HUGETLB,
					      folio_nr_pages(folio));
		folio_put(folio);
		cond_resched();
	}
}

/* Only when no device reaches the memory any more: see .can_finish() of those. */
static void hugetlb_luo_finish(struct liveupdate_file_op_args *args)
{
	struct hugetlb_luo_incoming *in = args->private_data;
	struct hugetlb_luo_ser *ser;

	ser = hugetlb_luo_incoming_ser(args->serialized_data);
	if (!ser)
		return;

	if (!in)
		in = hugetlb_luo_incoming_create(ser);
	if (IS_ERR(in)) {
		pr_err("%llu bytes of a memfd that was not retrieved stay reserved: %pe\n",
		       ser->size, in);
		return;
	}

	if (args->retrieve_status > 0)
		hugetlb_luo_release_folios(args->file, in);
	else
		hugetlb_luo_discard_folios(in);

	hugetlb_luo_incoming_destroy(in);
	kho_restore_free(ser);
}

/* Nothing but what memfd_create() makes: other files have a place and a quota. */
static bool hugetlb_luo_can_preserve(struct liveupdate_file_handler *handler,
				     struct file *file)
{
	struct inode *inode = file_inode(file);

	return is_file_hugepages(file) &&
	       inode->i_sb->s_magic == HUGETLBFS_MAGIC &&
	       (inode->i_sb->s_flags & SB_KERNMOUNT) &&
	       S_ISREG(inode->i_mode) && !IS_PRIVATE(inode) && !inode->i_nlink;
}

static unsigned long hugetlb_luo_get_id(struct file *file)
{
	return (unsigned long)file_inode(file);
}

static const struct liveupdate_file_ops hugetlb_luo_file_ops = {
	.freeze = hugetlb_luo_freeze,
	.veto = hugetlb_luo_veto,
	.finish = hugetlb_luo_finish,
	.retrieve = hugetlb_luo_retrieve,
	.preserve = hugetlb_luo_preserve,
	.unpreserve = hugetlb_luo_unpreserve,
	.can_preserve = hugetlb_luo_can_preserve,
	.get_id = hugetlb_luo_get_id,
	.owner = THIS_MODULE,
};

static struct liveupdate_file_handler hugetlb_luo_handler = {
	.ops = &hugetlb_luo_file_ops,
	.compatible = HUGETLB_LUO_FH_COMPATIBLE,
};

static int __init hugetlb_luo_init(void)
{
	int err;

	/* The pools have been filled. */
	if (hugetlb_pool_in && kho_is_preserved(virt_to_phys(hugetlb_pool_in)))
		kho_restore_free(hugetlb_pool_in);
	hugetlb_pool_in = NULL;

	if (!hugepages_supported())
		return 0;

	err = liveupdate_register_file_handler(&hugetlb_luo_handler);
	if (err && err != -EOPNOTSUPP) {
		pr_err("Could not register luo filesystem handler: %pe\n",
		       ERR_PTR(err));
		return err;
	}

	return 0;
}
late_initcall(hugetlb_luo_init);

#ifdef CONFIG_LIVEUPDATE_DAMAGE_KUNIT_TEST
#include "hugetlb_luo_kunit.c"
#endif
