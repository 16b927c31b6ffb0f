// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The model of VT-d's tables: what is found in them, and what a comparison finds. */
#include "iommu_memory.h"

static const enum table_mode modes[LAYOUTS] = { MODE_LEGACY, MODE_SCALABLE, MODE_SCALABLE,
						MODE_AMD };
static const enum table_stage stages[LAYOUTS] = { STAGE_SECOND, STAGE_SECOND, STAGE_FIRST,
						  STAGE_HOST };
static const unsigned int ids[LAYOUTS] = { 7, 9, 9, 11 };

static void walk_finds_device_domain_and_leaves_in_every_mode(void **state)
{
	struct table_set set;
	size_t i;

	(void)state;
	for (i = 0; i < LAYOUTS; i++) {
		layouts[i]();
		collect(&set);
		assert_int_equal(set.device_count, 1);
		assert_int_equal(set.devices[0].bdf, BDF);
		assert_int_equal(set.devices[0].mode, modes[i]);
		assert_int_equal(set.attachment_count, 1);
		assert_int_equal(set.attachments[0].domain_id, ids[i]);
		assert_int_equal(set.domain_count, 1);
		assert_int_equal(set.domains[0].top, ADDRESS(LEVEL_4));
		assert_int_equal(set.domains[0].levels, 4);
		assert_int_equal(set.domains[0].stage, stages[i]);
		assert_int_equal(set.domains[0].pages, 5);
		assert_int_equal(set.domains[0].leaves, 12);
		assert_int_equal(set.domains[0].bytes, 11 * 4096 + 2 * 1024 * 1024);
		tables_free(&set);
	}
}

static void write_only_second_stage_entries_are_present(void **state)
{
	struct table_set set;

	(void)state;
	legacy();
	memory[LEVEL_1][0] &= ~VTD_SS_READ;
	memory[LEVEL_2][0] &= ~VTD_SS_READ;
	collect(&set);
	assert_int_equal(set.domains[0].leaves, 12);
	tables_free(&set);

	first_stage();
	memory[LEVEL_1][0] &= ~VTD_FS_PRESENT;
	collect(&set);
	assert_int_equal(set.domains[0].leaves, 11);
	tables_free(&set);
}

static void same_tables_are_identical(void **state)
{
	struct table_set set;
	size_t i;

	(void)state;
	for (i = 0; i < LAYOUTS; i++) {
		layouts[i]();
		collect(&set);
		assert_int_equal(compare(&set), 0);
		tables_free(&set);
	}
}

static void accessed_and_dirty_bits_are_no_difference(void **state)
{
	struct table_set set;
	size_t i, page, entry;

	(void)state;
	for (i = 0; i < LAYOUTS; i++) {
		static const uint64_t all[LAYOUTS] = {
			VTD_SS_ACCESSED | VTD_SS_DIRTY,
			VTD_SS_ACCESSED | VTD_SS_DIRTY,
			VTD_FS_ACCESSED | VTD_FS_DIRTY | VTD_FS_EXT_ACCESSED,
			AMD_PTE_ACCESSED | AMD_PTE_DIRTY,
		};
		uint64_t bits = all[i];

		layouts[i]();
		collect(&set);
		for (page = LEVEL_4; page <= LEVEL_1_HIGH; page++) {
			for (entry = 0; entry < VTD_PAGE_ENTRIES; entry++)
				memory[page][entry] |= memory[page][entry] ? bits : 0;
		}
		assert_int_equal(compare(&set), 0);
		tables_free(&set);
	}
}

/* Any other bit of a leaf entry is: one difference, at its address. */
static void each_other_bit_of_a_leaf_is_found(void **state)
{
	struct table_set set;
	unsigned int bit;
	size_t i;

	(void)state;
	for (i = 0; i < LAYOUTS; i++) {
		layouts[i]();
		collect(&set);
		for (bit = 0; bit < 64; bit++) {
			uint64_t good = memory[LEVEL_1_HIGH][5];

			if (!(entry_format(stages[i])->content >> bit & 1))
				continue;
			memory[LEVEL_1_HIGH][5] ^= 1ULL << bit;
			assert_int_equal(compare(&set), 1);
			assert_int_equal(reported[0].kind, DIFFERENCE_TABLE_ENTRY);
			assert_int_equal(reported[0].iova, 0x205000);
			assert_int_equal(reported[0].level, 1);
			assert_int_equal(reported[0].old[0], good);
			assert_int_equal(reported[0].now[0], good ^ 1ULL << bit);
			memory[LEVEL_1_HIGH][5] = good;
		}
		tables_free(&set);
	}
}

