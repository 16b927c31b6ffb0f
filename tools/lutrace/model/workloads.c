// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "liveupdate_mark.h"
#include "model/workloads.h"

/**
 * workload_place - where an element of a name is, or would have to be
 * @list:  by name; each element begins with its struct workload_name
 * @count: number of elements
 * @size:  of an element
 * @name:  which one
 */
size_t workload_place(const void *list, size_t count, size_t size, const struct workload_name *name)
{
	const char *elements = list;
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (memcmp(elements + middle * size, name, sizeof(*name)) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/**
 * workload_mark - tell what a mark says of a workload
 * @record: a record of LIVEUPDATE_STEP_USER_MARK
 * @whole:  all of the mark, of which @record may have the begin alone
 *
 * Return: BLACKOUT_MARK_OTHER also of a mark without a name, and of one that nobody could have
 * written through the library, as the name is none.
 */
enum blackout_mark workload_mark(const struct liveupdate_record *record, const char *whole)
{
	struct blackout_name begin;
	enum blackout_mark mark = blackout_mark(record, &begin);

	return begin.text[0] && !liveupdate_mark_check(whole) ? mark : BLACKOUT_MARK_OTHER;
}

/**
 * workloads_note - take one record into account
 * @workloads: the workloads, zeroed at first
 * @side:      which kernel
 * @record:    the record; nothing happens if it is no mark with a name
 * @whole:     all of the mark, of which @record may have the begin alone
 *
 * @record and @whole are looked at again by workloads_evaluate().
 *
 * Return: 0, -ENOMEM.
 */
int workloads_note(struct workloads *workloads, int side, const struct liveupdate_record *record,
		   const char *whole)
{
	struct workload_mark *marks = workloads->marks;
	size_t count = workloads->mark_count;
	enum blackout_mark mark;
	const char *name;

	if (record->step != LIVEUPDATE_STEP_USER_MARK)
		return 0;
	mark = workload_mark(record, whole);
	if (mark == BLACKOUT_MARK_OTHER)
		return 0;
	/* There is room for a power of two. */
	if (!(count & (count - 1))) {
		marks = reallocarray(marks, count ? 2 * count : 1, sizeof(*marks));
		if (!marks)
			return -ENOMEM;
		workloads->marks = marks;
	}
	name = strchr(whole, BLACKOUT_MARK_SEPARATOR[0]);
	marks[count] = (struct workload_mark){ .name = name ? name + 1 : whole,
					       .record = record,
					       .number = count,
					       .side = side,
					       .mark = mark };
	workloads->mark_count++;
	return 0;
}

static int compare_names(const struct workload_mark *a, const struct workload_mark *b)
{
	return strncmp(a->name, b->name, WORKLOAD_NAME_SIZE - 1);
}

/* By name, and as they came. */
static int compare_marks(const void *left, const void *right)
{
	const struct workload_mark *a = left, *b = right;
	int order = compare_names(a, b);

	return order ?: (a->number > b->number) - (a->number < b->number);
}

/* The list, of all marks: how many names there are has no limit but that of the ledgers. */
static int make_list(struct workloads *workloads)
{
	struct workload_mark *marks = workloads->marks;
	size_t i, names = 0;

	if (!workloads->mark_count)
		return 0;
	qsort(marks, workloads->mark_count, sizeof(*marks), compare_marks);
	for (i = 0; i < workloads->mark_count; i++)
		names += !i || compare_names(&marks[i - 1], &marks[i]) != 0;
	workloads->list = calloc(names, sizeof(*workloads->list));
	if (!workloads->list)
		return -ENOMEM;
	for (i = 0; i < workloads->mark_count; i++) {
		struct workload *workload;

		workloads->count += !i || compare_names(&marks[i - 1], &marks[i]) != 0;
		workload = &workloads->list[workloads->count - 1];
		snprintf(workload->name.text, sizeof(workload->name.text), "%s", marks[i].name);
		blackout_note_mark(&workload->marks[marks[i].side], marks[i].mark, marks[i].record);
	}
	return 0;
}

/**
 * workloads_evaluate - the pause of each workload, and what the host has of them
 * @workloads: the workloads; all records are noted
 * @outgoing:  the ledger of the kernel that jumped, NULL if there is none
 * @incoming:  the ledger of the kernel that it jumped to, NULL if there is none
 *
 * Return: 0, -ENOMEM.
 */
int workloads_evaluate(struct workloads *workloads, const struct blackout_side *outgoing,
		       const struct blackout_side *incoming)
{
	size_t i;
	int ret = make_list(workloads);

	free(workloads->marks);
	workloads->marks = NULL;
	workloads->mark_count = 0;
	for (i = 0; !ret && i < workloads->count; i++) {
		struct workload *workload = &workloads->list[i];

		blackout_workload(outgoing, incoming, &workload->marks[0], &workload->marks[1],
				  &workload->pause);
		blackout_add_workload(&workloads->host, &workload->pause);
	}
	return ret;
}

void workloads_free(struct workloads *workloads)
{
	free(workloads->marks);
	free(workloads->list);
	memset(workloads, 0, sizeof(*workloads));
}
