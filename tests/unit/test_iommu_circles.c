// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Tables that lead in circles, or that too many entries share, end the walk. */
#include "iommu_memory.h"

/* Unless somebody stops it, the walk shows 512^3 pages here. */
static void circle_of_tables_ends_the_walk_and_is_named(void **state)
{
	struct table_set set = { 0 };
	unsigned int i;

	(void)state;
	legacy();
	for (i = 0; i < VTD_PAGE_ENTRIES; i++)
		memory[LEVEL_4][i] = ADDRESS(LEVEL_4) | VTD_SS_READ;
	assert_int_equal(tables_collect(&set, &reader, &unit, 1, NULL, 0), -1);
	assert_non_null(strstr(set.error, "entry 0 of the level 4 table"));
	assert_non_null(strstr(set.error, "leads back"));
	tables_free(&set);

	legacy();
	for (i = 1; i < VTD_PAGE_ENTRIES; i++)
		memory[LEVEL_2][i] = ADDRESS(LEVEL_3) | VTD_SS_READ;
	assert_int_equal(tables_collect(&set, &reader, &unit, 1, NULL, 0), -1);
	assert_non_null(strstr(set.error, "entry 1 of the level 2 table"));
	tables_free(&set);
}

/* Each of them would be read for ever, or as often as there are entries. */
static void circle_above_the_page_tables_is_named(void **state)
{
	(void)state;
	legacy();
	memory[ROOT][2] = ADDRESS(ROOT) | VTD_PRESENT;
	refuses("entry 1 of the root table at 0x100000",
		"leads back to the root table at 0x100000");

	legacy();
	memory[CONTEXT][0] = ADDRESS(ROOT) | VTD_PRESENT;
	refuses("entry 0 of the context table at 0x101000", "leads back to the root table");

	second_stage();
	memory[CONTEXT][0] = ADDRESS(CONTEXT) | 3 << 9 | VTD_PRESENT;
	refuses("entry 0 of the context table", "leads back to the context table");

	second_stage();
	memory[CONTEXT][8] = ADDRESS(ROOT) | VTD_PRESENT;
	refuses("entry 2 of the context table", "leads back to the root table");

	second_stage();
	memory[DIRECTORY][7] = ADDRESS(DIRECTORY) | VTD_PRESENT;
	refuses("entry 7 of the PASID directory", "leads back to the PASID directory");

	second_stage();
	memory[DIRECTORY_2][1] = ADDRESS(CONTEXT) | VTD_PRESENT;
	refuses("entry 1 of the PASID directory at 0x103000", "leads back to the context table");

	second_stage();
	memory[PASIDS][5 * VTD_PASID_WORDS] = ADDRESS(PASIDS) | VTD_PGTT_SECOND << 6 | 2 << 2 |
					      VTD_PRESENT;
	refuses("entry 5 of the PASID table at 0x104000", "leads back to the PASID table");
}

static void page_table_that_leads_above_page_tables_is_named(void **state)
{
	static const struct {
		int page;
		const char *name;
	} above[] = {
		{ ROOT, "root table" },
		{ CONTEXT, "context table" },
		{ DIRECTORY_2, "PASID directory" },
		{ PASIDS, "PASID table" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(above) / sizeof(above[0]); i++) {
		first_stage();
		memory[LEVEL_3][4] = ADDRESS(above[i].page) | VTD_FS_PRESENT;
		refuses("entry 4 of the level 3 table", above[i].name);
	}
}

/* As Linux does for devices that share a requester ID with others. */
static void devices_may_share_a_directory(void **state)
{
	struct table_set set;

	(void)state;
	second_stage();
	memory[CONTEXT][8 * 4] = memory[CONTEXT][0];
	collect(&set);
	assert_int_equal(set.device_count, 2);
	assert_int_equal(set.attachment_count, 2);
	assert_int_equal(set.domain_count, 1);
	tables_free(&set);
}

/*
 * No circle: every device of every bus has one directory, in which every entry leads to
 * one table of PASIDs. Read for each of them, that is 10^9 tables.
 */
static void tables_that_many_share_are_bounded(void **state)
{
	unsigned int i;

	(void)state;
	second_stage();
	for (i = 0; i < VTD_PAGE_ENTRIES; i++) {
		memory[ROOT][i] = ADDRESS(CONTEXT) | VTD_PRESENT;
		if (i % 4 == 0)
			memory[CONTEXT][i] = ADDRESS(DIRECTORY) | 2 << 9 | VTD_PRESENT;
		memory[DIRECTORY][i] = ADDRESS(PASIDS) | VTD_PRESENT;
	}
	memset(memory[PASIDS], 0, 4096);
	refuses("more than 1048576 tables lead to page tables", "of the PASID directory");
	for (i = 0; i < VTD_PAGE_ENTRIES; i += VTD_PASID_WORDS)
		memory[PASIDS][i] = ADDRESS(LEVEL_4) | VTD_PGTT_SECOND << 6 | 2 << 2 | VTD_PRESENT;
	refuses("more than 1048576 attachments", "of the PASID table");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(circle_of_tables_ends_the_walk_and_is_named),
		cmocka_unit_test(circle_above_the_page_tables_is_named),
		cmocka_unit_test(page_table_that_leads_above_page_tables_is_named),
		cmocka_unit_test(devices_may_share_a_directory),
		cmocka_unit_test(tables_that_many_share_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
