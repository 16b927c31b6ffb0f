// SPDX-License-Identifier: GPL-2.0-only
/*
 * Give back memfds of hugetlb after a live update, see hugetlb_luo.c.
 */

#define pr_fmt(fmt) "hugetlb_luo: " fmt

#include <linux/cleanup.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/hugetlb.h>
#include <linux/hugetlb_cgroup.h>
#include <linux/io.h>
#include <linux/kexec_handover.h>
#include <linux/liveupdate.h>
#include <linux/liveupdate_trace.h>
#include <linux/memcontrol.h>
#include <linux/memfd.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <linux/vmstat.h>
#include <uapi/linux/memfd.h>

#include "hugetlb_internal.h"
#include "hugetlb_luo.h"
#include "internal.h"

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

/* Whether what another kernel wrote about a file can be. */
static bool hugetlb_luo_ser_is_valid(const struct hugetlb_luo_ser *ser)
{
	u64 room = (u64)ser->folios.total_pages * PAGE_SIZE;

	return ser->magic == HUGETLB_LUO_SER_MAGIC &&
	       ser->length == sizeof(*ser) && ser->crc == hugetlb_luo_crc(ser) &&
	       ser->size <= MAX_LFS_FILESIZE && ser->pos <= MAX_LFS_FILESIZE &&
	       !(ser->seals & ~HUGETLB_LUO_ALL_SEALS) &&
	       !(ser->flags & ~HUGETLB_LUO_NOEXEC) &&
	       ser->order && ser->order <= MAX_FOLIO_ORDER &&
	       ser->nr_folios == DIV_ROUND_UP_ULL(ser->size, PAGE_SIZE << ser->order) &&
	       ser->nr_folios <= room / sizeof(struct hugetlb_luo_folio_ser);
}

/* What the previous kernel wrote about a file, if it can be. */
static struct hugetlb_luo_ser *hugetlb_luo_incoming_ser(u64 data)
{
	struct hugetlb_luo_ser *ser = phys_to_virt(data);

	if (kho_preserved_size(data) >= sizeof(*ser) &&
	    hugetlb_luo_ser_is_valid(ser))
		return ser;

	pr_err("the record %#llx of a preserved memfd is damaged\n", data);
	return NULL;
}

/* The struct pages of a GiB are prepared in a millisecond. */
#define HUGETLB_LUO_MAX_RUN(order) max(SZ_1G >> PAGE_SHIFT >> (order), 1UL)

/* How many pages are added to a file at once. */
#define HUGETLB_LUO_BATCH		64U

/*
 * How many pages from @i on, and before @end, follow each other in memory and are in
 * their place in the file. 0 if @i itself cannot be.
 */
static u64 hugetlb_luo_count_run(const struct hugetlb_luo_folio_ser *folios_ser,
				 u64 i, u64 end, unsigned int order)
{
	const struct hugetlb_luo_folio_ser *first = &folios_ser[i];
	u64 max = min_t(u64, end - i, HUGETLB_LUO_MAX_RUN(order));
	u64 nr = 0;

	/* Another address would come out if it is none */
	if (first->pfn != PHYS_PFN(PFN_PHYS(first->pfn)))
		return 0;
	while (nr < max && first[nr].index == i + nr && !first[nr].flags &&
	       first[nr].pfn == first->pfn + (nr << order))
		nr++;

	return nr;
}

/* How many of them are preserved, too: so many can be restored at once. */
static u64 hugetlb_luo_preserved_run(const struct hugetlb_luo_folio_ser *folios_ser,
				     u64 i, u64 end, unsigned int order)
{
	u64 nr = hugetlb_luo_count_run(folios_ser, i, end, order);

	return nr ? kho_preserved_run(PFN_PHYS(folios_ser[i].pfn), order, nr) : 0;
}

