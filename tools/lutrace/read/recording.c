// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "model/document.h"
#include "model/vocabulary.h"
#include "read/json_file.h"
#include "read/recording.h"

static int __attribute__((format(printf, 2, 3)))
refuse(char why[LEDGER_WHY_SIZE], const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(why, LEDGER_WHY_SIZE, format, arguments);
	va_end(arguments);
	return -EINVAL;
}

/* A number, written as such or as hexadecimal text. Absent is 0. */
static bool parse_number(struct json_object *from, const char *name, __u64 *number)
{
	struct json_object *value = member(from, name);
	const char *text;
	char *end;

	*number = 0;
	if (!value)
		return true;
	if (json_object_is_type(value, json_type_int)) {
		*number = json_object_get_uint64(value);
		return json_object_get_int64(value) >= 0;
	}
	/* A JSON tool in between may have written 1.0 for 1. */
	if (json_object_is_type(value, json_type_double)) {
		double number_of = json_object_get_double(value);

		if (!(number_of >= 0 && number_of < 9007199254740992.0))
			return false;
		*number = (__u64)number_of;
		return (double)*number == number_of;
	}
	text = json_object_get_string(value);
	if (strncmp(text, "0x", 2) != 0 || !text[2])
		return false;
	errno = 0;
	*number = strtoull(text + 2, &end, 16);
	return !*end && !errno;
}

/* A return code: 0, which is left out, or a negative number. */
static bool parse_ret(struct json_object *from, __s32 *ret)
{
	struct json_object *value = member(from, "ret");
	int64_t number = json_object_get_int64(value);

	*ret = (__s32)number;
	return !value || (json_object_is_type(value, json_type_int) && number == *ret);
}

static bool parse_text(struct json_object *from, const char *name, char *text, size_t size)
{
	struct json_object *value = member(from, name);
	size_t length;

	if (!value)
		return true;
	length = (size_t)json_object_get_string_len(value);
	if (!json_object_is_type(value, json_type_string) || length >= size)
		return false;
	memcpy(text, json_object_get_string(value), length);
	return true;
}

static bool parse_record(struct json_object *from, struct liveupdate_record *record)
{
	int step = step_number(member_text(from, "step"));
	int edge = edge_number(member_text(from, "edge"));
	int kind = member(from, "kind") ? kind_number(member_text(from, "kind")) : 0;

	if (step < 0 || edge < 0 || edge > UINT8_MAX || kind < 0 || kind > UINT8_MAX)
		return false;
	record->step = (__u16)step;
	record->edge = (__u8)edge;
	record->kind = (__u8)kind;
	return parse_ret(from, &record->ret) && parse_number(from, "sequence", &record->sequence) &&
	       parse_number(from, "cycles", &record->cycles) &&
	       parse_number(from, "ref", &record->ref) &&
	       parse_number(from, "object", &record->object) &&
	       parse_number(from, "count", &record->count) &&
	       parse_text(from, "name", record->name, sizeof(record->name));
}

static bool parse_drops(struct json_object *from, struct liveupdate_ledger *header)
{
	int i;

	if (from && !json_object_is_type(from, json_type_object))
		return false;
	for (i = 0; i < LIVEUPDATE_CLASS_COUNT; i++) {
		struct liveupdate_drops *drops = &header->drops[i];
		struct json_object *row = member(from, class_name((unsigned int)i));

		if (!row)
			continue;
		if (!json_object_is_type(row, json_type_object) ||
		    !parse_number(row, "count", &drops->count) ||
		    !parse_number(row, "first", &drops->first) ||
		    !parse_number(row, "last", &drops->last))
			return false;
	}
	return true;
}

/* One more record of a ledger, for which there is room up to a power of two. */
static int add_record(void *closure, struct json_object *from, char why[LEDGER_WHY_SIZE])
{
	struct ledger *ledger = closure;
	size_t count = ledger->count;
	struct liveupdate_record *more;

	if (!(count & (count - 1))) {
		more = reallocarray(ledger->records, count ? 2 * count : 1, sizeof(*more));
		if (!more) {
			snprintf(why, LEDGER_WHY_SIZE, "out of memory");
			return -ENOMEM;
		}
		ledger->records = more;
	}
	memset(&ledger->records[count], 0, sizeof(*ledger->records));
	if (!parse_record(from, &ledger->records[count]))
		return refuse(why, "record number %zu of a ledger in it is damaged", count);
	ledger->count = count + 1;
	return 0;
}

static int parse_ledger(struct ledger *ledger, struct json_object *from, char why[LEDGER_WHY_SIZE])
{
	struct liveupdate_ledger *header = &ledger->header;
	struct json_object *records = member(from, "records");
	struct json_object *kept = member(from, "kept");
	__u64 version;
	size_t i;
	int ret;

	if (kept && !json_object_is_type(kept, json_type_boolean))
		return refuse(why, "a ledger in it has a damaged header");
	header->flags = json_object_get_boolean(kept) ? LEDGER_KEPT : 0;
	if (!json_object_is_type(records, json_type_array))
		return refuse(why, "a ledger in it has no records");

	if (!parse_number(from, "version", &version) || version > LIVEUPDATE_LEDGER_VERSION)
		return refuse(why, "the version of a ledger in it is not known here, only 1 to %u",
			      LIVEUPDATE_LEDGER_VERSION);
	header->magic = LIVEUPDATE_LEDGER_MAGIC;
	header->version = (__u32)version;
	header->header_size = version == 1 ? LIVEUPDATE_LEDGER_SIZE_1 : sizeof(*header);
	header->record_size = sizeof(*ledger->records);
	if (!parse_number(from, "capacity", &header->capacity) ||
	    !parse_number(from, "dropped", &header->dropped) ||
	    !parse_drops(member(from, "drops"), header) ||
	    !parse_number(from, "cycles_khz", &header->cycles_khz) ||
	    !parse_number(from, "wall_cycles", &header->wall_cycles) ||
	    !parse_number(from, "wall_ns", &header->wall_ns) ||
	    !parse_text(from, "release", header->release, sizeof(header->release)))
		return refuse(why, "a ledger in it has a damaged header");

	/* They were read already, or they are in the document. */
	for (i = 0; i < json_object_array_length(records); i++) {
		ret = add_record(ledger, json_object_array_get_idx(records, i), why);
		if (ret)
			return ret;
	}
	header->count = ledger->count;
	if (!ledger->records)
		ledger->records = calloc(1, sizeof(*ledger->records));
	if (!ledger->records) {
		snprintf(why, LEDGER_WHY_SIZE, "out of memory");
		return -ENOMEM;
	}
	return ledger_check(ledger, why);
}

