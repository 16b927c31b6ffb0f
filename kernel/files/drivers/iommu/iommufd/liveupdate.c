// SPDX-License-Identifier: GPL-2.0-only
/*
 * Preserve an iommufd and its page tables across a live update.
 */

/**
 * DOC: iommufd live update
 *
 * The user marks the HWPTs that have to cross the kexec, each with a token
 * (IOMMU_HWPT_LIVEUPDATE_MARK_PRESERVE), and preserves the iommufd file in a
 * live update session. Preserving the file preserves the page table of every
 * marked HWPT; a vfio device file preserved after it preserves that its device
 * is attached to one of them.
 *
 * The page tables are used by devices while nobody can answer for them, and in
 * the next kernel before anybody knows what they map. Two things follow.
 *
 * They do not change: an IOAS with a preserved HWPT refuses with -EBUSY
 * whatever would add, remove or split an area (iopt_check_mutable()), and a
 * preserved HWPT holds a reference to itself, so that it cannot be destroyed.
 *
 * They map nothing but memory that crosses with them. The next kernel hands
 * memory that it was not told of to anybody, and a device that can still reach
 * it would write there. So every page that a preserved page table maps is
 * looked up in the page table itself, and has to be the page at its place in a
 * memfd that is preserved in the same session already. Preserving a memfd
 * freezes it and pins its pages (mm/memfd_luo.c), hence what was true when it
 * was checked stays true. The page table tells its leaves, and each folio is
 * looked at once. Looking at each is not redundant with the seals
 * that are asked for as well: F_SEAL_SHRINK does not prevent that a hole is
 * punched and filled again, and then the file holds another page than the one
 * that was pinned and mapped before.
 *
 * In the next kernel the retrieved iommufd has a restored HWPT for each of
 * them (&struct iommufd_hwpt_restored): a page table without an IOAS. A device
 * is on its restored HWPT when it is bound, since its DMA never left it, and
 * attaching it to any other HWPT replaces the one by the other while DMA goes
 * on. The session cannot finish before every device has left: from then on
 * the memory is the user's to free.
 */
#define pr_fmt(fmt) "iommufd: " fmt

#include <linux/cleanup.h>
#include <linux/crc32.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/generic_pt/iommu.h>
#include <linux/io.h>
#include <linux/iommu-liveupdate.h>
#include <linux/iommufd.h>
#include <linux/kexec_handover.h>
#include <linux/kho/abi/iommu.h>
#include <linux/kho/abi/iommufd.h>
#include <linux/liveupdate.h>
#include <linux/liveupdate_trace.h>
#include <linux/memfd.h>
#include <linux/overflow.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "io_pagetable.h"
#include "iommufd_private.h"
#include "liveupdate.h"

/* Seals without which a file may become smaller than what is mapped of it */
#define IOMMUFD_LIVEUPDATE_SEALS (F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL)

/* Marks are found by their token */
static_assert(sizeof(unsigned long) >= sizeof(u64));

/**
 * struct iommufd_preserved_hwpt - a marked HWPT, with a reference
 * @hwpt:   the HWPT
 * @domain: the top of its page table
 * @left:   no device of the next kernel uses it, so that it is left behind
 */
struct iommufd_preserved_hwpt {
	struct iommufd_hwpt_paging *hwpt;
	u64 domain;
	bool left;
};

/**
 * struct iommufd_preserved - the HWPTs that a preserved iommufd holds on to
 * @num:   number of @hwpts
 * @hwpts: the marked HWPTs
 */
struct iommufd_preserved {
	unsigned int num;
	struct iommufd_preserved_hwpt hwpts[] __counted_by(num);
};

/**
 * iommufd_liveupdate_file_sealed() - Is the size of a file fixed for good?
 * @file: A file that is about to be mapped into an IOAS
 *
 * Return: true for a memfd that has the seals a preserved IOAS asks for.
 */
bool iommufd_liveupdate_file_sealed(struct file *file)
{
	int seals = memfd_get_seals(file);

	return seals >= 0 &&
	       (seals & IOMMUFD_LIVEUPDATE_SEALS) == IOMMUFD_LIVEUPDATE_SEALS;
}

static bool iommufd_is_preserved(struct iommufd_ctx *ictx)
{
	/* Pairs with the release of iommufd_liveupdate_unpreserve() */
	return smp_load_acquire(&ictx->liveupdate_preserved);
}

