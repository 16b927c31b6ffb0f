// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* The workload of a name; NULL without memory. */
static struct workload *find_workload(struct workloads *workloads, const struct workload_name *name)
{
	struct workload *list = workloads->list;
	size_t at = workload_place(list, workloads->count, sizeof(*list), name);

	if (at < workloads->count && !memcmp(&list[at].name, name, sizeof(*name)))
		return &list[at];
	list = reallocarray(list, workloads->count + 1, sizeof(*list));
	if (!list)
		return NULL;
	workloads->list = list;
	memmove(&list[at + 1], &list[at], (workloads->count - at) * sizeof(*list));
	workloads->count++;
	memset(&list[at], 0, sizeof(*list));
	list[at].name = *name;
	return &list[at];
}

/**
 * workloads_note - take one record into account
 * @workloads: the workloads, zeroed at first
 * @side:      which kernel
 * @record:    the record; nothing happens if it is no mark with a name
 * @whole:     all of the mark, of which @record may have the begin alone
 *
 * Return: 0, -ENOMEM.
 */
int workloads_note(struct workloads *workloads, int side, const struct liveupdate_record *record,
		   const char *whole)
{
	struct workload_name name = { 0 };
	struct blackout_name begin;
	struct workload *workload;
	enum blackout_mark mark;

	if (record->step != LIVEUPDATE_STEP_USER_MARK)
		return 0;
	mark = blackout_mark(record, &begin);
	if (mark == BLACKOUT_MARK_OTHER || !begin.text[0])
		return 0;
	whole = strchr(whole, BLACKOUT_MARK_SEPARATOR[0]);
	snprintf(name.text, sizeof(name.text), "%s", whole ? whole + 1 : begin.text);
	/* As many as BPF has room for: both give the same answer. */
	if (workloads->count == BLACKOUT_WORKLOADS) {
		size_t at = workload_place(workloads->list, workloads->count,
					   sizeof(*workloads->list), &name);

		if (at == workloads->count ||
		    memcmp(&workloads->list[at].name, &name, sizeof(name)) != 0) {
			workloads->host.more = 1;
			return 0;
		}
	}
	workload = find_workload(workloads, &name);
	if (!workload)
		return -ENOMEM;
	blackout_note_mark(&workload->marks[side], mark, record);
	return 0;
}

/**
 * workloads_evaluate - the pause of each workload, and what the host has of them
 * @workloads: the workloads; all records are noted
 * @outgoing:  the ledger of the kernel that jumped, NULL if there is none
 * @incoming:  the ledger of the kernel that it jumped to, NULL if there is none
 */
void workloads_evaluate(struct workloads *workloads, const struct blackout_side *outgoing,
			const struct blackout_side *incoming)
{
	size_t i;

	for (i = 0; i < workloads->count; i++) {
		struct workload *workload = &workloads->list[i];

		blackout_workload(outgoing, incoming, &workload->marks[0], &workload->marks[1],
				  &workload->pause);
		blackout_add_workload(&workloads->host, &workload->pause);
	}
}

void workloads_free(struct workloads *workloads)
{
	free(workloads->list);
	memset(workloads, 0, sizeof(*workloads));
}
