// SPDX-License-Identifier: GPL-2.0-only
/*
 * Take an iommufd and its page tables back after a live update.
 */
#define pr_fmt(fmt) "iommufd: " fmt

#include <linux/cleanup.h>
#include <linux/file.h>
#include <linux/iommu-liveupdate.h>
#include <linux/iommufd.h>
#include <linux/kho/abi/iommu.h>
#include <linux/kho/abi/iommufd.h>
#include <linux/liveupdate.h>
#include <linux/liveupdate_trace.h>
#include <linux/slab.h>

#include "iommufd_private.h"
#include "liveupdate.h"

static struct iommufd_hwpt_restored *
to_hwpt_restored(struct iommufd_object *obj)
{
	if (obj->type != IOMMUFD_OBJ_HWPT_RESTORED)
		return NULL;
	return container_of(obj, struct iommufd_hwpt_restored, common.obj);
}

/**
 * iommufd_hwpt_is_awaited() - Tell whether a device runs on a restored HWPT
 * @ictx: iommufd
 * @id:   ID of an object of any kind
 *
 * A device holds a reference from its binding on, but does DMA before. Nobody
 * could bind it if its HWPT were gone by then, nor finish the session.
 *
 * Return: true as long as the object is such a HWPT, which must not be
 * destroyed.
 */
bool iommufd_hwpt_is_awaited(struct iommufd_ctx *ictx, u32 id)
{
	struct iommufd_hwpt_restored *hwpt;
	struct iommufd_object *obj;
	u64 top = 0;

	if (!ictx->liveupdate_retrieved)
		return false;
	xa_lock(&ictx->objects);
	obj = xa_load(&ictx->objects, id);
	hwpt = obj ? to_hwpt_restored(obj) : NULL;
	if (hwpt)
		top = hwpt->top;
	xa_unlock(&ictx->objects);
	return top && iommu_domain_is_awaited(top);
}

/*
 * A device may be on the domain if retrieving the iommufd failed half-way. The
 * domain is not freed then: it goes back to where it waits, together with the
 * device.
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
		/* All its devices are lost and it cannot be restored */
		return domain == ERR_PTR(-ENODEV) ? 0 : PTR_ERR(domain);
	}

	hwpt->common.domain = domain;
	hwpt->common.pasid_compat = iommu_domain_had_pasids(ser->domain);
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
int iommufd_liveupdate_retrieve(struct liveupdate_file_op_args *args)
{
	struct iommufd_ser *ser;
	struct iommufd_ctx *ictx;
	struct file *file;
	int rc = 0;

	ser = iommufd_take_ser(args->serialized_data);
	if (!ser)
		return -EIO;

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
		/* It is its own, so that it is there twice */
		if (rc == -EBUSY) {
			iommu_liveupdate_lose_file(args->serialized_data);
			rc = -EIO;
		}
		return rc;
	}
	args->file = file;
	return 0;
}

/* One that the user never asked for, and cannot any more, with a reference */
static struct iommufd_hwpt_restored *
iommufd_get_unrestored(struct iommufd_ctx *ictx)
{
	struct iommufd_hwpt_restored *hwpt;
	struct iommufd_object *obj;
	unsigned long index;

	/* The user may be destroying objects of guessed IDs, and asking for them */
	xa_lock(&ictx->objects);
	xa_for_each(&ictx->objects, index, obj) {
		hwpt = to_hwpt_restored(obj);
		if (hwpt && !hwpt->restored) {
			hwpt->restored = true;
			refcount_inc(&obj->users);
			xa_unlock(&ictx->objects);
			return hwpt;
		}
	}
	xa_unlock(&ictx->objects);
	return NULL;
}

/* Of a file whose session finishes: HWPTs that nobody can ask for any more */
void iommufd_drop_unrestored(struct file *file)
{
	struct iommufd_ctx *ictx = file->private_data;
	struct iommufd_hwpt_restored *hwpt;

	while ((hwpt = iommufd_get_unrestored(ictx)))
		iommufd_object_remove(ictx, &hwpt->common.obj,
				      hwpt->common.obj.id, 0);
}

