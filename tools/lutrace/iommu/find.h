/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * From a unit's registers to the page tables: what the formats have in common. The
 * tables on the way are few, and each has a role. A table that is met in a second
 * role is where tables lead in circles.
 */
#ifndef LUTRACE_IOMMU_FIND_H
#define LUTRACE_IOMMU_FIND_H

#include "iommu/format.h"
#include "iommu/tables.h"

/*
 * Tables that are read before page tables, and attachments, of a set: more than any
 * machine has, and what keeps tables that many entries share from being read for ever.
 */
#define STEPS_MAX	 (1u << 20)
#define ATTACHMENTS_MOST (1u << 20)

/* X(NAME, "text"): what a table that leads to page tables is. */
#define TABLE_ROLES(X)                                                                             \
	X(ROOT, "root table")                                                                      \
	X(CONTEXT, "context table")                                                                \
	X(DIRECTORY, "PASID directory")                                                            \
	X(PASIDS, "PASID table")                                                                   \
	X(DEVICES, "device table")                                                                 \
	X(PAGES, "page table")

enum table_role {
#define TABLE_ROLE_ENUM(name, text) ROLE_##name,
	TABLE_ROLES(TABLE_ROLE_ENUM)
#undef TABLE_ROLE_ENUM
		ROLE_COUNT,
};

const char *role_text(enum table_role role);

/**
 * struct finder - the search
 * @set:    what is filled
 * @reader: reads physical memory
 * @unit:   the unit at hand
 * @wanted: the devices to look at, NULL for all that have an entry
 * @wanted_count: their number
 */
struct finder {
	struct table_set *set;
	struct page_reader *reader;
	const struct pt_unit *unit;
	const struct wanted_device *wanted;
	uint32_t wanted_count;
};

/**
 * struct bus - devices of a bus that are looked at
 * @any:    there are some
 * @all:    every device that has an entry
 * @wanted: otherwise, by device and function: if it has an entry
 * @needed: "; even if it has none, because it has to be behind this very unit
 */
struct bus {
	bool any;
	bool all;
	bool wanted[256];
	bool needed[256];
};

/**
 * struct way - the entry that leads to a table
 * @from:    what the entry is in
 * @entry:   its number there
 * @address: of what it is in
 */
struct way {
	enum table_role from;
	unsigned int entry;
	uint64_t address;
};

/* The register leads to the first table of a unit. */
#define NO_WAY ((struct way){ .from = ROLE_COUNT })

int find_table(struct finder *finder, struct way way, enum table_role role, uint64_t address,
	       uint64_t entries[VTD_PAGE_ENTRIES]);
void find_wanted(const struct finder *finder, unsigned int bus, struct bus *found);
bool is_wanted(const struct bus *bus, uint16_t bdf, bool present);
int find_device(struct finder *finder, const struct table_device *found);
int attach(struct finder *finder, struct table_attachment attachment, struct way way, uint64_t top,
	   unsigned int levels);

#endif /* LUTRACE_IOMMU_FIND_H */