static int iommufd_mark_hwpt(struct iommufd_ctx *ictx,
			     struct iommufd_object *obj, u64 token)
{
	struct iommufd_hwpt_paging *hwpt_paging;
	int rc;

	if (obj->type == IOMMUFD_OBJ_HWPT_NESTED ||
	    obj->type == IOMMUFD_OBJ_HWPT_RESTORED)
		return -EOPNOTSUPP;
	if (obj->type != IOMMUFD_OBJ_HWPT_PAGING)
		return -ENOENT;

	hwpt_paging = container_of(obj, struct iommufd_hwpt_paging, common.obj);
	if (hwpt_paging->auto_domain || hwpt_paging->common.fault)
		return -EOPNOTSUPP;

	guard(mutex)(&ictx->liveupdate_lock);

	if (iommufd_is_preserved(ictx))
		return -EBUSY;
	if (xa_load(&ictx->liveupdate_marks, token))
		return -EADDRINUSE;
	if (hwpt_paging->liveupdate_marked_in)
		return -EBUSY;

	rc = xa_insert(&ictx->liveupdate_marks, token, hwpt_paging,
		       GFP_KERNEL_ACCOUNT);
	if (rc)
		return rc;
	hwpt_paging->liveupdate_token = token;
	hwpt_paging->liveupdate_marked_in = ictx;
	return 0;
}

/**
 * iommufd_hwpt_forget_mark() - A HWPT is not to be preserved any more
 * @hwpt_paging: HWPT that is being destroyed, or iommufd_ctx::liveupdate_lock is
 *               held and it is not preserved
 */
void iommufd_hwpt_forget_mark(struct iommufd_hwpt_paging *hwpt_paging)
{
	struct iommufd_ctx *ictx = hwpt_paging->liveupdate_marked_in;

	if (!ictx)
		return;
	xa_erase(&ictx->liveupdate_marks, hwpt_paging->liveupdate_token);
	hwpt_paging->liveupdate_marked_in = NULL;
}

static int iommufd_unmark_hwpt(struct iommufd_ctx *ictx, struct iommufd_object *obj)
{
	struct iommufd_hwpt_paging *hwpt_paging;

	if (obj->type != IOMMUFD_OBJ_HWPT_PAGING)
		return -ENOENT;
	hwpt_paging = container_of(obj, struct iommufd_hwpt_paging, common.obj);

	guard(mutex)(&ictx->liveupdate_lock);

	if (!hwpt_paging->liveupdate_marked_in)
		return -ENOENT;
	if (iommufd_is_preserved(ictx))
		return -EBUSY;
	iommufd_hwpt_forget_mark(hwpt_paging);
	return 0;
}

/* ioctl(IOMMU_HWPT_LIVEUPDATE_UNMARK) */
int iommufd_hwpt_liveupdate_unmark(struct iommufd_ucmd *ucmd)
{
	struct iommu_hwpt_liveupdate_unmark *cmd = ucmd->cmd;
	struct iommufd_object *obj;
	int rc;

	obj = iommufd_get_object(ucmd->ictx, cmd->hwpt_id, IOMMUFD_OBJ_ANY);
	if (IS_ERR(obj))
		return PTR_ERR(obj);
	rc = iommufd_unmark_hwpt(ucmd->ictx, obj);
	iommufd_put_object(ucmd->ictx, obj);
	return rc;
}

/*
 * ioctl(IOMMU_HWPT_LIVEUPDATE_MARK_PRESERVE). A mark that is refused tells its
 * caller alone: whoever has an iommufd could fill the ledger with it.
 */
int iommufd_hwpt_liveupdate_mark(struct iommufd_ucmd *ucmd)
{
	struct iommu_hwpt_liveupdate_mark_preserve *cmd = ucmd->cmd;
	struct iommufd_object *obj;
	int rc;

	if (!iommu_liveupdate_enabled())
		return -EOPNOTSUPP;

	obj = iommufd_get_object(ucmd->ictx, cmd->hwpt_id, IOMMUFD_OBJ_ANY);
	if (IS_ERR(obj))
		return PTR_ERR(obj);

	rc = iommufd_mark_hwpt(ucmd->ictx, obj, cmd->hwpt_token);
	if (!rc)
		liveupdate_step_instant(LIVEUPDATE_STEP_HWPT_MARK,
					LIVEUPDATE_KIND_HWPT, cmd->hwpt_token,
					0, 0);

	iommufd_put_object(ucmd->ictx, obj);
	return rc;
}

