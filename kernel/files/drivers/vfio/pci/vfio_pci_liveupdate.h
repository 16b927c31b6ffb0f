/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vfio-pci live update: what its two files share.
 */
#ifndef VFIO_PCI_LIVEUPDATE_H
#define VFIO_PCI_LIVEUPDATE_H

#include <linux/liveupdate.h>

struct file;
struct vfio_pci_ser;

struct vfio_pci_ser *vfio_pci_take_ser(u64 data);

#ifdef CONFIG_VFIO_PCI_LIVEUPDATE_RETRIEVE
int vfio_pci_liveupdate_retrieve(struct liveupdate_file_op_args *args);
bool vfio_pci_can_finish_retrieved(struct file *file);
void vfio_pci_finish_retrieved(struct file *file);
#else
static inline int
vfio_pci_liveupdate_retrieve(struct liveupdate_file_op_args *args)
{
	args->unchanged = true;
	return -EOPNOTSUPP;
}

static inline bool vfio_pci_can_finish_retrieved(struct file *file)
{
	return true;
}

static inline void vfio_pci_finish_retrieved(struct file *file)
{
}
#endif

#endif /* VFIO_PCI_LIVEUPDATE_H */
