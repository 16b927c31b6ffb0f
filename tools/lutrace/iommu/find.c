// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* From a unit's registers to the page tables: what the formats have in common. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "iommu/append.h"
#include "iommu/find.h"

const char *role_text(enum table_role role)
{
	static const char *const texts[] = {
#define TABLE_ROLE_TEXT(name, text) [ROLE_##name] = text,
		TABLE_ROLES(TABLE_ROLE_TEXT)
#undef TABLE_ROLE_TEXT
	};

	return role < ROLE_COUNT ? texts[role] : "register";
}

/* Nothing has two roles; in one, a table may be met for several devices. */
static int meet(struct table_set *set, struct way way, enum table_role role, uint64_t address)
{
	uint32_t other;

	if (seen_add(&set->met, address, role) < 0)
		return tables_refuse(set, "out of memory");
	if (!seen_find(&set->met, address, &other) || other == role)
		return 0;
	return tables_refuse(
		set,
		"entry %u of the %s at %#llx leads back to the %s at %#llx: the tables lead in circles",
		way.entry, role_text(way.from), (unsigned long long)way.address, role_text(other),
		(unsigned long long)address);
}

/**
 * find_table - read a table that leads to page tables
 * @finder:  the search
 * @way:     the entry that leads to it
 * @role:    what it is
 * @address: where it is; one page of it, if it is larger
 * @entries: gets its entries
 *
 * Return: 0, or -1 with the reason in the set's error.
 */
int find_table(struct finder *finder, struct way way, enum table_role role, uint64_t address,
	       uint64_t entries[VTD_PAGE_ENTRIES])
{
	const uint64_t(*pages)[VTD_PAGE_ENTRIES];
	struct table_set *set = finder->set;

	if (meet(set, way, role, address))
		return -1;
	if (set->steps++ == STEPS_MAX)
		return tables_refuse(
			set,
			"more than %u tables lead to page tables; the last is behind entry %u of the %s at %#llx",
			STEPS_MAX, way.entry, role_text(way.from), (unsigned long long)way.address);
	if (finder->reader->read(finder->reader, 0, &address, 1, &pages) != 1)
		return tables_refuse(set, "%s at %#llx cannot be read", role_text(role),
				     (unsigned long long)address);
	memcpy(entries, pages[0], VTD_PAGE_SIZE);
	return 0;
}

/**
 * find_wanted - find the devices of a bus that are looked at
 * @finder: the search
 * @bus:    the bus
 * @found:  filled in
 */
void find_wanted(const struct finder *finder, unsigned int bus, struct bus *found)
{
	const struct wanted_device *wanted = finder->wanted;
	uint32_t i;

	memset(found, 0, sizeof(*found));
	found->all = !wanted;
	for (i = 0; wanted && i < finder->wanted_count; i++) {
		if (wanted[i].bdf >> 8 != bus || wanted[i].segment != finder->unit->segment ||
		    (wanted[i].unit && wanted[i].unit != finder->unit->reg_phys))
			continue;
		found->any = true;
		found->wanted[wanted[i].bdf & 0xff] = true;
		found->needed[wanted[i].bdf & 0xff] |= wanted[i].unit != 0;
	}
}

bool is_wanted(const struct bus *bus, uint16_t bdf, bool present)
{
	return present ? bus->all || bus->wanted[bdf & 0xff] : bus->needed[bdf & 0xff];
}

/**
 * find_device - add a device, and what it is attached to
 * @finder: the search
 * @found:  the device, without attachments
 *
 * Return: 0, or -1 with the reason in the set's error.
 */
int find_device(struct finder *finder, const struct table_device *found)
{
	const struct device_format *format = device_format(found->mode);
	struct table_set *set = finder->set;
	struct table_device *device = APPEND(set, device);
	uint64_t words[4];

	if (!device)
		return tables_refuse(set, "out of memory");
	*device = *found;
	device->first = set->attachment_count;
	memcpy(words, device->context, sizeof(words));
	return format->present(words) ? format->attach(finder, set->device_count - 1) : 0;
}

/* Stage and number of levels are in bits that an address of a table does not have. */
static uint64_t top_key(uint64_t top, enum table_stage stage, unsigned int levels)
{
	return top | stage << 4 | levels;
}

/* The domain with that top table. */
static int find_domain(struct table_set *set, uint64_t top, enum table_stage stage,
		       unsigned int levels, uint32_t *index)
{
	uint64_t key = top_key(top, stage, levels);
	struct table_domain *domain;

	if (seen_find(&set->tops, key, index))
		return 0;
	*index = set->domain_count;
	domain = APPEND(set, domain);
	if (!domain || seen_add(&set->tops, key, *index) < 0)
		return tables_refuse(set, "out of memory");
	domain->top = top;
	domain->stage = stage;
	domain->levels = levels;
	return 0;
}

/**
 * attach - add what a device is attached to
 * @finder:     the search
 * @attachment: without its domain
 * @way:        the entry that says so
 * @top:        top table, if its stage is one that has a table to walk
 * @levels:     levels of it
 *
 * Return: 0, or -1 with the reason in the set's error.
 */
int attach(struct finder *finder, struct table_attachment attachment, struct way way, uint64_t top,
	   unsigned int levels)
{
	struct table_set *set = finder->set;
	struct table_attachment *added;

	attachment.domain = NO_INDEX;
	if (attachment.stage == STAGE_FIRST || attachment.stage == STAGE_SECOND ||
	    attachment.stage == STAGE_HOST) {
		if (meet(set, way, ROLE_PAGES, top) ||
		    find_domain(set, top, attachment.stage, levels, &attachment.domain))
			return -1;
	}
	if (set->attachment_count == ATTACHMENTS_MOST)
		return tables_refuse(
			set,
			"devices and PASIDs have more than %u attachments; the last is entry %u of the %s at %#llx",
			ATTACHMENTS_MOST, way.entry, role_text(way.from),
			(unsigned long long)way.address);
	added = APPEND(set, attachment);
	if (!added)
		return tables_refuse(set, "out of memory");
	*added = attachment;
	set->devices[attachment.device].attachments++;
	return 0;
}

/**
 * tables_find - fill the model from physical memory, down to where page tables are
 * @set:          the model, empty
 * @reader:       reads physical memory
 * @units:        the IOMMU hardware units
 * @unit_count:   their number
 * @wanted:       the devices to look at, NULL for all that have an entry
 * @wanted_count: their number
 *
 * Nothing is known of the domains but their top tables, before tables_walk(),
 * tables_keep() or tables_compare().
 *
 * Return: 0, or -1 with the reason in @set->error.
 */
int tables_find(struct table_set *set, struct page_reader *reader, const struct pt_unit *units,
		uint32_t unit_count, const struct wanted_device *wanted, uint32_t wanted_count)
{
	struct finder finder = { set, reader, NULL, wanted, wanted_count };
	uint32_t i;

	set->units = calloc(unit_count ?: 1, sizeof(*units));
	if (!set->units)
		return tables_refuse(set, "out of memory");
	memcpy(set->units, units, unit_count * sizeof(*units));
	set->unit_count = unit_count;

	for (i = 0; i < unit_count; i++) {
		finder.unit = &units[i];
		if (unit_format(units[i].format)->find(&finder))
			return -1;
	}
	return 0;
}
