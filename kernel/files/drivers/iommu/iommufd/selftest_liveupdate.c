// SPDX-License-Identifier: GPL-2.0-only
/*
 * Selftest of iommufd live update: mock devices that cross, and a next kernel that is
 * played in this one. Included by selftest.c.
 */

/**
 * DOC: The next kernel, played
 *
 * What a session holds of mock devices is copied when it is handed over: header,
 * records, lists of chunks, and the chunks with the page table. This kernel goes on
 * with the one, and the copy is what the next kernel finds. So it lies elsewhere:
 * what in it leads to something that was copied is made to lead to the copy, checksums
 * are made anew, and the device is another one of the mock's bus. What the page table
 * maps is not copied. KHO then has the copy as memory that was left, and from there on
 * it is what a boot, and a session that came, do with it that is done with it, by the
 * same functions.
 *
 * Not played are LUO's own records, and what the memory of a session goes through:
 * the KUnit tests of both damage the one and restore the other.
 */
#include <linux/kexec_handover.h>
#include <linux/liveupdate.h>
#include <linux/overflow.h>

#include "../liveupdate.h"
#include "liveupdate.h"

#define MOCK_DEVICE_COMPATIBLE	"iommufd-mock-device-v1"

/* Of no unit that there is */
#define MOCK_UNIT_REGISTERS	0x6d6f636b000ULL

#include "selftest_handover.c"

/*
 * The driver of the mock's IOMMU
 */

static int mock_preserve_unit(struct iommu_device *iommu, struct iommu_unit_ser *ser)
{
	ser->prefix.type = IOMMU_SER_AMD;
	ser->reg_phys = MOCK_UNIT_REGISTERS;
	ser->segment = IOMMU_MOCK_SEGMENT;
	return 0;
}

static void mock_unpreserve_unit(struct iommu_device *iommu)
{
}

static int mock_preserve_device(struct device *dev, struct iommu_domain *domain,
				struct iommu_device_ser *ser)
{
	ser->prefix.type = IOMMU_SER_AMD;
	ser->max_pasid = dev->iommu->max_pasids;
	return 0;
}

static void mock_unpreserve_device(struct device *dev)
{
}

/* There is no unit that has an id for it */
static int mock_preserve_pasid(struct device *dev, u32 pasid, struct iommu_domain *domain,
			       struct iommu_pasid_ser *ser)
{
	return 0;
}

static struct iommu_domain *mock_restore_domain(struct device *dev,
						const struct iommu_device_ser *device,
						struct iommu_domain_ser *ser)
{
	struct pt_iommu_amdv1_cfg cfg = {};
	struct mock_iommu_domain *mock;
	int rc;

	if (ser->prefix.type != IOMMU_SER_AMD || ser->format != IOMMU_SER_AMDV1)
		return ERR_PTR(-EOPNOTSUPP);

	mock = kzalloc_obj(*mock);
	if (!mock)
		return ERR_PTR(-ENOMEM);
	mock->domain.type = IOMMU_DOMAIN_UNMANAGED;
	mock->domain.ops = &amdv1_mock_huge_ops;
	mock->amdv1.iommu.nid = NUMA_NO_NODE;
	cfg.common.hw_max_vasz_lg2 = ser->vasz_lg2;
	cfg.common.hw_max_oasz_lg2 = ser->oasz_lg2;
	cfg.starting_level = ser->top_level;
	rc = pt_iommu_amdv1_mock_restore(&mock->amdv1, &cfg, ser->top);
	if (rc) {
		kfree(mock);
		return ERR_PTR(rc);
	}
	mock->domain.pgsize_bitmap = ser->pgsize_bitmap;
	return &mock->domain;
}

static int mock_adopt_domain(struct iommu_domain *domain, u64 *tables)
{
	struct pt_iommu *pt = &to_mock_domain(domain)->iommu;

	*tables = 0;
	return pt->unadopted ? pt->ops->adopt(pt, tables) : 0;
}

