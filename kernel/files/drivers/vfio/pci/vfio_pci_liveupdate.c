// SPDX-License-Identifier: GPL-2.0-only
/*
 * Preserve a vfio-pci device across a live update.
 */

/**
 * DOC: vfio-pci live update
 *
 * A device file (cdev) of vfio-pci can be preserved in a live update session
 * when it is bound to an iommufd that is preserved in the same session, and
 * attached to one of that iommufd's marked HWPTs. The device then works on, and
 * does DMA, while the kernel is replaced.
 *
 * What would take it out of that state fails with -EBUSY from then on, until
 * the session is closed or the next kernel runs: reset in all its forms, a
 * change of the power state, SR-IOV, attaching and detaching. Unbinding the
 * driver waits for the device file to be closed, as ever, and the session holds
 * the file.
 *
 * Interrupts cannot cross yet. Freezing refuses, and with it the reboot call,
 * if the user has any enabled, and none can be enabled after that. INTx is
 * turned off at the device in addition, because the next kernel has no handler
 * for it and the line may be shared.
 *
 * In the next kernel the device waits (pci_liveupdate_is_waiting()). vfio-pci
 * binds to it without touching it, and its device file cannot be opened.
 */
#include <linux/cleanup.h>
#include <linux/crc32.h>
#include <linux/io.h>
#include <linux/iommu-liveupdate.h>
#include <linux/iommufd.h>
#include <linux/kexec_handover.h>
#include <linux/kho/abi/vfio_pci.h>
#include <linux/liveupdate.h>
#include <linux/liveupdate_trace.h>
#include <linux/pci-liveupdate.h>
#include <linux/vfio.h>

#include "../vfio.h"
#include "vfio_pci_priv.h"

static u64 vfio_pci_object(struct pci_dev *pdev)
{
	return LIVEUPDATE_DEVICE_ID(pci_domain_nr(pdev->bus), pci_dev_id(pdev),
				    0);
}

/* Also of other vfio drivers: to them "no" is said with a reason */
static bool vfio_pci_liveupdate_can_preserve(struct liveupdate_file_handler *handler,
					     struct file *file)
{
	return vfio_device_from_file(file);
}

static int vfio_pci_preserve(struct vfio_pci_core_device *vdev,
			     const struct luo_file_set *session_files,
			     u64 token, struct vfio_pci_ser *ser)
{
	struct iommufd_device *idev = vdev->vdev.iommufd_device;
	struct pci_dev *pdev = vdev->pdev;
	u64 iommufd_token, hwpt_token;
	int ret;

	ret = iommufd_device_preserve(idev, session_files, token,
				      &iommufd_token, &hwpt_token);
	if (ret)
		return ret;

	/* Reset and power management look at the flag under this lock */
	scoped_guard(rwsem_write, &vdev->memory_lock) {
		if (vdev->pm_runtime_engaged) {
			pci_warn(pdev, "cannot be preserved: its user let it enter a low power state\n");
			ret = -EBUSY;
			break;
		}
		ret = pci_liveupdate_preserve(pdev);
		if (!ret)
			vdev->liveupdate_preserved = true;
	}
	if (ret) {
		iommufd_device_unpreserve(idev);
		return ret;
	}

	ser->magic = VFIO_PCI_SER_MAGIC;
	ser->size = sizeof(*ser);
	ser->segment = pci_domain_nr(pdev->bus);
	ser->bdf = pci_dev_id(pdev);
	ser->vendor = pdev->vendor;
	ser->device = pdev->device;
	ser->flags = vdev->reset_works ? VFIO_PCI_SER_RESET_WORKS : 0;
	ser->iommufd_token = iommufd_token;
	ser->hwpt_token = hwpt_token;
	ser->crc = crc32_le(~0, &ser->size,
			    sizeof(*ser) - offsetof(struct vfio_pci_ser, size));
	return 0;
}

static void vfio_pci_unpreserve(struct vfio_pci_core_device *vdev)
{
	scoped_guard(rwsem_write, &vdev->memory_lock) {
		vdev->liveupdate_preserved = false;
		pci_liveupdate_unpreserve(vdev->pdev);
	}
	iommufd_device_unpreserve(vdev->vdev.iommufd_device);
}

static int vfio_pci_liveupdate_preserve(struct liveupdate_file_op_args *args)
{
	struct vfio_device *device = vfio_device_from_file(args->file);
	struct vfio_device_file *df = args->file->private_data;
	struct vfio_pci_ser *ser;
	int ret;

	if (!vfio_pci_is_liveupdate_device(device) || df->group) {
		dev_warn(device->dev, "cannot be preserved: only a device file of vfio-pci (/dev/vfio/devices) can\n");
		return -EOPNOTSUPP;
	}

	guard(mutex)(&device->dev_set->lock);

	if (!df->access_granted || !device->iommufd_device) {
		dev_warn(device->dev, "cannot be preserved: it is not bound to an iommufd\n");
		return -EINVAL;
	}

	ser = kho_alloc_preserve(sizeof(*ser));
	if (IS_ERR(ser))
		return PTR_ERR(ser);

	ret = vfio_pci_preserve(container_of(device, struct vfio_pci_core_device,
					     vdev),
				args->session_files, args->token, ser);
	if (ret) {
		kho_unpreserve_free(ser);
		return ret;
	}

	args->serialized_data = virt_to_phys(ser);
	return 0;
}

