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
 * was checked stays true. Looking at each page is not redundant with the seals
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
#include <linux/pci.h>
#include <linux/slab.h>

#include "io_pagetable.h"
#include "iommufd_private.h"

/* Seals without which a file may become smaller than what is mapped of it */
#define IOMMUFD_LIVEUPDATE_SEALS (F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL)

/**
 * struct iommufd_preserved - the HWPTs that a preserved iommufd holds on to
 * @num:   number of @hwpts
 * @hwpts: the marked HWPTs, each with a reference
 */
struct iommufd_preserved {
	unsigned int num;
	struct iommufd_hwpt_paging *hwpts[] __counted_by(num);
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

static int iommufd_mark_hwpt(struct iommufd_ctx *ictx,
			     struct iommufd_object *obj, u64 token)
{
	struct iommufd_hwpt_paging *hwpt_paging;
	struct iommufd_object *other;
	unsigned long index;

	if (obj->type == IOMMUFD_OBJ_HWPT_NESTED ||
	    obj->type == IOMMUFD_OBJ_HWPT_RESTORED)
		return -EOPNOTSUPP;
	if (obj->type != IOMMUFD_OBJ_HWPT_PAGING)
		return -ENOENT;

	hwpt_paging = container_of(obj, struct iommufd_hwpt_paging, common.obj);
	if (hwpt_paging->auto_domain || hwpt_paging->common.fault)
		return -EOPNOTSUPP;

	guard(mutex)(&ictx->liveupdate_lock);

	if (ictx->liveupdate_preserved)
		return -EBUSY;

	xa_lock(&ictx->objects);
	xa_for_each(&ictx->objects, index, other) {
		struct iommufd_hwpt_paging *iter;

		if (other->type != IOMMUFD_OBJ_HWPT_PAGING)
			continue;
		iter = container_of(other, struct iommufd_hwpt_paging,
				    common.obj);
		if (iter->liveupdate_marked && iter->liveupdate_token == token) {
			xa_unlock(&ictx->objects);
			return -EADDRINUSE;
		}
	}
	xa_unlock(&ictx->objects);

	if (hwpt_paging->liveupdate_marked)
		return -EBUSY;

