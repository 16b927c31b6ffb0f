// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Write a snapshot of made-up page tables for the tests of the command line:
 *
 *   make-snapshot LAYOUT CHANGE FILE
 */
#include <fcntl.h>

#include "iommu_memory.h"

static uint64_t rights, plain;

/* Nothing. */
static void none(void)
{
}

/* The fourth page of 4 KiB is elsewhere. */
static void moved(void)
{
	memory[LEVEL_1][3] = (memory[LEVEL_1][3] & ~VTD_ADDRESS) | 0xa000000;
}

/* Two pages are not mapped any more. */
static void unmapped(void)
{
	memory[LEVEL_1][8] = memory[LEVEL_1][9] = 0;
}

/* One more is. */
static void mapped(void)
{
	memory[LEVEL_1][10] = 0xb000000 | plain;
}

/* A page must not be written to. */
static void read_only(void)
{
	memory[LEVEL_1][0] &= ~rights;
}

/* The same memory, in small pages. */
static void split(void)
{
	unsigned int i;

	memory[LEVEL_2][511] = (memory[LEVEL_2][0] & ~VTD_ADDRESS) | ADDRESS(SPARE);
	for (i = 0; i < VTD_PAGE_ENTRIES; i++)
		memory[SPARE][i] = (0x40000000 + i * 4096ULL) | plain;
}

/* The same, with a table at another place. */
static void other_table(void)
{
	memcpy(memory[SPARE], memory[LEVEL_1], sizeof(memory[SPARE]));
	memory[LEVEL_2][0] = (memory[LEVEL_2][0] & ~VTD_ADDRESS) | ADDRESS(SPARE);
}

/* Another device is attached to the same page table. */
static void another_device(void)
{
	if (unit.format == PT_FORMAT_AMD)
		memcpy(dte(OTHER_BDF), dte(BDF), AMD_DTE_BYTES);
	else if (VTD_RTADDR_TTM(unit.rtaddr) == VTD_TTM_LEGACY)
		memcpy(&memory[CONTEXT][(OTHER_BDF & 0xff) * 2], &memory[CONTEXT][0], 16);
	else
		memcpy(&memory[CONTEXT][(OTHER_BDF & 0xff) * 4], &memory[CONTEXT][0], 32);
}

/* AMD alone: the same by a table of level 6, and the last of its entries that has an address. */
static void last(void)
{
	dte(BDF)[0] = (dte(BDF)[0] & ~(AMD_ADDRESS | 7 << 9)) | ADDRESS(SPARE) | 6 << 9;
	memory[SPARE][0] = amd_table(LEVEL_4, 4);
	memory[SPARE][127] = amd_page(0, 0);
}

/* One more, which no address comes to. */
static void beyond(void)
{
	last();
	memory[SPARE][128] = amd_page(0, 0);
}

static const struct {
	const char *name;
	void (*make)(void);
} changes[] = {
	{ "none", none },	   { "moved", moved },		 { "unmapped", unmapped },
	{ "mapped", mapped },	   { "read-only", read_only },	 { "split", split },
	{ "tables", other_table }, { "device", another_device }, { "last", last },
	{ "beyond", beyond },
};

static const char *const names[LAYOUTS] = { "legacy", "second-stage", "first-stage", "amd" };

int main(int argc, char **argv)
{
	static struct snapshot_writer writer;
	struct table_set set = { 0 };
	unsigned int layout, change;
	int fd;

	for (layout = 0; argc == 4 && layout < LAYOUTS && strcmp(argv[1], names[layout]) != 0;)
		layout++;
	for (change = 0; argc == 4 && change < sizeof(changes) / sizeof(changes[0]) &&
			 strcmp(argv[2], changes[change].name) != 0;)
		change++;
	if (argc != 4 || layout == LAYOUTS || change == sizeof(changes) / sizeof(changes[0])) {
		fprintf(stderr, "usage: make-snapshot legacy|second-stage|first-stage|amd "
				"none|moved|unmapped|mapped|read-only|split|tables|device|"
				"last|beyond FILE\n");
		return 2;
	}
	layouts[layout]();
	rights = layout == 2 ? VTD_FS_WRITE : layout == 3 ? AMD_PTE_WRITE : VTD_SS_WRITE;
	plain = memory[LEVEL_1][0] & ~VTD_ADDRESS;
	changes[change].make();
	fd = open(argv[3], O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	snapshot_begin(&writer, fd);
	if (fd < 0 || tables_find(&set, &reader, &unit, 1, NULL, 0) ||
	    tables_keep(&set, &reader, snapshot_store, &writer) || snapshot_end(&writer, &set)) {
		fprintf(stderr, "make-snapshot: %s: %s\n", argv[3], set.error);
		return 1;
	}
	tables_free(&set);
	return 0;
}
