// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Two snapshots: the same places, with the same contents? */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "compare.h"

#define SHOWN 8

struct comparison {
	struct json_object *shown;
	uint64_t count;
};

static struct json_object *hex(uint64_t value)
{
	char text[32];

	snprintf(text, sizeof(text), "0x%" PRIx64, value);
	return json_object_new_string(text);
}

static void differ(struct comparison *c, const char *what, uint64_t before, uint64_t after)
{
	struct json_object *difference;

	if (c->count++ >= SHOWN)
		return;
	difference = json_object_new_object();
	json_object_object_add(difference, "what", json_object_new_string(what));
	json_object_object_add(difference, "before", hex(before));
	json_object_object_add(difference, "after", hex(after));
	json_object_array_add(c->shown, difference);
}

static void compare_value(struct comparison *c, const char *what, uint64_t before, uint64_t after)
{
	if (before != after)
		differ(c, what, before, after);
}

static void compare_entry(struct comparison *c, const struct entry *a, const struct entry *b)
{
	char what[80];
	uint32_t i;

	if (strcmp(a->name, b->name) != 0 || a->device != b->device) {
		differ(c, "order of the walk", a->address, b->address);
		return;
	}
	snprintf(what, sizeof(what), "address of the %s entry of device %u", a->name, a->device);
	compare_value(c, what, a->address, b->address);
	for (i = 0; i < a->count; i++) {
		snprintf(what, sizeof(what), "%s entry of device %u, word %u", a->name, a->device,
			 i);
		compare_value(c, what, a->words[i], b->words[i]);
	}
}

static void compare_table(struct comparison *c, const struct table *a, const struct table *b)
{
	char what[80];
	int i;

	if (a->device != b->device || a->level != b->level || a->iova != b->iova) {
		snprintf(what, sizeof(what), "table of level %u at iova 0x%" PRIx64 " of device %u",
			 a->level, a->iova, a->device);
		differ(c, what, a->address, b->address);
		return;
	}
	snprintf(what, sizeof(what), "address of the table of level %u at iova 0x%" PRIx64,
		 a->level, a->iova);
	compare_value(c, what, a->address, b->address);
	for (i = 0; i < TABLE_ENTRIES; i++) {
		if (!((a->words[i] ^ b->words[i]) & ~a->ignore))
			continue;
		snprintf(what, sizeof(what), "entry of level %u at iova 0x%" PRIx64, a->level,
			 a->iova | (uint64_t)i << (12 + 9 * (a->level - 1)));
		differ(c, what, a->words[i], b->words[i]);
	}
}

static bool has_table(const struct snapshot *snapshot, uint32_t device)
{
	size_t i;

	for (i = 0; i < snapshot->table_count; i++)
		if (snapshot->tables[i].device == device)
			return true;
	return false;
}

/**
 * compare() - compare two snapshots
 * @before: one
 * @after: the other
 * @differences: array, gets the first differences
 *
 * Accessed and dirty bits do not count: the device sets them while it works.
 *
 * Return: the number of differences.
 */
uint64_t compare(const struct snapshot *before, const struct snapshot *after,
		 struct json_object *differences)
{
	struct comparison c = { .shown = differences };
	size_t i;

	/* Two empty snapshots are no agreement. */
	for (i = 0; i < before->device_count; i++)
		if (!has_table(before, i))
			differ(&c, "there was no page table", 0, 0);
	compare_value(&c, "translation enable", before->status & before->enabled,
		      after->status & before->enabled);
	compare_value(&c, "interrupt remapping enable", before->status & before->remapping,
		      after->status & before->remapping);
	compare_value(&c, "address register of the root or device table", before->root,
		      after->root);
	compare_value(&c, "number of entries", before->entry_count, after->entry_count);
	for (i = 0; i < before->entry_count && i < after->entry_count; i++)
		compare_entry(&c, &before->entries[i], &after->entries[i]);
	compare_value(&c, "number of tables", before->table_count, after->table_count);
	for (i = 0; i < before->table_count && i < after->table_count; i++)
		compare_table(&c, &before->tables[i], &after->tables[i]);
	return c.count;
}
