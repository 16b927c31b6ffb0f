/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Compare two table sets, entry by entry along the way that the hardware goes.
 * Every difference is a difference of something that an entry or a register
 * says; a table that moved shows as the entry that leads to it.
 */
#ifndef LUTRACE_IOMMU_COMPARE_H
#define LUTRACE_IOMMU_COMPARE_H

#include "iommu/tables.h"

/* X(NAME, "text") */
#define DIFFERENCE_KINDS(X)                                                                        \
	X(UNIT, "unit")                                                                            \
	X(TRANSLATION, "translation-enable")                                                       \
	X(ROOT_TABLE, "root-table")                                                                \
	X(ROOT_ENTRY, "root-entry")                                                                \
	X(CONTEXT_ENTRY, "context-entry")                                                          \
	X(DEVICE_TABLE, "device-table")                                                            \
	X(DEVICE_ENTRY, "device-table-entry")                                                      \
	X(PASID_DIRECTORY, "pasid-directory-entry")                                                \
	X(PASID_ENTRY, "pasid-entry")                                                              \
	X(TABLE_ENTRY, "table-entry")

enum difference_kind {
#define DIFFERENCE_KIND_ENUM(name, text) DIFFERENCE_##name,
	DIFFERENCE_KINDS(DIFFERENCE_KIND_ENUM)
#undef DIFFERENCE_KIND_ENUM
};

/**
 * struct difference - one difference
 * @kind:     of what
 * @device:   device in the old set; NULL if a unit as a whole differs
 * @unit:     register base of the unit
 * @pasid:    PASID of the attachment (PASID_*, TABLE_ENTRY)
 * @format:   enum pt_format of the unit (DEVICE_TABLE, ROOT_TABLE)
 * @mode:     enum table_mode of the device; in scalable mode @pasid means something
 * @stage:    enum table_stage (TABLE_ENTRY)
 * @level:    level of the table (TABLE_ENTRY)
 * @iova:     first address that the entry translates (TABLE_ENTRY)
 * @words:    number of 64-bit words that the entry has
 * @old:      the entry then; all 0: there was none
 * @now:      the entry now; all 0: there is none
 */
struct difference {
	enum difference_kind kind;
	const struct table_device *device;
	uint64_t unit;
	uint32_t pasid;
	enum pt_format format;
	enum table_mode mode;
	enum table_stage stage;
	unsigned int level;
	uint64_t iova;
	unsigned int words;
	uint64_t old[VTD_PASID_WORDS];
	uint64_t now[VTD_PASID_WORDS];
};

typedef void difference_function(const struct difference *difference, void *context);

/**
 * struct table_comparison - what is compared, and what came of it
 * @old:     the set that should be; its pages need not have been checked
 * @now:     the set that is, as tables_find() has filled it for exactly the devices of
 *           @old; its page tables are walked meanwhile, and nothing of them is kept
 * @reader:  reads physical memory
 * @report:  called for the first differences
 * @context: handed to @report
 * @max:     at most so many are reported
 * @count:   number of differences
 */
struct table_comparison {
	const struct table_set *old;
	struct table_set *now;
	struct page_reader *reader;
	difference_function *report;
	void *context;
	uint64_t max;
	uint64_t count;
};

int tables_compare(struct table_comparison *comparison);

/* In words (decode.c). */
#define ENTRY_TEXT_SIZE 160

const char *difference_kind_text(enum difference_kind kind);
const char *entry_text(enum table_stage stage, unsigned int level, uint64_t entry,
		       char text[ENTRY_TEXT_SIZE]);
const char *context_text(enum table_mode mode, const uint64_t *entry, char text[ENTRY_TEXT_SIZE]);
const char *pasid_text(const uint64_t *entry, char text[ENTRY_TEXT_SIZE]);
const char *difference_text(const struct difference *difference, const uint64_t *words,
			    char text[ENTRY_TEXT_SIZE]);
const char *stage_text(enum table_stage stage);

#endif /* LUTRACE_IOMMU_COMPARE_H */
