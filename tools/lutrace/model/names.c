// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/names.h"

struct whole_name {
	__u64 sequence;
	char text[WHOLE_NAME_SIZE];
};

/* By the record that it continues, then by where in the name it is. */
static int compare_pieces(const void *left, const void *right)
{
	const struct liveupdate_record *a = *(const struct liveupdate_record *const *)left;
	const struct liveupdate_record *b = *(const struct liveupdate_record *const *)right;

	if (a->ref != b->ref)
		return a->ref < b->ref ? -1 : 1;
	if (a->count != b->count)
		return a->count < b->count ? -1 : 1;
	return a->sequence < b->sequence ? -1 : a->sequence > b->sequence;
}

static int compare_sequence(const void *key, const void *record)
{
	__u64 sequence = *(const __u64 *)key;
	__u64 other = ((const struct liveupdate_record *)record)->sequence;

	return sequence < other ? -1 : sequence > other;
}

static int compare_name(const void *key, const void *name)
{
	__u64 sequence = *(const __u64 *)key, other = ((const struct whole_name *)name)->sequence;

	return sequence < other ? -1 : sequence > other;
}

/* A name goes on as far as no piece of it is missing. */
static void join(struct whole_name *name, const struct liveupdate_record *begin,
		 const struct liveupdate_record *const *pieces, size_t count)
{
	size_t i, length = strlen(begin->name);

	name->sequence = begin->sequence;
	memcpy(name->text, begin->name, length + 1);
	for (i = 0; i < count; i++) {
		size_t more = strlen(pieces[i]->name);

		if (pieces[i]->count != length)
			continue;
		if (more > sizeof(name->text) - 1 - length)
			more = sizeof(name->text) - 1 - length;
		memcpy(name->text + length, pieces[i]->name, more);
		length += more;
		name->text[length] = '\0';
	}
}

static size_t take_pieces(const struct ledger *ledger, const struct liveupdate_record **pieces)
{
	size_t i, count = 0;

	for (i = 0; i < ledger->count; i++) {
		const struct liveupdate_record *record = &ledger->records[i];

		if (record->step != LIVEUPDATE_STEP_NAME || !record->ref)
			continue;
		if (pieces)
			pieces[count] = record;
		count++;
	}
	return count;
}

/**
 * names_add - join the names that a ledger has in pieces
 * @names:  added to; the ledgers come in the order of their numbers
 * @ledger: a ledger that has been checked
 *
 * Return: 0, -ENOMEM.
 */
int names_add(struct names *names, const struct ledger *ledger)
{
	size_t i, next, count = take_pieces(ledger, NULL);
	const struct liveupdate_record **pieces;
	struct whole_name *list;

	if (!count)
		return 0;
	pieces = calloc(count, sizeof(const struct liveupdate_record *));
	list = reallocarray(names->list, names->count + count, sizeof(*list));
	if (list)
		names->list = list;
	if (!pieces || !list) {
		free(pieces);
		return -ENOMEM;
	}
	take_pieces(ledger, pieces);
	qsort(pieces, count, sizeof(const struct liveupdate_record *), compare_pieces);
	for (i = 0; i < count; i = next) {
		const struct liveupdate_record *begin;

		for (next = i + 1; next < count && pieces[next]->ref == pieces[i]->ref;)
			next++;
		begin = bsearch(&pieces[i]->ref, ledger->records, ledger->count,
				sizeof(*ledger->records), compare_sequence);
		if (begin && begin->edge != LIVEUPDATE_EDGE_END)
			join(&list[names->count++], begin, &pieces[i], next - i);
	}
	free(pieces);
	return 0;
}

/**
 * names_of - the whole name of a record
 * @names:  the names of its handover
 * @record: the record
 *
 * Return: the name, which lives as long as both.
 */
const char *names_of(const struct names *names, const struct liveupdate_record *record)
{
	const struct whole_name *found;

	if (!names->count)
		return record->name;
	found = bsearch(&record->sequence, names->list, names->count, sizeof(*names->list),
			compare_name);
	return found ? found->text : record->name;
}

void names_free(struct names *names)
{
	free(names->list);
	memset(names, 0, sizeof(*names));
}
