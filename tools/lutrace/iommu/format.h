/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * How hardware reads registers and entries: one table of operations for each kind
 * of unit, of device entry and of page table.
 */
#ifndef LUTRACE_IOMMU_FORMAT_H
#define LUTRACE_IOMMU_FORMAT_H

#include "iommu/compare.h"
#include "iommu/tables.h"

/**
 * struct entry_format - a page table, by enum table_stage
 * @name:     in words
 * @content:  bits of an entry that are content: all but those hardware writes
 * @valid:    an entry is valid if it has one of them
 * @levels_min: fewest levels
 * @levels_max: most levels
 * @below:    level of the table that a valid entry of a table of @level leads to; 0 if it
 *            maps memory
 * @count:    entries of a table of @level that map memory
 * @describe: a valid entry, in words
 */
struct entry_format {
	const char *name;
	uint64_t content;
	uint64_t valid;
	unsigned int levels_min, levels_max;
	unsigned int (*below)(unsigned int level, uint64_t entry);
	uint32_t (*count)(unsigned int level, const uint64_t entries[VTD_PAGE_ENTRIES]);
	void (*describe)(unsigned int level, uint64_t entry, char text[ENTRY_TEXT_SIZE]);
};

struct finder;

/**
 * struct device_format - a device's entry, by enum table_mode
 * @name:     in words
 * @entry:    kind of a difference in it
 * @words:    that it has
 * @content:  bits of them that are content: not those for interrupts, whose tables are
 *            each kernel's own
 * @rooted:   a root entry leads to the table that it is in
 * @pasids:   it leads to PASID tables
 * @present:  does it have an entry that says something?
 * @attach:   add what a device with a present entry is attached to
 * @describe: the entry, in words
 */
struct device_format {
	const char *name;
	enum difference_kind entry;
	unsigned int words;
	uint64_t content[4];
	bool rooted;
	bool pasids;
	bool (*present)(const uint64_t *entry);
	int (*attach)(struct finder *finder, uint32_t device);
	void (*describe)(const uint64_t *entry, char text[ENTRY_TEXT_SIZE]);
};

/**
 * struct unit_format - a hardware unit, by enum pt_format
 * @enabled:  bit of @gsts that says that it translates
 * @root:     kind of a difference in the register that says where its tables are
 * @find:     add the devices that its tables name
 * @describe: that register, in words
 */
struct unit_format {
	uint32_t enabled;
	enum difference_kind root;
	int (*find)(struct finder *finder);
	void (*describe)(uint64_t root, char text[ENTRY_TEXT_SIZE]);
};

/* What is out of range, in a file, is read as something that is not. */
const struct entry_format *entry_format(enum table_stage stage);
const struct device_format *device_format(enum table_mode mode);
const struct unit_format *unit_format(enum pt_format format);

extern const struct entry_format vtd_first_stage, vtd_second_stage, amd_host;
extern const struct device_format vtd_legacy, vtd_scalable, amd_device;
extern const struct unit_format vtd_unit, amd_unit;

static inline bool entry_is_valid(const struct entry_format *format, uint64_t entry)
{
	return entry & format->valid;
}

static inline unsigned int level_shift(unsigned int level)
{
	return VTD_PAGE_SHIFT + 9 * (level - 1);
}

/* Entries of a table that hardware can come to: an address has 64 bits. */
static inline unsigned int level_entries(unsigned int level)
{
	unsigned int bits = 64 - level_shift(level);

	return bits < 9 ? 1U << bits : VTD_PAGE_ENTRIES;
}

#endif /* LUTRACE_IOMMU_FORMAT_H */
