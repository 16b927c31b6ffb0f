// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Compare two table sets. Of page tables, the one that is is walked, and each
 * page compared as a whole with what the other has in its place; entries are
 * looked at where that differs. No digest is asked whether something is the same:
 * theirs is public, and who can write to a table could look for another of the
 * same digest.
 */
#include <stdlib.h>
#include <string.h>

#include "iommu/format.h"
#include "iommu/walk.h"

struct table_comparing {
	struct table_comparison *of;
	/* With which domain each of the old set was compared, as a number from 1 on. */
	uint32_t *compared;
	/* A page table of the old set is not all of what its entries lead to. */
	bool loose;
};

static void report(struct table_comparing *comparison, const struct difference *difference)
{
	if (comparison->of->count++ < comparison->of->max)
		comparison->of->report(difference, comparison->of->context);
}

static void compare_words(struct table_comparing *comparison, struct difference difference,
			  enum difference_kind kind, const __u64 *old, const __u64 *now,
			  unsigned int words)
{
	unsigned int i;
	bool same = true;

	difference.kind = kind;
	difference.words = words;
	for (i = 0; i < words; i++) {
		difference.old[i] = old ? old[i] : 0;
		difference.now[i] = now ? now[i] : 0;
		same = same && difference.old[i] == difference.now[i];
	}
	if (!same)
		report(comparison, &difference);
}

/* Order of the walk: by address, and at the same address the upper table first. */
static int page_order(const struct table_page *a, const struct table_page *b)
{
	if (a->iova != b->iova)
		return a->iova < b->iova ? -1 : 1;
	if (a->level != b->level)
		return a->level > b->level ? -1 : 1;
	return 0;
}

/* A table entry that differs. */
struct change {
	uint64_t iova;
	uint64_t old, now;
	uint32_t level;
};

/**
 * struct page_changes - what a batch has of them
 * @count:   number of changes
 * @listed:  number of @list, no more than will be reported
 * @paired:  pages that both sides have
 * @moved:   one of them is somewhere else
 * @damaged: what the old set says of a page is damaged
 * @failed:  there was no memory for @list
 */
struct page_changes {
	uint64_t count;
	struct change *list;
	uint32_t listed, space;
	uint32_t paired;
	bool moved, damaged, failed;
};

/* One page table with another. */
struct domain_visitor {
	struct page_visitor visitor;
	struct table_comparing *comparison;
	struct difference difference;
	const struct table_domain *old;
	const struct table_page *pages; /* of @old */
	uint64_t paired;
	bool moved;
};

static void add_change(struct page_changes *changes, uint64_t max, const struct change *change)
{
	struct change *moved;

	changes->count++;
	if (changes->listed >= max || changes->failed)
		return;
	if (changes->listed == changes->space) {
		uint32_t larger = changes->space ? changes->space * 2 : 16;

		moved = reallocarray(changes->list, larger, sizeof(*moved));
		if (!moved) {
			changes->failed = true;
			return;
		}
		changes->list = moved;
		changes->space = larger;
	}
	changes->list[changes->listed++] = *change;
}

static bool same_contents(const uint64_t then[VTD_PAGE_ENTRIES],
			  const uint64_t here[VTD_PAGE_ENTRIES], uint64_t content)
{
	const entry_pair *a = (const entry_pair *)then, *b = (const entry_pair *)here;
	entry_pair differs = { 0 };
	unsigned int i;

#pragma GCC unroll 8
	for (i = 0; i < PAGE_PAIRS; i++)
		differs |= a[i] ^ b[i];
	return !((differs[0] | differs[1]) & content);
}

/* Is that what the page said when its digest was made? */
static bool has_digest(enum table_stage stage, const struct table_page *old, const uint64_t *then)
{
	struct visited_page page = {
		.address = old->address,
		.level = old->level,
		.entries = then,
	};

	page_digest(stage, &page);
	return page.digest.low == old->digest.low && page.digest.high == old->digest.high;
}

