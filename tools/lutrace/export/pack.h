/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Numbers and texts in as few bytes as they need: what the exporter keeps of each
 * ledger, and its state file.
 */
#ifndef LUTRACE_EXPORT_PACK_H
#define LUTRACE_EXPORT_PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct pack - what is being written
 * @bytes:  of it, to be freed
 * @size:   number of @bytes
 * @room:   bytes allocated
 * @failed: out of memory; @bytes are of no use
 */
struct pack {
	uint8_t *bytes;
	size_t size;
	size_t room;
	bool failed;
};

/**
 * struct unpack - what is being read
 * @at:     the next byte
 * @end:    behind the last one
 * @failed: something was not there, or not as it should be
 */
struct unpack {
	const uint8_t *at;
	const uint8_t *end;
	bool failed;
};

void pack_bytes(struct pack *to, const void *bytes, size_t size);
void pack_number(struct pack *to, uint64_t number);
void pack_text(struct pack *to, const char *text);

uint64_t unpack_number(struct unpack *from);
uint64_t unpack_at_most(struct unpack *from, uint64_t most);
const uint8_t *unpack_bytes(struct unpack *from, size_t size);
void unpack_text(struct unpack *from, char *text, size_t size);

uint64_t pack_digest(const void *bytes, size_t size);

#endif /* LUTRACE_EXPORT_PACK_H */