	hwpt_paging->liveupdate_token = token;
	hwpt_paging->liveupdate_marked = true;
	return 0;
}

/* ioctl(IOMMU_HWPT_LIVEUPDATE_MARK_PRESERVE) */
int iommufd_hwpt_liveupdate_mark(struct iommufd_ucmd *ucmd)
{
	struct iommu_hwpt_liveupdate_mark_preserve *cmd = ucmd->cmd;
	struct iommufd_object *obj;
	struct liveupdate_step step;
	int rc;

	if (!iommu_liveupdate_enabled())
		return -EOPNOTSUPP;

	obj = iommufd_get_object(ucmd->ictx, cmd->hwpt_id, IOMMUFD_OBJ_ANY);
	if (IS_ERR(obj))
		return PTR_ERR(obj);

	liveupdate_step_begin(&step, LIVEUPDATE_STEP_HWPT_MARK,
			      LIVEUPDATE_KIND_HWPT, cmd->hwpt_token);
	rc = iommufd_mark_hwpt(ucmd->ictx, obj, cmd->hwpt_token);
	liveupdate_step_end(&step, rc, 0);

	iommufd_put_object(ucmd->ictx, obj);
	return rc;
}

/* From here until iopt_unpreserve() the areas of @iopt are what they are now. */
static void iopt_preserve(struct io_pagetable *iopt)
{
	guard(rwsem_write)(&iopt->domains_rwsem);
	guard(rwsem_write)(&iopt->iova_rwsem);
	iopt->num_preserved++;
}

static void iopt_unpreserve(struct io_pagetable *iopt)
{
	guard(rwsem_write)(&iopt->domains_rwsem);
	guard(rwsem_write)(&iopt->iova_rwsem);
	iopt->num_preserved--;
}

/*
 * Is the memory at @phys the page of @file at @index? The file is frozen and its
 * pages are pinned, so the page cache holds what it is going to hold in the next
 * kernel, and a page that it holds is not going to leave it.
 */
static bool iommufd_file_page_is(struct file *file, pgoff_t index,
				 phys_addr_t phys)
{
	unsigned long pfn = PHYS_PFN(phys);
	struct folio *folio;

	if (!phys || !pfn_valid(pfn))
		return false;
	folio = pfn_folio(pfn);
	return READ_ONCE(folio->mapping) == file_inode(file)->i_mapping &&
	       folio->index + folio_page_idx(folio, pfn_to_page(pfn)) == index;
}

/* Does all that @domain maps in @area cross the kexec together with it? */
static int iopt_area_check_memory(struct iopt_area *area,
				  struct iommu_domain *domain,
				  const struct luo_file_set *session_files,
				  u64 token, u64 *npages)
{
	struct iopt_pages *pages = area->pages;
	unsigned long last = iopt_area_last_iova(area);
	unsigned long iova = iopt_area_iova(area);
	const char *reason;

	if (pages->type != IOPT_ADDRESS_FILE) {
		reason = "was not mapped with IOMMU_IOAS_MAP_FILE";
		goto refuse;
	}
	if (!pages->sealed) {
		reason = "was mapped before F_SEAL_GROW, F_SEAL_SHRINK and F_SEAL_SEAL were set";
		goto refuse;
	}
	if (!liveupdate_session_has_file(session_files, pages->file, NULL)) {
		reason = "is of a memfd that the session does not hold yet";
		goto refuse;
	}

	while (true) {
		unsigned long start_byte = iopt_area_start_byte(area, iova);
		pgoff_t index = (pages->start + start_byte) / PAGE_SIZE;
		unsigned long left = PAGE_SIZE - offset_in_page(start_byte);

		if (!iommufd_file_page_is(pages->file, index,
					  iommu_iova_to_phys(domain, iova))) {
			reason = "maps a page that is not in its memfd any more";
			goto refuse;
		}
		(*npages)++;
		if (last - iova < left)
			return 0;
		iova += left;
		cond_resched();
	}

refuse:
	pr_warn("HWPT token %#llx cannot be preserved: IOVA %#lx-%#lx %s\n",
		token, iova, last, reason);
	return -EINVAL;
}

static int iommufd_hwpt_check_memory(struct iommufd_hwpt_paging *hwpt_paging,
				     const struct luo_file_set *session_files,
				     u64 *npages)
{
	struct io_pagetable *iopt = &hwpt_paging->ioas->iopt;
	struct iopt_area *area;
	int rc;

	guard(rwsem_read)(&iopt->iova_rwsem);
	for (area = iopt_area_iter_first(iopt, 0, ULONG_MAX); area;
	     area = iopt_area_iter_next(area, 0, ULONG_MAX)) {
		/* Somebody is at mapping it, too late: iopt_map_pages() */
		if (!area->pages)
			continue;
		rc = iopt_area_check_memory(area, hwpt_paging->common.domain,
					    session_files,
					    hwpt_paging->liveupdate_token,
					    npages);
		if (rc)
			return rc;
	}
	return 0;
}

static int __iommufd_hwpt_preserve(struct iommufd_hwpt_paging *hwpt_paging,
				   const struct luo_file_set *session_files,
				   struct iommufd_hwpt_ser *ser, u64 *npages)
{
	struct io_pagetable *iopt = &hwpt_paging->ioas->iopt;
	u64 token = hwpt_paging->liveupdate_token;
	u64 domain;
	int rc;

	/* What dirty tracking found out belongs to whoever started it */
	if (hwpt_paging->dirty_tracking) {
		pr_warn("HWPT token %#llx cannot be preserved: dirty tracking is enabled\n",
			token);
		return -EOPNOTSUPP;
	}

	iopt_preserve(iopt);
	rc = iommufd_hwpt_check_memory(hwpt_paging, session_files, npages);
	if (rc)
		goto err_unpreserve;

	rc = iommu_domain_preserve(hwpt_paging->common.domain, token, &domain);
	if (rc) {
		pr_warn("HWPT token %#llx cannot be preserved: its page table cannot, %pe\n",
			token, ERR_PTR(rc));
		goto err_unpreserve;
	}

