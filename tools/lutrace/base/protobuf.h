/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Messages in the wire format of Protocol Buffers, written only: a field is its number
 * and type, then a varint, eight bytes, or a length and so many bytes.
 *
 * Zeroed at first; without memory nothing more is added, and failed is set.
 */
#ifndef LUTRACE_PROTOBUF_H
#define LUTRACE_PROTOBUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct protobuf - a message that is being written
 * @data:   what there is of it
 * @size:   bytes of @data
 * @room:   how many fit
 * @failed: there was no memory
 */
struct protobuf {
	uint8_t *data;
	size_t size;
	size_t room;
	bool failed;
};

void protobuf_number(struct protobuf *message, unsigned int field, uint64_t number);
void protobuf_fixed64(struct protobuf *message, unsigned int field, uint64_t number);
void protobuf_text(struct protobuf *message, unsigned int field, const char *text);
void protobuf_message(struct protobuf *message, unsigned int field, struct protobuf *inner);
void protobuf_free(struct protobuf *message);

#endif /* LUTRACE_PROTOBUF_H */
