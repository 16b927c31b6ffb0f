// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * lab-cycles: print the frequency of this machine's cycle counter in kHz.
 *
 * An emulated CPU has the host's counter. A guest that calibrates it against an
 * emulated timer while the host is busy can be wrong by a factor of ten; told the
 * frequency, it need not.
 */
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#if defined(__x86_64__)
#include <x86intrin.h>

struct moment {
	uint64_t cycles;
	uint64_t ns;
};

/* Of several tries the one in which nobody came between the two readings. */
static struct moment now(void)
{
	struct moment best = { 0, 0 };
	uint64_t least = UINT64_MAX;
	int i;

	for (i = 0; i < 100; i++) {
		uint64_t before = __rdtsc(), after;
		struct timespec t;

		clock_gettime(CLOCK_MONOTONIC, &t);
		after = __rdtsc();
		if (after - before >= least)
			continue;
		least = after - before;
		best.cycles = before + least / 2;
		best.ns = t.tv_sec * 1000000000ULL + t.tv_nsec;
	}
	return best;
}

int main(void)
{
	const struct timespec pause = { .tv_nsec = 50000000 };
	struct moment begin = now(), end;

	nanosleep(&pause, NULL);
	end = now();
	printf("%llu\n",
	       (unsigned long long)((end.cycles - begin.cycles) * 1000000 / (end.ns - begin.ns)));
	return 0;
}
#else
/* QEMU gives the CPU a counter of nanoseconds where the host has none like it. */
int main(void)
{
	puts("1000000");
	return 0;
}
#endif
