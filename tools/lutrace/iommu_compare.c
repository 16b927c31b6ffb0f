// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Compare two table sets. Digests say where nothing has to be looked at. */
#include <string.h>

#include "iommu_compare.h"

struct comparison {
	const struct table_set *old, *now;
	difference_function *report;
	void *context;
	uint64_t count;
};

static void report(struct comparison *comparison, const struct difference *difference)
{
	comparison->count++;
	comparison->report(difference, comparison->context);
}

static void compare_words(struct comparison *comparison, struct difference difference,
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

static bool same_digest(const struct digest *a, const struct digest *b)
{
	return a->low == b->low && a->high == b->high;
}

static void compare_page(struct comparison *comparison, struct difference difference,
			 const struct table_page *old, const struct table_page *now)
{
	uint64_t content = entry_content(difference.stage);
	uint64_t then[VTD_PAGE_ENTRIES], here[VTD_PAGE_ENTRIES];
	unsigned int i;

	if (same_digest(&old->digest, &now->digest))
		return;
	tables_contents(comparison->old, old, then);
	tables_contents(comparison->now, now, here);
	difference.level = old->level;
	for (i = 0; i < VTD_PAGE_ENTRIES; i++) {
		__u64 before = then[i] & content, after = here[i] & content;

		difference.iova =
			old->iova + ((uint64_t)i << (VTD_PAGE_SHIFT + 9 * (old->level - 1)));
		compare_words(comparison, difference, DIFFERENCE_TABLE_ENTRY, &before, &after, 1);
	}
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

/*
 * Pages that only one side has need no word of their own: the entry that leads
 * to them differs. Nor has the top table: the PASID or context entry names it.
 */
static void compare_domains(struct comparison *comparison, struct difference difference,
			    const struct table_domain *old, const struct table_domain *now)
{
	const struct table_page *a = comparison->old->pages + old->first;
	const struct table_page *b = comparison->now->pages + now->first;
	const struct table_page *a_end = a + old->pages, *b_end = b + now->pages;

	if (same_digest(&old->digest, &now->digest) || old->stage != now->stage ||
	    old->levels != now->levels)
		return;
	difference.stage = old->stage;
	while (a < a_end && b < b_end) {
		int order = page_order(a, b);

		if (!order)
			compare_page(comparison, difference, a, b);
		if (order <= 0)
			a++;
		if (order >= 0)
			b++;
	}
}

/* Devices share domains: what differs in one is said once. */
static bool seen_before(const struct table_set *set, const struct table_attachment *attachment)
{
	const struct table_attachment *earlier;

	for (earlier = set->attachments; earlier < attachment; earlier++) {
		if (earlier->domain == attachment->domain)
			return true;
	}
	return false;
}

/* Either may be missing: the PASID has an entry on one side only. */
static void compare_attachments(struct comparison *comparison, struct difference difference,
				const struct table_attachment *old,
				const struct table_attachment *now)
{
	if (difference.scalable) {
		__u64 then[2] = { old ? old->directory : 0, old ? old->address : 0 };
		__u64 here[2] = { now ? now->directory : 0, now ? now->address : 0 };

		compare_words(comparison, difference, DIFFERENCE_PASID_DIRECTORY, then, here, 1);
		compare_words(comparison, difference, DIFFERENCE_PASID_ENTRY,
			      old ? old->entry : NULL, now ? now->entry : NULL, VTD_PASID_WORDS);
	}
	if (old && now && old->domain != NO_INDEX && now->domain != NO_INDEX &&
	    !seen_before(comparison->old, old))
		compare_domains(comparison, difference, &comparison->old->domains[old->domain],
				&comparison->now->domains[now->domain]);
}

static void compare_devices(struct comparison *comparison, const struct table_device *old,
			    const struct table_device *now)
{
	const struct table_attachment *a = comparison->old->attachments + old->first;
	const struct table_attachment *b = comparison->now->attachments + now->first;
	const struct table_attachment *a_end = a + old->attachments;
	const struct table_attachment *b_end = b + now->attachments;
	struct difference difference = {
		.device = old,
		.unit = old->unit,
		.scalable = old->scalable,
	};

	if (same_digest(&old->digest, &now->digest))
		return;
	compare_words(comparison, difference, DIFFERENCE_ROOT_ENTRY, &old->root_entry,
		      &now->root_entry, 1);
	if (old->scalable != now->scalable)
		return; /* the entries have different formats */
	compare_words(comparison, difference, DIFFERENCE_CONTEXT_ENTRY, old->context, now->context,
		      old->scalable ? 4 : 2);
	if (!(old->context[0] & now->context[0] & VTD_PRESENT))
		return; /* nothing hangs on one of them */

	while (a < a_end || b < b_end) {
		bool take_a = a < a_end && (b == b_end || a->pasid <= b->pasid);
		bool take_b = b < b_end && (a == a_end || b->pasid <= a->pasid);

		difference.pasid = take_a ? a->pasid : b->pasid;
		compare_attachments(comparison, difference, take_a ? a : NULL, take_b ? b : NULL);
		a += take_a;
		b += take_b;
	}
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

static void compare_units(struct comparison *comparison)
{
	uint32_t i;

	for (i = 0; i < comparison->old->unit_count; i++) {
		const struct pt_unit *old = &comparison->old->units[i];
		const struct pt_unit *now = find_unit(comparison->now, old->reg_phys);
		struct difference difference = { .unit = old->reg_phys };
		__u64 then = old->gsts & VTD_GSTS_TES, here;

		if (!has_devices(comparison->old, old->reg_phys))
			continue;
		if (!now) {
			compare_words(comparison, difference, DIFFERENCE_UNIT, &old->reg_phys, NULL,
				      1);
			continue;
		}
		here = now->gsts & VTD_GSTS_TES;
		compare_words(comparison, difference, DIFFERENCE_TRANSLATION, &then, &here, 1);
		compare_words(comparison, difference, DIFFERENCE_ROOT_TABLE, &old->rtaddr,
			      &now->rtaddr, 1);
	}
}

/**
 * tables_compare - report every difference
 * @old:     the set that should be
 * @now:     the set that is; collected for exactly the devices of @old
 * @report:  called for each difference
 * @context: handed to @report
 *
 * Return: the number of differences.
 */
uint64_t tables_compare(const struct table_set *old, const struct table_set *now,
			difference_function *report, void *context)
{
	struct comparison comparison = { old, now, report, context, 0 };
	uint32_t i, j;

	compare_units(&comparison);
	for (i = 0; i < old->device_count; i++) {
		const struct table_device *device = &old->devices[i];

		for (j = 0; j < now->device_count; j++) {
			const struct table_device *other = &now->devices[j];

			if (other->unit == device->unit && other->bdf == device->bdf)
				break;
		}
		/* Its unit is gone, which compare_units() has said. */
		if (j < now->device_count)
			compare_devices(&comparison, device, &now->devices[j]);
	}
	return comparison.count;
}
