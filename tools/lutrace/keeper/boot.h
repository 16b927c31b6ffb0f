/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a kernel that keeps no ledger says of its boot nevertheless. */
#ifndef LUTRACE_BOOT_H
#define LUTRACE_BOOT_H

#include <stdbool.h>
#include <stdint.h>

/**
 * struct boot_stamps - moments of the boot, by the cycle counter; 0 if not known
 * @clock: the kernel's clock was at 0, which is a while after its first instruction
 * @init:  it ran the first process
 */
struct boot_stamps {
	uint64_t clock;
	uint64_t init;
};

void boot_read(struct boot_stamps *stamps, uint64_t khz);
bool boot_log_line(const char *line, const char *text, uint64_t *ns);

#endif /* LUTRACE_BOOT_H */
