// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The model of VT-d's tables, on a memory of 640 pages in which tables are laid
 * out as hardware would find them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "iommu/compare.h"
#include "iommu/snapshot.h"

#define BASE  0x100000ULL
#define PAGES 640

static uint64_t memory[PAGES][VTD_PAGE_ENTRIES];
static struct pt_unit unit;

/* Page numbers; what is not named is free. */
enum {
	ROOT,
	CONTEXT,
	DIRECTORY,
	DIRECTORY_2,
	PASIDS,
	PASIDS_2,
	LEVEL_4,
	LEVEL_3,
	LEVEL_2,
	LEVEL_1,
	LEVEL_1_HIGH,
	SPARE,
	SPARE_ROOT,
};

#define ADDRESS(page) (BASE + (page)*4096ULL)
#define BDF	      0x0100 /* 01:00.0 */
#define OTHER_BDF     0x0108 /* 01:01.0 */

#define THREADS 3

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

static struct page_reader reader = { .read = read_memory };

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

static void legacy(void)
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

static void second_stage(void)
{
	scalable();
	lay_out_page_table(VTD_SS_READ | VTD_SS_WRITE);
	memory[PASIDS][0] = ADDRESS(LEVEL_4) | VTD_PGTT_SECOND << 6 | 2 << 2 | VTD_PRESENT;
	memory[PASIDS][1] = 9;
}

static void first_stage(void)
{
	scalable();
	lay_out_page_table(VTD_FS_PRESENT | VTD_FS_WRITE);
	memory[PASIDS][0] = VTD_PGTT_FIRST << 6 | VTD_PRESENT;
	memory[PASIDS][1] = 9;
	memory[PASIDS][2] = ADDRESS(LEVEL_4);
}

static void (*const layouts[])(void) = { legacy, second_stage, first_stage };

#define LAYOUTS (sizeof(layouts) / sizeof(layouts[0]))

static void collect(struct table_set *set)
{
	memset(set, 0, sizeof(*set));
	assert_int_equal(tables_collect(set, &reader, &unit, 1, NULL, 0), 0);
}

/* What a comparison reported. */
static struct difference reported[16];
static unsigned int reports;

static void note(const struct difference *difference, void *context)
{
	(void)context;
	if (reports < 16)
		reported[reports] = *difference;
	reports++;
}

/* Compares with what memory holds now. */
static int try_compare(const struct table_set *old, struct table_set *now, uint64_t max)
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

static int compare(const struct table_set *old)
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
		assert_int_equal(set.devices[0].scalable, i > 0);
		assert_int_equal(set.attachment_count, 1);
		assert_int_equal(set.attachments[0].domain_id, i ? 9 : 7);
		assert_int_equal(set.domain_count, 1);
		assert_int_equal(set.domains[0].top, ADDRESS(LEVEL_4));
		assert_int_equal(set.domains[0].levels, 4);
		assert_int_equal(set.domains[0].stage, i == 2 ? STAGE_FIRST : STAGE_SECOND);
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
		uint64_t bits = i == 2 ? VTD_FS_ACCESSED | VTD_FS_DIRTY | VTD_FS_EXT_ACCESSED
				       : VTD_SS_ACCESSED | VTD_SS_DIRTY;

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
			enum table_stage stage = i == 2 ? STAGE_FIRST : STAGE_SECOND;
			uint64_t good = memory[LEVEL_1_HIGH][5];

			if (!(entry_content(stage) >> bit & 1))
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

static void contents_survive_packing(void **state)
{
	uint64_t page[VTD_PAGE_ENTRIES], back[UNPACKED_ENTRIES];
	uint8_t packed[VTD_PAGE_SIZE];
	unsigned int round, i;
	uint32_t length;

	(void)state;
	srandom(1);
	for (round = 0; round < 200; round++) {
		unsigned int density = random() % 100;

		for (i = 0; i < VTD_PAGE_ENTRIES; i++) {
			page[i] = random() % 100 < density ? (uint64_t)random() << 12 : 0;
			if (i && random() % 100 < density)
				page[i] = page[i - 1] + 4096;
		}
		length = contents_pack(page, packed);
		assert_true(length <= VTD_PAGE_SIZE && length % 8 == 0);
		assert_true(contents_unpack(packed, length, back));
		assert_memory_equal(page, back, sizeof(page));
	}
}

