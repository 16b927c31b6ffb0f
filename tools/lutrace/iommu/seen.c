// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A set of addresses with a note each: the tables that a walk has met. */
#include <stdlib.h>

#include "iommu/seen.h"

#define LEAST_ROOM 1024

static size_t slot_of(const struct seen *seen, uint64_t address)
{
	size_t at = (address >> 12) * 0x9e3779b97f4a7c15ULL >> 20;

	while (seen->slots[at & (seen->room - 1)] &&
	       seen->slots[at & (seen->room - 1)] != address + 1)
		at++;
	return at & (seen->room - 1);
}

static void put(struct seen *seen, size_t slot, uint64_t address, uint32_t note)
{
	seen->slots[slot] = address + 1;
	if (note)
		seen->notes[slot] = note;
}

static bool grow(struct seen *seen)
{
	struct seen more = { .room = seen->room ? seen->room * 2 : LEAST_ROOM };
	size_t i;

	more.slots = calloc(more.room, sizeof(*more.slots));
	more.notes = calloc(more.room, sizeof(*more.notes));
	if (!more.slots || !more.notes) {
		free(more.slots);
		free(more.notes);
		return false;
	}
	for (i = 0; i < seen->room; i++) {
		if (seen->slots[i])
			put(&more, slot_of(&more, seen->slots[i] - 1), seen->slots[i] - 1,
			    seen->notes[i]);
	}
	free(seen->slots);
	free(seen->notes);
	seen->slots = more.slots;
	seen->notes = more.notes;
	seen->room = more.room;
	return true;
}

/**
 * seen_add - note that a table was met
 * @seen:    the set; zeroed at first, and freed with seen_free()
 * @address: of the table
 * @note:    what is to be known of it; that of the first time stays
 *
 * Return: 1 if it was met before, 0 if not, -1 without memory.
 */
int seen_add(struct seen *seen, uint64_t address, uint32_t note)
{
	size_t slot;

	if (seen->count * 4 >= seen->room * 3 && !grow(seen))
		return -1;
	slot = slot_of(seen, address);
	if (seen->slots[slot])
		return 1;
	put(seen, slot, address, note);
	seen->count++;
	return 0;
}

/**
 * seen_find - was a table met?
 * @seen:    the set
 * @address: of the table
 * @note:    gets what was noted of it
 */
bool seen_find(const struct seen *seen, uint64_t address, uint32_t *note)
{
	size_t slot;

	if (!seen->room)
		return false;
	slot = slot_of(seen, address);
	*note = seen->notes[slot];
	return seen->slots[slot];
}

void seen_free(struct seen *seen)
{
	free(seen->slots);
	free(seen->notes);
	*seen = (struct seen){ 0 };
}