/* Each page has to be preserved with the size of the file's, and in its place. */
static int hugetlb_luo_check_folios(const struct hugetlb_luo_ser *ser,
				    const struct hugetlb_luo_folio_ser *folios_ser)
{
	u64 i, nr;

	for (i = 0; i < ser->nr_folios; i += nr) {
		nr = hugetlb_luo_preserved_run(folios_ser, i, ser->nr_folios,
					       ser->order);
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

static struct folio *hugetlb_luo_folio(const struct hugetlb_luo_incoming *in,
				       u64 i)
{
	return pfn_folio(in->folios_ser[i].pfn);
}

/* How many of the restored pages that follow each other are on the node of the first. */
static u64 hugetlb_luo_same_node(const struct hugetlb_luo_incoming *in, u64 i,
				 u64 most)
{
	const int nid = folio_nid(hugetlb_luo_folio(in, i));
	u64 nr = 1;

	while (nr < most && folio_nid(hugetlb_luo_folio(in, i + nr)) == nid)
		nr++;

	return nr;
}

static void hugetlb_luo_adopt_folios(struct hugetlb_luo_incoming *in, u64 i, u64 nr)
{
	const u64 end = i + nr;

	for (; i < end; i += nr) {
		struct folio *folio = hugetlb_luo_folio(in, i);

		nr = hugetlb_luo_same_node(in, i, end - i);
		if (in->h)
			hugetlb_adopt_folios(in->h, folio, nr);
		if (in->folios_ser[i].nid != folio_nid(folio))
			pr_info_once("node %u of the previous kernel is node %d of this one\n",
				     in->folios_ser[i].nid, folio_nid(folio));
	}
}

/*
 * Have a page restored, and those that follow it in memory with it: so many as are
 * returned, 0 if it cannot be. The references are those that @in has.
 */
static u64 hugetlb_luo_restore_run(struct hugetlb_luo_incoming *in, u64 i)
{
	phys_addr_t phys = PFN_PHYS(in->folios_ser[i].pfn);
	u64 nr;

	if (i < in->nr_restored)
		return hugetlb_luo_count_run(in->folios_ser, i, in->nr_restored,
					     in->order);

	/* It is not preserved any more if the list has it twice. */
	nr = hugetlb_luo_preserved_run(in->folios_ser, i, in->nr_folios, in->order);
	if (!nr || kho_restore_folios(phys, in->order, nr)) {
		pr_err("page %llu of a preserved memfd cannot be restored: %pa\n", i,
		       &phys);
		return 0;
	}
	hugetlb_luo_adopt_folios(in, i, nr);
	in->nr_restored = i + nr;

	return nr;
}

/* Take back what a page was charged and counted with. */
static void hugetlb_luo_uncharge_folio(struct folio *folio)
{
	folio_clear_dirty(folio);
	folio_clear_uptodate(folio);
	lruvec_stat_mod_folio(folio, NR_HUGETLB, -folio_nr_pages(folio));
	mem_cgroup_uncharge(folio);
}

/*
 * Add @nr pages of one node to a file that nobody else knows of yet, and charge the
 * caller. The first one is page @i of the file. Returns how many have been added.
 */
static unsigned int hugetlb_luo_add_folios(struct inode *inode,
					   const struct hugetlb_luo_incoming *in,
					   u64 i, unsigned int nr)
{
	const unsigned long nr_pages = pages_per_huge_page(in->h);
	const int idx = hstate_index(in->h);
	struct folio *folios[HUGETLB_LUO_BATCH];
	struct hugetlb_cgroup *h_cg = NULL;
	unsigned int added = 0, n;

	for (n = 0; n < nr; n++)
		folios[n] = hugetlb_luo_folio(in, i + n);

	/* No more than this at once: the cgroup cannot go before it is committed. */
	if (hugetlb_cgroup_charge_cgroup(idx, nr * nr_pages, &h_cg))
		return 0;
	if (mem_cgroup_charge_hugetlb_folios(folios, nr, current->mm,
					     htlb_alloc_mask(in->h) |
					     __GFP_RETRY_MAYFAIL))
		goto out_uncharge;
	lruvec_stat_mod_folio(folios[0], NR_HUGETLB, nr * nr_pages);

	/* Dirty, so that only hugetlbfs itself removes them from the file */
	for (n = 0; n < nr; n++) {
		__folio_mark_uptodate(folios[n]);
		folio_set_dirty(folios[n]);
	}

	added = filemap_add_folios(folios, nr, inode->i_mapping, i << in->order,
				   GFP_KERNEL);
	for (n = added; n < nr; n++)
		hugetlb_luo_uncharge_folio(folios[n]);

	scoped_guard(spinlock, &inode->i_lock)
		inode->i_blocks += added * blocks_per_huge_page(in->h);
	scoped_guard(spinlock_irq, &hugetlb_lock)
		for (n = 0; n < added; n++)
			hugetlb_cgroup_commit_charge(idx, nr_pages, h_cg, folios[n]);

out_uncharge:
	if (added < nr)
		hugetlb_cgroup_uncharge_cgroup(idx, (nr - added) * nr_pages, h_cg);
	return added;
}

/* Undo hugetlb_luo_add_folios(). The next attempt may be made in other cgroups. */
static void hugetlb_luo_remove_folio(struct inode *inode, struct folio *folio)
{
	struct hstate *h = hstate_inode(inode);

	folio_lock(folio);
	folio_clear_dirty(folio);
	filemap_remove_folio(folio);
	folio_unlock(folio);

	scoped_guard(spinlock, &inode->i_lock)
		inode->i_blocks -= blocks_per_huge_page(h);
	scoped_guard(spinlock_irq, &hugetlb_lock)
		hugetlb_cgroup_uncharge_folio(hstate_index(h),
					      folio_nr_pages(folio), folio);
	hugetlb_luo_uncharge_folio(folio);
}

/*
 * All of the pages are added to the file, or none. Those that were restored on
 * the way are in @in.
 */
static int hugetlb_luo_retrieve_folios(struct file *file,
				       struct hugetlb_luo_incoming *in)
{
	struct inode *inode = file_inode(file);
	u64 i, nr, added;
	int err;

	for (i = 0; i < in->nr_folios; i += added) {
		err = -EINTR;
		if (fatal_signal_pending(current))
			goto err_remove;

		err = -EIO;
		nr = hugetlb_luo_restore_run(in, i);
		if (!nr)
			goto err_remove;

		nr = hugetlb_luo_same_node(in, i, min(nr, HUGETLB_LUO_BATCH));
		added = hugetlb_luo_add_folios(inode, in, i, nr);
		if (added < nr) {
			i += added;
			err = -ENOMEM;
			goto err_remove;
		}
		cond_resched();
	}

	err = hugetlb_reserve_present(inode, in->nr_folios);
	if (err)
		goto err_remove;

	return 0;

err_remove:
	while (i--)
		hugetlb_luo_remove_folio(inode, hugetlb_luo_folio(in, i));

	return err;
}

static struct file *hugetlb_luo_retrieve_file(const struct hugetlb_luo_ser *ser,
					      struct hugetlb_luo_incoming *in)
{
	/* Allow sealing, as the seals that are preserved are added later. */
	unsigned int flags = MFD_HUGETLB | MFD_ALLOW_SEALING |
			     huge_page_shift(in->h) << MFD_HUGE_SHIFT;
	struct inode *inode;
	struct file *file;
	int err;

	file = memfd_alloc_file("", flags);
	if (IS_ERR(file))
		return file;
	inode = file_inode(file);

	/* First: F_SEAL_EXEC seals what can be executed against writing, too. */
	if (ser->flags & HUGETLB_LUO_NOEXEC)
		inode->i_mode &= ~0111;
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
int hugetlb_luo_retrieve(struct liveupdate_file_op_args *args)
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

/* The pages are the file's from now on; as with memfd_luo_release_folios(). */
static void hugetlb_luo_release_folios(struct file *file,
				       struct hugetlb_luo_incoming *in)
{
	struct inode *inode = file_inode(file);

	for (u64 i = 0; i < in->nr_restored; i++) {
		struct folio *folio = hugetlb_luo_folio(in, i);

		/* memory_failure() relies on it that a bad one stays where it is */
		scoped_guard(spinlock_irq, &hugetlb_lock)
			if (!folio_test_hwpoison(folio))
				folio_set_hugetlb_migratable(folio);
		folio_put(folio);
		cond_resched();
	}
	hugetlbfs_freeze(inode, false);
}

/* Nobody retrieved the file: the pages go to the pool, or to the system. */
static void hugetlb_luo_discard_folios(struct hugetlb_luo_incoming *in)
{
	u64 end;

	for (u64 i = 0; i < in->nr_folios; cond_resched()) {
		end = i + hugetlb_luo_restore_run(in, i);
		if (end == i)
			i++;

		for (; i < end; i++) {
			struct folio *folio = hugetlb_luo_folio(in, i);

			/* free_huge_folio() takes it from what is in use. */
			if (in->h)
				lruvec_stat_mod_folio(folio, NR_HUGETLB,
						      folio_nr_pages(folio));
			folio_put(folio);
		}
	}
}

/* Only when no device reaches the memory any more: see .can_finish() of those. */
void hugetlb_luo_finish(struct liveupdate_file_op_args *args)
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

#ifdef CONFIG_LIVEUPDATE_HUGETLB_KUNIT_TEST
#include "hugetlb_luo_kunit.c"
#endif

#ifdef CONFIG_LIVEUPDATE_DAMAGE_KUNIT_TEST
#include "hugetlb_luo_damage_kunit.c"
#endif
