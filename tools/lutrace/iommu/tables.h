/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The tables that IOMMU hardware walks, as a model: hardware units, the devices
 * that their root and context tables, or their device table, name, what each device
 * (or PASID of it) is attached to, and every page of every page table. What entries
 * of each format mean is in format.h.
 *
 * The model is filled from physical memory alone (struct page_reader), never
 * from the kernel's own records. Members are fixed-width and the arrays hold
 * indices, not pointers: a snapshot file is the arrays written one after the
 * other (iommu_snapshot.c).
 */
#ifndef LUTRACE_IOMMU_TABLES_H
#define LUTRACE_IOMMU_TABLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/types.h>

#include "digest.h"
#include "pt_identity.h"
#include "vtd.h"
#include "iommu/seen.h"

#define NO_INDEX UINT32_MAX

/* A page as contents_unpack() gives it back, and what that writes behind it. */
#define UNPACKED_ENTRIES (VTD_PAGE_ENTRIES + 1)

/**
 * struct page_reader - reads pages of physical memory
 * @read: copies @count (at most PT_BATCH) pages at the physical @addresses and
 *        sets @pages to the copies, which stay valid until the next call with the same
 *        @slot; returns how many pages, from the first on, could be read
 * @jobs: how many threads may read beside the one that walks: with slots from 1 to
 *        that number; its own slot is 0. With 0 and 1 there are none
 */
struct page_reader {
	uint32_t (*read)(struct page_reader *reader, unsigned int slot, const uint64_t *addresses,
			 uint32_t count, const uint64_t (**pages)[VTD_PAGE_ENTRIES]);
	unsigned int jobs;
};

enum table_stage {
	STAGE_NONE, /* nothing to walk: not present, or passed through */
	STAGE_FIRST,
	STAGE_SECOND,
	STAGE_NESTED, /* not walked: the first stage needs the second one */
	STAGE_HOST,   /* AMD's host page table, version 1 */
	STAGE_COUNT,
};

/* How a device's entry reads. */
enum table_mode {
	MODE_LEGACY,   /* VT-d: a context entry that has the page table */
	MODE_SCALABLE, /* VT-d: a context entry that leads to PASID tables */
	MODE_AMD,      /* AMD: an entry of the device table */
	MODE_COUNT,
};

/**
 * struct table_device - a device, as root and context tables describe it
 * @unit:            physical register base of its IOMMU
 * @rtaddr:          that unit's register that says where its root or device table is
 * @root_entry:      half of a root entry that leads to the context table; AMD: 0
 * @context_address: where the context entry is; AMD: the entry of the device table
 * @context:         that entry; legacy mode has two words
 * @segment:         PCI segment
 * @bdf:             bus, device and function
 * @mode:            enum table_mode
 * @first:           index of its first attachment
 * @attachments:     their number; 0 if it has no translation
 * @digest:          of all that is said above, its attachments and domains
 */
struct table_device {
	__u64 unit;
	__u64 rtaddr;
	__u64 root_entry;
	__u64 context_address;
	__u64 context[4];
	__u16 segment;
	__u16 bdf;
	__u32 mode;
	__u32 first;
	__u32 attachments;
	struct digest digest;
};

/**
 * struct table_attachment - what a device, or one of its PASIDs, is attached to
 * @address:   physical address of the PASID table entry; 0 in legacy mode
 * @directory: PASID directory entry that leads there; 0 in legacy mode
 * @entry:     PASID table entry; 0 in legacy mode
 * @device:    index of the device
 * @pasid:     PASID
 * @domain:    index of the domain, NO_INDEX if there is no table to walk
 * @domain_id: identifier that tags the IOMMU's caches
 * @stage:     enum table_stage
 * @reserved:  0
 */
struct table_attachment {
	__u64 address;
	__u64 directory;
	__u64 entry[VTD_PASID_WORDS];
	__u32 device;
	__u32 pasid;
	__u32 domain;
	__u16 domain_id;
	__u8 stage;
	__u8 reserved;
};

