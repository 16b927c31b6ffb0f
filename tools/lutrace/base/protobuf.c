// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <stdlib.h>
#include <string.h>

#include "base/protobuf.h"

enum wire_type { WIRE_VARINT, WIRE_FIXED64, WIRE_LENGTH };

static void add_bytes(struct protobuf *message, const void *bytes, size_t size)
{
	size_t room = message->room ?: 64;
	uint8_t *data;

	while (room - message->size < size)
		room *= 2;
	if (room != message->room && !message->failed) {
		data = realloc(message->data, room);
		message->failed = !data;
		message->data = data ?: message->data;
		message->room = data ? room : message->room;
	}
	if (message->failed || !size)
		return;
	memcpy(message->data + message->size, bytes, size);
	message->size += size;
}

/* Seven bits a byte, the lowest first; the last has no eighth bit. */
static void add_varint(struct protobuf *message, uint64_t number)
{
	uint8_t bytes[10];
	size_t size = 0;

	for (; number > 0x7f; number >>= 7)
		bytes[size++] = (uint8_t)(number | 0x80);
	bytes[size++] = (uint8_t)number;
	add_bytes(message, bytes, size);
}

static void add_key(struct protobuf *message, unsigned int field, enum wire_type type)
{
	add_varint(message, (uint64_t)field << 3 | type);
}

/* Of all integer types but sint and fixed; what is negative is cast. */
void protobuf_number(struct protobuf *message, unsigned int field, uint64_t number)
{
	add_key(message, field, WIRE_VARINT);
	add_varint(message, number);
}

void protobuf_fixed64(struct protobuf *message, unsigned int field, uint64_t number)
{
	uint8_t bytes[8];
	size_t i;

	for (i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(number >> 8 * i);
	add_key(message, field, WIRE_FIXED64);
	add_bytes(message, bytes, sizeof(bytes));
}

/* UTF-8. */
void protobuf_text(struct protobuf *message, unsigned int field, const char *text)
{
	add_key(message, field, WIRE_LENGTH);
	add_varint(message, strlen(text));
	add_bytes(message, text, strlen(text));
}

/* A message within a message, which is freed. */
void protobuf_message(struct protobuf *message, unsigned int field, struct protobuf *inner)
{
	add_key(message, field, WIRE_LENGTH);
	add_varint(message, inner->size);
	add_bytes(message, inner->data, inner->size);
	message->failed |= inner->failed;
	protobuf_free(inner);
}

void protobuf_free(struct protobuf *message)
{
	free(message->data);
	memset(message, 0, sizeof(*message));
}
