// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* When something of a handover was, and how long it took. */
#include "model/handover.h"

/* What a damaged counter would overflow stops at three years. */
static int64_t limited_ns(__u64 cycles, __u64 khz)
{
	if (cycles / khz >= BLACKOUT_MAX_NS / 1000000)
		return BLACKOUT_MAX_NS;
	return (int64_t)blackout_ns(cycles, khz);
}

/* Does a step have no duration, as nothing took time? */
bool step_is_instant(const struct step *step)
{
	return step->begin->edge == LIVEUPDATE_EDGE_INSTANT && !step_is_sum(step);
}

/* Is a step the sum of others, too short to be recorded? */
bool step_is_sum(const struct step *step)
{
	return step->begin->step == LIVEUPDATE_STEP_SHORT &&
	       step->begin->edge == LIVEUPDATE_EDGE_INSTANT;
}

/* From the origin to a value of the cycle counter; negative if it is before. */
int64_t handover_time(const struct handover *handover, __u64 cycles)
{
	if (!handover->khz)
		return 0;
	if (cycles < handover->origin)
		return -limited_ns(handover->origin - cycles, handover->khz);
	return limited_ns(cycles - handover->origin, handover->khz);
}

/**
 * handover_duration - how long a step lasted
 * @handover: the handover
 * @step:     one of its steps
 * @ns:       filled in
 *
 * Of short steps: how long they took together. Else
 * the end less the begin as handover_time() has them, so that durations add up.
 *
 * Return: false if that is not known: the step never ended, its time goes
 * backward, a time is one that cannot be, or no frequency is known.
 */
bool handover_duration(const struct handover *handover, const struct step *step, uint64_t *ns)
{
	int64_t begin, end;

	if (handover->khz && step_is_sum(step)) {
		*ns = (uint64_t)limited_ns(step->sum, handover->khz);
		return *ns < BLACKOUT_MAX_NS;
	}
	if (!step->end || !handover->khz || step->end->cycles < step->begin->cycles)
		return false;
	begin = handover_time(handover, step->begin->cycles);
	end = handover_time(handover, step->end->cycles);
	if (begin <= -(int64_t)BLACKOUT_MAX_NS || end >= (int64_t)BLACKOUT_MAX_NS)
		return false;
	*ns = (uint64_t)(end - begin);
	return true;
}

/**
 * handover_wall - wall-clock time of a value of the cycle counter
 * @handover: the handover
 * @cycles:   the value
 * @ns:       filled in with CLOCK_REALTIME
 *
 * The outgoing kernel's clock was right for longer: it is asked first.
 *
 * Return: false if no kernel recorded its wall clock, or if that overflows.
 */
bool handover_wall(const struct handover *handover, __u64 cycles, int64_t *ns)
{
	int side;

	for (side = 0; side < SIDES; side++) {
		const struct liveupdate_ledger *header = &handover->ledger[side].header;
		int64_t since;

		if (!handover->present[side] || !header->wall_cycles || !handover->khz)
			continue;
		since = cycles < header->wall_cycles
				? -limited_ns(header->wall_cycles - cycles, handover->khz)
				: limited_ns(cycles - header->wall_cycles, handover->khz);
		if (since <= -(int64_t)BLACKOUT_MAX_NS || since >= (int64_t)BLACKOUT_MAX_NS)
			return false;
		return !__builtin_add_overflow(header->wall_ns, since, ns);
	}
	return false;
}
