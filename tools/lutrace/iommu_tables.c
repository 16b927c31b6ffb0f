// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Follow the tables as VT-d hardware does: root table, context table, in
 * scalable mode PASID directory and PASID table, then the page table down to
 * its leaves.
 *
 * A page table is walked depth first, and the tables that one table leads to
 * are read in one batch.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "iommu_tables.h"

struct walk {
	struct table_set *set;
	struct page_reader *reader;
	struct table_domain *domain;
};

static int refuse(struct table_set *set, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static int refuse(struct table_set *set, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(set->error, sizeof(set->error), format, arguments);
	va_end(arguments);
	return -1;
}

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

#define APPEND(set, member)						\
	append(&(set)->member##s, &(set)->member##_count,		\
	       &(set)->member##_space, sizeof(*(set)->member##s))

/* The bits of an entry that are content: all but those hardware writes. */
uint64_t entry_content(enum table_stage stage)
{
	return stage == STAGE_FIRST ? VTD_FS_CONTENT : VTD_SS_CONTENT;
}

bool entry_is_valid(enum table_stage stage, uint64_t entry)
{
	return entry & (stage == STAGE_FIRST ? VTD_FS_VALID : VTD_SS_VALID);
}

/* Of a valid entry: does it map memory, or lead to another table? */
bool entry_is_leaf(unsigned int level, uint64_t entry)
{
	return level == 1 || (entry & VTD_LARGE);
}

static unsigned int level_shift(unsigned int level)
{
	return VTD_PAGE_SHIFT + 9 * (level - 1);
}

static void digest_add(struct digest_state *state, const struct digest *digest)
{
	digest_word(state, digest->low);
	digest_word(state, digest->high);
}

static int keep_contents(struct table_set *set, struct table_page *page,
			 const uint64_t entries[VTD_PAGE_ENTRIES])
{
	if (set->contents_space - set->contents_size < VTD_PAGE_SIZE) {
		uint64_t larger = set->contents_space * 2 + 64 * VTD_PAGE_SIZE;
		uint8_t *moved = realloc(set->contents, larger);

		if (!moved)
			return refuse(set, "out of memory");
		set->contents = moved;
		set->contents_space = larger;
	}
	page->offset = set->contents_size;
	page->length = contents_pack(entries, set->contents + page->offset);
	set->contents_size += page->length;
	return 0;
}

/* Records one table page; its entries as the hardware sees them. */
static int add_page(struct walk *walk, uint64_t address, uint64_t iova, unsigned int level,
		    const uint64_t entries[VTD_PAGE_ENTRIES])
{
	struct table_domain *domain = walk->domain;
	struct table_page *page = APPEND(walk->set, page);
	uint64_t content = entry_content(domain->stage), kept[VTD_PAGE_ENTRIES];
	struct digest_state state;
	unsigned int i;

	if (!page)
		return refuse(walk->set, "out of memory");
	page->address = address;
	page->iova = iova;
	page->level = level;

	digest_init(&state);
	digest_word(&state, address);
	digest_word(&state, level | domain->stage << 8);
	for (i = 0; i < VTD_PAGE_ENTRIES; i++) {
		uint64_t entry = entries[i];

		kept[i] = walk->set->raw ? entry : entry & content;
		digest_word(&state, entry & content);
		if (entry_is_valid(domain->stage, entry) && entry_is_leaf(level, entry)) {
			domain->leaves++;
			domain->bytes += 1ULL << level_shift(level);
		}
	}
	digest_final(&state, &page->digest);
	return keep_contents(walk->set, page, kept);
}

/* The tables below the one in @entries. */
static int walk_below(struct walk *walk, uint64_t iova, unsigned int level,
		      const uint64_t entries[VTD_PAGE_ENTRIES])
{
	uint64_t addresses[VTD_PAGE_ENTRIES], iovas[VTD_PAGE_ENTRIES];
	const uint64_t(*pages)[VTD_PAGE_ENTRIES];
	uint64_t(*kept)[VTD_PAGE_ENTRIES] = NULL;
	uint32_t count = 0, done, i;
	int error = 0;

	for (i = 0; i < VTD_PAGE_ENTRIES; i++) {
		if (!entry_is_valid(walk->domain->stage, entries[i]) ||
		    entry_is_leaf(level, entries[i]))
			continue;
		addresses[count] = entries[i] & VTD_ADDRESS;
		iovas[count++] = iova + ((uint64_t)i << level_shift(level));
	}
	if (!count)
		return 0;

	done = walk->reader->read(walk->reader, addresses, count, &pages);
	if (done < count)
		return refuse(walk->set, "level %u table at %#llx for IOVA %#llx cannot be read",
			      level - 1, (unsigned long long)addresses[done],
			      (unsigned long long)iovas[done]);

	/* The reader's copies do not outlive the next read, further down. */
	if (level > 2) {
		kept = malloc(count * sizeof(*kept));
		if (!kept)
			return refuse(walk->set, "out of memory");
		memcpy(kept, pages, count * sizeof(*kept));
		pages = (const void *)kept;
	}
	for (i = 0; i < count && !error; i++) {
		error = add_page(walk, addresses[i], iovas[i], level - 1, pages[i]);
		if (!error && level > 2)
			error = walk_below(walk, iovas[i], level - 1, pages[i]);
	}
	free(kept);
	return error;
}

/* The domain with that top table; walked when it is met for the first time. */
static int find_domain(struct table_set *set, struct page_reader *reader, uint64_t top,
		       enum table_stage stage, unsigned int levels, uint32_t *index)
{
	struct walk walk = { .set = set, .reader = reader };
	const uint64_t(*pages)[VTD_PAGE_ENTRIES];
	uint64_t entries[VTD_PAGE_ENTRIES];
	struct digest_state state;
	uint32_t i;

	for (i = 0; i < set->domain_count; i++) {
		const struct table_domain *domain = &set->domains[i];

		if (domain->top == top && domain->stage == stage && domain->levels == levels) {
			*index = i;
			return 0;
		}
	}
	if (levels < 2 || levels > 5)
		return refuse(set, "a table at %#llx of %u levels: that does not exist",
			      (unsigned long long)top, levels);
	if (reader->read(reader, &top, 1, &pages) != 1)
		return refuse(set, "top table at %#llx cannot be read", (unsigned long long)top);
	memcpy(entries, pages[0], sizeof(entries));

	*index = set->domain_count;
	walk.domain = APPEND(set, domain);
	if (!walk.domain)
		return refuse(set, "out of memory");
	walk.domain->top = top;
	walk.domain->stage = stage;
	walk.domain->levels = levels;
	walk.domain->first = set->page_count;
	if (add_page(&walk, top, 0, levels, entries) || walk_below(&walk, 0, levels, entries))
		return -1;
	walk.domain->pages = set->page_count - walk.domain->first;

	digest_init(&state);
	for (i = 0; i < walk.domain->pages; i++)
		digest_add(&state, &set->pages[walk.domain->first + i].digest);
	digest_final(&state, &walk.domain->digest);
	return 0;
}

static int attach(struct table_set *set, struct page_reader *reader,
		  struct table_attachment attachment, uint64_t top, unsigned int levels)
{
	struct table_attachment *added;

	attachment.domain = NO_INDEX;
	if ((attachment.stage == STAGE_FIRST || attachment.stage == STAGE_SECOND) &&
	    find_domain(set, reader, top, attachment.stage, levels, &attachment.domain))
		return -1;
	added = APPEND(set, attachment);
	if (!added)
		return refuse(set, "out of memory");
	*added = attachment;
	set->devices[attachment.device].attachments++;
	return 0;
}

/* VT-d 9.3 */
static int collect_legacy(struct table_set *set, struct page_reader *reader, uint32_t index)
{
	const struct table_device *device = &set->devices[index];
	uint64_t low = device->context[0], high = device->context[1];
	struct table_attachment attachment = {
		.device = index,
		.domain_id = VTD_CONTEXT_DID(high),
	};

	if (VTD_CONTEXT_TT(low) != VTD_CONTEXT_TT_PASS)
		attachment.stage = STAGE_SECOND;
	return attach(set, reader, attachment, low & VTD_ADDRESS, VTD_CONTEXT_AW(high) + 2);
}

/* VT-d 9.6 */
static int collect_pasid(struct table_set *set, struct page_reader *reader,
			 struct table_attachment attachment)
{
	const __u64 *entry = attachment.entry;

	attachment.domain_id = VTD_PASID_DID(entry[1]);
	switch (VTD_PASID_PGTT(entry[0])) {
	case VTD_PGTT_FIRST:
		attachment.stage = STAGE_FIRST;
		return attach(set, reader, attachment, entry[2] & VTD_ADDRESS,
			      VTD_PASID_FLPM(entry[2]) + 4);
	case VTD_PGTT_SECOND:
		attachment.stage = STAGE_SECOND;
		return attach(set, reader, attachment, entry[0] & VTD_ADDRESS,
			      VTD_PASID_AW(entry[0]) + 2);
	case VTD_PGTT_NESTED:
		attachment.stage = STAGE_NESTED;
		return attach(set, reader, attachment, 0, 0);
	default:
		return attach(set, reader, attachment, 0, 0);
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
			if (reader->read(reader, &at, 1, &pages) != 1)
				return refuse(set, "PASID directory at %#llx cannot be read",
					      (unsigned long long)at);
			memcpy(directory, pages[0], sizeof(directory));
		}
		entry = directory[i % VTD_PAGE_ENTRIES];
		if (!(entry & VTD_PRESENT))
			continue;
		address = entry & VTD_ADDRESS;
		if (reader->read(reader, &address, 1, &pages) != 1)
			return refuse(set, "PASID table at %#llx cannot be read",
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
			if ((attachment.entry[0] & VTD_PRESENT) &&
			    collect_pasid(set, reader, attachment))
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
		return refuse(set, "out of memory");
	*device = *found;
	device->first = set->attachment_count;
	if (device->context[0] & VTD_PRESENT)
		error = device->scalable ? collect_scalable(set, reader, index)
					 : collect_legacy(set, reader, index);
	if (!error)
		digest_device(set, &set->devices[index]);
	return error;
}

static const struct wanted_device *find_wanted(const struct wanted_device *wanted, uint32_t count,
					       const struct pt_unit *unit, uint16_t bdf)
{
	uint32_t i;

	for (i = 0; i < count; i++) {
		if (wanted[i].bdf == bdf && wanted[i].segment == unit->segment &&
		    (!wanted[i].unit || wanted[i].unit == unit->reg_phys))
			return &wanted[i];
	}
	return NULL;
}

/*
 * One context table: all devices of a bus, in scalable mode half of them.
 * @first is the devfn of its first entry.
 */
static int collect_context(struct table_set *set, struct page_reader *reader,
			   const struct pt_unit *unit, uint64_t root_entry, uint16_t bus,
			   uint16_t first, const struct wanted_device *wanted,
			   uint32_t wanted_count)
{
	bool scalable = VTD_RTADDR_TTM(unit->rtaddr) == VTD_TTM_SCALABLE;
	unsigned int words = scalable ? 4 : 2;
	uint64_t address = root_entry & VTD_ADDRESS;
	const uint64_t(*pages)[VTD_PAGE_ENTRIES];
	uint64_t entries[VTD_PAGE_ENTRIES] = { 0 };
	unsigned int i;

	if (root_entry & VTD_PRESENT) {
		if (reader->read(reader, &address, 1, &pages) != 1)
			return refuse(set, "context table at %#llx cannot be read",
				      (unsigned long long)address);
		memcpy(entries, pages[0], sizeof(entries));
	}
	for (i = 0; i < VTD_PAGE_ENTRIES / words; i++) {
		const struct wanted_device *want;
		struct table_device device = {
			.unit = unit->reg_phys,
			.rtaddr = unit->rtaddr,
			.root_entry = root_entry,
			.context_address = address + i * words * 8,
			.segment = unit->segment,
			.bdf = bus << 8 | (first + i),
			.scalable = scalable,
		};
		bool present;

		memcpy(device.context, entries + i * words, words * 8);
		present = device.context[0] & VTD_PRESENT;
		want = find_wanted(wanted, wanted_count, unit, device.bdf);
		/*
		 * A device that has to be behind this very unit is part of the
		 * set even if the unit knows nothing of it.
		 */
		if (wanted ? !want || (!present && !want->unit) : !present)
			continue;
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
	unsigned int bus;

	if (VTD_RTADDR_TTM(unit->rtaddr) > VTD_TTM_SCALABLE)
		return refuse(set,
			      "unit %#llx is in translation table mode %llu, which has no tables",
			      (unsigned long long)unit->reg_phys,
			      (unsigned long long)VTD_RTADDR_TTM(unit->rtaddr));
	if (!address) /* never set up */
		memset(root, 0, sizeof(root));
	else if (reader->read(reader, &address, 1, &pages) != 1)
		return refuse(set, "root table at %#llx cannot be read",
			      (unsigned long long)address);
	else
		memcpy(root, pages[0], sizeof(root));

	for (bus = 0; bus < 256; bus++) {
		if (collect_context(set, reader, unit, root[bus * 2], bus, 0, wanted, wanted_count))
			return -1;
		if (scalable && collect_context(set, reader, unit, root[bus * 2 + 1], bus, 128,
						wanted, wanted_count))
			return -1;
	}
	return 0;
}

/**
 * tables_collect - fill the model from physical memory
 * @set:          the model, empty but for @set->raw
 * @reader:       reads physical memory
 * @units:        the IOMMU hardware units
 * @unit_count:   their number
 * @wanted:       the devices to look at, NULL for all that have an entry
 * @wanted_count: their number
 *
 * Return: 0, or -1 with the reason in @set->error.
 */
int tables_collect(struct table_set *set, struct page_reader *reader, const struct pt_unit *units,
		   uint32_t unit_count, const struct wanted_device *wanted, uint32_t wanted_count)
{
	uint32_t i;

	set->units = calloc(unit_count ?: 1, sizeof(*units));
	if (!set->units)
		return refuse(set, "out of memory");
	memcpy(set->units, units, unit_count * sizeof(*units));
	set->unit_count = unit_count;

	for (i = 0; i < unit_count; i++) {
		if (collect_unit(set, reader, &units[i], wanted, wanted_count))
			return -1;
	}
	return 0;
}

void tables_free(struct table_set *set)
{
	free(set->units);
	free(set->devices);
	free(set->attachments);
	free(set->domains);
	free(set->pages);
	free(set->contents);
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

/* The entries of a page; packed contents were checked when they came in. */
void tables_contents(const struct table_set *set, const struct table_page *page,
		     uint64_t entries[VTD_PAGE_ENTRIES])
{
	contents_unpack(set->contents + page->offset, page->length, entries);
}