/* Nothing translates for it */
static void mock_isolate_device(struct device *dev, const struct iommu_device_ser *ser)
{
}

static bool mock_get_requester(struct device *dev, struct iommu_requester *requester)
{
	if (dev->bus != &iommufd_mock_bus_type.bus)
		return false;
	*requester = (struct iommu_requester){
		.segment = IOMMU_MOCK_SEGMENT,
		.bdf = to_mock_dev(dev)->requester,
	};
	return true;
}

static int mock_is_requester(struct device *dev, const void *bdf)
{
	return to_mock_dev(dev)->requester == *(const u16 *)bdf;
}

static struct device *mock_find_requester(u16 bdf)
{
	return bus_find_device(&iommufd_mock_bus_type.bus, NULL, &bdf,
			       mock_is_requester);
}

static const struct iommu_liveupdate_mock mock_liveupdate = {
	.driver = &mock_ops,
	.get_requester = mock_get_requester,
	.find = mock_find_requester,
};

/*
 * The file of a mock device, for a session to hold, as vfio has one
 */

struct mock_device_file {
	struct iommufd_ctx *ictx;
	u32 stdev_id;
};

static int mock_device_release(struct inode *inode, struct file *file)
{
	struct mock_device_file *device = file->private_data;

	iommufd_ctx_put(device->ictx);
	kfree(device);
	return 0;
}

static const struct file_operations mock_device_fops = {
	.release = mock_device_release,
};

static int iommufd_test_liveupdate_device_fd(struct iommufd_ucmd *ucmd,
					     struct iommu_test_cmd *cmd)
{
	struct mock_device_file *device = kzalloc_obj(*device);
	int fd;

	if (!device)
		return -ENOMEM;
	device->ictx = ucmd->ictx;
	device->stdev_id = cmd->id;
	iommufd_ctx_get(ucmd->ictx);
	fd = anon_inode_getfd("[iommufd_mock_device]", &mock_device_fops, device,
			      O_CLOEXEC);
	if (fd < 0) {
		iommufd_ctx_put(ucmd->ictx);
		kfree(device);
		return fd;
	}
	cmd->liveupdate.fd = fd;
	return iommufd_ucmd_respond(ucmd, sizeof(*cmd));
}

static bool mock_device_can_preserve(struct liveupdate_file_handler *handler,
				     struct file *file)
{
	return file->f_op == &mock_device_fops;
}

/* With a reference the device stays, as vfio's does */
static int mock_device_preserve(struct liveupdate_file_op_args *args)
{
	struct mock_device_file *device = args->file->private_data;
	u64 iommufd_token, hwpt_token;
	struct selftest_obj *sobj;
	void *ser;
	int rc;

	ser = kho_alloc_preserve(PAGE_SIZE);
	if (IS_ERR(ser))
		return PTR_ERR(ser);
	sobj = iommufd_test_get_selftest_obj(device->ictx, device->stdev_id);
	if (IS_ERR(sobj)) {
		rc = PTR_ERR(sobj);
		goto err_free;
	}
	rc = iommufd_device_preserve(sobj->idev.idev, args->session_files, args->token,
				     virt_to_phys(ser), &iommufd_token, &hwpt_token);
	if (!rc)
		refcount_inc(&sobj->obj.users);
	iommufd_put_object(device->ictx, &sobj->obj);
	if (rc)
		goto err_free;

	args->private_data = sobj;
	args->serialized_data = virt_to_phys(ser);
	return 0;

err_free:
	kho_unpreserve_free(ser);
	return rc;
}

static void mock_device_unpreserve(struct liveupdate_file_op_args *args)
{
	struct selftest_obj *sobj = args->private_data;

	iommufd_device_unpreserve(sobj->idev.idev);
	refcount_dec(&sobj->obj.users);
	kho_unpreserve_free(phys_to_virt(args->serialized_data));
}

/* The next kernel is played without LUO */
static int mock_device_retrieve(struct liveupdate_file_op_args *args)
{
	args->unchanged = true;
	return -EOPNOTSUPP;
}