/**
 * struct table_domain - a page table
 * @top:    physical address of its top table
 * @leaves: present leaf entries
 * @bytes:  memory that they map
 * @first:  index of its first page; pages are in order of the walk
 * @pages:  their number
 * @stage:  enum table_stage
 * @levels: number of levels
 * @digest: of the digests of its pages
 */
struct table_domain {
	__u64 top;
	__u64 leaves;
	__u64 bytes;
	__u32 first;
	__u32 pages;
	__u32 stage;
	__u32 levels;
	struct digest digest;
};

/**
 * struct table_page - one table page
 * @address: physical address
 * @iova:    first address that it translates
 * @offset:  where its contents start in the set's contents
 * @length:  how long they are
 * @level:   1 for a table of 4 KiB leaves
 * @digest:  of its place, level and contents
 */
struct table_page {
	__u64 address;
	__u64 iova;
	__u64 offset;
	__u32 length;
	__u32 level;
	struct digest digest;
};

/**
 * struct table_set - the whole model
 * @raw:      keep accessed and dirty bits in page contents (to show them)
 * @borrowed: pages and contents are somebody else's (those of a file in memory), and were
 *            not checked
 * @met:      tables that lead to page tables, each with its enum table_role
 * @tops:     which of @domains has a top table
 * @steps:    how many tables were read that lead to page tables
 */
struct table_set {
	struct pt_unit *units;
	struct table_device *devices;
	struct table_attachment *attachments;
	struct table_domain *domains;
	struct table_page *pages;
	uint8_t *contents;
	uint32_t unit_count, device_count, attachment_count, domain_count;
	uint32_t page_count;
	uint64_t contents_size;
	uint32_t device_space, attachment_space, domain_space, page_space;
	uint64_t contents_space;
	bool raw;
	bool borrowed;
	struct seen met, tops;
	uint32_t steps;
	char error[320];
};

/**
 * struct wanted_device - a device to look at
 * @unit:    register base of its IOMMU, 0 for whichever has an entry for it
 * @segment: PCI segment
 * @bdf:     bus, device and function
 */
struct wanted_device {
	uint64_t unit;
	uint16_t segment;
	uint16_t bdf;
};

/* Gets page contents as they come; 0 or a negative errno. */
typedef int contents_store(void *context, const void *contents, size_t size);

int tables_find(struct table_set *set, struct page_reader *reader, const struct pt_unit *units,
		uint32_t unit_count, const struct wanted_device *wanted, uint32_t wanted_count);
int tables_walk(struct table_set *set, struct page_reader *reader);
int tables_keep(struct table_set *set, struct page_reader *reader, contents_store *store,
		void *context);
int tables_collect(struct table_set *set, struct page_reader *reader, const struct pt_unit *units,
		   uint32_t unit_count, const struct wanted_device *wanted, uint32_t wanted_count);
int tables_refuse(struct table_set *set, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void tables_free(struct table_set *set);
void tables_digest(const struct table_set *set, struct digest *digest);
uint64_t tables_pages(const struct table_set *set);
void tables_contents(const struct table_set *set, const struct table_page *page,
		     uint64_t entries[UNPACKED_ENTRIES]);

/* Two entries, which is what each x86-64 processor can take at once. */
typedef uint64_t entry_pair __attribute__((vector_size(16), aligned(8), may_alias));

#define PAGE_PAIRS (VTD_PAGE_ENTRIES / 2)

/* Contents of a page, packed (iommu_contents.c). */
uint32_t contents_pack(const uint64_t entries[VTD_PAGE_ENTRIES], uint8_t packed[VTD_PAGE_SIZE]);
bool contents_unpack(const uint8_t *packed, uint32_t length, uint64_t entries[UNPACKED_ENTRIES]);
uint32_t contents_leaves(const uint8_t *packed, uint32_t length, enum table_stage stage,
			 unsigned int level);

#endif /* LUTRACE_IOMMU_TABLES_H */