static struct iommufd_hwpt_restored *
iommufd_find_restored(struct iommufd_ctx *ictx, u64 token)
{
	struct iommufd_hwpt_restored *hwpt;
	struct iommufd_object *obj;
	unsigned long index;

	lockdep_assert_held(&ictx->objects.xa_lock);

	xa_for_each(&ictx->objects, index, obj) {
		hwpt = to_hwpt_restored(obj);
		if (hwpt && hwpt->token == token)
			return hwpt;
	}
	return NULL;
}

/* The restored HWPT with a token, taken, with a reference; or NULL */
static struct iommufd_hwpt_restored *
iommufd_take_restored(struct iommufd_ctx *ictx, u64 token, bool *again)
{
	struct iommufd_hwpt_restored *hwpt;

	/* Somebody may guess its ID, and destroy it */
	xa_lock(&ictx->objects);
	hwpt = iommufd_find_restored(ictx, token);
	if (hwpt) {
		refcount_inc(&hwpt->common.obj.users);
		*again = hwpt->restored;
		hwpt->restored = true;
	}
	xa_unlock(&ictx->objects);
	return hwpt;
}

/*
 * ioctl(IOMMU_HWPT_LIVEUPDATE_RESTORE). It gives the same ID each time, as the
 * process that asked before may have died. Whoever has an iommufd may call it as
 * often as he likes: what is recorded is that a HWPT was restored, once.
 */
int iommufd_hwpt_liveupdate_restore(struct iommufd_ucmd *ucmd)
{
	struct iommu_hwpt_liveupdate_restore *cmd = ucmd->cmd;
	struct iommufd_ctx *ictx = ucmd->ictx;
	struct iommufd_hwpt_restored *hwpt;
	bool again;
	int rc;

	if (cmd->flags || cmd->__reserved)
		return -EOPNOTSUPP;
	if (!ictx->liveupdate_retrieved)
		return -ENOTTY;

	hwpt = iommufd_take_restored(ictx, cmd->hwpt_token, &again);
	if (!hwpt)
		return -ENOENT;

	cmd->out_hwpt_id = hwpt->common.obj.id;
	rc = iommufd_ucmd_respond(ucmd, sizeof(*cmd));
	refcount_dec(&hwpt->common.obj.users);
	if (!again)
		liveupdate_step_instant(LIVEUPDATE_STEP_HWPT_RESTORE,
					LIVEUPDATE_KIND_HWPT, cmd->hwpt_token,
					rc, 0);
	return rc;
}

/* The restored HWPT with a top table, with a reference, or NULL */
static struct iommufd_hwpt_restored *iommufd_get_restored(struct iommufd_ctx *ictx, u64 top)
{
	struct iommufd_hwpt_restored *hwpt;
	struct iommufd_object *obj;
	unsigned long index;

	xa_lock(&ictx->objects);
	xa_for_each(&ictx->objects, index, obj) {
		hwpt = to_hwpt_restored(obj);
		if (hwpt && hwpt->top == top) {
			refcount_inc(&obj->users);
			xa_unlock(&ictx->objects);
			return hwpt;
		}
	}
	xa_unlock(&ictx->objects);
	return NULL;
}

/* Another device of the group is bound, and has attached the group. */
static int iommufd_device_join_restored(struct iommufd_device *idev, ioasid_t pasid,
					struct iommufd_attach *attach,
					struct iommufd_hwpt_restored *hwpt)
{
	int rc;

	if (attach->hwpt != &hwpt->common)
		return -EBUSY;
	rc = xa_insert(&attach->device_array, idev->obj.id, idev, GFP_KERNEL);
	if (rc || pasid != IOMMU_NO_PASID)
		return rc;
	rc = iommu_device_retrieve(idev->dev, hwpt->common.domain, idev->ictx, NULL);
	if (rc)
		xa_erase(&attach->device_array, idev->obj.id);
	return rc;
}

static int iommufd_device_first_restored(struct iommufd_device *idev, ioasid_t pasid,
					 struct iommufd_group *igroup,
					 struct iommufd_hwpt_restored *hwpt)
{
	struct iommufd_attach_handle *handle __free(kfree) = kzalloc_obj(*handle);
	struct iommufd_attach *attach __free(kfree) = kzalloc_obj(*attach);
	struct iommu_domain *domain = hwpt->common.domain;
	int rc;

