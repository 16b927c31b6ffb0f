/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the workload writes to the kernel's ledger, and reads from it. */
#ifndef WORKLOAD_LEDGER_H
#define WORKLOAD_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

/**
 * struct moments - cycle counter at the moments that divide a live update
 * @pause:  the workload was told to pause; 0 for each: not known
 * @jump:   control left the outgoing kernel
 * @boot:   the incoming kernel ran
 * @resume: the workload ran again
 * @khz:    frequency of the cycle counter, as the outgoing kernel measured it
 */
struct moments {
	uint64_t pause;
	uint64_t jump;
	uint64_t boot;
	uint64_t resume;
	uint64_t khz;
};

bool ledger_mark(const char *name);
bool ledger_moments(struct moments *moments);

#endif /* WORKLOAD_LEDGER_H */
