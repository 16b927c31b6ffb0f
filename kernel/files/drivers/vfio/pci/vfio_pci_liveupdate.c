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
 * change of the power state, SR-IOV, attaching and detaching, unbinding the
 * driver, taking it out of its slot. It is preserved with the device lock held,
 * which is what those that could be under way hold: preserving waits for a reset
 * that has begun, and fails if the driver is being unbound.
 *
 * Freezing masks MSI and MSI-X in the device, where what comes becomes pending.
 * When the user sets its eventfds again in the next kernel, each is signalled
 * once, so that nothing is missed, also where the device could not keep it. INTx
 * is masked in the device (INTx Disable), because the next kernel has no handler
 * for it and the line may be shared. A device that cannot mask it does not cross
 * while its user has it enabled: freezing refuses, and with it the reboot call.
 * /sys/kernel/liveupdate/obstacles says so before. So it refuses as long as another
 * device of the IOMMU group is not preserved.
 *
 * From the freeze on, the user's writes to what enables and masks interrupts in
 * configuration space are refused (MSI) or put off until there is no jump (INTx
 * Disable). The function mask of MSI-X is no user's to write, and dominates what
 * the user has in the table through its mapping of the BAR (PCIe 7.7.2.2).
 *
 * In the next kernel the device waits (pci_liveupdate_is_waiting()). vfio-pci
 * binds to it without touching it, and its device file cannot be opened. Who
 * retrieves the file from the session gets one that is not bound yet. Binding it
 * to the iommufd that was retrieved with it enables the device for the user
 * without a reset. Reset and low power states are refused until the session has
 * finished. A user who enables another kind of interrupt than before, or none until
 * then, turns the old kind off.
 *
 * Of a physical function, the VF token crosses. Its virtual functions are bound to
 * vfio-pci after it, as it has to be known who decides about them. Who retrieves a
 * file needs no token: the session is the proof, and whoever had the device before
 * had shown it.
 *
 * The record has the state of the device before its user had it. When the file is
 * closed for the last time, that is what the device goes back to.
 */
#include <linux/cleanup.h>
#include <linux/crc32.h>
#include <linux/delay.h>
#include <linux/io.h>
#include <linux/iommu-liveupdate.h>
#include <linux/iommufd.h>
#include <linux/kexec_handover.h>
#include <linux/kho/abi/vfio_pci.h>
#include <linux/liveupdate.h>
#include <linux/liveupdate_trace.h>
#include <linux/overflow.h>
#include <linux/pci-liveupdate.h>
#include <linux/vfio.h>

#include "../vfio.h"
#include "vfio_pci_liveupdate.h"
#include "vfio_pci_priv.h"

/* Also of other vfio drivers: to them "no" is said with a reason */
static bool vfio_pci_liveupdate_can_preserve(struct liveupdate_file_handler *handler,
					     struct file *file)
{
	return vfio_device_from_file(file);
}

static u32 vfio_pci_ser_crc(const struct vfio_pci_ser *ser)
{
	return crc32_le(~0, &ser->size,
			ser->size - offsetof(struct vfio_pci_ser, size));
}

static void vfio_pci_seal_ser(struct vfio_pci_ser *ser)
{
	ser->crc = vfio_pci_ser_crc(ser);
}

static size_t vfio_pci_saved_size(struct vfio_pci_core_device *vdev)
{
	return vdev->pci_saved_state ?
		pci_liveupdate_write_saved_state(vdev->pci_saved_state, NULL) : 0;
}

