// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Two snapshots: what is mapped otherwise, for each device and PASID of either. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "amd.h"
#include "base/json.h"
#include "iommu/format.h"
#include "iommu/kept.h"
#include "iommu/mappings.h"

/**
 * struct mapping_change - a range that is mapped otherwise
 * @iova: first address, @last: last one
 * @old:  how it was mapped, NULL: not at all
 * @now:  how it is
 */
struct mapping_change {
	uint64_t iova, last;
	const struct mapping *old, *now;
};

/**
 * struct snapshots - what is compared, and what came of it
 * @sets:        before and after
 * @stages:      [side]: of the page tables that are compared
 * @device:      the device in words
 * @pasid:       its PASID
 * @max:         so many ranges are listed
 * @differences: those
 * @count:       how many there are
 * @bytes:       how much of the address space they are
 * @pending:     the last one, which may go on
 * @is_pending:  there is one
 */
struct snapshots {
	const struct table_set *sets[2];
	enum table_stage stages[2];
	const char *device;
	uint32_t pasid;
	uint64_t max;
	struct json_object *differences;
	uint64_t count;
	uint64_t bytes;
	struct mapping_change pending;
	bool is_pending;
};

static uint64_t memory_at(const struct mapping *mapping, uint64_t iova)
{
	return mapping->memory + (iova - mapping->iova);
}

/* "0x7000000 rw, flags 0x800" */
static void add_mapped(struct json_object *value, const char *name, enum table_stage stage,
		       const struct mapping *mapping, uint64_t iova)
{
	uint64_t flags = mapping ? mapping->flags : 0, read, write;
	char text[96], more[32] = "";

	if (!mapping) {
		add_text(value, name, NULL);
		return;
	}
	read = stage == STAGE_HOST    ? AMD_PTE_READ
	       : stage == STAGE_FIRST ? VTD_FS_PRESENT
				      : VTD_SS_READ;
	write = stage == STAGE_HOST    ? AMD_PTE_WRITE
		: stage == STAGE_FIRST ? VTD_FS_WRITE
				       : VTD_SS_WRITE;
	if (flags & ~(read | write))
		snprintf(more, sizeof(more), ", flags %#" PRIx64, flags & ~(read | write));
	snprintf(text, sizeof(text), "%#" PRIx64 " %s%s%s", memory_at(mapping, iova),
		 flags & read ? "r" : "-", flags & write ? "w" : "-", more);
	add_text(value, name, text);
}

static void list_pending(struct snapshots *snapshots)
{
	const struct mapping_change *change = &snapshots->pending;
	struct json_object *value;

	if (!snapshots->is_pending)
		return;
	snapshots->is_pending = false;
	snapshots->bytes += change->last - change->iova + 1;
	if (snapshots->count++ >= snapshots->max)
		return;
	value = json_object_new_object();
	add_text(value, "device", snapshots->device);
	add_number(value, "pasid", snapshots->pasid);
	add_hex(value, "iova", change->iova);
	add_hex(value, "last", change->last);
	add_text(value, "change",
		 !change->old	? "mapped"
		 : !change->now ? "unmapped"
		 : memory_at(change->old, change->iova) != memory_at(change->now, change->iova)
			 ? "moved"
			 : "rights");
	add_mapped(value, "old", snapshots->stages[0], change->old, change->iova);
	add_mapped(value, "new", snapshots->stages[1], change->now, change->iova);
	json_object_array_add(snapshots->differences, value);
}

/* Both sides of one range go on as they began. */
static void report(struct snapshots *snapshots, struct mapping_change change)
{
	struct mapping_change *pending = &snapshots->pending;

	if (snapshots->is_pending && pending->last + 1 == change.iova &&
	    pending->old == change.old && pending->now == change.now) {
		pending->last = change.last;
		return;
	}
	list_pending(snapshots);
	*pending = change;
	snapshots->is_pending = true;
}

/* The mapping number @at from @iova on: @first is where it begins, or @iova within it. */
static const struct mapping *mapping_at(const struct mappings *mappings, size_t *at, uint64_t iova,
					uint64_t *first, uint64_t *last)
{
	const struct mapping *mapping;

	while (*at < mappings->count && mappings->list[*at].last < iova)
		++*at;
	if (*at == mappings->count) {
		*first = *last = UINT64_MAX; /* which may be mapped on the other side */
		return NULL;
	}
	mapping = &mappings->list[*at];
	*first = mapping->iova > iova ? mapping->iova : iova;
	*last = mapping->last;
	return mapping;
}