	if (!handle || !attach)
		return -ENOMEM;

	handle->idev = idev;
	attach->hwpt = &hwpt->common;
	xa_init(&attach->device_array);

	rc = xa_insert(&attach->device_array, idev->obj.id, idev, GFP_KERNEL);
	if (rc)
		return rc;
	rc = xa_insert(&igroup->pasid_attach, pasid, attach, GFP_KERNEL);
	if (rc)
		goto err_destroy;
	if (pasid == IOMMU_NO_PASID)
		rc = iommu_device_retrieve(idev->dev, domain, idev->ictx, &handle->handle);
	else
		rc = iommu_device_retrieve_pasid(idev->dev, pasid, domain, &handle->handle);
	if (rc)
		goto err_erase;

	retain_and_null_ptr(attach);
	retain_and_null_ptr(handle);
	return 0;

err_erase:
	xa_erase(&igroup->pasid_attach, pasid);
err_destroy:
	xa_destroy(&attach->device_array);
	return rc;
}

/* As iommufd_device_attach() does, but that the hardware has been there all along */
static int iommufd_device_attach_restored(struct iommufd_device *idev, ioasid_t pasid,
					  struct iommufd_group *igroup,
					  struct iommufd_hwpt_restored *hwpt)
{
	struct iommufd_attach *attach;
	int rc;

	guard(mutex)(&igroup->lock);

	attach = xa_load(&igroup->pasid_attach, pasid);
	rc = attach ? iommufd_device_join_restored(idev, pasid, attach, hwpt) :
		      iommufd_device_first_restored(idev, pasid, igroup, hwpt);
	if (!rc)
		refcount_inc(&idev->obj.users);
	return rc;
}

/* Anybody may try to bind a device; the refusal is what is recorded */
static struct iommufd_hwpt_restored *
iommufd_device_get_own(struct iommufd_device *idev, u64 top)
{
	struct iommufd_hwpt_restored *hwpt = iommufd_get_restored(idev->ictx, top);

	if (!hwpt)
		iommu_device_refuse(idev->dev, IOMMU_REFUSE_OTHER_IOMMUFD, NULL);
	return hwpt;
}

static int iommufd_device_retrieve_pasid(struct iommufd_device *idev, ioasid_t pasid,
					 struct iommufd_group *igroup, u64 top)
{
	struct iommufd_hwpt_restored *hwpt = iommufd_device_get_own(idev, top);
	int rc;

	if (!hwpt)
		return -EPERM;
	rc = iommufd_device_attach_restored(idev, pasid, igroup, hwpt);
	if (rc)
		refcount_dec(&hwpt->common.obj.users);
	return rc;
}

static void iommufd_device_detach_all(struct iommufd_device *idev)
{
	ioasid_t pasid;

	while ((pasid = iommufd_device_next_pasid(idev, IOMMU_NO_PASID)))
		iommufd_device_detach(idev, pasid);
	iommufd_device_detach(idev, IOMMU_NO_PASID);
}

/* It is attached without PASID by now; on failure it is not any more */
static int iommufd_device_retrieve_pasids(struct iommufd_device *idev,
					  struct iommufd_group *igroup)
{
	ioasid_t pasid = IOMMU_NO_PASID;
	int rc = 0;
	u64 top;

	while (!rc && iommu_device_next_incoming_pasid(idev->dev, &pasid, &top))
		rc = iommufd_device_retrieve_pasid(idev, pasid, igroup, top);
	if (rc) {
		idev->igroup = igroup;
		iommufd_device_detach_all(idev);
		idev->igroup = NULL;
		/* It may have been lost meanwhile */
		if (!idev->liveupdate_waits)
			iommu_device_release_dma_owner(idev->dev);
	}
	return rc;
}

/**
 * iommufd_device_retrieve() - Bind a device that runs since before this kernel
 * @idev:   Device that waits to be retrieved
 * @igroup: Its group, which @idev does not have yet
 *
 * The device is on the restored HWPT from the beginning, and so it is attached
 * to it when it is bound, and so are its PASIDs to theirs.
 *
 * Return: 0, -EPERM if it is another iommufd's, -EBUSY if its file was not
 * retrieved or somebody else was quicker, -ENOMEM.
 */