static void mock_device_finish(struct liveupdate_file_op_args *args)
{
}

static const struct liveupdate_file_ops mock_device_liveupdate_ops = {
	.can_preserve = mock_device_can_preserve,
	.preserve = mock_device_preserve,
	.unpreserve = mock_device_unpreserve,
	.retrieve = mock_device_retrieve,
	.finish = mock_device_finish,
	.owner = THIS_MODULE,
};

static struct liveupdate_file_handler mock_device_handler = {
	.ops = &mock_device_liveupdate_ops,
	.compatible = MOCK_DEVICE_COMPATIBLE,
};

/*
 * The next kernel
 */

static int iommufd_test_liveupdate_probe(void)
{
	struct mock_handover *next = &mock_handover;
	struct mock_dev *mdev;

	if (next->mdev)
		return -EBUSY;
	mdev = mock_dev_create(next->flags, next->bdf);
	if (IS_ERR(mdev))
		return PTR_ERR(mdev);
	next->mdev = mdev;
	return 0;
}

static int iommufd_test_liveupdate_remove(void)
{
	struct mock_handover *next = &mock_handover;

	if (!next->mdev)
		return -ENODEV;
	if (next->bound)
		return -EBUSY;
	mock_dev_destroy(next->mdev);
	next->mdev = NULL;
	return 0;
}

static_assert((int)IOMMU_TEST_STATE_WAITING == (int)IOMMU_LIVEUPDATE_WAITING &&
	      (int)IOMMU_TEST_STATE_RETRIEVED == (int)IOMMU_LIVEUPDATE_RETRIEVED &&
	      (int)IOMMU_TEST_STATE_DONE == (int)IOMMU_LIVEUPDATE_DONE &&
	      (int)IOMMU_TEST_STATE_LOST == (int)IOMMU_LIVEUPDATE_LOST);

static int iommufd_test_liveupdate_state(struct iommufd_ucmd *ucmd,
					 struct iommu_test_cmd *cmd)
{
	struct mock_handover *next = &mock_handover;
	enum iommu_liveupdate_loss loss = 0;

	cmd->liveupdate.out_state =
		iommu_liveupdate_state(IOMMU_MOCK_SEGMENT, next->bdf, &loss);
	strscpy(cmd->liveupdate.out_loss, "");
	if (cmd->liveupdate.out_state == IOMMU_LIVEUPDATE_LOST)
		strscpy(cmd->liveupdate.out_loss, iommu_liveupdate_loss_name(loss));
	cmd->liveupdate.out_count = 0;
	for (unsigned int i = 0; i < next->num; i++)
		if (kho_is_preserved_block(next->copies[i].to, next->copies[i].order))
			cmd->liveupdate.out_count++;
	return iommufd_ucmd_respond(ucmd, sizeof(*cmd));
}

/* As LUO does: what was retrieved is the same file, and what cannot be had stays so. */
static int mock_session_retrieve(struct liveupdate_file_op_args *args)
{
	int rc;

	if (args->retrieve_status)
		return args->retrieve_status < 0 ? args->retrieve_status : 0;
	args->unchanged = false;
	rc = iommufd_liveupdate_retrieve(args);
	if (!rc)
		args->retrieve_status = 1;
	else if (!args->unchanged)
		args->retrieve_status = rc;
	return rc;
}

static int iommufd_test_liveupdate_retrieve(struct iommufd_ucmd *ucmd,
					    struct iommu_test_cmd *cmd)
{
	struct mock_handover *next = &mock_handover;
	int fd, rc;

	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		return fd;
	rc = mock_session_retrieve(&next->args);
	if (!rc) {
		cmd->liveupdate.fd = fd;
		rc = iommufd_ucmd_respond(ucmd, sizeof(*cmd));
	}
	if (rc) {
		put_unused_fd(fd);
		return rc;
	}
	fd_install(fd, get_file(next->args.file));
	return 0;
}