static void entry_that_appears_is_found(void **state)
{
	struct table_set set;

	(void)state;
	second_stage();
	collect(&set);
	memory[LEVEL_1][300] = 0x9000000 | VTD_SS_READ;
	assert_int_equal(compare(&set), 1);
	assert_int_equal(reported[0].iova, 300 * 4096);
	assert_int_equal(reported[0].old[0], 0);
	tables_free(&set);
}

static void moved_table_is_the_one_entry_that_leads_to_it(void **state)
{
	struct table_set set;
	size_t i;

	(void)state;
	for (i = 0; i < LAYOUTS; i++) {
		uint64_t old;

		layouts[i]();
		collect(&set);
		memcpy(memory[SPARE], memory[LEVEL_1_HIGH], 4096);
		old = memory[LEVEL_2][1];
		memory[LEVEL_2][1] = (old & ~VTD_ADDRESS) | ADDRESS(SPARE);
		assert_int_equal(compare(&set), 1);
		assert_int_equal(reported[0].kind, DIFFERENCE_TABLE_ENTRY);
		assert_int_equal(reported[0].level, 2);
		assert_int_equal(reported[0].iova, 0x200000);
		assert_int_equal(reported[0].old[0], old);
		tables_free(&set);
	}
}

static void change_below_a_moved_table_is_found_too(void **state)
{
	struct table_set set;

	(void)state;
	second_stage();
	collect(&set);
	memcpy(memory[SPARE], memory[LEVEL_1_HIGH], 4096);
	memory[SPARE][6] = 0x9000000 | VTD_SS_READ;
	memory[LEVEL_2][1] = ADDRESS(SPARE) | VTD_SS_READ | VTD_SS_WRITE;
	assert_int_equal(compare(&set), 2);
	assert_int_equal(reported[0].level, 2);
	assert_int_equal(reported[1].level, 1);
	assert_int_equal(reported[1].iova, 0x206000);
	tables_free(&set);
}

static void moved_top_table_is_found(void **state)
{
	struct table_set set;

	(void)state;
	second_stage();
	collect(&set);
	memcpy(memory[SPARE], memory[LEVEL_4], 4096);
	memory[PASIDS][0] += ADDRESS(SPARE) - ADDRESS(LEVEL_4);
	assert_int_equal(compare(&set), 1);
	assert_int_equal(reported[0].kind, DIFFERENCE_PASID_ENTRY);
	tables_free(&set);
}

static void table_that_vanished_is_found(void **state)
{
	struct table_set set;

	(void)state;
	first_stage();
	collect(&set);
	memory[LEVEL_3][0] = 0;
	assert_int_equal(compare(&set), 1);
	assert_int_equal(reported[0].level, 3);
	assert_int_equal(reported[0].now[0], 0);
	tables_free(&set);
}

static void changed_domain_id_is_found(void **state)
{
	char text[ENTRY_TEXT_SIZE];
	struct table_set set;

	(void)state;
	second_stage();
	collect(&set);
	memory[PASIDS][1] = 10;
	assert_int_equal(compare(&set), 1);
	assert_int_equal(reported[0].kind, DIFFERENCE_PASID_ENTRY);
	assert_non_null(
		strstr(difference_text(&reported[0], reported[0].old, text), "domain id 9"));
	assert_non_null(
		strstr(difference_text(&reported[0], reported[0].now, text), "domain id 10"));
	tables_free(&set);

	legacy();
	collect(&set);
	memory[CONTEXT][1] = 2 | 8 << 8;
	assert_int_equal(compare(&set), 1);
	assert_int_equal(reported[0].kind, DIFFERENCE_CONTEXT_ENTRY);
	assert_non_null(
		strstr(difference_text(&reported[0], reported[0].now, text), "domain id 8"));
	tables_free(&set);
}

static void moved_pasid_table_is_found(void **state)
{
	struct table_set set;

	(void)state;
	second_stage();
	collect(&set);
	memcpy(memory[PASIDS_2], memory[PASIDS], 4096);
	memory[DIRECTORY][0] = ADDRESS(PASIDS_2) | VTD_PRESENT;
	assert_int_equal(compare(&set), 1);
	assert_int_equal(reported[0].kind, DIFFERENCE_PASID_DIRECTORY);
	tables_free(&set);
}

