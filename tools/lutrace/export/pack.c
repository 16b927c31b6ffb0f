// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <stdlib.h>
#include <string.h>

#include "export/pack.h"

void pack_bytes(struct pack *to, const void *bytes, size_t size)
{
	size_t room = to->room ?: 64;
	uint8_t *more;

	while (room < to->size + size)
		room *= 2;
	if (room != to->room) {
		more = to->failed ? NULL : realloc(to->bytes, room);
		if (!more) {
			to->failed = true;
			return;
		}
		to->bytes = more;
		to->room = room;
	}
	if (size)
		memcpy(to->bytes + to->size, bytes, size);
	to->size += size;
}

/* Seven bits in each byte, the lowest first; all but the last have the eighth. */
void pack_number(struct pack *to, uint64_t number)
{
	uint8_t bytes[10];
	size_t size = 0;

	do {
		bytes[size++] = (uint8_t)((number & 0x7f) | (number > 0x7f ? 0x80 : 0));
		number >>= 7;
	} while (number);
	pack_bytes(to, bytes, size);
}

void pack_text(struct pack *to, const char *text)
{
	size_t length = strlen(text);

	pack_number(to, length);
	pack_bytes(to, text, length);
}

/* 0 if there is none. */
uint64_t unpack_number(struct unpack *from)
{
	uint64_t number = 0;
	unsigned int shift;

	for (shift = 0; shift < 64 && from->at < from->end; shift += 7) {
		uint8_t byte = *from->at++;

		number |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return number;
	}
	from->failed = true;
	return 0;
}

/* What is more is a fault. */
uint64_t unpack_at_most(struct unpack *from, uint64_t most)
{
	uint64_t number = unpack_number(from);

	if (number <= most)
		return number;
	from->failed = true;
	return 0;
}

/* NULL if there are not as many. */
const uint8_t *unpack_bytes(struct unpack *from, size_t size)
{
	const uint8_t *bytes = from->at;

	if (from->failed || size > (size_t)(from->end - from->at)) {
		from->failed = true;
		return NULL;
	}
	from->at += size;
	return bytes;
}

/* The text ends with NUL in any case. */
void unpack_text(struct unpack *from, char *text, size_t size)
{
	size_t length = unpack_at_most(from, size - 1);
	const uint8_t *bytes = unpack_bytes(from, length);

	if (bytes)
		memcpy(text, bytes, length);
	text[bytes ? length : 0] = '\0';
}

/* FNV-1a: finds what is damaged, not who wanted it so. */
uint64_t pack_digest(const void *bytes, size_t size)
{
	const uint8_t *at = bytes;
	uint64_t hash = 0xcbf29ce484222325ULL;

	for (; size; size--)
		hash = (hash ^ *at++) * 0x100000001b3ULL;
	return hash;
}
