// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The model of AMD's tables: what VT-d's do not have. */
#include "iommu_memory.h"

static void entry_that_grants_nothing_is_none(void **state)
{
	struct table_set set;

	(void)state;
	amd();
	collect(&set);
	assert_int_equal(set.device_count, 1);
	assert_int_equal(set.devices[0].context_address, ADDRESS(DEVICE_TABLE) + BDF * 32);
	tables_free(&set);
	/* Passed through: no table, but an entry. */
	dte(3)[0] |= AMD_DTE_IR;
	dte(4)[0] = AMD_DTE_TV | AMD_DTE_IR | AMD_DTE_IW;
	collect(&set);
	assert_int_equal(set.device_count, 2);
	assert_int_equal(set.devices[0].bdf, 3);
	assert_int_equal(set.attachments[0].stage, STAGE_NONE);
	assert_int_equal(set.attachments[0].domain, NO_INDEX);
	tables_free(&set);
}

/* Of its level, or by the ones at the end of its address, in as many entries. */
static void pages_have_the_sizes_that_entries_say(void **state)
{
	char text[ENTRY_TEXT_SIZE];
	struct table_set set;
	unsigned int i;

	(void)state;
	amd();
	for (i = 0; i < 8; i++)
		memory[LEVEL_1][16 + i] = amd_page(0x9000000, 7 << 9 | 3 << 12);
	memory[LEVEL_2][510] = amd_page(0, 0);
	collect(&set);
	assert_int_equal(set.domains[0].leaves, 12 + 8 + 1);
	assert_int_equal(set.domains[0].bytes, (11 + 8) * 4096 + 2 * (2 << 20));
	assert_string_equal(entry_text(STAGE_HOST, 1, memory[LEVEL_1][16], text),
			    "32K page 0x9000000 rw, snoop");
	assert_string_equal(entry_text(STAGE_HOST, 1, memory[LEVEL_1][0], text),
			    "4K page 0x7000000 rw, snoop");
	assert_string_equal(entry_text(STAGE_HOST, 2, memory[LEVEL_2][511], text),
			    "2M page 0x40000000 rw, snoop");
	assert_string_equal(entry_text(STAGE_HOST, 3, memory[LEVEL_3][0], text),
			    "level 2 table 0x108000 rw");
	/* All ones: the largest there is. */
	assert_non_null(entry_text(STAGE_HOST, 6, ~0ULL, text));
	assert_int_equal(compare(&set), 0);
	memory[LEVEL_1][17] = amd_page(0x9000000, 7 << 9 | 1 << 12);
	assert_int_equal(compare(&set), 1);
	assert_int_equal(reported[0].iova, 17 * 4096);
	tables_free(&set);
}

/* The top leads to level 1, the next entry to level 2, and so on: in order of the walk. */
static void levels_may_be_left_out(void **state)
{
	struct table_set set;
	uint32_t i;

	(void)state;
	amd();
	memory[LEVEL_4][0] = amd_table(LEVEL_1, 1);
	memory[LEVEL_4][1] = amd_table(LEVEL_3, 3);
	memory[LEVEL_4][2] = amd_table(LEVEL_1_HIGH, 1);
	memory[LEVEL_2][0] = memory[LEVEL_2][1] = 0;
	collect(&set);
	assert_int_equal(set.page_count, 5);
	assert_int_equal(set.domains[0].leaves, 12);
	for (i = 1; i < set.page_count; i++)
		assert_true(set.pages[i].iova > set.pages[i - 1].iova ||
			    (set.pages[i].iova == set.pages[i - 1].iova &&
			     set.pages[i].level < set.pages[i - 1].level));
	assert_int_equal(set.pages[4].iova, 2ULL << 39);
	assert_int_equal(set.pages[4].level, 1);
	assert_int_equal(compare(&set), 0);
	memory[LEVEL_1_HIGH][5] ^= 1ULL << 40;
	assert_int_equal(compare(&set), 1);
	assert_int_equal(reported[0].iova, (2ULL << 39) + 5 * 4096);
	tables_free(&set);
}

static void one_to_six_levels_exist(void **state)
{
	struct table_set set;
	unsigned int levels;

	(void)state;
	amd();
	dte(BDF)[0] = (dte(BDF)[0] & ~(AMD_ADDRESS | 7 << 9)) | ADDRESS(LEVEL_1) | 1 << 9;
	collect(&set);
	assert_int_equal(set.domains[0].levels, 1);
	assert_int_equal(set.domains[0].pages, 1);
	assert_int_equal(set.domains[0].leaves, 10);
	assert_int_equal(compare(&set), 0);
	tables_free(&set);

	amd();
	dte(BDF)[0] = (dte(BDF)[0] & ~(AMD_ADDRESS | 7 << 9)) | ADDRESS(SPARE) | 6 << 9;
	memory[SPARE][0] = amd_table(SPARE_ROOT, 5);
	memory[SPARE_ROOT][0] = amd_table(LEVEL_4, 4);
	/* An address has 64 bits: nothing comes here. */
	memory[SPARE][128] = amd_table(LEVEL_4, 4);
	collect(&set);
	assert_int_equal(set.domains[0].pages, 7);
	tables_free(&set);

	for (levels = 7; levels < 8; levels++) {
		amd();
		dte(BDF)[0] |= levels << 9;
		refuses("of 7 levels", "does not exist");
	}
}

