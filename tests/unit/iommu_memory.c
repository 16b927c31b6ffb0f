// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Tables laid out in memory, and what the tests of the model do with them. */
#include "iommu_memory.h"

uint64_t memory[PAGES][VTD_PAGE_ENTRIES];
struct pt_unit unit;

static uint32_t read_memory(struct page_reader *reader, unsigned int slot,
			    const uint64_t *addresses, uint32_t count,
			    const uint64_t (**pages)[VTD_PAGE_ENTRIES])
{
	static uint64_t slots[THREADS + 1][PT_BATCH][VTD_PAGE_ENTRIES];
	uint64_t(*copies)[VTD_PAGE_ENTRIES] = slots[slot];
	uint32_t i;

	assert_true(slot <= reader->jobs && count <= PT_BATCH);
	*pages = (const void *)copies;
	for (i = 0; i < count; i++) {
		if (addresses[i] < BASE || addresses[i] >= ADDRESS(PAGES) || addresses[i] % 4096)
			return i;
		memcpy(copies[i], memory[(addresses[i] - BASE) / 4096], 4096);
	}
	return count;
}

struct page_reader reader = { .read = read_memory };

/* 4 KiB at IOVA 0 to 0x9000, at 2 MiB + 0x5000; a large page of 2 MiB at 1 GiB - 2 MiB. */
static void lay_out_page_table(uint64_t valid)
{
	unsigned int i;

	memory[LEVEL_4][0] = ADDRESS(LEVEL_3) | valid;
	memory[LEVEL_3][0] = ADDRESS(LEVEL_2) | valid;
	memory[LEVEL_2][0] = ADDRESS(LEVEL_1) | valid;
	memory[LEVEL_2][1] = ADDRESS(LEVEL_1_HIGH) | valid;
	memory[LEVEL_2][511] = 0x40000000 | VTD_LARGE | valid;
	for (i = 0; i < 10; i++)
		memory[LEVEL_1][i] = (0x7000000 + i * 4096) | valid;
	memory[LEVEL_1_HIGH][5] = 0x8000000 | valid;
}

static void lay_out(uint64_t mode)
{
	memset(memory, 0, sizeof(memory));
	unit = (struct pt_unit){
		.reg_phys = 0xfed90000,
		.rtaddr = ADDRESS(ROOT) | mode << 10,
		.gsts = VTD_GSTS_TES,
	};
	memory[ROOT][2] = ADDRESS(CONTEXT) | VTD_PRESENT; /* bus 1 */
}

void legacy(void)
{
	lay_out(VTD_TTM_LEGACY);
	lay_out_page_table(VTD_SS_READ | VTD_SS_WRITE);
	memory[CONTEXT][0] = ADDRESS(LEVEL_4) | VTD_PRESENT;
	memory[CONTEXT][1] = 2 | 7 << 8; /* 4 levels, domain id 7 */
}

/* Directory of 1024 entries, two pages. */
static void scalable(void)
{
	lay_out(VTD_TTM_SCALABLE);
	memory[CONTEXT][0] = ADDRESS(DIRECTORY) | 3 << 9 | VTD_PRESENT;
	memory[DIRECTORY][0] = ADDRESS(PASIDS) | VTD_PRESENT;
}

void second_stage(void)
{
	scalable();
	lay_out_page_table(VTD_SS_READ | VTD_SS_WRITE);
	memory[PASIDS][0] = ADDRESS(LEVEL_4) | VTD_PGTT_SECOND << 6 | 2 << 2 | VTD_PRESENT;
	memory[PASIDS][1] = 9;
}

void first_stage(void)
{
	scalable();
	lay_out_page_table(VTD_FS_PRESENT | VTD_FS_WRITE);
	memory[PASIDS][0] = VTD_PGTT_FIRST << 6 | VTD_PRESENT;
	memory[PASIDS][1] = 9;
	memory[PASIDS][2] = ADDRESS(LEVEL_4);
}

/* PDE of AMD's: it says of what level the next table is. */
uint64_t amd_table(int page, unsigned int level)
{
	return ADDRESS(page) | (uint64_t)level << 9 | AMD_PTE_PRESENT | AMD_PTE_READ |
	       AMD_PTE_WRITE;
}

/* A page of memory; of another size than its level if @size_bits has some. */
uint64_t amd_page(uint64_t address, uint64_t size_bits)
{
	return address | size_bits | AMD_PTE_PRESENT | AMD_PTE_COHERENT | AMD_PTE_READ |
	       AMD_PTE_WRITE;
}

/* An entry of the device table. */
uint64_t *dte(uint16_t bdf)
{
	return &memory[DEVICE_TABLE + bdf / AMD_DTES_PER_PAGE]
		      [bdf % AMD_DTES_PER_PAGE * AMD_DTE_WORDS];
}

