/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * IOMMU live update: what its outgoing and its incoming side share.
 */
#ifndef __IOMMU_LIVEUPDATE_H
#define __IOMMU_LIVEUPDATE_H

#include <linux/crc32.h>
#include <linux/iommu.h>
#include <linux/kho/abi/iommu.h>
#include <linux/kho_block.h>
#include <linux/list.h>
#include <linux/liveupdate.h>
#include <linux/liveupdate_trace.h>
#include <linux/pci.h>

/* iommu.liveupdate= on the command line */
enum iommu_liveupdate_mode {
	LIVEUPDATE_OFF,
	LIVEUPDATE_LAZY,
	LIVEUPDATE_EAGER,
};

extern enum iommu_liveupdate_mode liveupdate_mode;
extern struct liveupdate_flb iommu_flb;

int iommu_flb_retrieve(struct liveupdate_flb_op_args *args);
void iommu_flb_finish(struct liveupdate_flb_op_args *args);
void iommu_flb_files_known(struct liveupdate_flb_op_args *args);
void iommu_forget_refusals(u32 segment, u16 bdf);

static inline unsigned long device_key(u32 segment, u16 bdf)
{
	return (unsigned long)segment << 16 | bdf;
}

/**
 * struct iommu_requester - what records know a device by
 * @segment: PCI segment
 * @bdf:     bus, device and function
 * @vendor:  PCI vendor id
 * @device:  PCI device id
 */
struct iommu_requester {
	u32 segment;
	u16 bdf;
	u16 vendor;
	u16 device;
};

bool iommu_get_requester(struct device *dev, struct iommu_requester *requester);
struct device *iommu_find_requester(u32 segment, u16 bdf);
const struct iommu_ops *iommu_requester_driver(u32 segment);

#ifdef CONFIG_IOMMUFD_TEST
/* No segment of PCI */
#define IOMMU_MOCK_SEGMENT	0x6d6f636bU

/**
 * struct iommu_liveupdate_mock - devices of a selftest, which are not of PCI
 * @driver:        of their IOMMU
 * @get_requester: as iommu_get_requester(), in IOMMU_MOCK_SEGMENT
 * @find:          as iommu_find_requester(), in IOMMU_MOCK_SEGMENT
 */
struct iommu_liveupdate_mock {
	const struct iommu_ops *driver;
	bool (*get_requester)(struct device *dev, struct iommu_requester *requester);
	struct device *(*find)(u16 bdf);
};

extern const struct iommu_liveupdate_mock *iommu_liveupdate_mock;

/* The selftest plays the next kernel in this one. */
u64 iommu_liveupdate_test_header(void);
int iommu_liveupdate_test_begin(u64 header);
void iommu_liveupdate_test_booted(void);
void iommu_liveupdate_test_end(void);
#define __init_or_test
#else
#define __init_or_test __init
#endif

/* The check of a record of @size bytes that begins with @prefix. */
static inline u32 prefix_crc(const struct iommu_ser_prefix *prefix, size_t size)
{
	const size_t skip = offsetofend(struct iommu_ser_prefix, crc);

	return crc32(~0, (const void *)prefix + skip, size - skip);
}

/* The check of a list of entries of @size bytes without checks, a block at a time. */
static inline u32 list_crc(const struct kho_block_set *list, size_t size)
{
	const struct kho_block *block;
	u32 crc = ~0;

	list_for_each_entry(block, &list->blocks, list)
		crc = crc32(crc, block->ser + 1, block->ser->count * size);
	return crc;
}

static inline u32 chunks_crc(const struct kho_block_set *chunks)
{
	return list_crc(chunks, sizeof(struct iommu_chunk_ser));
}

static inline u32 pasids_crc(const struct kho_block_set *pasids)
{
	return list_crc(pasids, sizeof(struct iommu_pasid_ser));
}

/**
 * struct iommu_preserved_pasids - what a device uses with PASIDs
 * @list: records, once they are written
 * @num:  how many
 * @at:   PASIDs in ascending order, each with its domain and that domain's top table
 */
struct iommu_preserved_pasids {
	struct kho_block_set list;
	unsigned int num;
	struct {
		ioasid_t pasid;
		struct iommu_domain *domain;
		u64 top;
	} at[];
};

/* liveupdate-pasid.c */
struct iommu_preserved_pasids *iommu_pasids_collect(struct device *dev);
int iommu_pasids_preserve(struct iommu_preserved_pasids *pasids, struct device *dev,
			  struct iommu_device_ser *ser);
void iommu_pasids_free(struct iommu_preserved_pasids *pasids);

static inline u32 header_crc(const struct iommu_liveupdate_ser *ser)
{
	const size_t skip = offsetofend(struct iommu_liveupdate_ser, crc);

	return crc32(~0, (const void *)ser + skip, sizeof(*ser) - skip);
}

#endif /* __IOMMU_LIVEUPDATE_H */
