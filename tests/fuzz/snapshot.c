// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A snapshot, which gets the checksum that fits, and is compared with itself: memory
 * has its pages where it says that they are. Then offline, without that memory.
 */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "fuzz.h"
#include "iommu/compare.h"
#include "iommu/mappings.h"
#include "iommu/snapshot.h"

/* Work on one input: a set may say that a page is read over and over. */
#define MOST_PAGES 4096

/**
 * struct memory - what the reader finds
 * @reader:  has to be first
 * @set:     whose pages are there
 * @left:    so many pages can still be read
 * @entries: of the page that is being read
 * @copies:  the pages that were
 */
struct memory {
	struct page_reader reader;
	const struct table_set *set;
	unsigned int left;
	uint64_t entries[UNPACKED_ENTRIES];
	uint64_t copies[PT_BATCH][VTD_PAGE_ENTRIES];
};

/* A page as the set has it; nobody has checked where that is. */
static bool contents(const struct table_set *set, const struct table_page *page,
		     uint64_t entries[UNPACKED_ENTRIES])
{
	return page->offset <= set->contents_size &&
	       page->length <= set->contents_size - page->offset &&
	       contents_unpack(set->contents + page->offset, page->length, entries);
}

static uint32_t read_pages(struct page_reader *reader, unsigned int slot, const uint64_t *addresses,
			   uint32_t count, const uint64_t (**pages)[VTD_PAGE_ENTRIES])
{
	struct memory *memory = (struct memory *)reader;
	uint32_t i, page;

	(void)slot;
	*pages = (const void *)memory->copies;
	for (i = 0; i < count && memory->left; i++, memory->left--) {
		for (page = 0; page < memory->set->page_count; page++) {
			if (memory->set->pages[page].address == addresses[i])
				break;
		}
		if (page == memory->set->page_count ||
		    !contents(memory->set, &memory->set->pages[page], memory->entries))
			break;
		memcpy(memory->copies[i], memory->entries, VTD_PAGE_SIZE);
	}
	return i;
}

static void describe(const struct difference *difference, void *context)
{
	char text[ENTRY_TEXT_SIZE];

	(void)context;
	difference_text(difference, difference->old, text);
	difference_text(difference, difference->now, text);
}

/* The set as tables_find() would have left it: nothing below a domain. */
static void compare(const struct table_set *old)
{
	static struct memory memory;
	struct table_set now = *old;
	struct table_comparison comparison = {
		.old = old,
		.now = &now,
		.reader = &memory.reader,
		.report = describe,
		.max = 16,
	};
	uint32_t i;

	memory.reader.read = read_pages;
	memory.set = old;
	memory.left = MOST_PAGES;
	now.pages = NULL;
	now.contents = NULL;
	now.page_count = 0;
	now.contents_size = 0;
	now.borrowed = false;
	now.domains = calloc(old->domain_count ?: 1, sizeof(*now.domains));
	if (!now.domains)
		abort();
	for (i = 0; i < old->domain_count; i++) {
		now.domains[i] = old->domains[i];
		now.domains[i].first = 0;
		now.domains[i].pages = 0;
	}
	tables_compare(&comparison);
	free(now.domains);
	free(now.pages);
	free(now.contents);
}

/* As the writer would have it. */
static void seal(uint8_t *data, size_t size)
{
	struct snapshot_header header;
	struct digest_state state;
	uint64_t word;
	size_t at;

	memcpy(&header, data, sizeof(header));
	memset(&header.checksum, 0, sizeof(header.checksum));
	digest_init(&state);
	for (at = 0; at < sizeof(header); at += sizeof(word)) {
		memcpy(&word, (uint8_t *)&header + at, sizeof(word));
		digest_word(&state, word);
	}
	at = sizeof(header) + (header.version == SNAPSHOT_VERSION_1 ? 0 : header.contents_size);
	for (; at <= size && size - at >= sizeof(word) && at < header.size; at += sizeof(word)) {
		memcpy(&word, data + at, sizeof(word));
		digest_word(&state, word);
	}
	digest_final(&state, &header.checksum);
	memcpy(data, &header, sizeof(header));
}

/* What it maps, and that it maps the same as itself; then of no device any more. */
static void compare_offline(struct offline *offline)
{
	struct json_object *value = json_object_new_object();
	struct device_list nobody = { .devices = &(struct wanted_device){ .bdf = 0xffff },
				      .count = 1 };

	if (!offline_check(offline)) {
		if (!mappings_diff(offline, offline, 16, value) &&
		    json_object_get_int64(member(value, "difference_count")))
			abort();
		offline_select(offline, &nobody);
	}
	json_object_put(value);
	free(offline->pages);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct offline offline = { 0 };
	struct snapshot *snapshot = &offline.snapshot;
	struct digest digest;
	uint8_t *copy = malloc(size ?: 1);

	if (!copy)
		abort();
	memcpy(copy, data, size);
	if (size >= sizeof(struct snapshot_header))
		seal(copy, size);
	if (!snapshot_read(&snapshot->set, &snapshot->header, copy, size)) {
		tables_digest(&snapshot->set, &digest);
		compare(&snapshot->set);
		compare_offline(&offline);
	}
	tables_free(&snapshot->set);
	free(copy);
	return 0;
}