/* From here until iopt_unpreserve() the areas of @iopt are what they are now. */
static int iopt_preserve(struct io_pagetable *iopt)
{
	scoped_cond_guard(rwsem_write_kill, return -EINTR, &iopt->domains_rwsem)
		scoped_cond_guard(rwsem_write_kill, return -EINTR, &iopt->iova_rwsem)
			WRITE_ONCE(iopt->num_preserved, iopt->num_preserved + 1);
	return 0;
}

/*
 * Without the locks, which whoever asks for the IOVA ranges holds for as long as the
 * answer takes to be written: the reboot call comes here. Only the one session
 * that has the iommufd changes the number. Who finds that it is none finds the page
 * table as it is by then.
 */
static void iopt_unpreserve(struct io_pagetable *iopt)
{
	/* Pairs with the acquire in iopt_check_mutable() */
	smp_store_release(&iopt->num_preserved, iopt->num_preserved - 1);
}

/* After as many folios somebody else may need the CPU. */
#define IOMMUFD_FOLIOS_AT_ONCE 512

/*
 * How many bytes from @phys on are what the page cache @mapping holds from @pos
 * on, as far as one folio goes? The file is frozen and its folios are pinned, so
 * that the page cache holds what it is going to hold in the next kernel, and a
 * folio that it holds is neither split nor going to leave it.
 */
static __always_inline u64 iommufd_mapping_holds(struct address_space *mapping,
						 u64 pos, phys_addr_t phys)
{
	unsigned long pfn = PHYS_PFN(phys);
	struct folio *folio;
	u64 offset;

	if (!pfn_valid(pfn))
		return 0;
	folio = pfn_folio(pfn);
	if (READ_ONCE(folio->mapping) != mapping)
		return 0;
	offset = phys - PFN_PHYS(folio_pfn(folio));
	if (folio_pos(folio) + offset != pos)
		return 0;
	return folio_size(folio) - offset;
}

/* Inline, as is what it calls: an area may be of one folio. */
static __always_inline int iommufd_check_folios(struct iommufd_memory_check *check,
						phys_addr_t phys, dma_addr_t len)
{
	while (len) {
		u64 held = iommufd_mapping_holds(check->mapping, check->pos, phys);

		if (!held)
			return -EINVAL;
		held = min(held, len);
		check->pos += held;
		check->iova += held;
		phys += held;
		len -= held;

		if (++check->folios % IOMMUFD_FOLIOS_AT_ONCE)
			continue;
		cond_resched();
		if (fatal_signal_pending(current))
			return -EINTR;
	}
	return 0;
}

/**
 * iommufd_check_run() - Is what a page table maps what the memfd holds?
 * @arg:  a &struct iommufd_memory_check, whose place is then behind what is right
 * @iova: IOVA that follows what was looked at before
 * @phys: physical address that it is translated to
 * @len:  as many bytes go on together from both
 *
 * Folio by folio, whatever the sizes of the leaves: a leaf may hold many of them
 * or be a part of one, and the first and the last need not be there as a whole.
 *
 * Context: May sleep.
 * Return: 0; -EINVAL if it is not, and @arg tells where; -EINTR if the task is
 * being killed.
 */
int iommufd_check_run(void *arg, dma_addr_t iova, phys_addr_t phys, dma_addr_t len)
{
	return iommufd_check_folios(arg, phys, len);
}

/**
 * struct iommufd_areas_check - how far the areas of an IOAS were looked at
 * @memory:        what is looked at in @area
 * @area:          one of areas that follow each other without a gap
 * @session_files: the files of the session
 * @refused:       why an area was refused, or NULL
 */
struct iommufd_areas_check {
	struct iommufd_memory_check memory;
	struct iopt_area *area;
	const struct luo_file_set *session_files;
	const char *refused;
};

