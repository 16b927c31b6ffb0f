/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * DOC: iommufd live update ABI
 *
 * What one kernel tells the next about a preserved iommufd: which page tables
 * it holds, and by which token its user asks for them. The page tables
 * themselves are records of their own, see include/linux/kho/abi/iommu.h. The
 * physical address of &struct iommufd_ser is the data of the iommufd's file in
 * its live update session.
 *
 * This is a contract between two different kernels. Any change of a structure
 * below, or of what a member means, needs a new IOMMUFD_LIVEUPDATE_COMPATIBLE.
 */
#ifndef _LINUX_KHO_ABI_IOMMUFD_H
#define _LINUX_KHO_ABI_IOMMUFD_H

#include <linux/types.h>

#define IOMMUFD_LIVEUPDATE_COMPATIBLE	"iommufd-v1"

#define IOMMUFD_SER_MAGIC		0x46554d49U	/* "IMUF" */

/**
 * struct iommufd_hwpt_ser - one HWPT
 * @token:  the user's token for it, unique in its iommufd
 * @domain: its page table: the top of an &struct iommu_domain_ser
 */
struct iommufd_hwpt_ser {
	u64 token;
	u64 domain;
} __packed;

/**
 * struct iommufd_ser - one iommufd
 * @magic:     IOMMUFD_SER_MAGIC
 * @crc:       CRC-32 (Ethernet polynomial, seed ~0) of all that follows @crc,
 *             @hwpts included
 * @size:      size of all, @hwpts included
 * @num_hwpts: number of @hwpts
 * @hwpts:     the marked HWPTs
 */
struct iommufd_ser {
	u32 magic;
	u32 crc;
	u32 size;
	u32 num_hwpts;
	struct iommufd_hwpt_ser hwpts[];
} __packed;

#endif /* _LINUX_KHO_ABI_IOMMUFD_H */