static void moved_pasid_directory_is_found(void **state)
{
	struct table_set set;

	(void)state;
	second_stage();
	collect(&set);
	memcpy(memory[SPARE], memory[DIRECTORY], 4096);
	memory[CONTEXT][0] += ADDRESS(SPARE) - ADDRESS(DIRECTORY);
	assert_int_equal(compare(&set), 1);
	assert_int_equal(reported[0].kind, DIFFERENCE_CONTEXT_ENTRY);
	tables_free(&set);
}

static void pasid_in_the_second_page_of_the_directory_is_found(void **state)
{
	struct table_set set;

	(void)state;
	second_stage();
	memory[DIRECTORY_2][1] = ADDRESS(PASIDS_2) | VTD_PRESENT;
	memcpy(memory[PASIDS_2] + 3 * VTD_PASID_WORDS, memory[PASIDS], 64);
	collect(&set);
	assert_int_equal(set.attachment_count, 2);
	assert_int_equal(set.attachments[1].pasid, 513 * 64 + 3);
	assert_int_equal(set.domain_count, 1);

	memory[PASIDS_2][3 * VTD_PASID_WORDS] = 0;
	assert_int_equal(compare(&set), 2);
	assert_int_equal(reported[0].kind, DIFFERENCE_PASID_DIRECTORY);
	assert_int_equal(reported[1].kind, DIFFERENCE_PASID_ENTRY);
	assert_int_equal(reported[1].pasid, 513 * 64 + 3);
	tables_free(&set);
}

static void moved_root_table_is_one_difference(void **state)
{
	struct table_set set;

	(void)state;
	legacy();
	memcpy(memory[CONTEXT] + 16, memory[CONTEXT], 16); /* 01:01.0 */
	collect(&set);
	assert_int_equal(set.device_count, 2);
	assert_int_equal(set.devices[1].bdf, OTHER_BDF);
	assert_int_equal(set.domain_count, 1);
	memcpy(memory[SPARE_ROOT], memory[ROOT], 4096);
	unit.rtaddr = ADDRESS(SPARE_ROOT);
	assert_int_equal(compare(&set), 1);
	assert_int_equal(reported[0].kind, DIFFERENCE_ROOT_TABLE);
	assert_null(reported[0].device);
	tables_free(&set);
}

static void difference_in_a_shared_domain_is_said_once(void **state)
{
	struct table_set set;

	(void)state;
	legacy();
	memcpy(memory[CONTEXT] + 16, memory[CONTEXT], 16);
	collect(&set);
	memory[LEVEL_1][3] = 0;
	assert_int_equal(compare(&set), 1);
	assert_int_equal(reported[0].iova, 0x3000);
	tables_free(&set);
}

static void moved_context_table_is_found(void **state)
{
	struct table_set set;

	(void)state;
	legacy();
	collect(&set);
	memcpy(memory[SPARE], memory[CONTEXT], 4096);
	memory[ROOT][2] = ADDRESS(SPARE) | VTD_PRESENT;
	assert_int_equal(compare(&set), 1);
	assert_int_equal(reported[0].kind, DIFFERENCE_ROOT_ENTRY);
	tables_free(&set);
}

static void device_that_lost_its_context_entry_is_found(void **state)
{
	struct table_set set;

	(void)state;
	second_stage();
	collect(&set);
	memory[CONTEXT][0] = 0;
	assert_int_equal(compare(&set), 1);
	assert_int_equal(reported[0].kind, DIFFERENCE_CONTEXT_ENTRY);
	memory[ROOT][2] = 0;
	assert_int_equal(compare(&set), 2);
	assert_int_equal(reported[0].kind, DIFFERENCE_ROOT_ENTRY);
	tables_free(&set);
}

static void other_devices_may_come_and_go(void **state)
{
	struct table_set set;

	(void)state;
	legacy();
	collect(&set);
	memcpy(memory[CONTEXT] + 16, memory[CONTEXT], 16);
	assert_int_equal(compare(&set), 0);
	tables_free(&set);
}

static void translation_that_is_off_is_found(void **state)
{
	struct table_set set;

	(void)state;
	legacy();
	collect(&set);
	unit.gsts = 0;
	assert_int_equal(compare(&set), 1);
	assert_int_equal(reported[0].kind, DIFFERENCE_TRANSLATION);
	tables_free(&set);
}

static void other_mode_is_found(void **state)
{
	struct table_set set;

	(void)state;
	legacy();
	collect(&set);
	second_stage();
	assert_true(compare(&set) >= 1);
	assert_int_equal(reported[0].kind, DIFFERENCE_ROOT_TABLE);
	tables_free(&set);
}