/* Can the memory of an area be of a memfd that crosses the kexec? NULL, or why not */
static const char *iopt_pages_refuse_memory(struct iopt_pages *pages,
					    struct iommufd_areas_check *check)
{
	if (pages->type != IOPT_ADDRESS_FILE)
		return "was not mapped with IOMMU_IOAS_MAP_FILE";
	if (!pages->sealed)
		return "was mapped before F_SEAL_GROW, F_SEAL_SHRINK and F_SEAL_SEAL were set";
	/* Most areas are of the same memfd as the one before */
	if (pages->file == check->memory.file)
		return NULL;
	if (!liveupdate_session_has_file(check->session_files, pages->file, NULL))
		return "is of a memfd that the session does not hold yet";
	check->memory.file = pages->file;
	check->memory.mapping = file_inode(pages->file)->i_mapping;
	return NULL;
}

/* Areas do not overlap, so that they are in the tree by their places. */
static struct iopt_area *iopt_area_next(struct iopt_area *area)
{
	struct rb_node *next = rb_next(&area->node.rb);

	return next ? rb_entry(next, struct iopt_area, node.rb) : NULL;
}

static int iommufd_check_begin_area(struct iommufd_areas_check *check,
				    struct iopt_area *area)
{
	check->area = area;
	check->memory.iova = iopt_area_iova(area);
	check->refused = iopt_pages_refuse_memory(area->pages, check);
	if (check->refused)
		return -EINVAL;
	check->memory.pos = area->pages->start +
			    iopt_area_start_byte(area, check->memory.iova);
	return 0;
}

/* A run may be of several areas, and an area may have many. */
static int iommufd_check_areas(void *arg, dma_addr_t iova, phys_addr_t phys,
			       dma_addr_t len)
{
	struct iommufd_areas_check *check = arg;

	while (len) {
		struct iopt_area *area = check->area;
		dma_addr_t size;
		int rc;

		if (iova > iopt_area_last_iova(area)) {
			area = iopt_area_next(area);
			rc = iommufd_check_begin_area(check, area);
			if (rc)
				return rc;
		}

		size = min(len, iopt_area_last_iova(area) - iova + 1);
		rc = iommufd_check_folios(&check->memory, phys, size);
		if (rc)
			return rc;
		iova += size;
		phys += size;
		len -= size;
	}
	return 0;
}

/* The last of the areas that follow each other, beginning with @area */
static struct iopt_area *iopt_area_last_contiguous(struct iopt_area *area)
{
	struct iopt_area *next;

	while ((next = iopt_area_next(area)) && next->pages &&
	       iopt_area_iova(next) == iopt_area_last_iova(area) + 1)
		area = next;
	return area;
}

/* Does all that @table maps from @first to @last cross the kexec with it? */
static int iopt_areas_check_memory(struct iopt_area *first, struct iopt_area *last,
				   struct pt_iommu *table, u64 token,
				   struct iommufd_areas_check *check)
{
	unsigned long iova = iopt_area_iova(first);
	int rc;

	rc = iommufd_check_begin_area(check, first);
	if (!rc)
		rc = table->ops->visit_runs(table, iova,
					    iopt_area_last_iova(last) - iova + 1,
					    iommufd_check_areas, check);
	if (!rc || rc == -EINTR)
		return rc;

	/* Nothing is mapped where the next one begins */
	if (check->memory.iova > iopt_area_last_iova(check->area))
		check->area = iopt_area_next(check->area);
	pr_warn("HWPT token %#llx cannot be preserved: IOVA %#lx-%#lx %s\n",
		token, check->memory.iova, iopt_area_last_iova(check->area),
		check->refused ?: "maps a page that is not in its memfd any more");
	return -EINVAL;
}

/* No lock is held but of this IOAS, which cannot change meanwhile in any case. */
static int iommufd_hwpt_check_memory(struct iommufd_hwpt_paging *hwpt_paging,
				     const struct luo_file_set *session_files,
				     u64 *npages)
{
	struct pt_iommu *table = iommupt_from_domain(hwpt_paging->common.domain);
	struct iommufd_areas_check check = { .session_files = session_files };
	struct io_pagetable *iopt = &hwpt_paging->ioas->iopt;
	struct iopt_area *first, *last;
	int rc;

	/* Of these nobody preserves the page table either */
	if (!table)
		return -EOPNOTSUPP;

	guard(rwsem_read)(&iopt->iova_rwsem);
	for (first = iopt_area_iter_first(iopt, 0, ULONG_MAX); first;
	     first = iopt_area_next(last)) {
		last = first;
		/* Somebody is at mapping it, too late: iopt_map_pages() */
		if (!first->pages)
			continue;
		last = iopt_area_last_contiguous(first);
		rc = iopt_areas_check_memory(first, last, table,
					     hwpt_paging->liveupdate_token,
					     &check);
		if (rc)
			return rc;
		*npages += (iopt_area_last_iova(last) - iopt_area_iova(first) + 1) /
			   PAGE_SIZE;
	}
	return 0;
}

