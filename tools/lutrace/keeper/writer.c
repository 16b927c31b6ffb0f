// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "keeper/writer.h"

/* Bytes of a name in one record, without its NUL. */
#define PIECE (LIVEUPDATE_NAME_LENGTH - 1)

/**
 * writer_begin - begin a ledger
 * @writer:  filled in
 * @memory:  for header and records, zeroed
 * @size:    bytes of it
 * @release: of the running kernel
 * @first:   number of its first record
 */
void writer_begin(struct writer *writer, void *memory, size_t size, const char *release,
		  __u64 first)
{
	struct liveupdate_ledger *header = memory;

	header->version = LIVEUPDATE_LEDGER_VERSION;
	header->header_size = sizeof(*header);
	header->record_size = sizeof(*writer->records);
	header->flags = LEDGER_KEPT;
	header->capacity = (size - sizeof(*header)) / sizeof(*writer->records);
	snprintf(header->release, sizeof(header->release), "%s", release);
	header->magic = LIVEUPDATE_LEDGER_MAGIC;
	writer->header = header;
	writer->records = (struct liveupdate_record *)(header + 1);
	writer->next = first;
}

static void drop(struct writer *writer, enum liveupdate_class class, __u64 count)
{
	struct liveupdate_drops *drops = &writer->header->drops[class];

	if (!count)
		return;
	if (!drops->count)
		drops->first = writer->next;
	drops->last = writer->next + count - 1;
	drops->count += count;
	writer->header->dropped += count;
	writer->next += count;
}

/* What the pause is computed from always has room: single files and marks take no more than their share. */
static __u64 room(const struct writer *writer, enum liveupdate_class class)
{
	__u64 capacity = writer->header->capacity;
	__u64 most = class == LIVEUPDATE_CLASS_OTHER || class == LIVEUPDATE_CLASS_OWNER
			     ? capacity / 2
		     : class == LIVEUPDATE_CLASS_HANDOVER ? capacity
							  : capacity / 4 * 3;

	return writer->header->count < most ? most - writer->header->count : 0;
}

static __u64 append(struct writer *writer, const struct liveupdate_record *record)
{
	__u64 count = writer->header->count;

	writer->records[count] = *record;
	writer->records[count].sequence = writer->next;
	/* The kernel may jump at any moment, and what counts is complete. */
	__atomic_store_n(&writer->header->count, count + 1, __ATOMIC_RELEASE);
	return writer->next++;
}

/**
 * writer_add - append a record
 * @writer: the ledger
 * @record: the record; its number is given here
 *
 * Return: its number, 0 if there was no room.
 */
__u64 writer_add(struct writer *writer, const struct liveupdate_record *record)
{
	enum liveupdate_class class = ledger_class(record->step);

	if (room(writer, class))
		return append(writer, record);
	drop(writer, class, 1);
	return 0;
}

/**
 * writer_mark - append a mark, as a whole or not at all
 * @writer: the ledger
 * @cycles: when
 * @mark:   its text, which is one
 *
 * Return: its number, 0 if there was no room.
 */
__u64 writer_mark(struct writer *writer, __u64 cycles, const char *mark)
{
	struct liveupdate_record record = {
		.cycles = cycles,
		.step = LIVEUPDATE_STEP_USER_MARK,
		.edge = LIVEUPDATE_EDGE_INSTANT,
		.kind = LIVEUPDATE_KIND_USER,
		.object = text_digest(DIGEST_OF_NOTHING, mark),
	};
	size_t length = strlen(mark), at;
	__u64 number;

	if (room(writer, LIVEUPDATE_CLASS_MARK) < (length + PIECE - 1) / PIECE) {
		drop(writer, LIVEUPDATE_CLASS_MARK, 1);
		return 0;
	}
	snprintf(record.name, sizeof(record.name), "%s", mark);
	number = append(writer, &record);
	record.step = LIVEUPDATE_STEP_NAME;
	record.ref = number;
	record.object = 0;
	for (at = PIECE; at < length; at += PIECE) {
		record.count = at;
		snprintf(record.name, sizeof(record.name), "%s", mark + at);
		append(writer, &record);
	}
	return number;
}

/* Records of steps that never came here: any of them may have been a boundary. */
void writer_lost(struct writer *writer, __u64 count)
{
	drop(writer, LIVEUPDATE_CLASS_HANDOVER, count);
}