	ser->token = token;
	ser->domain = domain;
	WRITE_ONCE(hwpt_paging->liveupdate_preserved, true);
	return 0;

err_unpreserve:
	iopt_unpreserve(iopt);
	return rc;
}

static int iommufd_hwpt_preserve(struct iommufd_hwpt_paging *hwpt_paging,
				 const struct luo_file_set *session_files,
				 struct iommufd_hwpt_ser *ser)
{
	struct liveupdate_step step;
	u64 npages = 0;
	int rc;

	liveupdate_step_begin(&step, LIVEUPDATE_STEP_HWPT_PRESERVE,
			      LIVEUPDATE_KIND_HWPT,
			      hwpt_paging->liveupdate_token);
	rc = __iommufd_hwpt_preserve(hwpt_paging, session_files, ser, &npages);
	liveupdate_step_end(&step, rc, npages);
	return rc;
}

static void iommufd_hwpt_unpreserve(struct iommufd_hwpt_paging *hwpt_paging)
{
	struct liveupdate_step step;

	liveupdate_step_begin(&step, LIVEUPDATE_STEP_HWPT_UNPRESERVE,
			      LIVEUPDATE_KIND_HWPT,
			      hwpt_paging->liveupdate_token);
	WRITE_ONCE(hwpt_paging->liveupdate_preserved, false);
	iommu_domain_unpreserve(hwpt_paging->common.domain);
	iopt_unpreserve(&hwpt_paging->ioas->iopt);
	liveupdate_step_end(&step, 0, 0);
}

static struct iommufd_hwpt_paging *
iommufd_marked_hwpt(struct iommufd_object *obj)
{
	struct iommufd_hwpt_paging *hwpt_paging;

	if (obj->type != IOMMUFD_OBJ_HWPT_PAGING)
		return NULL;
	hwpt_paging = container_of(obj, struct iommufd_hwpt_paging, common.obj);
	return hwpt_paging->liveupdate_marked ? hwpt_paging : NULL;
}

static void iommufd_put_preserved(struct iommufd_preserved *preserved)
{
	for (unsigned int i = 0; i < preserved->num; i++)
		refcount_dec(&preserved->hwpts[i]->common.obj.users);
	kfree(preserved);
}

/* Collect the marked HWPTs, with a reference that keeps them from being destroyed */
static struct iommufd_preserved *
iommufd_get_preserved(struct iommufd_ctx *ictx)
{
	struct iommufd_preserved *preserved;
	struct iommufd_object *obj;
	unsigned int marked = 0;
	unsigned int num = 0;
	unsigned long index;

	/* No mark is added while this is held, though HWPTs may go */
	lockdep_assert_held(&ictx->liveupdate_lock);

	xa_lock(&ictx->objects);
	xa_for_each(&ictx->objects, index, obj)
		marked += !!iommufd_marked_hwpt(obj);
	xa_unlock(&ictx->objects);

	preserved = kzalloc_flex(*preserved, hwpts, marked);
	if (!preserved)
		return ERR_PTR(-ENOMEM);
	preserved->num = marked;

	xa_lock(&ictx->objects);
	xa_for_each(&ictx->objects, index, obj) {
		struct iommufd_hwpt_paging *hwpt_paging =
			iommufd_marked_hwpt(obj);

		if (!hwpt_paging)
			continue;
		/* Being in the xarray it has a reference, iommufd_try_inc_users() */
		refcount_inc(&obj->users);
		preserved->hwpts[num++] = hwpt_paging;
	}
	xa_unlock(&ictx->objects);
	preserved->num = num;

	return preserved;
}

static int iommufd_liveupdate_preserve(struct liveupdate_file_op_args *args)
{
	struct iommufd_ctx *ictx = args->file->private_data;
	struct iommufd_preserved *preserved;
	struct iommufd_ser *ser;
	unsigned int i;
	size_t size;
	int rc;

	if (!iommu_liveupdate_enabled()) {
		pr_warn("cannot be preserved: IOMMU live update is off\n");
		return -EOPNOTSUPP;
	}

	guard(mutex)(&ictx->liveupdate_lock);
	if (WARN_ON(ictx->liveupdate_preserved))
		return -EBUSY;

	preserved = iommufd_get_preserved(ictx);
	if (IS_ERR(preserved))
		return PTR_ERR(preserved);

	size = struct_size(ser, hwpts, preserved->num);
	ser = kho_alloc_preserve(size);
	if (IS_ERR(ser)) {
		rc = PTR_ERR(ser);
		goto err_put;
	}

	for (i = 0; i < preserved->num; i++) {
		rc = iommufd_hwpt_preserve(preserved->hwpts[i],
					   args->session_files, &ser->hwpts[i]);
		if (rc)
			goto err_unpreserve;
	}

	ser->magic = IOMMUFD_SER_MAGIC;
	ser->size = size;
	ser->num_hwpts = preserved->num;
	ser->crc = crc32_le(~0, &ser->size,
			    size - offsetof(struct iommufd_ser, size));

	ictx->liveupdate_preserved = true;
	args->private_data = preserved;
	args->serialized_data = virt_to_phys(ser);
	return 0;

err_unpreserve:
	while (i--)
		iommufd_hwpt_unpreserve(preserved->hwpts[i]);
	kho_unpreserve_free(ser);
err_put:
	iommufd_put_preserved(preserved);
	return rc;
}

static void iommufd_liveupdate_unpreserve(struct liveupdate_file_op_args *args)
{
	struct iommufd_ctx *ictx = args->file->private_data;
	struct iommufd_preserved *preserved = args->private_data;
	unsigned int i = preserved->num;

	guard(mutex)(&ictx->liveupdate_lock);

	while (i--)
		iommufd_hwpt_unpreserve(preserved->hwpts[i]);
	kho_unpreserve_free(phys_to_virt(args->serialized_data));
	iommufd_put_preserved(preserved);
	ictx->liveupdate_preserved = false;
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

/*
 * Incoming kernel
 */

/* What the previous kernel wrote about an iommufd, if it can be trusted. */
static struct iommufd_ser *iommufd_incoming_ser(u64 data)
{
	struct iommufd_ser *ser;
	size_t room = kho_preserved_size(data);

	if (room < sizeof(*ser))
		goto bad;
	ser = phys_to_virt(data);
	if (ser->magic != IOMMUFD_SER_MAGIC || ser->size > room ||
	    ser->size != struct_size(ser, hwpts, ser->num_hwpts))
		goto bad;
	if (ser->crc != crc32_le(~0, &ser->size,
				 ser->size - offsetof(struct iommufd_ser, size)))
		goto bad;
	return ser;

bad:
	pr_err("the record %#llx of a preserved iommufd is damaged\n", data);
	return NULL;
}

static struct iommufd_hwpt_restored *
to_hwpt_restored(struct iommufd_object *obj)
{
	if (obj->type != IOMMUFD_OBJ_HWPT_RESTORED)
		return NULL;
	return container_of(obj, struct iommufd_hwpt_restored, common.obj);
}

/*
 * As long as a device is on the domain it is not freed: it goes back to where
 * it waits, together with the device.
 */
void iommufd_hwpt_restored_destroy(struct iommufd_object *obj)
{
	struct iommufd_hwpt_restored *hwpt = to_hwpt_restored(obj);
	struct iommu_domain *domain = hwpt->common.domain;

	if (iommu_domain_is_awaited(hwpt->top)) {
		domain->iommufd_hwpt = NULL;
		iommu_domain_unretrieve(hwpt->top);
	} else {
		iommu_domain_retire(domain, hwpt->top);
	}
}

static int iommufd_hwpt_retrieve(struct iommufd_ctx *ictx,
				 const struct iommufd_hwpt_ser *ser)
{
	struct iommufd_hwpt_restored *hwpt;
	struct iommu_domain *domain;

	hwpt = __iommufd_object_alloc(ictx, hwpt, IOMMUFD_OBJ_HWPT_RESTORED,
				      common.obj);
	if (IS_ERR(hwpt))
		return PTR_ERR(hwpt);

	domain = iommu_domain_retrieve(ser->domain, ser->token);
	if (IS_ERR(domain)) {
		iommufd_object_abort(ictx, &hwpt->common.obj);
		/* No device of it is there, so there is nothing to give back */
		return domain == ERR_PTR(-ENODEV) ? 0 : PTR_ERR(domain);
	}

	hwpt->common.domain = domain;
	hwpt->top = ser->domain;
	hwpt->token = ser->token;
	domain->iommufd_hwpt = &hwpt->common;
	domain->cookie_type = IOMMU_COOKIE_IOMMUFD;
	iommufd_object_finalize(ictx, &hwpt->common.obj);
	return 0;
}

/*
 * All HWPTs exist from the beginning, since devices are on them; the user learns
 * an ID from IOMMU_HWPT_LIVEUPDATE_RESTORE.
 */
static int iommufd_liveupdate_retrieve(struct liveupdate_file_op_args *args)
{
	struct iommufd_ser *ser;
	struct iommufd_ctx *ictx;
	struct file *file;
	int rc = 0;

	ser = iommufd_incoming_ser(args->serialized_data);
	if (!ser)
		return -EINVAL;

	args->unchanged = true;
	file = iommufd_create_file();
	if (IS_ERR(file))
		return PTR_ERR(file);
	ictx = file->private_data;
	ictx->liveupdate_retrieved = true;

	for (unsigned int i = 0; i < ser->num_hwpts && !rc; i++)
		rc = iommufd_hwpt_retrieve(ictx, &ser->hwpts[i]);
	if (rc) {
		pr_err("an iommufd cannot be retrieved: %pe\n", ERR_PTR(rc));
		/* Now, so that the domains are back before it is tried again */
		__fput_sync(file);
		return rc;
	}
	args->file = file;
	return 0;
}

/* Their devices have to be on other page tables before the session may end. */
static bool iommufd_liveupdate_can_finish(struct liveupdate_file_op_args *args)
{
	struct iommufd_ser *ser = iommufd_incoming_ser(args->serialized_data);

	if (!ser)
		return false;
	for (unsigned int i = 0; i < ser->num_hwpts; i++) {
		if (!iommu_domain_is_awaited(ser->hwpts[i].domain))
			continue;
		pr_warn("the session cannot finish: a device uses the page table of HWPT token %#llx; %s\n",
			ser->hwpts[i].token, args->retrieve_status > 0 ?
			"attach it to another HWPT" :
			"retrieve the iommufd and the device");
		return false;
	}
	return true;
}

static void iommufd_liveupdate_finish(struct liveupdate_file_op_args *args)
{
	struct iommufd_hwpt_restored *hwpt;
	struct iommufd_object *obj;
	struct iommufd_ctx *ictx;
	unsigned long index;
	bool restored;

	kho_restore_free(phys_to_virt(args->serialized_data));
	if (args->retrieve_status <= 0)
		return;

	/* Those that the user never asked for are of no use any more */
	ictx = args->file->private_data;
	xa_for_each(&ictx->objects, index, obj) {
		hwpt = to_hwpt_restored(obj);
		if (!hwpt)
			continue;
		scoped_guard(mutex, &ictx->liveupdate_lock) {
			restored = hwpt->restored;
			hwpt->restored = true;
		}
		if (!restored)
			iommufd_object_remove(ictx, NULL, index, 0);
	}
}

static struct iommufd_hwpt_restored *
iommufd_find_restored(struct iommufd_ctx *ictx, u64 token)
{
	struct iommufd_hwpt_restored *hwpt;
	struct iommufd_object *obj;
	unsigned long index;

	lockdep_assert_held(&ictx->liveupdate_lock);

	xa_for_each(&ictx->objects, index, obj) {
		hwpt = to_hwpt_restored(obj);
		if (hwpt && hwpt->token == token && !hwpt->restored)
			return hwpt;
	}
	return NULL;
}

static int iommufd_restore_hwpt(struct iommufd_ucmd *ucmd)
{
	struct iommu_hwpt_liveupdate_restore *cmd = ucmd->cmd;
	struct iommufd_ctx *ictx = ucmd->ictx;
	struct iommufd_hwpt_restored *hwpt;
	int rc;

	if (cmd->flags || cmd->__reserved)
		return -EOPNOTSUPP;
	if (!ictx->liveupdate_retrieved)
		return -ENOTTY;

	guard(mutex)(&ictx->liveupdate_lock);

	xa_lock(&ictx->objects);
	hwpt = iommufd_find_restored(ictx, cmd->hwpt_token);
	if (hwpt)
		cmd->out_hwpt_id = hwpt->common.obj.id;
	xa_unlock(&ictx->objects);
	if (!hwpt)
		return -ENOENT;

	rc = iommufd_ucmd_respond(ucmd, sizeof(*cmd));
	if (rc)
		return rc;

	/* Somebody may have guessed its ID, and destroyed it */
	xa_lock(&ictx->objects);
	hwpt = iommufd_find_restored(ictx, cmd->hwpt_token);
	if (hwpt)
		hwpt->restored = true;
	xa_unlock(&ictx->objects);
	return hwpt ? 0 : -ENOENT;
}

/* ioctl(IOMMU_HWPT_LIVEUPDATE_RESTORE) */
int iommufd_hwpt_liveupdate_restore(struct iommufd_ucmd *ucmd)
{
	struct iommu_hwpt_liveupdate_restore *cmd = ucmd->cmd;
	struct liveupdate_step step;
	int rc;

	liveupdate_step_begin(&step, LIVEUPDATE_STEP_HWPT_RESTORE,
			      LIVEUPDATE_KIND_HWPT, cmd->hwpt_token);
	rc = iommufd_restore_hwpt(ucmd);
	liveupdate_step_end(&step, rc, 0);
	return rc;
}

/* The restored HWPT that @dev is on, with a reference, or NULL */
static struct iommufd_hwpt_restored *
iommufd_device_get_restored(struct iommufd_ctx *ictx, struct device *dev)
{
	const struct iommu_device_ser *ser = iommu_device_incoming(dev);
	struct iommufd_hwpt_restored *hwpt;
	struct iommufd_object *obj;
	unsigned long index;

	if (!ser)
		return NULL;

	xa_lock(&ictx->objects);
	xa_for_each(&ictx->objects, index, obj) {
		hwpt = to_hwpt_restored(obj);
		if (hwpt && hwpt->top == ser->domain) {
			refcount_inc(&obj->users);
			xa_unlock(&ictx->objects);
			return hwpt;
		}
	}
	xa_unlock(&ictx->objects);
	return NULL;
}

static u64 iommufd_device_object(struct iommufd_device *idev)
{
	struct pci_dev *pdev = to_pci_dev(idev->dev);

	return LIVEUPDATE_DEVICE_ID(pci_domain_nr(pdev->bus), pci_dev_id(pdev), 0);
}

static int iommufd_device_attach_restored(struct iommufd_device *idev,
					  struct iommufd_group *igroup,
					  struct iommufd_hwpt_restored *hwpt)
{
	struct iommufd_attach_handle *handle __free(kfree) = kzalloc_obj(*handle);
	struct iommufd_attach *attach __free(kfree) = kzalloc_obj(*attach);
	int rc;

	if (!handle || !attach)
		return -ENOMEM;

	handle->idev = idev;
	attach->hwpt = &hwpt->common;
	xa_init(&attach->device_array);

	guard(mutex)(&igroup->lock);

	rc = xa_insert(&attach->device_array, idev->obj.id, idev, GFP_KERNEL);
	if (rc)
		return rc;
	rc = xa_insert(&igroup->pasid_attach, IOMMU_NO_PASID, attach, GFP_KERNEL);
	if (rc)
		goto err_destroy;
	rc = iommu_device_retrieve(idev->dev, hwpt->common.domain, idev->ictx,
				   &handle->handle);
	if (rc)
		goto err_erase;

	/* As iommufd_device_attach() does */
	refcount_inc(&idev->obj.users);
	retain_and_null_ptr(attach);
	retain_and_null_ptr(handle);
	return 0;

err_erase:
	xa_erase(&igroup->pasid_attach, IOMMU_NO_PASID);
err_destroy:
	xa_destroy(&attach->device_array);
	return rc;
}

/**
 * iommufd_device_retrieve() - Bind a device that runs since before this kernel
 * @idev:   Device that waits to be retrieved
 * @igroup: Its group, which @idev does not have yet
 *
 * The device is on the restored HWPT from the beginning, and so it is attached
 * to it when it is bound.
 *
 * Return: 0, -EPERM if it is another iommufd's, -EBUSY if somebody else was
 * quicker, -ENOMEM.
 */
int iommufd_device_retrieve(struct iommufd_device *idev,
			    struct iommufd_group *igroup)
{
	struct iommufd_hwpt_restored *hwpt;
	struct liveupdate_step step;
	int rc = -EPERM;

	liveupdate_step_begin(&step, LIVEUPDATE_STEP_DEVICE_BIND,
			      LIVEUPDATE_KIND_DEVICE, iommufd_device_object(idev));
	hwpt = iommufd_device_get_restored(idev->ictx, idev->dev);
	if (hwpt) {
		rc = iommufd_device_attach_restored(idev, igroup, hwpt);
		if (rc)
			refcount_dec(&hwpt->common.obj.users);
	} else {
		iommu_device_refuse(idev->dev, "binding to another iommufd");
	}
	liveupdate_step_end(&step, rc, 0);
	return rc;
}

/**
 * iommufd_device_unretrieve() - Undo iommufd_device_retrieve()
 * @idev: Device on a restored HWPT
 */
void iommufd_device_unretrieve(struct iommufd_device *idev)
{
	iommu_device_unretrieve(idev->dev);
}

/**
 * iommufd_device_leave_restored() - Replace what a running device is attached to
 * @idev:     Device on a restored HWPT
 * @restored: That HWPT
 * @hwpt:     Another one
 * @handle:   Attach handle for @hwpt
 *
 * DMA that is going on uses the one or the other page table at any time.
 *
 * Return: 0, or an error of iommu_replace_group_handle(), and the device is
 * where it was.
 */
int iommufd_device_leave_restored(struct iommufd_device *idev,
				  struct iommufd_hw_pagetable *restored,
				  struct iommufd_hw_pagetable *hwpt,
				  struct iommu_attach_handle *handle)
{
	struct liveupdate_step step;
	int rc;

	/* Drivers know how to go to a page table, not to two at once */
	if (hwpt->obj.type != IOMMUFD_OBJ_HWPT_PAGING || hwpt->fault)
		return -EOPNOTSUPP;

	liveupdate_step_begin(&step, LIVEUPDATE_STEP_DOMAIN_REPLACE,
			      LIVEUPDATE_KIND_DOMAIN,
			      to_hwpt_restored(&restored->obj)->top);
	rc = iommu_replace_group_handle(idev->igroup->group, hwpt->domain, handle);
	if (!rc)
		iommu_device_leaves_restored(idev->dev);
	liveupdate_step_end(&step, rc, 1);
	return rc;
}

/**
 * iommufd_device_is_restored() - Is a device attached without having been?
 * @idev: Device that is bound to an iommufd
 *
 * Return: true if binding it found it on a restored HWPT, and it still is.
 */
bool iommufd_device_is_restored(struct iommufd_device *idev)
{
	return iommu_device_is_restored(idev->dev);
}
EXPORT_SYMBOL_NS_GPL(iommufd_device_is_restored, "IOMMUFD");

static const struct liveupdate_file_ops iommufd_liveupdate_ops = {
	.can_preserve = iommufd_liveupdate_can_preserve,
	.preserve = iommufd_liveupdate_preserve,
	.unpreserve = iommufd_liveupdate_unpreserve,
	.retrieve = iommufd_liveupdate_retrieve,
	.can_finish = iommufd_liveupdate_can_finish,
	.finish = iommufd_liveupdate_finish,
	.owner = THIS_MODULE,
};

static struct liveupdate_file_handler iommufd_liveupdate_handler = {
	.ops = &iommufd_liveupdate_ops,
	.compatible = IOMMUFD_LIVEUPDATE_COMPATIBLE,
};

static int iommufd_count_device(struct device *dev, void *data)
{
	unsigned int *count = data;

	(*count)++;
	return 0;
}

/**
 * iommufd_device_preserve() - Preserve what a device's DMA is translated with
 * @idev:          Device that is bound to an iommufd
 * @session_files: Files of the session that the device is being preserved in
 * @token:         The user's token for the device
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
 * * -EINVAL	 - The device is not attached to a preserved HWPT.
 * * -EBUSY	 - The device is preserved already.
 * * -EOPNOTSUPP - It shares its group, has a PASID attached, or is attached to
 *		   a nested or faulting HWPT.
 * * Any error of iommu_device_preserve().
 */
int iommufd_device_preserve(struct iommufd_device *idev,
			    const struct luo_file_set *session_files, u64 token,
			    u64 *iommufd_token, u64 *hwpt_token)
{
	struct iommufd_group *igroup = idev->igroup;
	unsigned long pasid = IOMMU_NO_PASID;
	struct iommufd_hw_pagetable *hwpt;
	unsigned int num_devices = 0;
	const char *reason;
	int rc;

	if (!liveupdate_session_has_file(session_files, idev->ictx->file,
					 iommufd_token)) {
		reason = "its iommufd is not preserved in the same session before it";
		rc = -ENOENT;
		goto refuse;
	}

	guard(mutex)(&igroup->lock);

	if (idev->liveupdate_preserved) {
		reason = "it is preserved already";
		rc = -EBUSY;
		goto refuse;
	}

	rc = -EOPNOTSUPP;
	if (!igroup->group) {
		reason = "no IOMMU translates for it";
		goto refuse;
	}
	iommu_group_for_each_dev(igroup->group, &num_devices,
				 iommufd_count_device);
	if (num_devices != 1) {
		reason = "it shares its IOMMU group with other devices";
		goto refuse;
	}
	if (xa_find_after(&igroup->pasid_attach, &pasid, UINT_MAX,
			  XA_PRESENT)) {
		reason = "it has a PASID attached";
		goto refuse;
	}

	hwpt = iommufd_device_attached_hwpt(idev);
	if (hwpt && (hwpt->obj.type == IOMMUFD_OBJ_HWPT_NESTED || hwpt->fault)) {
		reason = "it is attached to a nested or faulting HWPT";
		goto refuse;
	}
	if (!hwpt || !iommufd_hwpt_is_preserved(hwpt)) {
		reason = "it is not attached to a HWPT that was marked and preserved";
		rc = -EINVAL;
		goto refuse;
	}

	rc = iommu_device_preserve(idev->dev, hwpt->domain, token);
	if (rc) {
		reason = "its IOMMU refuses";
		goto refuse;
	}

	idev->liveupdate_preserved = true;
	*hwpt_token = to_hwpt_paging(hwpt)->liveupdate_token;
	return 0;

refuse:
	dev_warn(idev->dev, "cannot be preserved: %s (%pe)\n", reason,
		 ERR_PTR(rc));
	return rc;
}
EXPORT_SYMBOL_NS_GPL(iommufd_device_preserve, "IOMMUFD");

/**
 * iommufd_device_unpreserve() - Undo iommufd_device_preserve()
 * @idev: Device that is preserved
 */
void iommufd_device_unpreserve(struct iommufd_device *idev)
{
	guard(mutex)(&idev->igroup->lock);

	iommu_device_unpreserve(idev->dev);
	idev->liveupdate_preserved = false;
}
EXPORT_SYMBOL_NS_GPL(iommufd_device_unpreserve, "IOMMUFD");

/**
 * iommufd_device_can_detach() - May user space detach the device?
 * @idev: Device that is bound to an iommufd
 *
 * Return: 0, or -EBUSY if the device, or the HWPT that it is attached to, is
 * preserved for live update.
 */
int iommufd_device_can_detach(struct iommufd_device *idev)
{
	struct iommufd_hw_pagetable *hwpt;

	guard(mutex)(&idev->igroup->lock);

	if (idev->liveupdate_preserved)
		return -EBUSY;
	hwpt = iommufd_device_attached_hwpt(idev);
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
