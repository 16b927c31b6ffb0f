/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * DOC: IOMMU live update ABI
 *
 * What one kernel tells the next about the IOMMU state that it leaves running.
 * A header and three sets of fixed-size records, each set a chain of
 * &struct kho_block_header_ser blocks:
 *
 *   - a unit is one IOMMU hardware unit whose translation stays enabled,
 *   - a domain is one page table, with a set of its own of the chunks of memory
 *     that its table pages are in,
 *   - a device is one requester ID together with the unit that translates for
 *     it and the domain that it is attached to, with a set of its own of the
 *     domains that its PASIDs are attached to.
 *
 * Records refer to each other by hardware facts rather than by index: a unit by
 * the physical address of its registers, a domain by that of its top table. A
 * slot whose &iommu_ser_prefix.state is IOMMU_SER_FREE is skipped. Each record
 * and the header end in checks of their own, so that a damaged one is found
 * before anything in it is used.
 *
 * This is a contract between two different kernels. Any change of a structure
 * below, or of what a member means, needs a new IOMMU_LIVEUPDATE_COMPATIBLE.
 */
#ifndef _LINUX_KHO_ABI_IOMMU_H
#define _LINUX_KHO_ABI_IOMMU_H

#include <linux/bits.h>
#include <linux/types.h>

#define IOMMU_LIVEUPDATE_COMPATIBLE	"iommu-liveupdate-v1"

#define IOMMU_SER_MAGIC			0x4c554d4fU	/* "OMUL" */

enum iommu_ser_state {
	IOMMU_SER_FREE = 0,
	IOMMU_SER_USED = 1,
};

/* Which driver wrote a record, and therefore who may read it. */
enum iommu_ser_type {
	IOMMU_SER_INTEL = 1,
	IOMMU_SER_AMD = 2,
};

/* Page table formats of generic_pt. */
enum iommu_ser_format {
	IOMMU_SER_VTDSS = 1,
	IOMMU_SER_X86_64 = 2,
	IOMMU_SER_AMDV1 = 3,
	IOMMU_SER_RISCV64 = 4,
};

/**
 * struct iommu_ser_prefix - what every record begins with
 * @crc:   CRC-32 (Ethernet polynomial, seed ~0) of all that follows @crc
 * @state: enum iommu_ser_state
 * @type:  enum iommu_ser_type
 */
struct iommu_ser_prefix {
	u32 crc;
	u16 state;
	u16 type;
} __packed;

/**
 * struct iommu_unit_ser - one IOMMU hardware unit
 * @prefix:    see &struct iommu_ser_prefix
 * @reg_phys:  physical address of its registers
 * @segment:   PCI segment that it serves
 * @flags:     0
 * @root:      VT-d: contents of the Root Table Address Register (VT-d 11.4.5);
 *             AMD: of the Device Table Base Address Register
 * @irta:      VT-d: contents of the Interrupt Remapping Table Address Register
 *             (VT-d 11.4), whose table is a page of zeros: all interrupts of
 *             devices are blocked;
 *             AMD: 0, since entries of the device table block interrupts
 */
struct iommu_unit_ser {
	struct iommu_ser_prefix prefix;
	u64 reg_phys;
	u32 segment;
	u32 flags;
	u64 root;
	u64 irta;
} __packed;

/* The domain enforces cache coherency: entries (second stage) or PASID entry. */
#define IOMMU_DOMAIN_SER_FORCE_SNOOPING	BIT_ULL(0)

/**
 * struct iommu_chunk_ser - memory that table pages of one domain are in
 * @phys:     physical address, aligned to its size; one preserved block
 * @order:    log2 of its number of pages, each of which is a table or unused
 * @reserved: 0
 *
 * Ordered by address; no two overlap. Each table page of a domain is in one of
 * its chunks.
 */
struct iommu_chunk_ser {
	u64 phys;
	u32 order;
	u32 reserved;
} __packed;

