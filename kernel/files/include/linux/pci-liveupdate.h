/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * PCI devices that go on running while the kernel is replaced.
 * drivers/pci/liveupdate.c has the idea.
 */
#ifndef _LINUX_PCI_LIVEUPDATE_H
#define _LINUX_PCI_LIVEUPDATE_H

#include <linux/errno.h>
#include <linux/types.h>

struct pci_dev;

#ifdef CONFIG_PCI_LIVEUPDATE
int pci_liveupdate_preserve(struct pci_dev *dev);
void pci_liveupdate_unpreserve(struct pci_dev *dev);
bool pci_liveupdate_is_waiting(const struct pci_dev *dev);
#else
static inline int pci_liveupdate_preserve(struct pci_dev *dev)
{
	return -EOPNOTSUPP;
}

static inline void pci_liveupdate_unpreserve(struct pci_dev *dev)
{
}

static inline bool pci_liveupdate_is_waiting(const struct pci_dev *dev)
{
	return false;
}
#endif

#endif /* _LINUX_PCI_LIVEUPDATE_H */