static void page_that_cannot_be_read_is_named(void **state)
{
	struct table_set set = { 0 };

	(void)state;
	legacy();
	memory[LEVEL_2][1] = 0xdead000 | VTD_SS_READ;
	assert_int_equal(tables_collect(&set, &reader, &unit, 1, NULL, 0), -1);
	assert_non_null(strstr(set.error, "0xdead000"));
	assert_non_null(strstr(set.error, "0x200000"));
	tables_free(&set);
}

/* 600 leaf tables, more than some batches, below two tables that lead to them. */
#define MANY	      600
#define FIRST_OF_MANY 20

static void many_tables(void)
{
	unsigned int i, j;

	second_stage();
	memory[LEVEL_3][1] = ADDRESS(SPARE) | VTD_SS_READ;
	for (i = 0; i < MANY; i++) {
		uint64_t *above = memory[i < 300 ? LEVEL_2 : SPARE];

		above[i < 300 ? i + 2 : i - 300] = ADDRESS(FIRST_OF_MANY + i) | VTD_SS_READ;
		for (j = 0; j < VTD_PAGE_ENTRIES; j++)
			memory[FIRST_OF_MANY + i][j] =
				i % 3 == 0     ? (0x7000000 + j * 4096) | VTD_SS_READ
				: i % 3 == 1   ? (uint64_t)random() << 12 | VTD_SS_WRITE
				: j == i % 512 ? 0x9000003
					       : 0;
	}
}

/* With one thread and with several: the same order, the same result. */
static void many_tables_are_compared_by_several_threads(void **state)
{
	struct table_set set, now;
	unsigned int i;

	(void)state;
	for (reader.jobs = 0; reader.jobs <= THREADS; reader.jobs++) {
		many_tables();
		collect(&set);
		assert_int_equal(set.page_count, MANY + 6);
		assert_int_equal(compare(&set), 0);
		for (i = 0; i < MANY; i++)
			memory[FIRST_OF_MANY + i][500] ^= 1ULL << 40;
		assert_int_equal(compare(&set), MANY);
		assert_int_equal(reported[0].iova, 2 * 0x200000 + 500 * 4096);
		for (i = 1; i < 16; i++)
			assert_int_equal(reported[i].iova, reported[i - 1].iova + 0x200000);
		/* All are counted, the first are reported. */
		assert_int_equal(try_compare(&set, &now, 3), MANY);
		assert_int_equal(reports, 3);
		tables_free(&now);
		memory[LEVEL_2][100] = 0xdead000 | VTD_SS_READ;
		assert_int_equal(try_compare(&set, &now, 3), -1);
		assert_non_null(strstr(now.error, "0xdead000"));
		tables_free(&now);
		tables_free(&set);
	}
	reader.jobs = 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(walk_finds_device_domain_and_leaves_in_every_mode),
		cmocka_unit_test(write_only_second_stage_entries_are_present),
		cmocka_unit_test(same_tables_are_identical),
		cmocka_unit_test(accessed_and_dirty_bits_are_no_difference),
		cmocka_unit_test(each_other_bit_of_a_leaf_is_found),
		cmocka_unit_test(entry_that_appears_is_found),
		cmocka_unit_test(moved_table_is_the_one_entry_that_leads_to_it),
		cmocka_unit_test(change_below_a_moved_table_is_found_too),
		cmocka_unit_test(moved_top_table_is_found),
		cmocka_unit_test(table_that_vanished_is_found),
		cmocka_unit_test(changed_domain_id_is_found),
		cmocka_unit_test(moved_pasid_table_is_found),
		cmocka_unit_test(moved_pasid_directory_is_found),
		cmocka_unit_test(pasid_in_the_second_page_of_the_directory_is_found),
		cmocka_unit_test(moved_root_table_is_one_difference),
		cmocka_unit_test(difference_in_a_shared_domain_is_said_once),
		cmocka_unit_test(moved_context_table_is_found),
		cmocka_unit_test(device_that_lost_its_context_entry_is_found),
		cmocka_unit_test(other_devices_may_come_and_go),
		cmocka_unit_test(translation_that_is_off_is_found),
		cmocka_unit_test(other_mode_is_found),
		cmocka_unit_test(page_that_cannot_be_read_is_named),
		cmocka_unit_test(many_tables_are_compared_by_several_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