/**
 * struct iommu_domain_ser - one page table
 * @prefix:        see &struct iommu_ser_prefix
 * @top:           physical address of its top table
 * @token:         the user's token for it
 * @tables:        number of table pages, @top included
 * @pgsize_bitmap: page sizes in use
 * @num_chunks:    number of its &struct iommu_chunk_ser
 * @format:        enum iommu_ser_format
 * @top_level:     level of @top, 0 is the level of the smallest leaves
 * @vasz_lg2:      bits of an IOVA
 * @oasz_lg2:      bits of an output address
 * @flags:         IOMMU_DOMAIN_SER_*
 * @chunks:        physical address of the first block of &struct iommu_chunk_ser
 * @chunks_crc:    CRC-32 (Ethernet polynomial, seed ~0) of them all, in their order
 * @reserved:      0
 * @file:          physical address of the record of the iommufd that it belongs to
 */
struct iommu_domain_ser {
	struct iommu_ser_prefix prefix;
	u64 top;
	u64 token;
	u64 tables;
	u64 pgsize_bitmap;
	u32 num_chunks;
	u8  format;
	u8  top_level;
	u8  vasz_lg2;
	u8  oasz_lg2;
	u64 flags;
	u64 chunks;
	u32 chunks_crc;
	u32 reserved;
	u64 file;
} __packed;

/**
 * struct iommu_pasid_ser - what a device uses with one PASID
 * @pasid:    the PASID, not 0 and below &iommu_device_ser.max_pasid
 * @did:      domain id in the PASID table entry
 * @reserved: 0
 * @domain:   &iommu_domain_ser.top of the domain that it is attached to, which is
 *            one of the same iommufd as the device's own
 *
 * Ordered by PASID, each of which is there once.
 */
struct iommu_pasid_ser {
	u32 pasid;
	u16 did;
	u16 reserved;
	u64 domain;
} __packed;

/**
 * struct iommu_device_ser - one requester ID
 * @prefix:     see &struct iommu_ser_prefix
 * @segment:    PCI segment
 * @bdf:        bus, device and function
 * @did:        domain id in its context, PASID table or device table entry
 * @token:      the user's token for the device
 * @unit:       &iommu_unit_ser.reg_phys of the unit that translates for it
 * @domain:     &iommu_domain_ser.top of the domain that it is attached to
 * @pasid_dir:  VT-d scalable mode: physical address of its PASID directory, or 0
 * @max_pasid:  number of PASIDs, from 0; VT-d scalable mode: of those that the
 *              directory covers
 * @vendor:     PCI vendor id, to see that it is still the same device
 * @device:     PCI device id
 * @file:       physical address of the record of its file in its session
 * @pasids:     physical address of the first block of &struct iommu_pasid_ser, or 0
 * @num_pasids: number of them
 * @pasids_crc: CRC-32 (Ethernet polynomial, seed ~0) of them all, in their order
 */
struct iommu_device_ser {
	struct iommu_ser_prefix prefix;
	u32 segment;
	u16 bdf;
	u16 did;
	u64 token;
	u64 unit;
	u64 domain;
	u64 pasid_dir;
	u32 max_pasid;
	u16 vendor;
	u16 device;
	u64 file;
	u64 pasids;
	u32 num_pasids;
	u32 pasids_crc;
} __packed;

/**
 * struct iommu_liveupdate_ser - header, what the FLB's data points to
 * @magic:       IOMMU_SER_MAGIC
 * @crc:         CRC-32 (Ethernet polynomial, seed ~0) of all that follows @crc
 * @size:        size of this header
 * @unit_size:   size of &struct iommu_unit_ser
 * @domain_size: size of &struct iommu_domain_ser
 * @device_size: size of &struct iommu_device_ser
 * @units:       physical address of the first block of units, or 0
 * @domains:     the same for domains
 * @devices:     the same for devices
 */
struct iommu_liveupdate_ser {
	u32 magic;
	u32 crc;
	u32 size;
	u32 unit_size;
	u32 domain_size;
	u32 device_size;
	u64 units;
	u64 domains;
	u64 devices;
} __packed;

#endif /* _LINUX_KHO_ABI_IOMMU_H */
