// SPDX-License-Identifier: GPL-2.0-only
/*
 * Keep PCI devices running while the kernel is replaced.
 */

/**
 * DOC: PCI live update
 *
 * A device that is preserved masters the bus from one kernel into the next, and
 * so must every bridge between it and the host: a PCI-to-PCI bridge forwards
 * requests upstream only while its own Bus Master Enable is set (PCI Express
 * Base Specification, 7.5.1.1.3). Each device and bridge therefore counts the
 * devices at or below it that run through the update: the preserved ones in
 * the kernel that goes, the waiting ones in the kernel that comes. While the
 * count is not zero, nothing here clears its bus mastering, resets it, changes
 * its power state or removes it.
 *
 * Which devices wait is known from the records of the IOMMU
 * (iommu_device_is_waiting()), from the moment on at which the bus is scanned.
 * What enumeration does to a device in this kernel is compatible with DMA that
 * is going on: sizing the BARs turns memory decoding off for a moment, which
 * concerns requests to the device and not those that it makes; BARs, bus
 * numbers, ACS and ARI are as the previous kernel left them, because firmware
 * did not run in between and this kernel keeps what it finds.
 */
#include <linux/bug.h>
#include <linux/cleanup.h>
#include <linux/iommu-liveupdate.h>
#include <linux/liveupdate_trace.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/pci-liveupdate.h>
#include <linux/pm_runtime.h>

#include "pci.h"

/* Protects pci_dev::liveupdate_outgoing and ::liveupdate_incoming */
static DEFINE_MUTEX(pci_liveupdate_lock);

static u64 pci_liveupdate_object(const struct pci_dev *dev)
{
	return LIVEUPDATE_DEVICE_ID(pci_domain_nr(dev->bus),
				    PCI_DEVID(dev->bus->number, dev->devfn), 0);
}

/**
 * pci_liveupdate_preserve() - Let a device run on through the live update
 * @dev: A device whose driver prevents that it is removed or unbound
 *
 * Bus mastering of the device and of all bridges above it outlives the kexec.
 * Until pci_liveupdate_unpreserve(), a reset of it fails with -EBUSY.
 *
 * Context: May sleep.
 * Return: 0, -EBUSY if it is preserved already, -EOPNOTSUPP if it cannot be: a
 * bridge, a virtual function, a physical function with virtual functions (the
 * next kernel switches them off when it finds them), or a device that is not in
 * D0.
 */
int pci_liveupdate_preserve(struct pci_dev *dev)
{
	struct pci_dev *above;
	const char *reason;

	if (dev->hdr_type != PCI_HEADER_TYPE_NORMAL) {
		reason = "it is a bridge";
		goto refuse;
	}
	if (dev->is_virtfn) {
		reason = "it is an SR-IOV virtual function";
		goto refuse;
	}
	if (pci_num_vf(dev)) {
		reason = "it has SR-IOV virtual functions";
		goto refuse;
	}
	if (dev->current_state != PCI_D0) {
		reason = "it is not in power state D0";
		goto refuse;
	}

	guard(mutex)(&pci_liveupdate_lock);

	if (dev->liveupdate_outgoing) {
		pci_warn(dev, "liveupdate: cannot be preserved: it is already\n");
		return -EBUSY;
	}
	for (above = dev; above; above = pci_upstream_bridge(above))
		above->liveupdate_outgoing++;
	return 0;

refuse:
	pci_warn(dev, "liveupdate: cannot be preserved: %s\n", reason);
	return -EOPNOTSUPP;
}
EXPORT_SYMBOL_GPL(pci_liveupdate_preserve);

/**
 * pci_liveupdate_unpreserve() - Undo pci_liveupdate_preserve()
 * @dev: A preserved device
 *
 * Context: May sleep.
 */
void pci_liveupdate_unpreserve(struct pci_dev *dev)
{
	struct pci_dev *above;

	guard(mutex)(&pci_liveupdate_lock);

	if (WARN_ON(!dev->liveupdate_outgoing))
		return;
	for (above = dev; above; above = pci_upstream_bridge(above))
		above->liveupdate_outgoing--;
}
EXPORT_SYMBOL_GPL(pci_liveupdate_unpreserve);