int iommufd_device_retrieve(struct iommufd_device *idev,
			    struct iommufd_group *igroup)
{
	const struct iommu_device_ser *ser = iommu_device_incoming(idev->dev);
	struct iommufd_hwpt_restored *hwpt;
	struct liveupdate_step step;
	int rc;

	hwpt = ser ? iommufd_device_get_own(idev, ser->domain) : NULL;
	if (!hwpt)
		return -EPERM;

	liveupdate_step_begin(&step, LIVEUPDATE_STEP_DEVICE_BIND,
			      LIVEUPDATE_KIND_DEVICE,
			      iommu_device_step_object(idev->dev));
	rc = iommufd_device_attach_restored(idev, IOMMU_NO_PASID, igroup, hwpt);
	if (rc)
		refcount_dec(&hwpt->common.obj.users);
	else
		rc = iommufd_device_retrieve_pasids(idev, igroup);
	liveupdate_step_end(&step, rc, 0);
	return rc;
}

/**
 * iommufd_device_unretrieve() - Undo iommufd_device_retrieve()
 * @idev:  Device on a restored HWPT
 * @pasid: With this PASID, and then it is the last one of its group; or IOMMU_NO_PASID
 */
void iommufd_device_unretrieve(struct iommufd_device *idev, ioasid_t pasid)
{
	if (pasid == IOMMU_NO_PASID)
		idev->liveupdate_waits = iommu_device_unretrieve(idev->dev);
	else
		iommu_device_unretrieve_pasid(idev->dev, pasid);
}

/**
 * iommufd_device_leave_restored() - Replace what a running device is attached to
 * @idev:     Device on a restored HWPT
 * @pasid:    With this PASID, or IOMMU_NO_PASID
 * @restored: That HWPT
 * @hwpt:     Another one
 * @handle:   Attach handle for @hwpt
 *
 * DMA that is going on uses the one or the other page table at any time. The whole
 * group is moved.
 *
 * Return: 0, or -EBUSY if a device of the group is not bound yet, or has PASIDs that
 * have to be moved first, or an error of iommu_replace_group_handle() or
 * iommu_replace_device_pasid(); then the device is where it was.
 */
int iommufd_device_leave_restored(struct iommufd_device *idev, ioasid_t pasid,
				  struct iommufd_hw_pagetable *restored,
				  struct iommufd_hw_pagetable *hwpt,
				  struct iommu_attach_handle *handle)
{
	struct liveupdate_step step;
	int rc;

	/* Drivers know how to go to a page table, not to two at once */
	if (hwpt->obj.type != IOMMUFD_OBJ_HWPT_PAGING || hwpt->fault)
		return -EOPNOTSUPP;
	/* The refusal is what is recorded, once */
	rc = iommu_device_check_leave(idev->dev, pasid);
	if (rc)
		return rc;

	liveupdate_step_begin(&step, LIVEUPDATE_STEP_DOMAIN_REPLACE,
			      LIVEUPDATE_KIND_DOMAIN,
			      to_hwpt_restored(&restored->obj)->top);
	if (pasid == IOMMU_NO_PASID)
		rc = iommu_replace_group_handle(idev->igroup->group, hwpt->domain, handle);
	else
		rc = iommu_replace_device_pasid(hwpt->domain, idev->dev, pasid, handle);
	liveupdate_step_end(&step, rc, 1);
	return rc;
}

/**
 * iommufd_device_is_restored() - Tell whether a device is on a restored HWPT
 * @idev: Device that is bound to an iommufd
 *
 * Context: May sleep.
 * Return: true if binding it found it on a restored HWPT, and it has not been attached
 * to another one.
 */
bool iommufd_device_is_restored(struct iommufd_device *idev)
{
	struct iommufd_hw_pagetable *hwpt;

	/* What was lost meanwhile is attached all the same */
	guard(mutex)(&idev->igroup->lock);
	hwpt = iommufd_device_attached_hwpt(idev, IOMMU_NO_PASID);
	return hwpt && hwpt->obj.type == IOMMUFD_OBJ_HWPT_RESTORED;
}
EXPORT_SYMBOL_NS_GPL(iommufd_device_is_restored, "IOMMUFD");
