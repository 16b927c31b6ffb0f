// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <stdlib.h>

#include "amd.h"
#include "iommu/format.h"
#include "iommu/mappings.h"

/**
 * struct listing - the pages of a page table on the way
 * @set:      its set
 * @domain:   the page table
 * @format:   how its entries read
 * @mappings: what was found
 */
struct listing {
	const struct table_set *set;
	const struct table_domain *domain;
	const struct entry_format *format;
	struct mappings *mappings;
};

/* Pages are in the order of the walk: by address, the upper table first. */
static const struct table_page *find_page(const struct listing *listing, unsigned int level,
					  uint64_t iova)
{
	const struct table_page *pages = listing->set->pages + listing->domain->first;
	uint32_t from = 0, to = listing->domain->pages;

	while (from < to) {
		uint32_t middle = from + (to - from) / 2;
		const struct table_page *page = &pages[middle];

		if (page->iova < iova || (page->iova == iova && page->level > level))
			from = middle + 1;
		else
			to = middle;
	}
	if (from == listing->domain->pages || pages[from].iova != iova ||
	    pages[from].level != level)
		return NULL;
	return &pages[from];
}

/* The memory at @iova, and what an entry says besides where it is. */
static void read_leaf(const struct listing *listing, unsigned int level, uint64_t entry,
		      struct mapping *mapping)
{
	uint64_t address = entry & VTD_ADDRESS, size = 1ULL << level_shift(level);

	mapping->flags = entry & listing->format->content & ~VTD_ADDRESS;
	if (listing->domain->stage != STAGE_HOST) {
		mapping->flags &= ~VTD_LARGE;
		mapping->memory = address & ~(size - 1);
		return;
	}
	/* AMD: the level of what is next is no flag; the size is as many ones as there are. */
	mapping->flags &= ~(7ULL << 9);
	if (AMD_PTE_NEXT(entry) == AMD_NEXT_SIZED) {
		uint64_t ones = address >> VTD_PAGE_SHIFT;

		size = 2 * VTD_PAGE_SIZE;
		for (; ones & 1; ones >>= 1)
			size <<= 1;
	}
	mapping->memory = (address & ~(size - 1)) | (mapping->iova & (size - 1) & VTD_ADDRESS);
}

/* One more, or a longer last one. */
static int add_mapping(struct mappings *mappings, const struct mapping *more)
{
	struct mapping *last = mappings->count ? &mappings->list[mappings->count - 1] : NULL;
	size_t space = mappings->space ? 2 * mappings->space : 64;
	struct mapping *list;

	if (last && last->last + 1 == more->iova && last->flags == more->flags &&
	    last->memory + (last->last - last->iova) + 1 == more->memory) {
		last->last = more->last;
		return 0;
	}
	if (mappings->count == mappings->space || !mappings->list) {
		list = reallocarray(mappings->list, space, sizeof(*list));
		if (!list)
			return MAPPING_NO_MEMORY;
		mappings->list = list;
		mappings->space = space;
	}
	mappings->list[mappings->count++] = *more;
	return 0;
}

static int list_table(struct listing *listing, unsigned int level, uint64_t iova)
{
	const struct table_page *page = find_page(listing, level, iova);
	uint64_t entries[UNPACKED_ENTRIES];
	unsigned int i, below;
	int error = 0;

	if (!page)
		return MAPPING_DAMAGED;
	tables_contents(listing->set, page, entries);
	for (i = 0; i < level_entries(level) && !error; i++) {
		struct mapping mapping = { .iova = iova + ((uint64_t)i << level_shift(level)) };

		if (!entry_is_valid(listing->format, entries[i]))
			continue;
		below = level > 1 ? listing->format->below(level, entries[i]) : 0;
		if (below >= level)
			return MAPPING_DAMAGED;
		if (below) {
			error = list_table(listing, below, mapping.iova);
			continue;
		}
		mapping.last = mapping.iova + (1ULL << level_shift(level)) - 1;
		read_leaf(listing, level, entries[i], &mapping);
		error = add_mapping(listing->mappings, &mapping);
	}
	return error;
}

/**
 * mappings_list - list what a page table maps
 * @set:      the set of a snapshot that offline_open() has read
 * @domain:   the page table, one of its domains
 * @mappings: filled in; to be freed in any case
 *
 * Return: 0, or an enum mapping_error.
 */
int mappings_list(const struct table_set *set, const struct table_domain *domain,
		  struct mappings *mappings)
{
	struct listing listing = {
		.set = set,
		.domain = domain,
		.format = entry_format(domain->stage),
		.mappings = mappings,
	};

	*mappings = (struct mappings){ 0 };
	if (!domain->levels || domain->levels > listing.format->levels_max)
		return MAPPING_DAMAGED;
	return list_table(&listing, domain->levels, 0);
}

void mappings_free(struct mappings *mappings)
{
	free(mappings->list);
	*mappings = (struct mappings){ 0 };
}