static struct vfio_pci_core_device *
vfio_pci_preserved_device(struct liveupdate_file_op_args *args)
{
	return container_of(vfio_device_from_file(args->file),
			    struct vfio_pci_core_device, vdev);
}

static void vfio_pci_liveupdate_unpreserve(struct liveupdate_file_op_args *args)
{
	struct vfio_pci_core_device *vdev = vfio_pci_preserved_device(args);

	guard(mutex)(&vdev->vdev.dev_set->lock);

	vfio_pci_unpreserve(vdev);
	kho_unpreserve_free(phys_to_virt(args->serialized_data));
}

/* Refuse if the user has interrupts enabled, and see that none will be. */
static int vfio_pci_freeze(struct vfio_pci_core_device *vdev)
{
	unsigned long vector = 0;
	u16 command;

	guard(mutex)(&vdev->igate);

	if (vdev->irq_type != VFIO_PCI_NUM_IRQS) {
		static const char * const types[] = {
			[VFIO_PCI_INTX_IRQ_INDEX] = "INTx",
			[VFIO_PCI_MSI_IRQ_INDEX] = "MSI",
			[VFIO_PCI_MSIX_IRQ_INDEX] = "MSI-X",
		};

		xa_find(&vdev->ctx, &vector, ULONG_MAX, XA_PRESENT);
		pci_warn(vdev->pdev, "cannot cross a live update: its user has %s enabled, vector %lu; disable it first (VFIO_DEVICE_SET_IRQS)\n",
			 types[vdev->irq_type], vector);
		return -EBUSY;
	}

	pci_read_config_word(vdev->pdev, PCI_COMMAND, &command);
	vdev->liveupdate_intx = !(command & PCI_COMMAND_INTX_DISABLE);
	if (vdev->liveupdate_intx)
		pci_intx(vdev->pdev, 0);
	vdev->liveupdate_frozen = true;
	return 0;
}

static int vfio_pci_liveupdate_freeze(struct liveupdate_file_op_args *args)
{
	struct vfio_pci_core_device *vdev = vfio_pci_preserved_device(args);
	struct liveupdate_step step;
	int ret;

	liveupdate_step_begin(&step, LIVEUPDATE_STEP_DEVICE_FREEZE,
			      LIVEUPDATE_KIND_DEVICE,
			      vfio_pci_object(vdev->pdev));
	ret = vfio_pci_freeze(vdev);
	liveupdate_step_end(&step, ret, 0);
	return ret;
}

static void vfio_pci_liveupdate_unfreeze(struct liveupdate_file_op_args *args)
{
	struct vfio_pci_core_device *vdev = vfio_pci_preserved_device(args);

	guard(mutex)(&vdev->igate);

	vdev->liveupdate_frozen = false;
	if (vdev->liveupdate_intx)
		pci_intx(vdev->pdev, 1);
}

/* The device waits; giving it back to user space is not there yet. */
static int vfio_pci_liveupdate_retrieve(struct liveupdate_file_op_args *args)
{
	pr_warn("vfio-pci: a preserved device cannot be retrieved by this kernel\n");
	return -EOPNOTSUPP;
}

/* The device does DMA to memory of the session, which therefore has to stay. */
static bool vfio_pci_liveupdate_can_finish(struct liveupdate_file_op_args *args)
{
	pr_warn("vfio-pci: the session cannot finish: it holds a device that is waiting\n");
	return false;
}

static void vfio_pci_liveupdate_finish(struct liveupdate_file_op_args *args)
{
	/* Required by the orchestrator, and kept from by can_finish() */
	WARN_ON_ONCE(1);
}

static const struct liveupdate_file_ops vfio_pci_liveupdate_ops = {
	.can_preserve = vfio_pci_liveupdate_can_preserve,
	.preserve = vfio_pci_liveupdate_preserve,
	.unpreserve = vfio_pci_liveupdate_unpreserve,
	.freeze = vfio_pci_liveupdate_freeze,
	.unfreeze = vfio_pci_liveupdate_unfreeze,
	.retrieve = vfio_pci_liveupdate_retrieve,
	.can_finish = vfio_pci_liveupdate_can_finish,
	.finish = vfio_pci_liveupdate_finish,
	.owner = THIS_MODULE,
};

static struct liveupdate_file_handler vfio_pci_liveupdate_handler = {
	.ops = &vfio_pci_liveupdate_ops,
	.compatible = VFIO_PCI_LIVEUPDATE_COMPATIBLE,
};

int vfio_pci_liveupdate_init(void)
{
	int ret;

	ret = liveupdate_register_file_handler(&vfio_pci_liveupdate_handler);
	if (ret)
		return ret == -EOPNOTSUPP ? 0 : ret;

	/* Without it nothing can be preserved, but sessions can still be read */
	ret = iommu_liveupdate_register_flb(&vfio_pci_liveupdate_handler);
	if (ret && ret != -EOPNOTSUPP) {
		liveupdate_unregister_file_handler(&vfio_pci_liveupdate_handler);
		return ret;
	}
	return 0;
}

void vfio_pci_liveupdate_exit(void)
{
	/* Takes its FLBs along; harmless if live update is off */
	liveupdate_unregister_file_handler(&vfio_pci_liveupdate_handler);
}
