/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * IOMMU live update, incoming kernel: checks of what the previous kernel left.
 *
 * None of them writes to what it looks at, and none follows an address before it
 * has asked the source about it: they work as well on a handover that a test has
 * made.
 */
#ifndef __IOMMU_LIVEUPDATE_RECORDS_H
#define __IOMMU_LIVEUPDATE_RECORDS_H

#include <linux/kho/abi/iommu.h>
#include <linux/types.h>

struct iommu_incoming;
struct kho_block_set;

/**
 * struct iommu_ser_source - where records come from
 * @is_preserved: is this the start of memory that was preserved, of a page or more?
 *                Any address may be asked for
 * @is_block:     is it the start of a block of just 2^order pages?
 * @damaged:      told of everything that is not used, and why
 */
struct iommu_ser_source {
	bool (*is_preserved)(phys_addr_t phys);
	bool (*is_block)(phys_addr_t phys, unsigned int order);
	void (*damaged)(const char *fmt, ...) __printf(1, 2);
};

/* From the previous kernel */
extern const struct iommu_ser_source iommu_ser_kho;

/* Return: NULL, or why the record is not to be used. */
const char *iommu_check_header(const struct iommu_liveupdate_ser *ser);
const char *iommu_check_chain(const struct iommu_ser_source *source, u64 head,
			      size_t size);
const char *iommu_check_unit(const struct iommu_unit_ser *ser);
const char *iommu_check_domain(const struct iommu_ser_source *source,
			       const struct iommu_domain_ser *ser);
const char *iommu_check_chunks(const struct iommu_ser_source *source,
			       const struct iommu_domain_ser *ser,
			       struct kho_block_set *chunks, u64 *pages);
const char *iommu_check_device(const struct iommu_ser_source *source,
			       const struct iommu_device_ser *ser);
const char *iommu_check_pasids(const struct iommu_device_ser *ser,
			       struct kho_block_set *pasids);

/* All of a handover, without and with what is damaged. */
struct iommu_incoming *iommu_incoming_read(const struct iommu_ser_source *source,
					   u64 data);
void iommu_incoming_drop(struct iommu_incoming *in);

#endif /* __IOMMU_LIVEUPDATE_RECORDS_H */
