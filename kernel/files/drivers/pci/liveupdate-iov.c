// SPDX-License-Identifier: GPL-2.0-only
/*
 * PCI live update: physical functions with virtual ones, see liveupdate.c.
 */
#include <linux/pci.h>

#include "liveupdate.h"
#include "pci.h"

/**
 * pci_liveupdate_record_vfs() - Record what the next kernel cannot ask for
 * @dev: A device or a bridge
 * @ser: Its record, whose flags say afterwards whether it has virtual functions
 *
 * Sizing VF BARs needs VF Enable to be clear (PCIe 9.3.3.14).
 */
void pci_liveupdate_record_vfs(struct pci_dev *dev, struct pci_function_ser *ser)
{
	u32 *sizes = ser->sriov.bar_sizes;

	if (!pci_num_vf(dev))
		return;

	ser->flags |= PCI_SER_SRIOV;
	for (int i = 0; i < PCI_SER_VF_BARS; i++) {
		int resno = pci_resource_num_from_vf_bar(i);
		const struct resource *res = &dev->resource[resno];
		u64 mask = ~(u64)(pci_iov_resource_size(dev, resno) - 1);

		if (!res->flags)
			continue;
		sizes[i] = lower_32_bits(mask);
		if (res->flags & IORESOURCE_MEM_64)
			sizes[++i] = upper_32_bits(mask);
	}
}

/**
 * pci_liveupdate_vfs_are_alone() - Do virtual functions depend on one device?
 * @dev: A physical function with virtual ones
 *
 * Return: false if Function Dependency Link names another physical function
 * (PCIe 9.3.3.8), which would have to cross with it.
 */
bool pci_liveupdate_vfs_are_alone(const struct pci_dev *dev)
{
	return dev->sriov->link == dev->devfn;
}
