// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "base/cycles.h"

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

#define PAIR_TRIES 8

/* Is there a counter that user space can read, and that kernels take time with? */
bool cycles_are_read(void)
{
#if defined(__x86_64__)
	return true;
#else
	return false;
#endif
}

uint64_t cycles_now(void)
{
#if defined(__x86_64__)
	return __rdtsc();
#else
	return 0;
#endif
}

/* One moment in both clocks: of some tries that which was not interrupted. */
struct cycles_pair cycles_pair(clockid_t clock)
{
	struct cycles_pair pair = { 0 };
	uint64_t least = UINT64_MAX;
	int i;

	for (i = 0; i < PAIR_TRIES; i++) {
		uint64_t before = cycles_now(), after;
		struct timespec time;

		clock_gettime(clock, &time);
		after = cycles_now();
		if (after - before >= least)
			continue;
		least = after - before;
		pair.cycles = before + least / 2;
		pair.ns = (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
	}
	return pair;
}

/* The frequency between two moments; 0 if the clock did not advance. */
uint64_t cycles_khz(const struct cycles_pair *from, const struct cycles_pair *to)
{
	if (to->ns <= from->ns || to->cycles <= from->cycles)
		return 0;
	return (uint64_t)((double)(to->cycles - from->cycles) * 1e6 / (double)(to->ns - from->ns) +
			  0.5);
}

/**
 * cycles_at - the cycle counter at another time of the same clock
 * @pair: a moment in both
 * @ns:   that time
 * @khz:  the counter's frequency
 *
 * Return: the counter; 0 if it was not yet running then.
 */
uint64_t cycles_at(const struct cycles_pair *pair, uint64_t ns, uint64_t khz)
{
	double cycles = ((double)ns - (double)pair->ns) * (double)khz / 1e6;

	if (cycles < 0 && (uint64_t)-cycles > pair->cycles)
		return 0;
	return cycles < 0 ? pair->cycles - (uint64_t)-cycles : pair->cycles + (uint64_t)cycles;
}
