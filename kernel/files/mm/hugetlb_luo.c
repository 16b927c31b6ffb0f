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
 * for them, too: contents, size, position, seals, file status flags, and that nobody
 * may execute the file cross, and all other properties are reset to default. Files of
 * a hugetlbfs that is mounted somewhere cannot be preserved.
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

#include <linux/err.h>
#include <linux/fs.h>
#include <linux/hugetlb.h>
#include <linux/io.h>
#include <linux/kexec_handover.h>
#include <linux/liveupdate.h>
#include <linux/liveupdate_trace.h>
#include <linux/magic.h>
#include <linux/memfd.h>
#include <linux/mm.h>
#include <linux/vmalloc.h>

#include "hugetlb_internal.h"
#include "hugetlb_luo.h"
#include "luo_poison.h"

static int hugetlb_luo_check_folio(struct folio *folio)
{
	phys_addr_t phys = PFN_PHYS(folio_pfn(folio));

	if (folio_test_hwpoison(folio)) {
		pr_warn_ratelimited("a memfd with a memory error cannot be preserved, at %pa\n",
				    &phys);
		return -EHWPOISON;
	}
	if (folio_test_hugetlb_cma(folio)) {
		pr_warn_ratelimited("a memfd with a page of hugetlb_cma= cannot be preserved, use hugepages= instead: %pa\n",
				    &phys);
		return -EOPNOTSUPP;
	}
	if (kho_scratch_overlap(phys, folio_size(folio))) {
		pr_warn_ratelimited("a memfd with a page in KHO's scratch memory cannot be preserved: %pa\n",
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

/* Fill all holes, and pin all pages. Each that was a hole is written to, so in steps. */
static int hugetlb_luo_pin_folios(struct file *file, struct folio **folios,
				  u64 nr_folios)
{
	struct hstate *h = hstate_file(file);
	const u64 batch = max(SZ_128M / huge_page_size(h), 1UL);
	u64 done = 0;
	pgoff_t offset;
	long nr;

	while (done < nr_folios) {
		nr = memfd_pin_folios(file, done << huge_page_shift(h),
				      i_size_read(file_inode(file)) - 1,
				      folios + done,
				      min(nr_folios - done, batch), &offset);
		if (nr <= 0) {
			nr = nr ?: -EIO;
			goto err_unpin;
		}
		done += nr;

		cond_resched();
		nr = -EINTR;
		if (fatal_signal_pending(current))
			goto err_unpin;
	}
	return 0;

err_unpin:
	unpin_folios(folios, done);
	pr_warn_ratelimited("the %llu pages of a memfd cannot be allocated from %s and pinned: %pe\n",
			    nr_folios, h->name, ERR_PTR(nr));
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

/* What can change until the file is frozen for the kexec. */
static int hugetlb_luo_record_file(struct file *file, struct hugetlb_luo_ser *ser)
{
	int seals = memfd_get_seals(file);

	if (seals < 0)
		return seals;
	/* Make sure the file only has the seals supported by this version. */
	if (seals & ~HUGETLB_LUO_ALL_SEALS)
		return -EOPNOTSUPP;

	ser->pos = file->f_pos;
	ser->seals = seals;
	ser->flags = file_inode(file)->i_mode & 0111 ? 0 : HUGETLB_LUO_NOEXEC;

	return 0;
}

static int __hugetlb_luo_preserve(struct file *file, struct hugetlb_luo_ser *ser,
				  struct hugetlb_luo_folio_ser **out)
{
	struct inode *inode = file_inode(file);
	struct hstate *h = hstate_file(file);
	int err;

	ser->magic = HUGETLB_LUO_SER_MAGIC;
	ser->length = sizeof(*ser);
	ser->size = i_size_read(inode);
	ser->order = huge_page_order(h);
	ser->nr_folios = DIV_ROUND_UP_ULL(ser->size, huge_page_size(h));
	err = hugetlb_luo_record_file(file, ser);
	if (err)
		return err;
	/* More than memfd_pin_folios() can be asked for. */
	if (ser->nr_folios > UINT_MAX)
		return -EFBIG;
	/* A file costs nothing until it has pages; lists of them do */
	if (ser->nr_folios > h->nr_huge_pages &&
	    ser->nr_folios - h->nr_huge_pages > h->nr_overcommit_huge_pages)
		return -ENOMEM;

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
	struct luo_outgoing_pages *pages;
	struct hugetlb_luo_ser *ser;
	struct liveupdate_step step;
	int err;

	/* As in memfd_luo_preserve() */
	if (!(args->file->f_mode & FMODE_WRITE)) {
		pr_warn_ratelimited("a memfd that is open for reading alone cannot be preserved\n");
		return -EPERM;
	}

	liveupdate_step_begin(&step, LIVEUPDATE_STEP_MEMFD_PRESERVE,
			      LIVEUPDATE_KIND_NONE, 0);
	pages = kmalloc_obj(*pages);
	if (!pages) {
		err = -ENOMEM;
		goto err_end;
	}
	pages->errors = memory_errors();

	err = inode_lock_killable(inode);
	if (err)
		goto err_free_pages;
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

	pages->list = folios_ser;
	args->private_data = pages;
	args->serialized_data = virt_to_phys(ser);

	return 0;

err_free:
	kho_unpreserve_free(ser);
err_unfreeze:
	hugetlbfs_freeze(inode, false);
	inode_unlock(inode);
err_free_pages:
	kfree(pages);
err_end:
	liveupdate_step_end(&step, err, 0);

	return err;
}

/* The first page of the file that had a memory error since it was preserved, or NULL */
static struct folio *hugetlb_luo_poisoned(struct liveupdate_file_op_args *args)
{
	const struct hugetlb_luo_ser *ser = phys_to_virt(args->serialized_data);
	const struct luo_outgoing_pages *pages = args->private_data;
	const struct hugetlb_luo_folio_ser *folios_ser = pages->list;

	if (memory_errors() == pages->errors)
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
	int err = 0;

	liveupdate_step_begin(&step, LIVEUPDATE_STEP_MEMFD_FREEZE,
			      LIVEUPDATE_KIND_NONE, 0);
	folio = hugetlb_luo_poisoned(args);
	if (folio) {
		pr_warn(MEMORY_POISON_VETO "\n", folio->index);
		err = -EHWPOISON;
	}

	/* All else is as it was when the file was preserved. */
	if (!err)
		err = hugetlb_luo_record_file(args->file, ser);
	ser->crc = hugetlb_luo_crc(ser);
	liveupdate_step_end(&step, err, err ? 0 : hugetlb_luo_pages(ser));

	return err;
}

static void hugetlb_luo_unpreserve(struct liveupdate_file_op_args *args)
{
	struct hugetlb_luo_ser *ser = phys_to_virt(args->serialized_data);
	struct luo_outgoing_pages *outgoing = args->private_data;
	struct hugetlb_luo_folio_ser *folios_ser = outgoing->list;
	struct inode *inode = file_inode(args->file);
	u64 pages = hugetlb_luo_pages(ser);
	struct liveupdate_step step;

	liveupdate_step_begin(&step, LIVEUPDATE_STEP_MEMFD_UNPRESERVE,
			      LIVEUPDATE_KIND_NONE, 0);

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

	kfree(outgoing);
	kho_unpreserve_free(ser);
	/* As memfd_luo_unpreserve() does: the inode lock may be somebody's for long */
	hugetlbfs_freeze(inode, false);
	liveupdate_step_end(&step, 0, pages);
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
