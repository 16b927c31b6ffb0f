/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What pt_identity.bpf.c and lutrace share. */
#ifndef LIVEUPDATE_PT_IDENTITY_H
#define LIVEUPDATE_PT_IDENTITY_H

/* IOMMU hardware units; the largest machines have 16 to 32. */
#define PT_UNITS_MAX	64
/* Pages copied by one run of read_pages: what one table page can lead to. */
#define PT_BATCH	512

/**
 * struct pt_unit - an IOMMU hardware unit, as its registers say
 * @reg_phys: physical address of the registers: the unit's name
 * @rtaddr:   root table address register; physical address and table mode
 * @cap:      capabilities
 * @ecap:     extended capabilities
 * @gsts:     global status
 * @segment:  PCI segment of the devices behind it
 * @id:       the kernel's number for it
 */
struct pt_unit {
	__u64 reg_phys;
	__u64 rtaddr;
	__u64 cap;
	__u64 ecap;
	__u32 gsts;
	__u16 segment;
	__u16 id;
};

/**
 * struct pt_request - argument of the programs that lutrace runs
 * @count:  read_units: units found; read_pages: pages to copy
 * @copied: pages that were copied before the first that could not be read
 */
struct pt_request {
	__u32 count;
	__u32 copied;
};

#endif /* LIVEUPDATE_PT_IDENTITY_H */
