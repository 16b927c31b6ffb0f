// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A set of addresses: the tables that a walk has met. */
#include <stdlib.h>

#include "iommu/seen.h"

#define LEAST_ROOM 1024

static uint64_t *slot_of(const struct seen *seen, uint64_t address)
{
	size_t at = (address >> 12) * 0x9e3779b97f4a7c15ULL >> 20;

	while (seen->slots[at & (seen->room - 1)] &&
	       seen->slots[at & (seen->room - 1)] != address + 1)
		at++;
	return &seen->slots[at & (seen->room - 1)];
}

static bool grow(struct seen *seen)
{
	struct seen more = { .room = seen->room ? seen->room * 2 : LEAST_ROOM };
	size_t i;

	more.slots = calloc(more.room, sizeof(*more.slots));
	if (!more.slots)
		return false;
	for (i = 0; i < seen->room; i++) {
		if (seen->slots[i])
			*slot_of(&more, seen->slots[i] - 1) = seen->slots[i];
	}
	more.count = seen->count;
	free(seen->slots);
	*seen = more;
	return true;
}

/**
 * seen_add - note that a table was met
 * @seen:    the set; zeroed at first, and freed with seen_free()
 * @address: of the table
 *
 * Return: 1 if it was met before, 0 if not, -1 without memory.
 */
int seen_add(struct seen *seen, uint64_t address)
{
	uint64_t *slot;

	if (seen->count * 2 >= seen->room && !grow(seen))
		return -1;
	slot = slot_of(seen, address);
	if (*slot)
		return 1;
	*slot = address + 1;
	seen->count++;
	return 0;
}

void seen_free(struct seen *seen)
{
	free(seen->slots);
	*seen = (struct seen){ 0 };
}
