/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * PCI live update: what its outgoing and its incoming side share.
 */
#ifndef __PCI_LIVEUPDATE_H
#define __PCI_LIVEUPDATE_H

#include <linux/crc32.h>
#include <linux/iommu-liveupdate.h>
#include <linux/kho/abi/pci.h>
#include <linux/liveupdate.h>
#include <linux/mutex.h>
#include <linux/pci.h>

/* Protects the counts in struct pci_dev, and the records. */
extern struct mutex pci_liveupdate_lock;
extern struct liveupdate_flb pci_flb;

/* The host is going to sleep; under pci_liveupdate_lock. */
extern unsigned int pci_liveupdate_suspended;

int pci_flb_retrieve(struct liveupdate_flb_op_args *args);
void pci_flb_finish(struct liveupdate_flb_op_args *args);
void pci_liveupdate_record_vfs(struct pci_dev *dev, struct pci_function_ser *ser);
bool pci_liveupdate_vfs_are_alone(const struct pci_dev *dev);
bool pci_liveupdate_may_bind(struct pci_dev *dev, const struct pci_driver *drv);
struct pci_dev *pci_liveupdate_above(struct pci_dev *dev);
void pci_liveupdate_read_registers(struct pci_dev *dev,
				   struct pci_function_ser *ser);

/* How far a device has come that came with a live update; the IOMMU core knows */
static inline enum iommu_liveupdate_state
pci_liveupdate_state(const struct pci_dev *dev, enum iommu_liveupdate_loss *loss)
{
	return iommu_liveupdate_state(pci_domain_nr(dev->bus),
				      PCI_DEVID(dev->bus->number, dev->devfn),
				      loss);
}

static inline u32 pci_function_crc(const struct pci_function_ser *ser)
{
	const size_t skip = offsetofend(struct pci_function_ser, crc);

	return crc32(~0, (const void *)ser + skip, sizeof(*ser) - skip);
}

static inline u32 pci_header_crc(const struct pci_liveupdate_ser *ser)
{
	const size_t skip = offsetofend(struct pci_liveupdate_ser, crc);

	return crc32(~0, (const void *)ser + skip, sizeof(*ser) - skip);
}

#endif /* __PCI_LIVEUPDATE_H */
