/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * DOC: vfio-pci live update ABI
 *
 * What one kernel tells the next about a preserved vfio-pci device file. How
 * the device's DMA is translated is a record of its own, see
 * include/linux/kho/abi/iommu.h. The physical address of &struct vfio_pci_ser is
 * the data of the device file in its live update session.
 *
 * This is a contract between two different kernels. Any change of a structure
 * below, or of what a member means, needs a new VFIO_PCI_LIVEUPDATE_COMPATIBLE.
 */
#ifndef _LINUX_KHO_ABI_VFIO_PCI_H
#define _LINUX_KHO_ABI_VFIO_PCI_H

#include <linux/kho/abi/pci.h>
#include <linux/types.h>

#define VFIO_PCI_LIVEUPDATE_COMPATIBLE	"vfio-pci-v1"

#define VFIO_PCI_SER_MAGIC		0x50465649U	/* "IVFP" */

#define VFIO_PCI_SER_RESET_WORKS	BIT(0)
/* The user has INTx Disable set; the device always has */
#define VFIO_PCI_SER_INTX_DISABLED	BIT(1)
/* A physical function, &vfio_pci_ser.vf_token is valid */
#define VFIO_PCI_SER_VF_TOKEN		BIT(2)

#define VFIO_PCI_SER_NO_IRQ		(~0U)

/**
 * struct vfio_pci_ser - one vfio-pci device file
 * @magic:         VFIO_PCI_SER_MAGIC
 * @crc:           CRC-32 (Ethernet polynomial, seed ~0) of all that follows @crc
 * @size:          size of this structure, @saved_state included
 * @segment:       PCI segment
 * @bdf:           bus, device and function
 * @vendor:        PCI vendor id, to see that it is still the same device
 * @device:        PCI device id
 * @flags:         VFIO_PCI_SER_*
 * @iommufd_token: token, in the same session, of the iommufd that it is bound to
 * @hwpt_token:    token, in that iommufd, of the HWPT that it is attached to
 * @irq_index:     interrupts that the user had when it was frozen, which are
 *                 masked in the device: VFIO_PCI_INTX_IRQ_INDEX,
 *                 VFIO_PCI_MSI_IRQ_INDEX, VFIO_PCI_MSIX_IRQ_INDEX or
 *                 VFIO_PCI_SER_NO_IRQ
 * @irq_vectors:   number of vectors that it had
 * @vf_token:      what a user of its virtual functions has to know
 * @saved_size:    bytes in @saved_state, 0 if it is not known
 * @saved_state:   &struct pci_saved_state_ser: the device before its user had it,
 *                 which is what the next user gets
 */
struct vfio_pci_ser {
	u32 magic;
	u32 crc;
	u32 size;
	u32 segment;
	u16 bdf;
	u16 vendor;
	u16 device;
	u16 flags;
	u64 iommufd_token;
	u64 hwpt_token;
	u32 irq_index;
	u32 irq_vectors;
	u8  vf_token[16];
	u32 saved_size;
	u8  saved_state[];
} __packed;

#endif /* _LINUX_KHO_ABI_VFIO_PCI_H */