/* To whoever asks, as a driver that user space has a file of does */
static int iommufd_test_liveupdate_bind(struct iommufd_ucmd *ucmd,
					struct iommu_test_cmd *cmd)
{
	struct mock_handover *next = &mock_handover;
	struct iommufd_device *idev;
	struct selftest_obj *sobj;
	u32 idev_id;
	int rc;

	if (!next->mdev)
		return -ENODEV;
	if (next->bound)
		return -EBUSY;
	sobj = iommufd_object_alloc(ucmd->ictx, sobj, IOMMUFD_OBJ_SELFTEST);
	if (IS_ERR(sobj))
		return PTR_ERR(sobj);
	sobj->idev.ictx = ucmd->ictx;
	sobj->type = TYPE_IDEV;
	sobj->idev.mock_dev = next->mdev;
	idev = iommufd_device_bind(ucmd->ictx, &next->mdev->dev, &idev_id);
	if (IS_ERR(idev)) {
		rc = PTR_ERR(idev);
		goto err_abort;
	}
	sobj->idev.idev = idev;
	cmd->liveupdate.out_stdev_id = sobj->obj.id;
	cmd->liveupdate.out_idev_id = idev_id;
	rc = iommufd_ucmd_respond(ucmd, sizeof(*cmd));
	if (rc)
		goto err_unbind;
	next->bound = true;
	iommufd_object_finalize(ucmd->ictx, &sobj->obj);
	return 0;

err_unbind:
	iommufd_test_detach_all(sobj);
	iommufd_device_unbind(idev);
err_abort:
	iommufd_object_abort(ucmd->ictx, &sobj->obj);
	return rc;
}

/* An iommufd lets go of its device. That of the next kernel is there without it. */
static void mock_dev_unbound(struct mock_dev *mdev)
{
	struct mock_handover *next = &mock_handover;

	scoped_guard(mutex, &next->lock) {
		if (mdev == next->mdev) {
			next->bound = false;
			return;
		}
	}
	mock_dev_destroy(mdev);
}

/* The files of the session, then what they share */
static int iommufd_test_liveupdate_finish(void)
{
	struct mock_handover *next = &mock_handover;
	u64 device = relocated(next, next->device);

	iommufd_liveupdate_check(&next->args);
	if (!iommufd_liveupdate_can_finish(&next->args))
		return -EBUSY;
	iommufd_liveupdate_finish(&next->args);
	if (next->args.file)
		fput(next->args.file);
	if (kho_is_preserved(device))
		kho_restore_free(phys_to_virt(device));
	iommu_liveupdate_finish_device(IOMMU_MOCK_SEGMENT, next->bdf);
	iommu_liveupdate_test_end();

	/* An ordinary device, of whoever has it */
	if (next->mdev && !next->bound)
		mock_dev_destroy(next->mdev);
	next->mdev = NULL;
	next->bound = false;
	next->came = false;
	return 0;
}

static struct iommufd_hw_pagetable *get_compared(struct iommufd_ctx *ictx, u32 id)
{
	struct iommufd_object *obj = iommufd_get_object(ictx, id, IOMMUFD_OBJ_ANY);

	if (IS_ERR(obj))
		return ERR_CAST(obj);
	if (obj->type != IOMMUFD_OBJ_HWPT_PAGING &&
	    obj->type != IOMMUFD_OBJ_HWPT_RESTORED) {
		iommufd_put_object(ictx, obj);
		return ERR_PTR(-EINVAL);
	}
	return container_of(obj, struct iommufd_hw_pagetable, obj);
}

/* Does each IOVA lead where it leads in another HWPT, of another iommufd? */
static int mock_compare(struct iommu_domain *one, struct iommu_domain *other,
			struct iommu_test_cmd *cmd)
{
	u64 iova = cmd->liveupdate.iova;
	u64 end;

