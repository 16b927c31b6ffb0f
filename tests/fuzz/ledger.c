// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Two ledgers: four bytes with the size of the first one, then both.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

static void take(struct handover *handover, int side, const uint8_t *data, size_t size)
{
	char why[LEDGER_WHY_SIZE];
	/* So that a byte too far is seen. */
	uint8_t *copy = malloc(size ?: 1);

	if (!copy)
		abort();
	memcpy(copy, data, size);
	handover->present[side] = !ledger_parse(&handover->ledger[side], copy, size, why);
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct handover handover = { 0 };
	struct evidence none = { 0 };
	char why[LEDGER_WHY_SIZE];
	uint32_t first;

	if (size < sizeof(first))
		return -1;
	memcpy(&first, data, sizeof(first));
	data += sizeof(first);
	size -= sizeof(first);
	first = first < size ? first : (uint32_t)size;
	take(&handover, OUTGOING, data, first);
	take(&handover, INCOMING, data + first, size - first);
	if ((handover.present[OUTGOING] || handover.present[INCOMING]) &&
	    !handover_build(&handover, why))
		fuzz_show(&handover, &none);
	handover_free(&handover);
	return 0;
}
