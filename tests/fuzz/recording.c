// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A recording, as a file of JSON. */
#include <unistd.h>

#include "fuzz.h"
#include "read/recording.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct handover handover = { 0 };
	struct evidence evidence = { 0 };
	char why[LEDGER_WHY_SIZE], path[32];
	int fd = fuzz_file(data, size, path);
	int ret = recording_read(&handover, &evidence, path, why);

	close(fd);
	if (!ret)
		fuzz_show(&handover, &evidence);
	handover_free(&handover);
	evidence_free(&evidence);
	return 0;
}
