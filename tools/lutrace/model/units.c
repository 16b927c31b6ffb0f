// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/evidence.h"
#include "model/units.h"

#define NS_PER_US 1000
#define NS_PER_MS 1000000

/* The cycle counter at a moment of CLOCK_MONOTONIC; false if it had none. */
static bool cycles_at(const struct evidence_units *evidence, __u64 khz, int64_t us, __u64 *cycles)
{
	__int128 at = (__int128)us * NS_PER_US - evidence->monotonic_ns;

	at = at * (__int128)khz / NS_PER_MS + evidence->cycles;
	*cycles = (__u64)at;
	return at >= 0 && at <= UINT64_MAX;
}

/**
 * units_place - put units on the time line of a ledger
 * @units:    filled in; to be freed with units_free() in any case
 * @evidence: what the service manager said, NULL for nothing
 * @ledger:   of the kernel that it ran under
 *
 * A unit whose time cannot be is left out.
 *
 * Return: 0, -ENOMEM.
 */
int units_place(struct units *units, const struct evidence_units *evidence,
		const struct liveupdate_ledger *ledger)
{
	size_t i;

	if (!evidence || evidence->unknown || evidence->monotonic_ns == NOT_KNOWN ||
	    !ledger->cycles_khz)
		return 0;
	units->list = calloc(evidence->count ?: 1, sizeof(*units->list));
	if (!units->list)
		return -ENOMEM;
	for (i = 0; i < evidence->count && i < UNITS_MOST; i++) {
		const struct evidence_unit *from = &evidence->list[i];
		struct unit *unit = &units->list[units->count];

		if (from->end_us < from->begin_us ||
		    !cycles_at(evidence, ledger->cycles_khz, from->begin_us, &unit->begin) ||
		    !cycles_at(evidence, ledger->cycles_khz, from->end_us, &unit->end))
			continue;
		unit->name = strdup(from->name);
		if (!unit->name)
			return -ENOMEM;
		unit->failed = from->failed == FLAG_YES;
		units->count++;
	}
	return 0;
}

void units_free(struct units *units)
{
	size_t i;

	for (i = 0; i < units->count; i++)
		free(units->list[i].name);
	free(units->list);
	memset(units, 0, sizeof(*units));
}