/* The device table has four pages: those of the buses 0 and 1. */
void amd(void)
{
	unsigned int i;

	memset(memory, 0, sizeof(memory));
	unit = (struct pt_unit){
		.reg_phys = 0xfed80000,
		.rtaddr = ADDRESS(DEVICE_TABLE) | (DEVICE_TABLE_PAGES - 1),
		.gsts = AMD_CONTROL_ENABLE,
		.ecap = AMD_CONTROL_ENABLE,
		.format = PT_FORMAT_AMD,
	};
	/* As Linux has it: an entry for everybody, which grants nothing. */
	for (i = 0; i < DEVICE_TABLE_PAGES * AMD_DTES_PER_PAGE; i++)
		dte(i)[0] = AMD_DTE_V | AMD_DTE_TV;
	dte(BDF)[0] = ADDRESS(LEVEL_4) | 4 << 9 | AMD_DTE_IR | AMD_DTE_IW | AMD_DTE_V | AMD_DTE_TV;
	dte(BDF)[1] = 11;
	dte(BDF)[2] = 0x9999000 | AMD_DTE_IV;
	memory[LEVEL_4][0] = amd_table(LEVEL_3, 3);
	memory[LEVEL_3][0] = amd_table(LEVEL_2, 2);
	memory[LEVEL_2][0] = amd_table(LEVEL_1, 1);
	memory[LEVEL_2][1] = amd_table(LEVEL_1_HIGH, 1);
	memory[LEVEL_2][511] = amd_page(0x40000000, 0);
	for (i = 0; i < 10; i++)
		memory[LEVEL_1][i] = amd_page(0x7000000 + i * 4096, 0);
	memory[LEVEL_1_HIGH][5] = amd_page(0x8000000, 0);
}

void (*const layouts[LAYOUTS])(void) = { legacy, second_stage, first_stage, amd };

void collect(struct table_set *set)
{
	memset(set, 0, sizeof(*set));
	assert_int_equal(tables_collect(set, &reader, &unit, 1, NULL, 0), 0);
}

/* The tables that are laid out are refused, and the reason has both words. */
void refuses(const char *first, const char *second)
{
	struct table_set set = { 0 };

	assert_int_equal(tables_collect(&set, &reader, &unit, 1, NULL, 0), -1);
	if (!strstr(set.error, first) || !strstr(set.error, second))
		fail_msg("'%s' and '%s' are not in '%s'", first, second, set.error);
	tables_free(&set);
}

struct difference reported[16];
unsigned int reports;

static void note(const struct difference *difference, void *context)
{
	(void)context;
	if (reports < 16)
		reported[reports] = *difference;
	reports++;
}

/* Compares with what memory holds now. */
int try_compare(const struct table_set *old, struct table_set *now, uint64_t max)
{
	struct table_comparison comparison = {
		.old = old,
		.now = now,
		.reader = &reader,
		.report = note,
		.max = max,
	};
	struct wanted_device wanted[8];
	uint32_t i;

	reports = 0;
	for (i = 0; i < old->device_count; i++)
		wanted[i] = (struct wanted_device){ old->devices[i].unit, old->devices[i].segment,
						    old->devices[i].bdf };
	memset(now, 0, sizeof(*now));
	assert_int_equal(tables_find(now, &reader, &unit, 1, wanted, old->device_count), 0);
	if (tables_compare(&comparison))
		return -1;
	assert_true(comparison.count >= reports && reports <= max);
	if (comparison.count < max)
		assert_int_equal(comparison.count, reports);
	return (int)comparison.count;
}

int compare(const struct table_set *old)
{
	struct table_set now, again;
	struct digest walked, compared;
	int count = try_compare(old, &now, UINT64_MAX);

	assert_true(count >= 0);
	assert_null(now.pages);
	/* What is found to be the same is not digested again: it has the same digest. */
	memset(&again, 0, sizeof(again));
	tables_digest(&now, &compared);
	if (now.device_count == old->device_count) {
		struct wanted_device wanted[8];
		uint32_t i;

		for (i = 0; i < old->device_count; i++)
			wanted[i] = (struct wanted_device){ old->devices[i].unit,
							    old->devices[i].segment,
							    old->devices[i].bdf };
		assert_int_equal(
			tables_collect(&again, &reader, &unit, 1, wanted, old->device_count), 0);
		tables_digest(&again, &walked);
		assert_memory_equal(&walked, &compared, sizeof(walked));
		assert_int_equal(tables_pages(&again), tables_pages(&now));
		for (i = 0; i < now.domain_count; i++)
			assert_int_equal(again.domains[i].leaves, now.domains[i].leaves);
	}
	tables_free(&again);
	tables_free(&now);
	return count;
}