/**
 * pci_liveupdate_is_waiting() - Has this device been running all along?
 * @dev: Any PCI device
 *
 * Return: true if the previous kernel preserved the device and nobody has
 * retrieved it yet. It masters the bus; nothing may be done to it.
 */
bool pci_liveupdate_is_waiting(const struct pci_dev *dev)
{
	return dev->liveupdate_waiting;
}
EXPORT_SYMBOL_GPL(pci_liveupdate_is_waiting);

/**
 * pci_liveupdate_is_running() - Does DMA of a live update depend on this device?
 * @dev: Any PCI device
 *
 * Return: true for a device that is preserved or waiting, and for each bridge
 * above one.
 */
bool pci_liveupdate_is_running(const struct pci_dev *dev)
{
	return READ_ONCE(dev->liveupdate_outgoing) ||
	       READ_ONCE(dev->liveupdate_incoming);
}

/**
 * pci_liveupdate_refuse() - Refuse what would stop DMA of a live update
 * @dev:  The device, or the bridge, that it would be done to
 * @what: What would be done, for the log
 *
 * Return: 0 if nothing is against it, else -EBUSY.
 */
int pci_liveupdate_refuse(struct pci_dev *dev, const char *what)
{
	if (!pci_liveupdate_is_running(dev))
		return 0;

	if (dev->liveupdate_waiting) {
		iommu_device_refuse(&dev->dev, what);
		return -EBUSY;
	}

	liveupdate_step_instant(LIVEUPDATE_STEP_DEVICE_REFUSE,
				LIVEUPDATE_KIND_DEVICE,
				pci_liveupdate_object(dev), -EBUSY, 0);
	dev_warn_ratelimited(&dev->dev, "liveupdate: %s refused, %s %s\n",
			     what,
			     dev->subordinate ? "a device below" : "the device",
			     READ_ONCE(dev->liveupdate_outgoing) ?
			     "is preserved" : "waits to be retrieved");
	return -EBUSY;
}

/**
 * pci_liveupdate_add_device() - Recognise a device that has been running all along
 * @dev: A device that was found and is not added yet
 */
void pci_liveupdate_add_device(struct pci_dev *dev)
{
	struct pci_dev *above;

	if (!iommu_device_is_waiting(&dev->dev))
		return;

	guard(mutex)(&pci_liveupdate_lock);

	dev->liveupdate_waiting = true;
	for (above = dev; above; above = pci_upstream_bridge(above))
		above->liveupdate_incoming++;

	/* In D0 until it is retrieved, and so is every bridge above it */
	pm_runtime_get_noresume(&dev->dev);
	pci_info(dev, "liveupdate: has been running since before this kernel, waits to be retrieved\n");
}

/**
 * pci_liveupdate_remove_device() - Forget a device that is gone
 * @dev: A device that has been unplugged
 */
void pci_liveupdate_remove_device(struct pci_dev *dev)
{
	struct pci_dev *above;

	if (!dev->liveupdate_waiting)
		return;

	guard(mutex)(&pci_liveupdate_lock);

	dev->liveupdate_waiting = false;
	for (above = dev; above; above = pci_upstream_bridge(above))
		above->liveupdate_incoming--;
}

/**
 * pci_liveupdate_shutdown() - Leave a device running into the next kernel
 * @dev: A device that is shut down for a kexec
 *
 * A device that still waits is not kept: the next kernel would know neither of
 * it nor of the memory that it writes to.
 *
 * Return: true if bus mastering has to stay on.
 */
bool pci_liveupdate_shutdown(struct pci_dev *dev)
{
	unsigned int preserved = READ_ONCE(dev->liveupdate_outgoing);

	if (!preserved)
		return false;

	liveupdate_step_instant(LIVEUPDATE_STEP_DEVICE_KEEP,
				LIVEUPDATE_KIND_DEVICE,
				pci_liveupdate_object(dev), 0, preserved);
	return true;
}
