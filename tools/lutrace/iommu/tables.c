// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Follow the tables as VT-d hardware does: root table, context table, in
 * scalable mode PASID directory and PASID table, then the page table down to
 * its leaves.
 *
 * What leads to the page tables is a few pages, and comes first. The page tables
 * are walked then, each once (iommu_walk.c).
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "iommu/walk.h"

/* Appends a zeroed element to an array of the model; NULL: no memory. */
static void *append(void *array, uint32_t *count, uint32_t *space, size_t size)
{
	void **start = array;
	uint8_t *element;

	if (*count == *space) {
		uint32_t larger = *space ? *space * 2 : 64;
		void *moved = reallocarray(*start, larger, size);

		if (!moved)
			return NULL;
		*start = moved;
		*space = larger;
	}
	element = (uint8_t *)*start + (size_t)*count * size;
	(*count)++;
	return memset(element, 0, size);
}

#define APPEND(set, member)                                                                        \
	append(&(set)->member##s, &(set)->member##_count, &(set)->member##_space,                  \
	       sizeof(*(set)->member##s))

static void digest_add(struct digest_state *state, const struct digest *digest)
{
	digest_word(state, digest->low);
	digest_word(state, digest->high);
}

/* The domain with that top table. */
static int find_domain(struct table_set *set, uint64_t top, enum table_stage stage,
		       unsigned int levels, uint32_t *index)
{
	struct table_domain *domain;
	uint32_t i;

	for (i = 0; i < set->domain_count; i++) {
		domain = &set->domains[i];
		if (domain->top == top && domain->stage == stage && domain->levels == levels) {
			*index = i;
			return 0;
		}
	}
	*index = set->domain_count;
	domain = APPEND(set, domain);
	if (!domain)
		return tables_refuse(set, "out of memory");
	domain->top = top;
	domain->stage = stage;
	domain->levels = levels;
	return 0;
}

static int attach(struct table_set *set, struct table_attachment attachment, uint64_t top,
		  unsigned int levels)
{
	struct table_attachment *added;

	attachment.domain = NO_INDEX;
	if ((attachment.stage == STAGE_FIRST || attachment.stage == STAGE_SECOND) &&
	    find_domain(set, top, attachment.stage, levels, &attachment.domain))
		return -1;
	added = APPEND(set, attachment);
	if (!added)
		return tables_refuse(set, "out of memory");
	*added = attachment;
	set->devices[attachment.device].attachments++;
	return 0;
}

/* VT-d 9.3 */
static int collect_legacy(struct table_set *set, uint32_t index)
{
	const struct table_device *device = &set->devices[index];
	uint64_t low = device->context[0], high = device->context[1];
	struct table_attachment attachment = {
		.device = index,
		.domain_id = VTD_CONTEXT_DID(high),
	};

	if (VTD_CONTEXT_TT(low) != VTD_CONTEXT_TT_PASS)
		attachment.stage = STAGE_SECOND;
	return attach(set, attachment, low & VTD_ADDRESS, VTD_CONTEXT_AW(high) + 2);
}

/* VT-d 9.6 */
static int collect_pasid(struct table_set *set, struct table_attachment attachment)
{
	const __u64 *entry = attachment.entry;

	attachment.domain_id = VTD_PASID_DID(entry[1]);
	switch (VTD_PASID_PGTT(entry[0])) {
	case VTD_PGTT_FIRST:
		attachment.stage = STAGE_FIRST;
		return attach(set, attachment, entry[2] & VTD_ADDRESS,
			      VTD_PASID_FLPM(entry[2]) + 4);
	case VTD_PGTT_SECOND:
		attachment.stage = STAGE_SECOND;
		return attach(set, attachment, entry[0] & VTD_ADDRESS, VTD_PASID_AW(entry[0]) + 2);
	case VTD_PGTT_NESTED:
		attachment.stage = STAGE_NESTED;
		return attach(set, attachment, 0, 0);
	default:
		return attach(set, attachment, 0, 0);
	}
}

/* VT-d 9.4 to 9.6: the PASID directory may be larger than a page. */
static int collect_scalable(struct table_set *set, struct page_reader *reader, uint32_t index)
{
	uint64_t context = set->devices[index].context[0];
	uint32_t entries = 128u << VTD_CONTEXT_PDTS(context);
	uint64_t directory[VTD_PAGE_ENTRIES], table[VTD_PAGE_ENTRIES];
	const uint64_t(*pages)[VTD_PAGE_ENTRIES];
	uint32_t i, j;

	for (i = 0; i < entries; i++) {
		uint64_t at = (context & VTD_ADDRESS) + (uint64_t)i * 8;
		uint64_t entry, address;

		if (i % VTD_PAGE_ENTRIES == 0) {
			if (reader->read(reader, 0, &at, 1, &pages) != 1)
				return tables_refuse(set, "PASID directory at %#llx cannot be read",
						     (unsigned long long)at);
			memcpy(directory, pages[0], sizeof(directory));
		}
		entry = directory[i % VTD_PAGE_ENTRIES];
		if (!(entry & VTD_PRESENT))
			continue;
		address = entry & VTD_ADDRESS;
		if (reader->read(reader, 0, &address, 1, &pages) != 1)
			return tables_refuse(set, "PASID table at %#llx cannot be read",
					     (unsigned long long)address);
		memcpy(table, pages[0], sizeof(table));
		for (j = 0; j < VTD_PASIDS_PER_TABLE; j++) {
			struct table_attachment attachment = {
				.device = index,
				.pasid = i * VTD_PASIDS_PER_TABLE + j,
				.directory = entry,
				.address = address + j * sizeof(attachment.entry),
			};

			memcpy(attachment.entry, table + j * VTD_PASID_WORDS,
			       sizeof(attachment.entry));
			if ((attachment.entry[0] & VTD_PRESENT) && collect_pasid(set, attachment))
				return -1;
		}
	}
	return 0;
}

static void digest_device(const struct table_set *set, struct table_device *device)
{
	struct digest_state state;
	uint32_t i, j;

	digest_init(&state);
	digest_word(&state, device->unit);
	digest_word(&state, device->rtaddr);
	digest_word(&state, device->root_entry);
	digest_word(&state, device->context_address);
	for (i = 0; i < (device->scalable ? 4 : 2); i++)
		digest_word(&state, device->context[i]);
	for (i = 0; i < device->attachments; i++) {
		const struct table_attachment *attachment = &set->attachments[device->first + i];

		if (device->scalable) {
			digest_word(&state, attachment->directory);
			digest_word(&state, attachment->address);
			for (j = 0; j < VTD_PASID_WORDS; j++)
				digest_word(&state, attachment->entry[j]);
		}
		if (attachment->domain != NO_INDEX)
			digest_add(&state, &set->domains[attachment->domain].digest);
	}
	digest_final(&state, &device->digest);
}

static int collect_device(struct table_set *set, struct page_reader *reader,
			  const struct table_device *found)
{
	struct table_device *device = APPEND(set, device);
	uint32_t index = set->device_count - 1;
	int error = 0;

	if (!device)
		return tables_refuse(set, "out of memory");
	*device = *found;
	device->first = set->attachment_count;
	if (device->context[0] & VTD_PRESENT)
		error = device->scalable ? collect_scalable(set, reader, index)
					 : collect_legacy(set, index);
	return error;
}

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

static void find_wanted(struct bus *found, const struct pt_unit *unit, unsigned int bus,
			const struct wanted_device *wanted, uint32_t count)
{
	uint32_t i;

	memset(found, 0, sizeof(*found));
	found->all = !wanted;
	for (i = 0; wanted && i < count; i++) {
		if (wanted[i].bdf >> 8 != bus || wanted[i].segment != unit->segment ||
		    (wanted[i].unit && wanted[i].unit != unit->reg_phys))
			continue;
		found->any = true;
		found->wanted[wanted[i].bdf & 0xff] = true;
		found->needed[wanted[i].bdf & 0xff] |= wanted[i].unit != 0;
	}
}

static bool is_wanted(const struct bus *bus, uint16_t bdf, bool present)
{
	return present ? bus->all || bus->wanted[bdf & 0xff] : bus->needed[bdf & 0xff];
}

/*
 * One context table: all devices of a bus, in scalable mode half of them.
 * @first is the bus, device and function of its first entry.
 */
static int collect_context(struct table_set *set, struct page_reader *reader,
			   const struct pt_unit *unit, uint64_t root_entry, uint16_t first,
			   const struct bus *bus)
{
	bool scalable = VTD_RTADDR_TTM(unit->rtaddr) == VTD_TTM_SCALABLE;
	unsigned int words = scalable ? 4 : 2;
	uint64_t address = root_entry & VTD_ADDRESS;
	const uint64_t(*pages)[VTD_PAGE_ENTRIES];
	uint64_t entries[VTD_PAGE_ENTRIES];
	unsigned int i;

	if (!bus->any && !(bus->all && (root_entry & VTD_PRESENT)))
		return 0;
	if (!(root_entry & VTD_PRESENT)) {
		memset(entries, 0, sizeof(entries));
	} else if (reader->read(reader, 0, &address, 1, &pages) == 1) {
		memcpy(entries, pages[0], sizeof(entries));
	} else {
		return tables_refuse(set, "context table at %#llx cannot be read",
				     (unsigned long long)address);
	}
	for (i = 0; i < VTD_PAGE_ENTRIES / words; i++) {
		struct table_device device = {
			.unit = unit->reg_phys,
			.rtaddr = unit->rtaddr,
			.root_entry = root_entry,
			.context_address = address + i * words * 8,
			.segment = unit->segment,
			.bdf = first + i,
			.scalable = scalable,
		};

		if (!is_wanted(bus, device.bdf, entries[i * words] & VTD_PRESENT))
			continue;
		memcpy(device.context, entries + i * words, words * 8);
		if (collect_device(set, reader, &device))
			return -1;
	}
	return 0;
}

static int collect_unit(struct table_set *set, struct page_reader *reader,
			const struct pt_unit *unit, const struct wanted_device *wanted,
			uint32_t wanted_count)
{
	uint64_t address = unit->rtaddr & VTD_ADDRESS;
	bool scalable = VTD_RTADDR_TTM(unit->rtaddr) == VTD_TTM_SCALABLE;
	const uint64_t(*pages)[VTD_PAGE_ENTRIES];
	uint64_t root[VTD_PAGE_ENTRIES];
	struct bus found;
	unsigned int bus;

	if (VTD_RTADDR_TTM(unit->rtaddr) > VTD_TTM_SCALABLE)
		return tables_refuse(
			set, "unit %#llx is in translation table mode %llu, which has no tables",
			(unsigned long long)unit->reg_phys,
			(unsigned long long)VTD_RTADDR_TTM(unit->rtaddr));
	if (!address) /* never set up */
		memset(root, 0, sizeof(root));
	else if (reader->read(reader, 0, &address, 1, &pages) != 1)
		return tables_refuse(set, "root table at %#llx cannot be read",
				     (unsigned long long)address);
	else
		memcpy(root, pages[0], sizeof(root));

	for (bus = 0; bus < 256; bus++) {
		find_wanted(&found, unit, bus, wanted, wanted_count);
		if (collect_context(set, reader, unit, root[bus * 2], bus << 8, &found))
			return -1;
		if (scalable &&
		    collect_context(set, reader, unit, root[bus * 2 + 1], bus << 8 | 128, &found))
			return -1;
	}
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
	uint32_t i;

	set->units = calloc(unit_count ?: 1, sizeof(*units));
	if (!set->units)
		return tables_refuse(set, "out of memory");
	memcpy(set->units, units, unit_count * sizeof(*units));
	set->unit_count = unit_count;

	for (i = 0; i < unit_count; i++) {
		if (collect_unit(set, reader, &units[i], wanted, wanted_count))
			return -1;
	}
	return 0;
}

static void count_pages(struct page_visitor *visitor, struct page_batch *batch)
{
	uint32_t i;

	(void)visitor;
	for (i = 0; i < batch->count; i++) {
		page_digest(batch->stage, &batch->pages[i]);
		batch->pages[i].leaves =
			count_leaves(batch->stage, batch->pages[i].level, batch->pages[i].entries);
	}
}

/**
 * tables_walk - walk the page tables that were not walked yet, and keep nothing of them
 * @set:    what tables_find() has filled
 * @reader: reads physical memory
 *
 * Return: 0, or -1 with the reason in @set->error.
 */
int tables_walk(struct table_set *set, struct page_reader *reader)
{
	struct page_visitor visitor = { .examine = count_pages };
	uint32_t i;

	for (i = 0; i < set->domain_count; i++) {
		if (!set->domains[i].pages && walk_domain(set, reader, &set->domains[i], &visitor))
			return -1;
	}
	for (i = 0; i < set->device_count; i++)
		digest_device(set, &set->devices[i]);
	return 0;
}

/* Keeps what pages say, packed. */
struct keeper {
	struct page_visitor visitor;
	contents_store *store;
	void *context;
	bool raw;
};

struct packed_pages {
	uint32_t length[BATCH_PAGES];
	uint8_t contents[BATCH_PAGES * VTD_PAGE_SIZE];
};

static void pack_pages(struct page_visitor *visitor, struct page_batch *batch)
{
	const struct keeper *keeper = (struct keeper *)visitor;
	uint64_t kept = keeper->raw ? ~0ULL : entry_content(batch->stage);
	struct packed_pages *packed = batch->result;
	uint8_t *contents = packed->contents;
	uint64_t entries[VTD_PAGE_ENTRIES];
	uint32_t i, j;

	count_pages(visitor, batch);
	for (i = 0; i < batch->count; i++) {
		for (j = 0; j < VTD_PAGE_ENTRIES; j++)
			entries[j] = batch->pages[i].entries[j] & kept;
		packed->length[i] = contents_pack(entries, contents);
		contents += packed->length[i];
	}
}

static int keep_pages(struct page_visitor *visitor, struct table_set *set, struct page_batch *batch)
{
	const struct keeper *keeper = (struct keeper *)visitor;
	const struct packed_pages *packed = batch->result;
	uint64_t begin = set->contents_size;
	struct table_page *page;
	uint32_t i;
	int error;

	for (i = 0; i < batch->count; i++) {
		page = APPEND(set, page);
		if (!page)
			return tables_refuse(set, "out of memory");
		page->address = batch->pages[i].address;
		page->iova = batch->pages[i].iova;
		page->level = batch->pages[i].level;
		page->digest = batch->pages[i].digest;
		page->offset = set->contents_size;
		page->length = packed->length[i];
		set->contents_size += page->length;
	}
	error = keeper->store(keeper->context, packed->contents, set->contents_size - begin);
	return error ? tables_refuse(set, "what is read cannot be kept: %s", strerror(-error)) : 0;
}

static int store_in_memory(void *context, const void *contents, size_t size)
{
	struct table_set *set = context;
	uint64_t stored = set->contents_size - size;

	if (!size)
		return 0;
	if (set->contents_space < set->contents_size) {
		uint64_t larger = set->contents_size + set->contents_size / 2;
		uint8_t *moved = realloc(set->contents, larger);

		if (!moved)
			return -ENOMEM;
		set->contents = moved;
		set->contents_space = larger;
	}
	memcpy(set->contents + stored, contents, size);
	return 0;
}

/**
 * tables_keep - walk the page tables, and keep what their pages say
 * @set:     what tables_find() has filled
 * @reader:  reads physical memory
 * @store:   gets the packed contents as they come; NULL: they are kept in memory
 * @context: handed to @store
 *
 * Return: 0, or -1 with the reason in @set->error.
 */
int tables_keep(struct table_set *set, struct page_reader *reader, contents_store *store,
		void *context)
{
	struct keeper keeper = {
		.visitor = {
			.examine = pack_pages,
			.take = keep_pages,
			.result_size = sizeof(struct packed_pages),
		},
		.store = store ?: store_in_memory,
		.context = store ? context : set,
		.raw = set->raw,
	};
	uint32_t i;

	for (i = 0; i < set->domain_count; i++) {
		set->domains[i].first = set->page_count;
		if (walk_domain(set, reader, &set->domains[i], &keeper.visitor))
			return -1;
	}
	for (i = 0; i < set->device_count; i++)
		digest_device(set, &set->devices[i]);
	return 0;
}

/**
 * tables_collect - fill the model from physical memory, all of it held in memory
 *
 * Parameters and return value are those of tables_find(), but that @set->raw may be set.
 */
int tables_collect(struct table_set *set, struct page_reader *reader, const struct pt_unit *units,
		   uint32_t unit_count, const struct wanted_device *wanted, uint32_t wanted_count)
{
	return tables_find(set, reader, units, unit_count, wanted, wanted_count) ||
			       tables_keep(set, reader, NULL, NULL)
		       ? -1
		       : 0;
}

void tables_free(struct table_set *set)
{
	free(set->units);
	free(set->devices);
	free(set->attachments);
	free(set->domains);
	if (!set->borrowed) {
		free(set->pages);
		free(set->contents);
	}
	memset(set, 0, sizeof(*set));
}

/* One digest for the whole set. */
void tables_digest(const struct table_set *set, struct digest *digest)
{
	struct digest_state state;
	uint32_t i;

	digest_init(&state);
	for (i = 0; i < set->device_count; i++)
		digest_add(&state, &set->devices[i].digest);
	digest_final(&state, digest);
}

/* How many table pages the set has been walked through. */
uint64_t tables_pages(const struct table_set *set)
{
	uint64_t pages = 0;
	uint32_t i;

	for (i = 0; i < set->domain_count; i++)
		pages += set->domains[i].pages;
	return pages;
}

/* The entries of a page of a set that tables_keep() has filled. */
void tables_contents(const struct table_set *set, const struct table_page *page,
		     uint64_t entries[UNPACKED_ENTRIES])
{
	contents_unpack(set->contents + page->offset, page->length, entries);
}