/* Flags of different formats do not compare: only the memory does. */
static bool is_same(const struct snapshots *snapshots, const struct mapping *old,
		    const struct mapping *now, uint64_t iova)
{
	return memory_at(old, iova) == memory_at(now, iova) &&
	       (old->flags == now->flags || snapshots->stages[0] != snapshots->stages[1]);
}

static void compare_mappings(struct snapshots *snapshots, const struct mappings *before,
			     const struct mappings *after)
{
	size_t old_at = 0, now_at = 0;
	uint64_t iova = 0;

	for (;;) {
		uint64_t old_first, old_last, now_first, now_last, first, last;
		const struct mapping *old =
			mapping_at(before, &old_at, iova, &old_first, &old_last);
		const struct mapping *now = mapping_at(after, &now_at, iova, &now_first, &now_last);

		if (!old && !now)
			break;
		first = old_first < now_first ? old_first : now_first;
		/* To where one ends, or the other begins. */
		last = UINT64_MAX;
		if (old && old_first == first)
			last = old_last;
		else
			old = NULL;
		if (now && now_first == first)
			last = now_last < last ? now_last : last;
		else
			now = NULL;
		if (!old && old_first > first && old_first - 1 < last)
			last = old_first - 1;
		if (!now && now_first > first && now_first - 1 < last)
			last = now_first - 1;
		if (!old || !now || !is_same(snapshots, old, now, first))
			report(snapshots, (struct mapping_change){ first, last, old, now });
		if (last == UINT64_MAX)
			break;
		iova = last + 1;
	}
	list_pending(snapshots);
}

static const struct table_domain *domain_of(const struct table_set *set,
					    const struct table_attachment *attachment)
{
	return attachment && attachment->domain != NO_INDEX ? &set->domains[attachment->domain]
							    : NULL;
}

/* Two page tables, of which one may be missing. */
static int compare_domains(struct snapshots *snapshots, const struct table_domain *const domains[2])
{
	struct mappings mappings[2] = { { 0 } };
	int i, error = 0;

	for (i = 0; i < 2 && !error; i++) {
		if (!domains[i])
			continue;
		snapshots->stages[i] = domains[i]->stage;
		error = mappings_list(snapshots->sets[i], domains[i], &mappings[i]);
	}
	if (!error) {
		for (i = 0; i < 2; i++) {
			if (!domains[i])
				snapshots->stages[i] = snapshots->stages[!i];
		}
		compare_mappings(snapshots, &mappings[0], &mappings[1]);
	}
	mappings_free(&mappings[0]);
	mappings_free(&mappings[1]);
	return error;
}

static int device_order(const struct table_set *set, const struct table_attachment *attachment,
			const struct table_set *other, const struct table_attachment *with)
{
	const struct table_device *a = &set->devices[attachment->device];
	const struct table_device *b = &other->devices[with->device];

	if (a->segment != b->segment)
		return a->segment < b->segment ? -1 : 1;
	if (a->bdf != b->bdf)
		return a->bdf < b->bdf ? -1 : 1;
	return attachment->pasid == with->pasid ? 0 : attachment->pasid < with->pasid ? -1 : 1;
}

static const struct table_attachment *find_attachment(const struct table_set *set,
						      const struct table_set *of,
						      const struct table_attachment *attachment)
{
	uint32_t i;

	for (i = 0; i < set->attachment_count; i++) {
		if (!device_order(of, attachment, set, &set->attachments[i]))
			return &set->attachments[i];
	}
	return NULL;
}

static struct json_object *attached_json(const struct table_set *set,
					 const struct table_attachment *attachment)
{
	const struct table_domain *domain = domain_of(set, attachment);
	struct json_object *value;
	char digest[DIGEST_TEXT_SIZE];

	if (!attachment)
		return NULL;
	value = json_object_new_object();
	add_number(value, "domain_id", attachment->domain_id);
	add_text(value, "stage", stage_text(attachment->stage));
	if (domain) {
		add_hex(value, "top", domain->top);
		add_number(value, "table_pages", domain->pages);
		add_number(value, "mapped_bytes", (int64_t)domain->bytes);
		add_text(value, "digest", digest_text(&domain->digest, digest));
	}
	return value;
}