static void table_that_does_not_lead_down_is_named(void **state)
{
	(void)state;
	amd();
	memory[LEVEL_3][9] = amd_table(SPARE, 3);
	refuses("entry 9 of the level 3 table", "level 3, which is not below it");
	amd();
	memory[LEVEL_3][9] = amd_table(LEVEL_4, 2);
	refuses("entry 9 of the level 3 table", "leads back to the table");
	amd();
	memory[LEVEL_3][9] = amd_table(DEVICE_TABLE, 2);
	refuses("entry 9 of the level 3 table", "leads back to the device table");
	amd();
	dte(BDF)[0] = ADDRESS(DEVICE_TABLE) | 4 << 9 | AMD_DTE_IR | AMD_DTE_V | AMD_DTE_TV;
	refuses("entry 0 of the device table", "leads back to the device table");
}

static void changed_entry_is_found_but_not_its_interrupts(void **state)
{
	char text[ENTRY_TEXT_SIZE];
	struct table_set set;

	(void)state;
	amd();
	collect(&set);
	/* The next kernel has an interrupt table of its own. */
	dte(BDF)[2] = 0x7777000 | AMD_DTE_IV;
	assert_int_equal(compare(&set), 0);
	dte(BDF)[1] = 12;
	assert_int_equal(compare(&set), 1);
	assert_int_equal(reported[0].kind, DIFFERENCE_DEVICE_ENTRY);
	assert_string_equal(difference_text(&reported[0], reported[0].old, text),
			    "host table 0x106000 of 4 levels rw, domain id 11");
	assert_string_equal(
		context_text(MODE_AMD, dte(BDF), text),
		"host table 0x106000 of 4 levels rw, domain id 12, interrupt table 0x7777000");
	dte(BDF)[1] = 11;
	dte(BDF)[0] &= ~AMD_DTE_IW;
	assert_int_equal(compare(&set), 1);
	dte(BDF)[0] = AMD_DTE_V | AMD_DTE_TV;
	assert_int_equal(compare(&set), 1);
	assert_string_equal(difference_text(&reported[0], reported[0].now, text), "not present");
	tables_free(&set);
}

static void moved_device_table_is_found(void **state)
{
	char text[ENTRY_TEXT_SIZE];
	struct table_set set;

	(void)state;
	amd();
	collect(&set);
	memcpy(memory[600], memory[DEVICE_TABLE], DEVICE_TABLE_PAGES * 4096);
	unit.rtaddr = ADDRESS(600) | (DEVICE_TABLE_PAGES - 1);
	assert_int_equal(compare(&set), 1);
	assert_int_equal(reported[0].kind, DIFFERENCE_DEVICE_TABLE);
	assert_string_equal(difference_text(&reported[0], reported[0].now, text),
			    "device table 0x358000 of 512 entries");
	unit.gsts = 0;
	assert_int_equal(compare(&set), 2);
	assert_int_equal(reported[0].kind, DIFFERENCE_TRANSLATION);
	tables_free(&set);
}

/* A table that became shorter has no entry for the device any more. */
static void device_beyond_the_table_is_found(void **state)
{
	struct table_set set;

	(void)state;
	amd();
	collect(&set);
	unit.rtaddr = ADDRESS(DEVICE_TABLE) | 1;
	assert_int_equal(compare(&set), 2);
	assert_int_equal(reported[0].kind, DIFFERENCE_DEVICE_TABLE);
	assert_int_equal(reported[1].kind, DIFFERENCE_DEVICE_ENTRY);
	tables_free(&set);
}

static void guest_tables_are_not_walked(void **state)
{
	struct table_set set;

	(void)state;
	amd();
	dte(BDF)[0] |= AMD_DTE_GV;
	collect(&set);
	assert_int_equal(set.attachments[0].stage, STAGE_NESTED);
	assert_int_equal(set.domain_count, 0);
	tables_free(&set);
	unit.ecap |= 1ULL << 34;
	refuses("in 2 parts", "unit 0xfed80000");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entry_that_grants_nothing_is_none),
		cmocka_unit_test(pages_have_the_sizes_that_entries_say),
		cmocka_unit_test(levels_may_be_left_out),
		cmocka_unit_test(one_to_six_levels_exist),
		cmocka_unit_test(table_that_does_not_lead_down_is_named),
		cmocka_unit_test(changed_entry_is_found_but_not_its_interrupts),
		cmocka_unit_test(moved_device_table_is_found),
		cmocka_unit_test(device_beyond_the_table_is_found),
		cmocka_unit_test(guest_tables_are_not_walked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