static int __iommufd_hwpt_preserve(struct iommufd_hwpt_paging *hwpt_paging,
				   const struct luo_file_set *session_files, u64 file,
				   u64 *domain, u64 *npages)
{
	struct io_pagetable *iopt = &hwpt_paging->ioas->iopt;
	u64 token = hwpt_paging->liveupdate_token;
	int rc;

	/* What dirty tracking found out belongs to whoever started it */
	if (hwpt_paging->dirty_tracking) {
		pr_warn("HWPT token %#llx cannot be preserved: dirty tracking is enabled\n",
			token);
		return -EOPNOTSUPP;
	}

	rc = iopt_preserve(iopt);
	if (rc)
		return rc;
	rc = iommufd_hwpt_check_memory(hwpt_paging, session_files, npages);
	if (rc)
		goto err_unpreserve;

	rc = iommu_domain_preserve(hwpt_paging->common.domain, token, file, domain);
	if (rc) {
		pr_warn("HWPT token %#llx cannot be preserved: its page table cannot, %pe\n",
			token, ERR_PTR(rc));
		goto err_unpreserve;
	}

	WRITE_ONCE(hwpt_paging->liveupdate_preserved, true);
	return 0;

err_unpreserve:
	iopt_unpreserve(iopt);
	return rc;
}

static int iommufd_hwpt_preserve(struct iommufd_preserved_hwpt *preserved,
				 const struct luo_file_set *session_files, u64 file)
{
	struct iommufd_hwpt_paging *hwpt_paging = preserved->hwpt;
	struct liveupdate_step step;
	u64 npages = 0;
	int rc;

	liveupdate_step_begin(&step, LIVEUPDATE_STEP_HWPT_PRESERVE,
			      LIVEUPDATE_KIND_HWPT,
			      hwpt_paging->liveupdate_token);
	rc = __iommufd_hwpt_preserve(hwpt_paging, session_files, file,
				     &preserved->domain, &npages);
	liveupdate_step_end(&step, rc, npages);
	return rc;
}

static void iommufd_hwpt_unpreserve(struct iommufd_preserved_hwpt *preserved)
{
	struct iommufd_hwpt_paging *hwpt_paging = preserved->hwpt;
	struct liveupdate_step step;

	liveupdate_step_begin(&step, LIVEUPDATE_STEP_HWPT_UNPRESERVE,
			      LIVEUPDATE_KIND_HWPT,
			      hwpt_paging->liveupdate_token);
	if (!preserved->left)
		iommu_domain_unpreserve(hwpt_paging->common.domain);
	/* As in iopt_unpreserve() */
	smp_store_release(&hwpt_paging->liveupdate_preserved, false);
	iopt_unpreserve(&hwpt_paging->ioas->iopt);
	liveupdate_step_end(&step, 0, 0);
}

static void iommufd_put_preserved(struct iommufd_preserved *preserved)
{
	for (unsigned int i = 0; i < preserved->num; i++)
		refcount_dec(&preserved->hwpts[i].hwpt->common.obj.users);
	kfree(preserved);
}

/* Collect the marked HWPTs, with a reference that keeps them from being destroyed */
static struct iommufd_preserved *
iommufd_get_preserved(struct iommufd_ctx *ictx)
{
	struct iommufd_hwpt_paging *hwpt_paging;
	struct iommufd_preserved *preserved;
	unsigned int marked = 0;
	unsigned int num = 0;
	unsigned long token;

	/* No mark is added while this is held, though HWPTs may go */
	lockdep_assert_held(&ictx->liveupdate_lock);

	xa_lock(&ictx->liveupdate_marks);
	xa_for_each(&ictx->liveupdate_marks, token, hwpt_paging)
		marked++;
	xa_unlock(&ictx->liveupdate_marks);

	preserved = kzalloc_flex(*preserved, hwpts, marked);
	if (!preserved)
		return ERR_PTR(-ENOMEM);
	preserved->num = marked;

	/* One that is being destroyed is in there until iommufd_hwpt_forget_mark() */
	xa_lock(&ictx->liveupdate_marks);
	xa_for_each(&ictx->liveupdate_marks, token, hwpt_paging)
		if (refcount_inc_not_zero(&hwpt_paging->common.obj.users))
			preserved->hwpts[num++].hwpt = hwpt_paging;
	xa_unlock(&ictx->liveupdate_marks);
	preserved->num = num;

	return preserved;
}