static void list_changes(const struct domain_visitor *visitor, struct page_changes *changes,
			 const uint64_t *then, const struct visited_page *page)
{
	uint64_t content = entry_format(visitor->old->stage)->content;
	unsigned int shift = level_shift(page->level), i;
	struct change change = { .level = page->level };

	for (i = 0; i < VTD_PAGE_ENTRIES; i++) {
		change.iova = page->iova + ((uint64_t)i << shift);
		change.old = then[i] & content;
		change.now = page->entries[i] & content;
		if (change.old != change.now)
			add_change(changes, visitor->comparison->of->max, &change);
	}
}

/* Nothing in the record of a page, nor what it leads to, was looked at before. */
static const uint64_t *unpack(const struct table_set *set, const struct table_page *page,
			      uint64_t room[UNPACKED_ENTRIES])
{
	const uint8_t *packed;

	if (page->offset % sizeof(uint64_t) || page->length > VTD_PAGE_SIZE ||
	    page->offset > set->contents_size || page->length > set->contents_size - page->offset)
		return NULL;
	packed = set->contents + page->offset;
	if (page->length == VTD_PAGE_SIZE)
		return (const uint64_t *)packed;
	return contents_unpack(packed, page->length, room) ? room : NULL;
}

static void count_page(enum table_stage stage, struct visited_page *page)
{
	page_digest(stage, page);
	page->leaves = count_leaves(stage, page->level, page->entries);
}

static void compare_page(const struct domain_visitor *visitor, struct page_changes *changes,
			 const struct table_page *record, struct visited_page *page)
{
	const struct table_page copy = *record, *old = &copy; /* a file may change */
	const struct table_set *set = visitor->comparison->of->old;
	enum table_stage stage = visitor->old->stage;
	uint64_t room[UNPACKED_ENTRIES];
	const uint64_t *then = unpack(set, old, room);

	changes->paired++;
	if (!then) {
		changes->damaged = true;
		return;
	}
	changes->moved |= old->address != page->address;
	if (same_contents(then, page->entries, entry_format(stage)->content) &&
	    old->address == page->address) {
		page->digest = old->digest;
		page->leaves = old->length == VTD_PAGE_SIZE
				       ? count_leaves(stage, page->level, then)
				       : contents_leaves(set->contents + old->offset, old->length,
							 stage, page->level);
		return;
	}
	count_page(stage, page);
	changes->damaged |= !has_digest(stage, old, then);
	list_changes(visitor, changes, then, page);
}

static int place_order(const struct visited_page *page, const struct table_page *old)
{
	struct table_page here = { .iova = page->iova, .level = page->level };

	return page_order(&here, old);
}