	if (check_add_overflow(iova, cmd->liveupdate.length, &end))
		return -EOVERFLOW;
	cmd->liveupdate.out_count = 0;
	for (; iova < end; iova += MOCK_PAGE_SIZE) {
		phys_addr_t phys = iommu_iova_to_phys(one, iova);

		if (phys != iommu_iova_to_phys(other, iova))
			return -EINVAL;
		cmd->liveupdate.out_count += !!phys;
		cond_resched();
	}
	return 0;
}

static int iommufd_test_liveupdate_compare(struct iommufd_ucmd *ucmd,
					   struct iommu_test_cmd *cmd)
{
	struct iommufd_hw_pagetable *one, *other;
	struct iommufd_ctx *ictx;
	int rc;

	ictx = iommufd_ctx_from_fd(cmd->liveupdate.fd);
	if (IS_ERR(ictx))
		return PTR_ERR(ictx);
	one = get_compared(ucmd->ictx, cmd->id);
	if (IS_ERR(one)) {
		rc = PTR_ERR(one);
		goto out_ctx;
	}
	other = get_compared(ictx, cmd->liveupdate.hwpt_id);
	if (IS_ERR(other)) {
		rc = PTR_ERR(other);
		goto out_one;
	}
	rc = mock_compare(one->domain, other->domain, cmd);
	if (!rc)
		rc = iommufd_ucmd_respond(ucmd, sizeof(*cmd));
	iommufd_put_object(ictx, &other->obj);
out_one:
	iommufd_put_object(ucmd->ictx, &one->obj);
out_ctx:
	iommufd_ctx_put(ictx);
	return rc;
}

static int iommufd_test_liveupdate(struct iommufd_ucmd *ucmd, struct iommu_test_cmd *cmd)
{
	struct mock_handover *next = &mock_handover;

	switch (cmd->liveupdate.what) {
	case IOMMU_TEST_LIVEUPDATE_DEVICE_FD:
		return iommufd_test_liveupdate_device_fd(ucmd, cmd);
	case IOMMU_TEST_LIVEUPDATE_COMPARE:
		return iommufd_test_liveupdate_compare(ucmd, cmd);
	}

	guard(mutex)(&next->lock);

	switch (cmd->liveupdate.what) {
	case IOMMU_TEST_LIVEUPDATE_HAND_OVER:
		return iommufd_test_liveupdate_hand_over(cmd);
	case IOMMU_TEST_LIVEUPDATE_STATE:
		return iommufd_test_liveupdate_state(ucmd, cmd);
	}

	if (!next->came)
		return -ENOENT;

	switch (cmd->liveupdate.what) {
	case IOMMU_TEST_LIVEUPDATE_PROBE:
		return iommufd_test_liveupdate_probe();
	case IOMMU_TEST_LIVEUPDATE_REMOVE:
		return iommufd_test_liveupdate_remove();
	case IOMMU_TEST_LIVEUPDATE_BOOTED:
		iommu_liveupdate_test_booted();
		return 0;
	case IOMMU_TEST_LIVEUPDATE_RETRIEVE:
		return iommufd_test_liveupdate_retrieve(ucmd, cmd);
	case IOMMU_TEST_LIVEUPDATE_RETRIEVE_DEVICE:
		return next->mdev ? iommu_device_set_retrieved(&next->mdev->dev) : -ENODEV;
	case IOMMU_TEST_LIVEUPDATE_BIND:
		return iommufd_test_liveupdate_bind(ucmd, cmd);
	case IOMMU_TEST_LIVEUPDATE_FINISH:
		return iommufd_test_liveupdate_finish();
	default:
		return -EOPNOTSUPP;
	}
}

static int mock_liveupdate_init(void)
{
	int rc;

	iommu_liveupdate_mock = &mock_liveupdate;
	rc = liveupdate_register_file_handler(&mock_device_handler);
	return rc == -EOPNOTSUPP ? 0 : rc;
}

static void mock_liveupdate_exit(void)
{
	liveupdate_unregister_file_handler(&mock_device_handler);
	iommu_liveupdate_mock = NULL;
}