static bool same_tables(const struct table_domain *const domains[2])
{
	if (!domains[0] || !domains[1])
		return domains[0] == domains[1];
	return domains[0]->digest.low == domains[1]->digest.low &&
	       domains[0]->digest.high == domains[1]->digest.high;
}

/* One row; *@mapped and *@tables are cleared if it is not the same. */
static int compare_attached(struct snapshots *snapshots, struct json_object *rows,
			    const struct table_attachment *const attached[2], bool *mapped,
			    bool *tables)
{
	const struct table_domain *const domains[2] = {
		domain_of(snapshots->sets[0], attached[0]),
		domain_of(snapshots->sets[1], attached[1]),
	};
	const struct table_attachment *one = attached[0] ?: attached[1];
	const struct table_set *set = snapshots->sets[!attached[0]];
	bool both = attached[0] && attached[1], same = same_tables(domains);
	/* What is passed through or nested has no table to compare. */
	bool other = !both || !domains[0] != !domains[1] ||
		     (!domains[0] && attached[0]->stage != attached[1]->stage);
	uint64_t before = snapshots->count;
	struct json_object *row;
	char text[PCI_TEXT_SIZE];
	int error = 0;

	if (!one)
		return 0;
	snapshots->device =
		pci_text(set->devices[one->device].segment, set->devices[one->device].bdf, text);
	snapshots->pasid = one->pasid;
	if (!same)
		error = compare_domains(snapshots, domains);
	other = other || snapshots->count != before;
	row = json_object_new_object();
	add_text(row, "device", snapshots->device);
	add_number(row, "pasid", snapshots->pasid);
	add_text(row, "change",
		 !attached[0]	? "new"
		 : !attached[1] ? "gone"
		 : other	? "mappings"
		 : !same	? "tables"
				: "none");
	json_object_object_add(row, "before", attached_json(snapshots->sets[0], attached[0]));
	json_object_object_add(row, "after", attached_json(snapshots->sets[1], attached[1]));
	json_object_array_add(rows, row);
	*mapped = *mapped && !other;
	*tables = *tables && same;
	return error;
}

static struct json_object *snapshot_json(const struct offline *offline)
{
	struct json_object *value = json_object_new_object();

	add_text(value, "release", offline->snapshot.header.release);
	add_number(value, "time_ns", (int64_t)offline->snapshot.header.time_ns);
	add_table_totals(value, &offline->snapshot.set);
	return value;
}

/**
 * mappings_diff - compare what two snapshots map
 * @before: one
 * @after:  the other
 * @max:    list so many ranges that differ
 * @value:  gets the members of docs/schema/diff-snapshots.json
 *
 * Return: 0, or an enum mapping_error.
 */
int mappings_diff(const struct offline *before, const struct offline *after, uint64_t max,
		  struct json_object *value)
{
	struct snapshots snapshots = {
		.sets = { &before->snapshot.set, &after->snapshot.set },
		.max = max,
		.differences = json_object_new_array(),
	};
	const struct table_set *old = snapshots.sets[0], *now = snapshots.sets[1];
	struct json_object *rows = json_object_new_array();
	bool mapped = true, tables = true;
	int error = 0;
	uint32_t i;

	for (i = 0; i < old->attachment_count && !error; i++) {
		const struct table_attachment *const attached[2] = {
			&old->attachments[i],
			find_attachment(now, old, &old->attachments[i]),
		};

		error = compare_attached(&snapshots, rows, attached, &mapped, &tables);
	}
	for (i = 0; i < now->attachment_count && !error; i++) {
		const struct table_attachment *const attached[2] = { NULL, &now->attachments[i] };

		if (!find_attachment(old, now, &now->attachments[i]))
			error = compare_attached(&snapshots, rows, attached, &mapped, &tables);
	}
	json_object_object_add(value, "before", snapshot_json(before));
	json_object_object_add(value, "after", snapshot_json(after));
	add_text(value, "verdict", !mapped ? "different" : tables ? "identical" : "tables-moved");
	json_object_object_add(value, "devices", rows);
	add_number(value, "difference_count", (int64_t)snapshots.count);
	add_number(value, "differing_bytes", (int64_t)snapshots.bytes);
	json_object_object_add(value, "differences", snapshots.differences);
	return error;
}