/* The first page of the old set that does not come before @page. */
static uint32_t find_place(const struct domain_visitor *visitor, const struct visited_page *page)
{
	uint32_t from = 0, to = visitor->old->pages;

	while (from < to) {
		uint32_t middle = from + (to - from) / 2;

		if (place_order(page, &visitor->pages[middle]) > 0)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

/*
 * Pages that only one side has need no word of their own: the entry that leads
 * to them differs. Nor has the top table: the PASID or context entry names it.
 */
static void compare_pages(struct page_visitor *visitor, struct page_batch *batch)
{
	const struct domain_visitor *domain = (struct domain_visitor *)visitor;
	struct page_changes *changes = batch->result;
	uint32_t at = find_place(domain, &batch->pages[0]), i;

	changes->count = 0;
	changes->listed = 0;
	changes->paired = 0;
	for (i = 0; i < batch->count; i++) {
		struct visited_page *page = &batch->pages[i];
		int order = 1;

		for (; at < domain->old->pages; at++) {
			order = place_order(page, &domain->pages[at]);
			if (order <= 0)
				break;
		}
		if (order)
			count_page(batch->stage, page);
		else
			compare_page(domain, changes, &domain->pages[at++], page);
	}
}

static int take_changes(struct page_visitor *visitor, struct table_set *set,
			struct page_batch *batch)
{
	struct domain_visitor *domain = (struct domain_visitor *)visitor;
	const struct page_changes *changes = batch->result;
	struct difference difference = domain->difference;
	uint32_t i;

	if (changes->failed)
		return tables_refuse(set, "out of memory");
	if (changes->damaged)
		return tables_refuse(
			set,
			"the snapshot is damaged: what it has of a page does not fit its digest");
	domain->paired += changes->paired;
	domain->moved |= changes->moved;
	difference.kind = DIFFERENCE_TABLE_ENTRY;
	difference.words = 1;
	for (i = 0; i < changes->listed; i++) {
		difference.iova = changes->list[i].iova;
		difference.level = changes->list[i].level;
		difference.old[0] = changes->list[i].old;
		difference.now[0] = changes->list[i].now;
		report(domain->comparison, &difference);
	}
	/* What was not listed is beyond the number of those to be reported. */
	domain->comparison->of->count += changes->count - changes->listed;
	return 0;
}

static void release_changes(void *result)
{
	free(((struct page_changes *)result)->list);
}

static int compare_domains(struct table_comparing *comparison, struct difference difference,
			   const struct table_domain *old, struct table_domain *now)
{
	struct domain_visitor visitor = {
		.visitor = {
			.examine = compare_pages,
			.take = take_changes,
			.release = release_changes,
			.result_size = sizeof(struct page_changes),
		},
		.comparison = comparison,
		.difference = difference,
		.old = old,
		.pages = comparison->of->old->pages + old->first,
	};

	if (old->stage != now->stage || old->levels != now->levels) {
		comparison->loose = true;
		return 0;
	}
	visitor.difference.stage = old->stage;
	if (walk_domain(comparison->of->now, comparison->of->reader, now, &visitor.visitor))
		return -1;
	if (visitor.moved || visitor.paired != old->pages || visitor.paired != now->pages)
		comparison->loose = true;
	return 0;
}

/* Either may be missing: the PASID has an entry on one side only. */
static int compare_attachments(struct table_comparing *comparison, struct difference difference,
			       const struct table_attachment *old,
			       const struct table_attachment *now)
{
	uint32_t *compared;

	if (device_format(difference.mode)->pasids) {
		__u64 then[2] = { old ? old->directory : 0, old ? old->address : 0 };
		__u64 here[2] = { now ? now->directory : 0, now ? now->address : 0 };

		compare_words(comparison, difference, DIFFERENCE_PASID_DIRECTORY, then, here, 1);
		compare_words(comparison, difference, DIFFERENCE_PASID_ENTRY,
			      old ? old->entry : NULL, now ? now->entry : NULL, VTD_PASID_WORDS);
	}
	if (old && now && old->domain == NO_INDEX && now->domain == NO_INDEX)
		return 0;
	if (!old || !now || old->domain == NO_INDEX || now->domain == NO_INDEX) {
		comparison->loose = true;
		return 0;
	}
	/* Devices share domains: what differs in one is said once. */
	compared = &comparison->compared[old->domain];
	if (*compared) {
		comparison->loose |= *compared != now->domain + 1;
		return 0;
	}
	*compared = now->domain + 1;
	return compare_domains(comparison, difference, &comparison->of->old->domains[old->domain],
			       &comparison->of->now->domains[now->domain]);
}

static int compare_devices(struct table_comparing *comparison, const struct table_device *old,
			   const struct table_device *now)
{
	const struct table_attachment *a = comparison->of->old->attachments + old->first;
	const struct table_attachment *b = comparison->of->now->attachments + now->first;
	const struct table_attachment *a_end = a + old->attachments;
	const struct table_attachment *b_end = b + now->attachments;
	const struct device_format *format = device_format(old->mode);
	uint64_t then[4], here[4];
	struct difference difference = {
		.device = old,
		.unit = old->unit,
		.mode = old->mode,
	};
	uint32_t i;

	compare_words(comparison, difference, DIFFERENCE_ROOT_ENTRY, &old->root_entry,
		      &now->root_entry, 1);
	if (old->mode != now->mode)
		return 0; /* the entries have different formats */
	for (i = 0; i < 4; i++) {
		then[i] = old->context[i] & format->content[i];
		here[i] = now->context[i] & format->content[i];
	}
	compare_words(comparison, difference, format->entry, (const __u64 *)then,
		      (const __u64 *)here, format->words);
	if (!format->present(then) || !format->present(here))
		return 0; /* nothing hangs on one of them */

	while (a < a_end || b < b_end) {
		bool take_a = a < a_end && (b == b_end || a->pasid <= b->pasid);
		bool take_b = b < b_end && (a == a_end || b->pasid <= a->pasid);

		difference.pasid = take_a ? a->pasid : b->pasid;
		if (compare_attachments(comparison, difference, take_a ? a : NULL,
					take_b ? b : NULL))
			return -1;
		a += take_a;
		b += take_b;
	}
	return 0;
}

static const struct pt_unit *find_unit(const struct table_set *set, uint64_t reg_phys)
{
	uint32_t i;

	for (i = 0; i < set->unit_count; i++) {
		if (set->units[i].reg_phys == reg_phys)
			return &set->units[i];
	}
	return NULL;
}

static bool has_devices(const struct table_set *set, uint64_t unit)
{
	uint32_t i;

	for (i = 0; i < set->device_count; i++) {
		if (set->devices[i].unit == unit)
			return true;
	}
	return false;
}

static void compare_units(struct table_comparing *comparison)
{
	uint32_t i;

	for (i = 0; i < comparison->of->old->unit_count; i++) {
		const struct pt_unit *old = &comparison->of->old->units[i];
		const struct pt_unit *now = find_unit(comparison->of->now, old->reg_phys);
		const struct unit_format *format = unit_format(old->format);
		struct difference difference = { .unit = old->reg_phys, .format = old->format };
		__u64 then = old->gsts & format->enabled, here;

		if (!has_devices(comparison->of->old, old->reg_phys))
			continue;
		if (!now) {
			compare_words(comparison, difference, DIFFERENCE_UNIT, &old->reg_phys, NULL,
				      1);
			continue;
		}
		here = now->gsts & format->enabled;
		compare_words(comparison, difference, DIFFERENCE_TRANSLATION, &then, &here, 1);
		compare_words(comparison, difference, format->root, &old->rtaddr, &now->rtaddr, 1);
	}
}

/* The sets are in the same order but for devices that only one of them has. */
static struct table_device *find_device(const struct table_set *set,
					const struct table_device *device, uint32_t from)
{
	uint32_t i;

	for (i = 0; i < set->device_count; i++) {
		struct table_device *other = &set->devices[(from + i) % set->device_count];

		if (other->unit == device->unit && other->bdf == device->bdf)
			return other;
	}
	return NULL;
}

/**
 * tables_compare - report differences
 * @request: what is to be compared; its @count is set
 *
 * Return: 0, or -1 with the reason in @request->now->error: what is cannot be read, or
 * the old set is damaged; nothing that was reported means anything then.
 */
int tables_compare(struct table_comparison *request)
{
	const struct table_set *old = request->old;
	struct table_comparing comparison = { .of = request };
	uint32_t i, next = 0;
	int error = 0;

	request->count = 0;
	comparison.compared = calloc(old->domain_count ?: 1, sizeof(*comparison.compared));
	if (!comparison.compared)
		return tables_refuse(request->now, "out of memory");
	compare_units(&comparison);
	for (i = 0; i < old->device_count && !error; i++) {
		const struct table_device *device = &old->devices[i];
		struct table_device *other = find_device(request->now, device, next);

		/* Its unit is gone, which compare_units() has said. */
		if (!other)
			continue;
		error = compare_devices(&comparison, device, other);
		next = other - request->now->devices + 1;
	}
	free(comparison.compared);
	if (error)
		return -1;
	/*
	 * The same entries lead to the same pages. If they do not, the old set has not
	 * all that its entries say, and it is not for us to say what would be missing.
	 */
	if (!request->count && comparison.loose)
		return tables_refuse(request->now,
				     "the snapshot is damaged: its parts do not fit together");
	return tables_walk(request->now, request->reader);
}
