// SPDX-License-Identifier: GPL-2.0-only
/*
 * Give a vfio-pci device back to its owner after a live update.
 */
#include <linux/cleanup.h>
#include <linux/delay.h>
#include <linux/iommu-liveupdate.h>
#include <linux/kho/abi/vfio_pci.h>
#include <linux/liveupdate.h>
#include <linux/liveupdate_trace.h>
#include <linux/pci-liveupdate.h>
#include <linux/slab.h>
#include <linux/vfio.h>

#include "../vfio.h"
#include "vfio_pci_liveupdate.h"
#include "vfio_pci_priv.h"

/*
 * What the device goes back to when its file is closed for the last time. Without
 * a record that is what its user has made of it.
 */
static int vfio_pci_retrieve_state(struct vfio_pci_core_device *vdev,
				   const struct vfio_pci_ser *ser)
{
	struct pci_dev *pdev = vdev->pdev;
	struct pci_saved_state *state;

	pci_save_state(pdev);
	pdev->saved_config_space[PCI_COMMAND / 4] &= ~PCI_COMMAND_MASTER;
	state = pci_store_saved_state(pdev);
	if (!state)
		return -ENOMEM;
	if (pci_liveupdate_read_saved_state(state, (void *)ser->saved_state,
					    ser->saved_size))
		pci_warn(pdev, "its state before its user had it did not come along; the next user finds what this one sets\n");

	kfree(vdev->pci_saved_state);
	vdev->pci_saved_state = state;
	return 0;
}

/* Which interrupts, if any, are enabled and masked in the device. */
static void vfio_pci_retrieve_irqs(struct vfio_pci_core_device *vdev,
				   const struct vfio_pci_ser *ser)
{
	guard(mutex)(&vdev->igate);

	vdev->liveupdate_irq_index = ser->irq_index;
	/* INTx is not enabled in the device, there is nothing to turn off */
	vdev->liveupdate_irq_held = ser->irq_index == VFIO_PCI_MSI_IRQ_INDEX ||
				    ser->irq_index == VFIO_PCI_MSIX_IRQ_INDEX;
	vdev->liveupdate_virq_disabled = ser->flags & VFIO_PCI_SER_INTX_DISABLED;
}

static struct file *vfio_pci_retrieve(struct pci_dev *pdev,
				      const struct vfio_pci_ser *ser)
{
	struct vfio_pci_core_device *vdev;
	struct file *file;
	int ret;

	/* Keeps the driver bound */
	ACQUIRE(device_intr, device_lock)(&pdev->dev);
	ret = ACQUIRE_ERR(device_intr, &device_lock);
	if (ret)
		return ERR_PTR(ret);

	if (!vfio_pci_is_bound(pdev)) {
		pci_warn(pdev, "cannot be retrieved: vfio-pci is not bound to it\n");
		return ERR_PTR(-ENODEV);
	}
	vdev = dev_get_drvdata(&pdev->dev);

	/* The user of another function of the slot may hold it for long */
	ACQUIRE(mutex_kill, set_lock)(&vdev->vdev.dev_set->lock);
	ret = ACQUIRE_ERR(mutex_kill, &set_lock);
	if (ret)
		return ERR_PTR(ret);

	file = vfio_device_cdev_create_file(&vdev->vdev);
	if (IS_ERR(file))
		return file;
	ret = vfio_pci_retrieve_state(vdev, ser);
	if (!ret)
		ret = pci_liveupdate_retrieve(pdev);
	if (ret) {
		fput(file);
		return ERR_PTR(ret);
	}
	vfio_pci_retrieve_irqs(vdev, ser);
	scoped_guard(rwsem_write, &vdev->memory_lock) {
		vdev->liveupdate_preserved = true;
		vdev->liveupdate_retrieved = true;
	}
	vdev->reset_works = ser->flags & VFIO_PCI_SER_RESET_WORKS;
	if (ser->flags & VFIO_PCI_SER_VF_TOKEN)
		vfio_pci_set_vf_token(vdev, ser->vf_token);
	return file;
}

int vfio_pci_liveupdate_retrieve(struct liveupdate_file_op_args *args)
{
	struct liveupdate_step step;
	struct vfio_pci_ser *ser;
	struct pci_dev *pdev;
	struct file *file;

	ser = vfio_pci_take_ser(args->serialized_data);
	if (!ser)
		return -EIO;

	args->unchanged = true;
	/* The log says why, and what to do */
	if (iommu_liveupdate_file_state(ser->segment, ser->bdf) ==
	    IOMMU_LIVEUPDATE_LOST)
		return -EIO;
	pdev = pci_get_domain_bus_and_slot(ser->segment, PCI_BUS_NUM(ser->bdf),
					   ser->bdf & 0xff);
	if (!pdev)
		return -ENODEV;

	liveupdate_step_begin(&step, LIVEUPDATE_STEP_DEVICE_RETRIEVE,
			      LIVEUPDATE_KIND_DEVICE, LIVEUPDATE_PCI_ID(pdev));
	file = vfio_pci_retrieve(pdev, ser);
	liveupdate_step_end(&step, PTR_ERR_OR_ZERO(file), 0);
	pci_dev_put(pdev);
	if (IS_ERR(file))
		return PTR_ERR(file);

	args->file = file;
	return 0;
}

/* How often the lock is tried, and how long there is in between */
#define VFIO_PCI_LOCK_TRIES	250
#define VFIO_PCI_LOCK_PAUSE_MS	20

/*
 * Can its session finish, which takes the lock of the device's set? Another function of
 * the set has it while it is bound or attached, and whose memory does not answer then
 * would hold up the session, and with it the next reboot call. Who takes the lock right
 * after it was free here still does.
 */
bool vfio_pci_can_finish_retrieved(struct file *file)
{
	struct vfio_device *device = vfio_device_from_file(file);
	struct mutex *lock = &device->dev_set->lock;

	for (unsigned int i = 0; i < VFIO_PCI_LOCK_TRIES; i++) {
		if (mutex_trylock(lock)) {
			mutex_unlock(lock);
			return true;
		}
		if (fatal_signal_pending(current))
			break;
		msleep(VFIO_PCI_LOCK_PAUSE_MS);
	}
	dev_warn(device->dev, "liveupdate: the session cannot finish: another function of its set is being bound or attached, try again\n");
	return false;
}

/* The session of a retrieved file finishes. */
void vfio_pci_finish_retrieved(struct file *file)
{
	struct vfio_device *device = vfio_device_from_file(file);
	struct vfio_pci_core_device *vdev =
		container_of(device, struct vfio_pci_core_device, vdev);
	struct vfio_device_file *df = file->private_data;
	struct liveupdate_step step;

	liveupdate_step_begin(&step, LIVEUPDATE_STEP_DEVICE_FINISH,
			      LIVEUPDATE_KIND_DEVICE, LIVEUPDATE_PCI_ID(vdev->pdev));
	scoped_guard(mutex, &device->dev_set->lock) {
		df->liveupdate_retrieved = false;
		scoped_guard(rwsem_write, &vdev->memory_lock) {
			vdev->liveupdate_preserved = false;
			vdev->liveupdate_retrieved = false;
		}
		scoped_guard(mutex, &vdev->igate)
			vfio_pci_drop_carried_irqs(vdev);
		pci_liveupdate_finish(vdev->pdev);
	}
	liveupdate_step_end(&step, 0, 0);
}