static void iommufd_seal_ser(struct iommufd_ser *ser,
			     const struct iommufd_preserved *preserved)
{
	unsigned int num = 0;

	for (unsigned int i = 0; i < preserved->num; i++) {
		const struct iommufd_preserved_hwpt *pos = &preserved->hwpts[i];

		if (pos->left)
			continue;
		ser->hwpts[num].token = pos->hwpt->liveupdate_token;
		ser->hwpts[num++].domain = pos->domain;
	}
	ser->magic = IOMMUFD_SER_MAGIC;
	ser->size = struct_size(ser, hwpts, num);
	ser->num_hwpts = num;
	ser->crc = crc32_le(~0, &ser->size,
			    ser->size - offsetof(struct iommufd_ser, size));
}

static int iommufd_liveupdate_preserve(struct liveupdate_file_op_args *args)
{
	struct iommufd_ctx *ictx = args->file->private_data;
	struct iommufd_preserved *preserved;
	struct iommufd_ser *ser;
	unsigned int i;
	int rc;

	if (!iommu_liveupdate_enabled()) {
		pr_warn("cannot be preserved: IOMMU live update is off\n");
		return -EOPNOTSUPP;
	}

	/* Who sets dirty tracking may hold it for long */
	ACQUIRE(mutex_kill, lock)(&ictx->liveupdate_lock);
	rc = ACQUIRE_ERR(mutex_kill, &lock);
	if (rc)
		return rc;
	if (WARN_ON(iommufd_is_preserved(ictx)))
		return -EBUSY;

	preserved = iommufd_get_preserved(ictx);
	if (IS_ERR(preserved))
		return PTR_ERR(preserved);

	ser = kho_alloc_preserve(struct_size(ser, hwpts, preserved->num));
	if (IS_ERR(ser)) {
		rc = PTR_ERR(ser);
		goto err_put;
	}

	for (i = 0; i < preserved->num; i++) {
		rc = iommufd_hwpt_preserve(&preserved->hwpts[i],
					   args->session_files, virt_to_phys(ser));
		if (rc)
			goto err_unpreserve;
	}

	iommufd_seal_ser(ser, preserved);
	ictx->liveupdate_preserved = true;
	args->private_data = preserved;
	args->serialized_data = virt_to_phys(ser);
	return 0;

err_unpreserve:
	while (i--)
		iommufd_hwpt_unpreserve(&preserved->hwpts[i]);
	kho_unpreserve_free(ser);
err_put:
	iommufd_put_preserved(preserved);
	return rc;
}

/*
 * The next kernel makes a domain of a page table when it finds a device on it. One
 * that no device uses is left behind. Nobody can tell before: the devices are
 * preserved after their iommufd, and may be taken back one by one.
 */
static int iommufd_liveupdate_freeze(struct liveupdate_file_op_args *args)
{
	struct iommufd_preserved *preserved = args->private_data;

	for (unsigned int i = 0; i < preserved->num; i++) {
		struct iommufd_preserved_hwpt *pos = &preserved->hwpts[i];
		struct iommu_domain *domain = pos->hwpt->common.domain;

		if (pos->left || iommu_domain_has_preserved_device(domain))
			continue;
		pr_info("HWPT token %#llx is left behind: no preserved device is attached to it\n",
			pos->hwpt->liveupdate_token);
		iommu_domain_unpreserve(domain);
		pos->left = true;
	}
	iommufd_seal_ser(phys_to_virt(args->serialized_data), preserved);
	return 0;
}

/*
 * There was no jump. The IOAS have not changed, so that what was found out about
 * their memory is still true.
 */