static void regular_page_packs_small(void **state)
{
	uint64_t page[VTD_PAGE_ENTRIES];
	uint8_t packed[VTD_PAGE_SIZE];
	unsigned int i;

	(void)state;
	for (i = 0; i < VTD_PAGE_ENTRIES; i++)
		page[i] = (0x7000000 + i * 4096ULL) | 3;
	assert_true(contents_pack(page, packed) <= 32);
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

/* The set as a snapshot in memory. */
static void *write_snapshot(const struct table_set *set, size_t *size)
{
	struct snapshot_writer *writer = malloc(sizeof(*writer));
	int fd = memfd_create("snapshot", 0);
	struct stat status;
	void *data;

	assert_non_null(writer);
	snapshot_begin(writer, fd);
	assert_int_equal(snapshot_store(writer, set->contents, set->contents_size), 0);
	assert_int_equal(snapshot_end(writer, set), 0);
	free(writer);
	assert_int_equal(fstat(fd, &status), 0);
	*size = status.st_size;
	data = malloc(*size);
	assert_int_equal(pread(fd, data, *size, 0), *size);
	close(fd);
	return data;
}

static void put_checksum(uint8_t *data, size_t size)
{
	struct snapshot_header *header = (struct snapshot_header *)data;
	size_t at, arrays = sizeof(*header);
	struct digest_state state;
	__u64 word;

	if (header->version == SNAPSHOT_VERSION)
		arrays += header->contents_size;
	memset(&header->checksum, 0, sizeof(header->checksum));
	digest_init(&state);
	for (at = 0; at < size; at += 8) {
		memcpy(&word, data + at, 8);
		if (at < sizeof(*header) || at >= arrays)
			digest_word(&state, word);
	}
	digest_final(&state, &header->checksum);
}

/* The same as the first version wrote it: contents at the end. */
static void *make_first_version(const uint8_t *data, size_t size)
{
	struct snapshot_header *header = malloc(size);
	size_t contents, rest;

	assert_non_null(header);
	memcpy(header, data, sizeof(*header));
	contents = header->contents_size;
	rest = size - sizeof(*header) - contents;
	memcpy(header + 1, data + sizeof(*header) + contents, rest);
	memcpy((uint8_t *)(header + 1) + rest, data + sizeof(*header), contents);
	header->version = SNAPSHOT_VERSION_1;
	put_checksum((uint8_t *)header, size);
	return header;
}

static void snapshot_comes_back_as_it_was(void **state)
{
	struct snapshot_header header;
	struct table_set set, back = { 0 };
	size_t i, size;
	void *data;

	(void)state;
	for (i = 0; i < 2 * LAYOUTS; i++) {
		layouts[i % LAYOUTS]();
		collect(&set);
		data = write_snapshot(&set, &size);
		if (i >= LAYOUTS) {
			void *first = make_first_version(data, size);

			free(data);
			data = first;
		}
		assert_int_equal(snapshot_read(&back, &header, data, size), 0);
		assert_int_equal(compare(&back), 0);
		memory[LEVEL_1][2] ^= VTD_SS_WRITE;
		assert_int_equal(compare(&back), 1);
		assert_int_equal(reported[0].iova, 0x2000);
		tables_free(&back);
		tables_free(&set);
		free(data);
	}
}

/* Where it is damaged it is refused: before anything is compared, or by who compares. */
static void damaged_snapshot_is_refused(void **state)
{
	struct snapshot_header header;
	struct table_set set, now, back = { 0 };
	size_t size, at, contents;
	uint8_t *data;

	(void)state;
	second_stage();
	collect(&set);
	data = write_snapshot(&set, &size);
	contents = sizeof(header) + set.contents_size;
	for (at = 0; at < size; at++) {
		data[at] ^= 0x10;
		if (at < sizeof(header) || at >= contents) {
			assert_int_equal(snapshot_read(&back, &header, data, size), -1);
			assert_true(back.error[0]);
		} else {
			assert_int_equal(snapshot_read(&back, &header, data, size), 0);
			assert_int_equal(try_compare(&back, &now, UINT64_MAX), -1);
			assert_non_null(strstr(now.error, "damaged"));
			tables_free(&now);
			tables_free(&back);
		}
		data[at] ^= 0x10;
	}
	for (at = 0; at < size; at += 8)
		assert_int_equal(snapshot_read(&back, &header, data, at), -1);
	assert_int_equal(snapshot_read(&back, &header, data, size), 0);
	tables_free(&back);
	tables_free(&set);
	free(data);
}

/* A checksum can be made to fit: whatever a snapshot says, nothing outside it is read. */
static void snapshot_that_was_made_up_is_never_identical(void **state)
{
	struct snapshot_header header;
	struct table_set set, now, back = { 0 };
	size_t size, at, pages, bit;
	uint8_t *data;
	int count;

	(void)state;
	second_stage();
	collect(&set);
	data = write_snapshot(&set, &size);
	pages = size - set.page_count * sizeof(*set.pages);
	for (at = pages; at < size; at++) {
		size_t member = (at - pages) % sizeof(*set.pages);

		/* A digest that is not right is not seen in a page that is. */
		if (member >= offsetof(struct table_page, digest))
			continue;
		for (bit = 0; bit < 8; bit++) {
			data[at] ^= 1 << bit;
			put_checksum(data, size);
			assert_int_equal(snapshot_read(&back, &header, data, size), 0);
			count = try_compare(&back, &now, UINT64_MAX);
			assert_true(count > 0 || strstr(now.error, "damaged"));
			tables_free(&now);
			tables_free(&back);
			data[at] ^= 1 << bit;
		}
	}
	/* One page less in the page table, all entries as they are. */
	put_checksum(data, size);
	assert_int_equal(snapshot_read(&back, &header, data, size), 0);
	back.domains[0].pages--;
	assert_int_equal(try_compare(&back, &now, UINT64_MAX), -1);
	assert_non_null(strstr(now.error, "do not fit together"));
	tables_free(&now);
	tables_free(&back);
	tables_free(&set);
	free(data);
}

/*
 * Two tables of one digest: if somebody had found such, the comparison would not
 * be deceived.
 */
static void page_with_the_digest_of_another_is_found(void **state)
{
	struct table_set set, now;
	uint32_t i;

	(void)state;
	second_stage();
	collect(&set);
	memory[LEVEL_1][3] ^= 1ULL << 30;
	memset(&now, 0, sizeof(now));
	assert_int_equal(tables_collect(&now, &reader, &unit, 1, NULL, 0), 0);
	for (i = 0; i < set.page_count; i++)
		set.pages[i].digest = now.pages[i].digest;
	set.domains[0].digest = now.domains[0].digest;
	set.devices[0].digest = now.devices[0].digest;
	tables_free(&now);
	/* Not "identical"; what the snapshot says does not fit its digest. */
	assert_int_equal(try_compare(&set, &now, UINT64_MAX), -1);
	assert_non_null(strstr(now.error, "digest"));
	tables_free(&now);
	tables_free(&set);
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
		cmocka_unit_test(circle_of_tables_ends_the_walk_and_is_named),
		cmocka_unit_test(contents_survive_packing),
		cmocka_unit_test(regular_page_packs_small),
		cmocka_unit_test(snapshot_comes_back_as_it_was),
		cmocka_unit_test(damaged_snapshot_is_refused),
		cmocka_unit_test(snapshot_that_was_made_up_is_never_identical),
		cmocka_unit_test(page_with_the_digest_of_another_is_found),
		cmocka_unit_test(many_tables_are_compared_by_several_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
