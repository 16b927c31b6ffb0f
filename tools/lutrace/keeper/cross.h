/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The kept ledger's way through the kexec. */
#ifndef LUTRACE_CROSS_H
#define LUTRACE_CROSS_H

#include <stddef.h>
#include "model/ledger.h"

/**
 * struct crossing - memory that crosses
 * @memory: the memory, zeroed
 * @size:   bytes of it
 * @memfd:  the file that it is
 */
struct crossing {
	void *memory;
	size_t size;
	int memfd;
};

int cross_arrived(const char *path, struct ledger *ledger, char why[LEDGER_WHY_SIZE]);
int cross_memory(struct crossing *crossing, char why[LEDGER_WHY_SIZE]);
int cross_preserve(const struct crossing *crossing, char why[LEDGER_WHY_SIZE]);

#endif /* LUTRACE_CROSS_H */