static void iommufd_liveupdate_unfreeze(struct liveupdate_file_op_args *args)
{
	struct iommufd_preserved *preserved = args->private_data;

	for (unsigned int i = 0; i < preserved->num; i++) {
		struct iommufd_preserved_hwpt *pos = &preserved->hwpts[i];
		u64 token = pos->hwpt->liveupdate_token;
		int rc;

		if (!pos->left)
			continue;
		rc = iommu_domain_preserve(pos->hwpt->common.domain, token,
					   args->serialized_data, &pos->domain);
		pos->left = rc;
		if (rc)
			pr_warn("HWPT token %#llx is not preserved any more (%pe); close the session, and preserve again\n",
				token, ERR_PTR(rc));
	}
	iommufd_seal_ser(phys_to_virt(args->serialized_data), preserved);
}

static void iommufd_liveupdate_unpreserve(struct liveupdate_file_op_args *args)
{
	struct iommufd_ctx *ictx = args->file->private_data;
	struct iommufd_preserved *preserved = args->private_data;
	unsigned int i = preserved->num;

	while (i--)
		iommufd_hwpt_unpreserve(&preserved->hwpts[i]);
	kho_unpreserve_free(phys_to_virt(args->serialized_data));
	iommufd_put_preserved(preserved);
	/* Not with iommufd_ctx::liveupdate_lock, see iopt_unpreserve() */
	smp_store_release(&ictx->liveupdate_preserved, false);
}

static bool
iommufd_liveupdate_can_preserve(struct liveupdate_file_handler *handler,
				struct file *file)
{
	struct iommufd_ctx *ictx = iommufd_ctx_from_file(file);

	if (IS_ERR(ictx))
		return false;
	iommufd_ctx_put(ictx);
	return true;
}

static const struct liveupdate_file_ops iommufd_liveupdate_ops = {
	.can_preserve = iommufd_liveupdate_can_preserve,
	.preserve = iommufd_liveupdate_preserve,
	.unpreserve = iommufd_liveupdate_unpreserve,
	.freeze = iommufd_liveupdate_freeze,
	.unfreeze = iommufd_liveupdate_unfreeze,
	.retrieve = iommufd_liveupdate_retrieve,
	.check = iommufd_liveupdate_check,
	.can_finish = iommufd_liveupdate_can_finish,
	.finish = iommufd_liveupdate_finish,
	.owner = THIS_MODULE,
};

static struct liveupdate_file_handler iommufd_liveupdate_handler = {
	.ops = &iommufd_liveupdate_ops,
	.compatible = IOMMUFD_LIVEUPDATE_COMPATIBLE,
};

static int refuse_device(struct iommufd_device *idev, int rc, const char *reason)
{
	dev_warn(idev->dev, "cannot be preserved: %s (%pe)\n", reason,
		 ERR_PTR(rc));
	return rc;
}

/* Can a device go on using it? */
static int iommufd_hwpt_can_cross(struct iommufd_hw_pagetable *hwpt)
{
	if (hwpt && (hwpt->obj.type == IOMMUFD_OBJ_HWPT_NESTED || hwpt->fault))
		return -EOPNOTSUPP;
	return hwpt && iommufd_hwpt_is_preserved(hwpt) ? 0 : -EINVAL;
}

/**
 * iommufd_device_preserve() - Preserve what a device's DMA is translated with
 * @idev:          Device that is bound to an iommufd
 * @session_files: Files of the session that the device is being preserved in
 * @token:         The user's token for the device
 * @file:          Physical address of the record of the device's file
 * @iommufd_token: Set to the token of the device's iommufd in the session
 * @hwpt_token:    Set to the token of the HWPT that the device is attached to
 *
 * From here until iommufd_device_unpreserve() the device stays attached to what
 * it is attached to, in this kernel and in the next.
 *
 * Context: From the .preserve() callback of a live update file handler. The
 * caller prevents that @idev is unbound before iommufd_device_unpreserve().
 * Return: 0, or
 * * -ENOENT	 - The iommufd is not preserved in the session.
 * * -EINVAL	 - The device, or one of its PASIDs, is not attached to a preserved
 *		   HWPT.
 * * -EBUSY	 - The device is preserved already.
 * * -EOPNOTSUPP - It, or one of its PASIDs, is attached to a nested or faulting
 *		   HWPT.
 * * Any error of iommu_device_preserve().
 */
