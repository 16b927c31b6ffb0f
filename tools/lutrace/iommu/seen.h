/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A set of addresses: the tables that a walk has met. */
#ifndef LUTRACE_SEEN_H
#define LUTRACE_SEEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct seen - a set of addresses of pages
 * @slots: each an address plus 1, or 0
 * @room:  number of @slots, a power of two
 * @count: how many are taken
 */
struct seen {
	uint64_t *slots;
	size_t room;
	size_t count;
};

int seen_add(struct seen *seen, uint64_t address);
void seen_free(struct seen *seen);

#endif /* LUTRACE_SEEN_H */