/* Computed anew, and half of a large recording. */
#define STEPS                                                                                      \
	{                                                                                          \
		.path = { "steps" }                                                                \
	}

/**
 * recording_read - make the model out of the recording in a file
 * @handover: zeroed; to be freed with handover_free() in any case
 * @evidence: filled in; to be freed with evidence_free() in any case
 * @path:     the file, "-" for standard input
 * @why:      filled in if it fails
 *
 * Return: 0, -EBADMSG if it is no JSON, -EINVAL if it must not be used, or another
 * negative errno if it cannot be read.
 */
int recording_read(struct handover *handover, struct evidence *evidence, const char *path,
		   char why[LEDGER_WHY_SIZE])
{
	const struct json_list lists[] = {
		STEPS,
		{ .path = { "ledgers", "outgoing", "records" },
		  .element = add_record,
		  .closure = &handover->ledger[OUTGOING] },
		{ .path = { "ledgers", "incoming", "records" },
		  .element = add_record,
		  .closure = &handover->ledger[INCOMING] },
	};
	struct json_object *recording;
	int ret;

	memset(evidence, 0, sizeof(*evidence));
	recording = json_file_read_lists(path, lists, sizeof(lists) / sizeof(lists[0]), &ret, why);
	if (recording)
		ret = recording_parse(handover, evidence, recording, why);
	json_object_put(recording);
	return ret;
}

/**
 * recording_has_name - whether a file in a directory of recordings is looked at at all
 * @name: the last part of its path; files that are being written have another ending
 */
bool recording_has_name(const char *name)
{
	size_t length = strlen(name);

	return name[0] != '.' && length > 5 && !strcmp(name + length - 5, ".json");
}

/* Also where they are damaged. */
static bool has_records(struct json_object *recording, const char *kernel)
{
	return member(member(member(recording, "ledgers"), kernel), "records");
}

/**
 * recording_look - whether a file says that it is a recording; it may be a damaged one
 * @path: the file
 * @why:  filled in if it fails
 *
 * Return: 1 if it does, 0 if it is another document, a negative errno if it is none.
 */
int recording_look(const char *path, char why[LEDGER_WHY_SIZE])
{
	static const struct json_list lists[] = {
		STEPS,
		{ .path = { "ledgers", "outgoing", "records" } },
		{ .path = { "ledgers", "incoming", "records" } },
	};
	struct json_object *value;
	bool found;
	int error;

	value = json_file_read_lists(path, lists, sizeof(lists) / sizeof(lists[0]), &error, why);
	if (!value)
		return error;
	found = json_object_is_type(member(value, "version"), json_type_int) &&
		json_object_get_int64(member(value, "version")) >= 1 &&
		(has_records(value, "outgoing") || has_records(value, "incoming"));
	json_object_put(value);
	return found;
}

bool recording_is(const char *path)
{
	char why[LEDGER_WHY_SIZE];

	return recording_look(path, why) > 0;
}

/**
 * recording_parse - make the model out of a recording
 * @handover:  zeroed, or with the records that are not in the document; filled in; to be
 *             freed with handover_free() in any case
 * @evidence:  filled in; to be freed with evidence_free() in any case
 * @recording: the document
 * @why:       filled in if it fails
 *
 * Return: 0, -EINVAL if the recording must not be used, -ENOMEM.
 */
int recording_parse(struct handover *handover, struct evidence *evidence,
		    struct json_object *recording, char why[LEDGER_WHY_SIZE])
{
	struct json_object *ledgers = member(recording, "ledgers");
	__u64 version;
	int side, ret;

	memset(evidence, 0, sizeof(*evidence));
	if (!json_object_is_type(recording, json_type_object) ||
	    !parse_number(recording, "version", &version) || version != RECORDING_VERSION)
		return refuse(why, "it is no recording of version %d", RECORDING_VERSION);
	if (!json_object_is_type(ledgers, json_type_object))
		return refuse(why, "it has no ledgers");
	for (side = 0; side < SIDES; side++) {
		struct json_object *from = member(ledgers, side_name(side));

		if (!from)
			continue;
		ret = parse_ledger(&handover->ledger[side], from, why);
		if (ret)
			return ret;
		handover->present[side] = true;
	}
	ret = evidence_read(evidence, recording, why);
	if (!ret &&
	    units_place(&handover->units, evidence->units, &handover->ledger[INCOMING].header)) {
		snprintf(why, LEDGER_WHY_SIZE, "out of memory");
		return -ENOMEM;
	}
	return ret ?: handover_build(handover, why);
}
