// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Follow the tables as the hardware does. What leads to the page tables is a few
 * pages, and comes first (find.c). The page tables are walked then, each once
 * (walk.c), and here is what is kept of them.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "iommu/append.h"
#include "iommu/format.h"
#include "iommu/walk.h"

static void digest_add(struct digest_state *state, const struct digest *digest)
{
	digest_word(state, digest->low);
	digest_word(state, digest->high);
}

static void digest_device(const struct table_set *set, struct table_device *device)
{
	const struct device_format *format = device_format(device->mode);
	struct digest_state state;
	uint32_t i, j;

	digest_init(&state);
	digest_word(&state, device->unit);
	digest_word(&state, device->rtaddr);
	digest_word(&state, device->root_entry);
	digest_word(&state, device->context_address);
	for (i = 0; i < format->words; i++)
		digest_word(&state, device->context[i] & format->content[i]);
	for (i = 0; i < device->attachments; i++) {
		const struct table_attachment *attachment = &set->attachments[device->first + i];

		if (format->pasids) {
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
	uint64_t kept = keeper->raw ? ~0ULL : entry_format(batch->stage)->content;
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
	seen_free(&set->met);
	seen_free(&set->tops);
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
