// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <stdio.h>
#include <string.h>

#include "model/session_name.h"

/* FNV-1a, which makes the number out of the name. */
static __u64 hash_text(const char *text)
{
	__u64 hash = 0xcbf29ce484222325ULL;

	for (; *text; text++)
		hash = (hash ^ (__u8)*text) * 0x100000001b3ULL;
	return hash;
}

/* Put the piece of a name that a record has where it belongs. */
static void add_piece(const struct liveupdate_record *record, char text[SESSION_TEXT_SIZE])
{
	__u64 at = record->step == LIVEUPDATE_STEP_SESSION_NAME ? record->count : 0;
	size_t length = strnlen(record->name, sizeof(record->name));

	if (at < SESSION_TEXT_SIZE - 1 && length < SESSION_TEXT_SIZE - at)
		memcpy(text + at, record->name, length);
}

/**
 * session_name - the name of a session
 * @handover: where its name may be recorded
 * @id:       its number
 * @text:     where to write it
 *
 * A record has room for the first 15 bytes, which other sessions' names may begin
 * with as well; where something failed, all of the name is recorded.
 *
 * Return: @text: the name, its begin and "...", or the number if no record has it;
 * "" if @id is 0.
 */
const char *session_name(const struct handover *handover, __u64 id, char text[SESSION_TEXT_SIZE])
{
	int side;
	size_t i;

	memset(text, 0, SESSION_TEXT_SIZE);
	if (!id)
		return text;
	for (side = 0; side < SIDES; side++) {
		const struct ledger *ledger = &handover->ledger[side];

		for (i = 0; i < ledger->count; i++) {
			const struct liveupdate_record *record = &ledger->records[i];

			if (record->kind != LIVEUPDATE_KIND_SESSION || record->object != id)
				continue;
			add_piece(record, text);
			if (hash_text(text) == id)
				return text;
		}
	}
	/* Pieces from the begin on; there is a NUL where one is missing. */
	if (*text)
		snprintf(text + strlen(text), SESSION_TEXT_SIZE - strlen(text), "...");
	else
		snprintf(text, SESSION_TEXT_SIZE, "0x%llx", (unsigned long long)id);
	return text;
}

/**
 * session_of - the session that a step was done for
 * @handover: the handover
 * @i:        index of the step
 * @text:     where to write its name
 *
 * Return: @text, "" if the step is about no session, nor part of a step that is.
 */
const char *session_of(const struct handover *handover, size_t i, char text[SESSION_TEXT_SIZE])
{
	__u64 id = 0;

	for (; i != NO_PARENT && !id; i = handover->steps[i].parent) {
		const struct liveupdate_record *begin = handover->steps[i].begin;

		if (begin->kind == LIVEUPDATE_KIND_SESSION)
			id = begin->object;
		else if (begin->kind == LIVEUPDATE_KIND_FILE &&
			 begin->edge == LIVEUPDATE_EDGE_BEGIN)
			id = begin->count;
	}
	return session_name(handover, id, text);
}
