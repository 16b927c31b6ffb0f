/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What pt_identity.bpf.c, pt_pages.bpf.c and lutrace share; include digest.h before. */
#ifndef LIVEUPDATE_PT_IDENTITY_H
#define LIVEUPDATE_PT_IDENTITY_H

/* IOMMU hardware units; the largest machines have 16 to 32. */
#define PT_UNITS_MAX	64
/* Pages copied by one run of read_pages: no more than a CPU's own cache holds. */
#define PT_BATCH	128

/* Whose registers and tables they are. */
enum pt_format {
	PT_FORMAT_VTD,
	PT_FORMAT_AMD,
	PT_FORMAT_COUNT,
};

/**
 * struct pt_unit - an IOMMU hardware unit, as its registers say
 * @reg_phys: physical address of the registers: the unit's name
 * @rtaddr:   root table address register; physical address and table mode. AMD: device
 *            table base address register; physical address and size
 * @cap:      capabilities; AMD: extended features
 * @ecap:     extended capabilities; AMD: control
 * @gsts:     global status; AMD: control, the low half
 * @segment:  PCI segment of the devices behind it
 * @id:       the kernel's number for it
 * @format:   enum pt_format
 */
struct pt_unit {
	__u64 reg_phys;
	__u64 rtaddr;
	__u64 cap;
	__u64 ecap;
	__u32 gsts;
	__u16 segment;
	__u8 id;
	__u8 format;
};

/**
 * struct pt_request - argument of the programs that lutrace runs
 * @base:   address of physical memory in the kernel; read_units sets it
 * @count:  read_units: units found; read_pages: pages to copy
 * @first:  read_pages: index in the maps from which on it is done
 * @copied: pages that were copied before the first that could not be read
 */
struct pt_request {
	__u64 base;
	__u32 count;
	__u32 first;
	__u32 copied;
	__u32 reserved;
};

/**
 * struct pt_attachment - what the iterator found for a device or PASID
 * @top:          physical address of the top table, 0 if there is none
 * @table_pages:  pages of the page table
 * @leaf_entries: present leaf entries in them
 * @digest:       digest of the page table
 * @segment:      PCI segment
 * @bdf:          bus, device and function
 * @pasid:        PASID
 * @domain_id:    identifier that tags the IOMMU's caches
 * @stage:        1: first, 2: second, 3: nested, 4: AMD's host table, 0: passed through
 * @levels:       number of levels
 */
struct pt_attachment {
	__u64 top;
	__u64 table_pages;
	__u64 leaf_entries;
	struct digest digest;
	__u16 segment;
	__u16 bdf;
	__u32 pasid;
	__u16 domain_id;
	__u8 stage;
	__u8 levels;
	__u32 reserved;
};

/* X(NAME, number, "text"): why nobody knows what the hardware walks. */
#define PT_REASONS(X)							\
	X(NONE,		0, "it is known")				\
	X(UNDER_WAY,	1, "the walk is under way, or its reader ended it") \
	X(NO_UNIT,	2, "this machine has no IOMMU hardware unit in use") \
	X(MANY_UNITS,	3, "there are more IOMMU hardware units than fit") \
	X(REGISTERS,	4, "the registers of an IOMMU hardware unit cannot be read") \
	X(PAGE,		5, "a page cannot be read")			\
	X(LEVELS,	6, "an entry asks for a number of levels that does not exist") \
	X(TOO_LONG,	7, "the walk takes longer than one program may run") \
	X(CIRCLE,	8, "the tables lead in circles")		\
	X(SEGMENTS,	9, "a device table is in several parts")

enum pt_reason {
#define PT_REASON_ENUM(name, number, text) PT_REASON_##name = number,
	PT_REASONS(PT_REASON_ENUM)
#undef PT_REASON_ENUM
};

/**
 * struct pt_totals - the iterator's result over all devices
 * @known:        1 if everything could be read; else the rest says how far it came
 * @devices:      devices that have a context entry, or an entry in AMD's device table
 * @attachments:  what they are attached to; a domain counts once for each
 * @table_pages:  as in struct pt_attachment, their sum
 * @leaf_entries: "
 * @unreadable:   physical address of the page that could not be read; of PT_REASON_CIRCLE:
 *                the entry that leads back
 * @digest:       digest of all devices, the same that `lutrace walk` gives
 * @reason:       enum pt_reason: why it is not known
 * @reserved:     0
 */
struct pt_totals {
	__u32 known;
	__u32 devices;
	__u64 attachments;
	__u64 table_pages;
	__u64 leaf_entries;
	__u64 unreadable;
	struct digest digest;
	enum pt_reason reason;
	__u32 reserved;
};

#endif /* LIVEUPDATE_PT_IDENTITY_H */
