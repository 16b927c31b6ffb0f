// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A dump of a machine's memory, and VT-d's tables in it, from the root table at the
 * first address that it has. ELF only: what makedumpfile compressed is read by
 * libkdumpfile, which has tests of its own.
 */
#include <string.h>
#include <unistd.h>

#include "fuzz.h"
#include "vmcore/vmcore.h"

/* @mode is what the register has beside the address of the first page. */
static void walk(struct vmcore *vmcore, enum pt_format format, uint64_t mode)
{
	struct pt_unit unit = {
		.reg_phys = 0xfed90000,
		.rtaddr = (vmcore->segments[0].address & ~0xfffULL) | mode,
		.format = format,
	};
	struct table_set set = { 0 };
	struct digest digest;

	vmcore->left = 1024;
	if (!tables_find(&set, &vmcore->reader, &unit, 1, NULL, 0) &&
	    !tables_keep(&set, &vmcore->reader, NULL, NULL))
		tables_digest(&set, &digest);
	tables_free(&set);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vmcore vmcore;
	uint64_t number;
	char path[32];
	int fd;

	if (size < 4 || memcmp(data, "\177ELF", 4) != 0)
		return -1;
	fd = fuzz_file(data, size, path);
	if (!vmcore_open(&vmcore, path)) {
		vmcore_info_number(&vmcore, "NUMBER(phys_base)=", 10, &number);
		walk(&vmcore, PT_FORMAT_VTD, VTD_TTM_LEGACY << 10);
		walk(&vmcore, PT_FORMAT_VTD, VTD_TTM_SCALABLE << 10);
		walk(&vmcore, PT_FORMAT_AMD, 0);
	}
	vmcore_close(&vmcore);
	close(fd);
	return 0;
}