int iommufd_device_preserve(struct iommufd_device *idev,
			    const struct luo_file_set *session_files, u64 token,
			    u64 file, u64 *iommufd_token, u64 *hwpt_token)
{
	struct iommufd_group *igroup = idev->igroup;
	struct iommufd_hw_pagetable *hwpt;
	struct iommufd_attach *attach;
	unsigned long pasid;
	int rc;

	if (!liveupdate_session_has_file(session_files, idev->ictx->file,
					 iommufd_token))
		return refuse_device(idev, -ENOENT,
				     "its iommufd is not preserved in the same session before it");

	guard(mutex)(&igroup->lock);

	if (READ_ONCE(idev->liveupdate_preserved))
		return refuse_device(idev, -EBUSY, "it is preserved already");
	if (!igroup->group)
		return refuse_device(idev, -EOPNOTSUPP, "no IOMMU translates for it");

	hwpt = iommufd_device_attached_hwpt(idev, IOMMU_NO_PASID);
	rc = iommufd_hwpt_can_cross(hwpt);
	if (rc)
		return refuse_device(idev, rc, rc == -EOPNOTSUPP ?
				     "it is attached to a nested or faulting HWPT" :
				     "it is not attached to a HWPT that was marked and preserved");
	/* Of its group: each device of it has them all */
	xa_for_each_start(&igroup->pasid_attach, pasid, attach, IOMMU_NO_PASID + 1) {
		rc = iommufd_hwpt_can_cross(attach->hwpt);
		if (rc)
			return refuse_device(idev, rc, rc == -EOPNOTSUPP ?
					     "a PASID is attached to a nested or faulting HWPT" :
					     "a PASID is attached to a HWPT that was not marked and preserved");
	}

	rc = iommu_device_preserve(idev->dev, hwpt->domain, token, file);
	if (rc)
		return refuse_device(idev, rc, "its IOMMU refuses");

	idev->liveupdate_preserved = true;
	*hwpt_token = to_hwpt_paging(hwpt)->liveupdate_token;
	return 0;
}
EXPORT_SYMBOL_NS_GPL(iommufd_device_preserve, "IOMMUFD");

/**
 * iommufd_device_unpreserve() - Undo iommufd_device_preserve()
 * @idev: Device that is preserved
 */
void iommufd_device_unpreserve(struct iommufd_device *idev)
{
	iommu_device_unpreserve(idev->dev);
	/* Not with iommufd_group::lock, see iopt_unpreserve() */
	smp_store_release(&idev->liveupdate_preserved, false);
}
EXPORT_SYMBOL_NS_GPL(iommufd_device_unpreserve, "IOMMUFD");

/**
 * iommufd_device_can_detach() - May user space detach the device?
 * @idev:  Device that is bound to an iommufd
 * @pasid: With this PASID, or IOMMU_NO_PASID
 *
 * Return: 0, or -EBUSY if the device, or the HWPT that it is attached to, is
 * preserved for live update.
 */
int iommufd_device_can_detach(struct iommufd_device *idev, ioasid_t pasid)
{
	struct iommufd_hw_pagetable *hwpt;

	guard(mutex)(&idev->igroup->lock);

	if (READ_ONCE(idev->liveupdate_preserved))
		return -EBUSY;
	hwpt = iommufd_device_attached_hwpt(idev, pasid);
	/* A restored one is left by attaching to another */
	return hwpt && (iommufd_hwpt_is_preserved(hwpt) ||
			hwpt->obj.type == IOMMUFD_OBJ_HWPT_RESTORED) ?
	       -EBUSY : 0;
}
EXPORT_SYMBOL_NS_GPL(iommufd_device_can_detach, "IOMMUFD");

int iommufd_liveupdate_init(void)
{
	int rc;

	rc = liveupdate_register_file_handler(&iommufd_liveupdate_handler);
	if (rc)
		return rc == -EOPNOTSUPP ? 0 : rc;

	/* Without it nothing can be preserved, but sessions can still be read */
	rc = iommu_liveupdate_register_flb(&iommufd_liveupdate_handler);
	if (rc && rc != -EOPNOTSUPP) {
		liveupdate_unregister_file_handler(&iommufd_liveupdate_handler);
		return rc;
	}
	return 0;
}

void iommufd_liveupdate_exit(void)
{
	/* Takes its FLBs along; harmless if live update is off */
	liveupdate_unregister_file_handler(&iommufd_liveupdate_handler);
}