static int vfio_pci_preserve(struct vfio_pci_core_device *vdev,
			     const struct luo_file_set *session_files,
			     u64 token, struct vfio_pci_ser *ser)
{
	struct iommufd_device *idev = vdev->vdev.iommufd_device;
	struct pci_dev *pdev = vdev->pdev;
	u64 iommufd_token, hwpt_token;
	int ret;

	ret = iommufd_device_preserve(idev, session_files, token, virt_to_phys(ser),
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
	ser->saved_size = vfio_pci_saved_size(vdev);
	ser->size = struct_size(ser, saved_state, ser->saved_size);
	if (ser->saved_size)
		pci_liveupdate_write_saved_state(vdev->pci_saved_state,
						 (void *)ser->saved_state);
	ser->segment = pci_domain_nr(pdev->bus);
	ser->bdf = pci_dev_id(pdev);
	ser->vendor = pdev->vendor;
	ser->device = pdev->device;
	ser->flags = vdev->reset_works ? VFIO_PCI_SER_RESET_WORKS : 0;
	ser->iommufd_token = iommufd_token;
	ser->hwpt_token = hwpt_token;
	ser->irq_index = VFIO_PCI_SER_NO_IRQ;
	if (vfio_pci_get_vf_token(vdev, ser->vf_token))
		ser->flags |= VFIO_PCI_SER_VF_TOKEN;
	vfio_pci_seal_ser(ser);
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

/*
 * Who resets a device, or unbinds its driver, holds its lock. A reset ends soon.
 * Unbinding waits until this very file is closed.
 */
static int vfio_pci_lock_device(struct vfio_device *device)
{
	while (!device_trylock(device->dev)) {
		if (!device_is_registered(&device->device)) {
			dev_warn(device->dev, "cannot be preserved: its driver is being unbound\n");
			return -ENODEV;
		}
		if (msleep_interruptible(10))
			return -EINTR;
	}
	return 0;
}

static int vfio_pci_liveupdate_preserve_locked(struct liveupdate_file_op_args *args)
{
	struct vfio_device *device = vfio_device_from_file(args->file);
	struct vfio_device_file *df = args->file->private_data;
	struct vfio_pci_core_device *vdev;
	struct vfio_pci_ser *ser;
	int ret;

	/* The user of another function of the slot may hold it for long */
	ACQUIRE(mutex_kill, lock)(&device->dev_set->lock);
	ret = ACQUIRE_ERR(mutex_kill, &lock);
	if (ret)
		return ret;

	if (!df->access_granted || !device->iommufd_device) {
		dev_warn(device->dev, "cannot be preserved: it is not bound to an iommufd\n");
		return -EINVAL;
	}

	vdev = container_of(device, struct vfio_pci_core_device, vdev);
	ser = kho_alloc_preserve(struct_size(ser, saved_state,
					     vfio_pci_saved_size(vdev)));
	if (IS_ERR(ser))
		return PTR_ERR(ser);

	ret = vfio_pci_preserve(vdev, args->session_files, args->token, ser);
	if (ret) {
		kho_unpreserve_free(ser);
		return ret;
	}

	args->serialized_data = virt_to_phys(ser);
	return 0;
}

static int vfio_pci_liveupdate_preserve(struct liveupdate_file_op_args *args)
{
	struct vfio_device *device = vfio_device_from_file(args->file);
	struct vfio_device_file *df = args->file->private_data;
	int ret;

	if (!vfio_pci_is_liveupdate_device(device) || df->group) {
		dev_warn(device->dev, "cannot be preserved: only a device file of vfio-pci (/dev/vfio/devices) can\n");
		return -EOPNOTSUPP;
	}

	ret = vfio_pci_lock_device(device);
	if (ret)
		return ret;
	ret = vfio_pci_liveupdate_preserve_locked(args);
	device_unlock(device->dev);
	return ret;
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

	/*
	 * Without the lock of the set, which the user of another function may hold for
	 * long: the reboot call comes here. The session's file keeps the device open.
	 */
	vfio_pci_unpreserve(vdev);
	kho_unpreserve_free(phys_to_virt(args->serialized_data));
}

static unsigned int vfio_pci_count_vectors(struct vfio_pci_core_device *vdev)
{
	unsigned int vectors = 0;
	unsigned long index;
	void *ctx;

	xa_for_each(&vdev->ctx, index, ctx)
		vectors++;
	return vectors;
}

/*
 * Let the device keep its messages. A vector that is masked becomes pending in
 * the device (PCIe 6.1.4.5); MSI without mask bits can only be turned
 * off. Reading back orders the write before what follows.
 */
static void vfio_pci_mask_msi(struct vfio_pci_core_device *vdev)
{
	struct pci_dev *pdev = vdev->pdev;
	int flags = pdev->msi_cap + PCI_MSI_FLAGS;
	u16 value;
	int mask;

	if (vdev->irq_type == VFIO_PCI_MSIX_IRQ_INDEX) {
		flags = pdev->msix_cap + PCI_MSIX_FLAGS;
		pci_read_config_word(pdev, flags, &value);
		vdev->liveupdate_msi_flags = value;
		pci_write_config_word(pdev, flags, value | PCI_MSIX_FLAGS_MASKALL);
		pci_read_config_word(pdev, flags, &value);
		return;
	}

	pci_read_config_word(pdev, flags, &value);
	vdev->liveupdate_msi_flags = value;
	if (value & PCI_MSI_FLAGS_MASKBIT) {
		mask = pdev->msi_cap + (value & PCI_MSI_FLAGS_64BIT ?
					PCI_MSI_MASK_64 : PCI_MSI_MASK_32);
		pci_read_config_dword(pdev, mask, &vdev->liveupdate_msi_mask);
		pci_write_config_dword(pdev, mask, ~0U);
	} else {
		pci_write_config_word(pdev, flags, value & ~PCI_MSI_FLAGS_ENABLE);
	}
	pci_read_config_word(pdev, flags, &value);
}

static void vfio_pci_unmask_msi(struct vfio_pci_core_device *vdev)
{
	struct pci_dev *pdev = vdev->pdev;
	u16 flags = vdev->liveupdate_msi_flags;

	if (vdev->irq_type == VFIO_PCI_MSIX_IRQ_INDEX) {
		pci_write_config_word(pdev, pdev->msix_cap + PCI_MSIX_FLAGS, flags);
		return;
	}
	if (flags & PCI_MSI_FLAGS_MASKBIT)
		pci_write_config_dword(pdev, pdev->msi_cap +
				       (flags & PCI_MSI_FLAGS_64BIT ?
					PCI_MSI_MASK_64 : PCI_MSI_MASK_32),
				       vdev->liveupdate_msi_mask);
	pci_write_config_word(pdev, pdev->msi_cap + PCI_MSI_FLAGS, flags);
}

#define VFIO_PCI_INTX_VETO \
	"its user has INTx enabled, which the device cannot mask; disable it first (VFIO_DEVICE_SET_IRQS)"
#define VFIO_PCI_MATE_VETO \
	"is in the same IOMMU group and is not preserved; preserve it, too, or close the session"
#define VFIO_PCI_LOCKED_VETO \
	"it is being reset, removed or unbound from its driver; if that lasts, close its session, or its file"

/* The line may be shared with a device of the next kernel */
static bool vfio_pci_intx_vetoes(struct vfio_pci_core_device *vdev)
{
	return vdev->irq_type == VFIO_PCI_INTX_IRQ_INDEX && !vdev->pci_2_3;
}

/* What the IOMMU cannot tell apart crosses as a whole. */
static int vfio_pci_check_group(struct pci_dev *pdev)
{
	struct device *missing __free(put_device) = iommu_device_missing_mate(&pdev->dev);

	if (!missing)
		return 0;
	pci_warn(pdev, "cannot cross a live update: %s " VFIO_PCI_MATE_VETO "\n",
		 dev_name(missing));
	return -EBUSY;
}

/* Mask what the user has enabled, and see that nothing changes any more. */
static int vfio_pci_freeze(struct vfio_pci_core_device *vdev,
			   struct vfio_pci_ser *ser)
{
	u16 command;

	guard(mutex)(&vdev->igate);

	switch (vdev->irq_type) {
	case VFIO_PCI_MSI_IRQ_INDEX:
	case VFIO_PCI_MSIX_IRQ_INDEX:
		vfio_pci_mask_msi(vdev);
		ser->irq_index = vdev->irq_type;
		ser->irq_vectors = vfio_pci_count_vectors(vdev);
		break;
	case VFIO_PCI_NUM_IRQS:
		ser->irq_index = VFIO_PCI_SER_NO_IRQ;
		ser->irq_vectors = 0;
		break;
	default:
		if (vfio_pci_intx_vetoes(vdev)) {
			pci_warn(vdev->pdev, "cannot cross a live update: %s\n",
				 VFIO_PCI_INTX_VETO);
			return -EBUSY;
		}
		ser->irq_index = VFIO_PCI_INTX_IRQ_INDEX;
		ser->irq_vectors = 1;
	}
	if (vdev->virq_disabled)
		ser->flags |= VFIO_PCI_SER_INTX_DISABLED;
	else
		ser->flags &= ~VFIO_PCI_SER_INTX_DISABLED;
	vfio_pci_seal_ser(ser);

	guard(spinlock_irqsave)(&vdev->irqlock);

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
	struct vfio_pci_ser *ser = phys_to_virt(args->serialized_data);
	struct liveupdate_step step;
	int ret;

	liveupdate_step_begin(&step, LIVEUPDATE_STEP_DEVICE_FREEZE,
			      LIVEUPDATE_KIND_DEVICE,
			      LIVEUPDATE_PCI_ID(vdev->pdev));
	ret = pci_liveupdate_freeze(vdev->pdev);
	if (!ret)
		ret = vfio_pci_check_group(vdev->pdev);
	if (!ret)
		ret = vfio_pci_freeze(vdev, ser);
	liveupdate_step_end(&step, ret, ret ? 0 : ser->irq_vectors);
	return ret;
}

static void vfio_pci_liveupdate_unfreeze(struct liveupdate_file_op_args *args)
{
	struct vfio_pci_core_device *vdev = vfio_pci_preserved_device(args);

	guard(mutex)(&vdev->igate);

	if (vdev->irq_type == VFIO_PCI_MSI_IRQ_INDEX ||
	    vdev->irq_type == VFIO_PCI_MSIX_IRQ_INDEX)
		vfio_pci_unmask_msi(vdev);

	scoped_guard(spinlock_irqsave, &vdev->irqlock)
		vdev->liveupdate_frozen = false;
	if (vdev->liveupdate_intx)
		vfio_pci_intx_resume(vdev);
}

static bool vfio_pci_liveupdate_veto(struct liveupdate_file_op_args *args, char *why,
				     size_t size)
{
	struct vfio_pci_core_device *vdev = vfio_pci_preserved_device(args);
	struct pci_dev *locked __free(pci_dev_put) =
		pci_liveupdate_find_locked(vdev->pdev);
	struct device *missing __free(put_device) =
		iommu_device_missing_mate(&vdev->pdev->dev);
	const char *veto = pci_liveupdate_veto(vdev->pdev);
	bool intx;

	/* The worse one first: with it the session cannot be dropped, either */
	if (locked) {
		snprintf(why, size, "%s: " VFIO_PCI_LOCKED_VETO, pci_name(locked));
		return true;
	}

	if (veto) {
		snprintf(why, size, "%s: %s", pci_name(vdev->pdev), veto);
		return true;
	}
	if (missing) {
		snprintf(why, size, "%s: %s " VFIO_PCI_MATE_VETO,
			 pci_name(vdev->pdev), dev_name(missing));
		return true;
	}

	scoped_guard(mutex, &vdev->igate)
		intx = vfio_pci_intx_vetoes(vdev);
	if (intx)
		snprintf(why, size, "%s: " VFIO_PCI_INTX_VETO, pci_name(vdev->pdev));
	return intx;
}

/* The machine is shut down with the lock of each device. */
static bool vfio_pci_liveupdate_can_stop(struct liveupdate_file_op_args *args)
{
	return !pci_liveupdate_can_shut_down(vfio_pci_preserved_device(args)->pdev);
}

static void vfio_pci_liveupdate_stop(struct liveupdate_file_op_args *args)
{
	pci_liveupdate_stop(vfio_pci_preserved_device(args)->pdev);
}

/*
 * Incoming kernel
 */

/* What the previous kernel wrote about a device file, if it can be trusted. */
static struct vfio_pci_ser *vfio_pci_incoming_ser(u64 data)
{
	size_t room = kho_preserved_size(data);
	struct vfio_pci_ser *ser;

	if (room < sizeof(*ser))
		goto bad;
	ser = phys_to_virt(data);
	if (ser->magic != VFIO_PCI_SER_MAGIC || ser->size > room ||
	    ser->size != struct_size(ser, saved_state, ser->saved_size))
		goto bad;
	if (ser->crc != vfio_pci_ser_crc(ser))
		goto bad;
	return ser;

bad:
	pr_err("vfio-pci: the record %#llx of a preserved device is damaged\n", data);
	return NULL;
}

/* Does the device have the interrupts that the record says its user had? */
static bool vfio_pci_has_irqs(const struct vfio_pci_ser *ser,
			      const struct pci_dev *pdev)
{
	switch (ser->irq_index) {
	case VFIO_PCI_SER_NO_IRQ:
	case VFIO_PCI_INTX_IRQ_INDEX:
		return true;
	case VFIO_PCI_MSI_IRQ_INDEX:
		return !pdev || pdev->msi_cap;
	case VFIO_PCI_MSIX_IRQ_INDEX:
		return !pdev || pdev->msix_cap;
	default:
		return false;
	}
}

/* Return: NULL, or why the device of a record can never be had back */
static const char *vfio_pci_ser_contradiction(u64 data,
					      const struct vfio_pci_ser *ser)
{
	struct pci_dev *pdev __free(pci_dev_put) =
		pci_get_domain_bus_and_slot(ser->segment, PCI_BUS_NUM(ser->bdf),
					    ser->bdf & 0xff);

	if (!iommu_liveupdate_file_has_device(data, ser->segment, ser->bdf))
		return "a device that is not its own";
	if (!vfio_pci_has_irqs(ser, pdev))
		return "interrupts that its device does not have";
	if (pdev && !pci_liveupdate_may_have(pdev, "vfio-pci"))
		return "a device that belongs to another driver";
	return NULL;
}

/*
 * The same, and the device that was preserved with it can be had back; or that
 * device is lost, since its session has to finish.
 */
struct vfio_pci_ser *vfio_pci_take_ser(u64 data)
{
	struct vfio_pci_ser *ser = vfio_pci_incoming_ser(data);
	const char *what = ser ? vfio_pci_ser_contradiction(data, ser) : NULL;

	if (what) {
		pr_err("vfio-pci: the record %#llx names %s\n", data, what);
		ser = NULL;
	}
	if (!ser)
		iommu_liveupdate_lose_file(data);
	return ser;
}

/* The device of a damaged record is lost. */
static void vfio_pci_liveupdate_check(struct liveupdate_file_op_args *args)
{
	vfio_pci_take_ser(args->serialized_data);
}

/*
 * What the device reaches through its restored page table is memory of the
 * session, which has to stay until the device is on another one, or is lost.
 */
static bool vfio_pci_liveupdate_can_finish(struct liveupdate_file_op_args *args)
{
	struct vfio_pci_ser *ser = vfio_pci_take_ser(args->serialized_data);
	enum iommu_liveupdate_state state = IOMMU_LIVEUPDATE_LOST;
	const char *what;

	if (ser)
		state = iommu_liveupdate_file_state(ser->segment, ser->bdf);
	switch (state) {
	case IOMMU_LIVEUPDATE_WAITING:
		what = IS_ENABLED(CONFIG_VFIO_PCI_LIVEUPDATE_RETRIEVE) ?
		       "waiting; retrieve it and bind it to its iommufd" :
		       "waiting, and this kernel gives it back to nobody; reboot";
		break;
	case IOMMU_LIVEUPDATE_RETRIEVED:
		what = "on its restored HWPT; attach it to another one";
		break;
	default:
		return args->retrieve_status <= 0 ||
		       vfio_pci_can_finish_retrieved(args->file);
	}
	pr_warn("vfio-pci: the session cannot finish: device %04x:%02x:%02x.%d is %s\n",
		ser->segment, PCI_BUS_NUM(ser->bdf), PCI_SLOT(ser->bdf & 0xff),
		PCI_FUNC(ser->bdf & 0xff), what);
	return false;
}

static void vfio_pci_liveupdate_finish(struct liveupdate_file_op_args *args)
{
	struct vfio_pci_ser *ser = vfio_pci_take_ser(args->serialized_data);

	/* What is damaged may be somebody else's, and stays reserved */
	if (ser) {
		iommu_liveupdate_finish_device(ser->segment, ser->bdf);
		kho_restore_free(ser);
	} else {
		iommu_liveupdate_finish_file(args->serialized_data);
	}
	if (args->retrieve_status > 0)
		vfio_pci_finish_retrieved(args->file);
}

static const struct liveupdate_file_ops vfio_pci_liveupdate_ops = {
	.can_preserve = vfio_pci_liveupdate_can_preserve,
	.preserve = vfio_pci_liveupdate_preserve,
	.unpreserve = vfio_pci_liveupdate_unpreserve,
	.freeze = vfio_pci_liveupdate_freeze,
	.unfreeze = vfio_pci_liveupdate_unfreeze,
	.veto = vfio_pci_liveupdate_veto,
	.can_stop = vfio_pci_liveupdate_can_stop,
	.stop = vfio_pci_liveupdate_stop,
	.retrieve = vfio_pci_liveupdate_retrieve,
	.check = vfio_pci_liveupdate_check,
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
	if (!ret)
		ret = pci_liveupdate_register_flb(&vfio_pci_liveupdate_handler);
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

#ifdef CONFIG_LIVEUPDATE_DAMAGE_KUNIT_TEST
#include "vfio_pci_liveupdate_kunit.c"
#endif
