/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The machine's cycle counter, which goes on across a kexec, and its frequency. */
#ifndef LUTRACE_CYCLES_H
#define LUTRACE_CYCLES_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/**
 * struct cycles_pair - one moment in two clocks
 * @cycles: the cycle counter
 * @ns:     the other clock
 */
struct cycles_pair {
	uint64_t cycles;
	uint64_t ns;
};

bool cycles_are_read(void);
uint64_t cycles_now(void);
struct cycles_pair cycles_pair(clockid_t clock);
uint64_t cycles_khz(const struct cycles_pair *from, const struct cycles_pair *to);
uint64_t cycles_at(const struct cycles_pair *pair, uint64_t ns, uint64_t khz);

#endif /* LUTRACE_CYCLES_H */
