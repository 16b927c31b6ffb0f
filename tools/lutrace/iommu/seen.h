/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A set of addresses with a note each: the tables that a walk has met. */
#ifndef LUTRACE_SEEN_H
#define LUTRACE_SEEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct seen - a set of addresses of pages
 * @slots: each an address plus 1, or 0
 * @notes: what was noted of each; not touched where that is 0
 * @room:  number of @slots, a power of two
 * @count: how many are taken
 */
struct seen {
	uint64_t *slots;
	uint32_t *notes;
	size_t room;
	size_t count;
};

int seen_add(struct seen *seen, uint64_t address, uint32_t note);
bool seen_find(const struct seen *seen, uint64_t address, uint32_t *note);
void seen_free(struct seen *seen);

#endif /* LUTRACE_SEEN_H */
