// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Dumps that are damaged, cut off or made up: nothing in them is believed. */
#include <elf.h>
#include <json-c/json.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
/* after the above */
#include <cmocka.h>

#include "vmcore/vmcore.h"

#define PAGES	 64
#define MEMORY	 ((uint64_t)PAGES * VTD_PAGE_SIZE)
#define AT	 0x100000ULL /* where it begins */
#define SEGMENTS 3

/**
 * struct dump - a dump that is being written
 * @header:   of the file
 * @segments: two ranges of memory without a gap, and a note
 * @note:     its head and name
 * @text:     VMCOREINFO
 * @memory:   contents
 */
struct dump {
	Elf64_Ehdr header;
	Elf64_Phdr segments[SEGMENTS];
	Elf64_Nhdr note;
	char name[12];
	char text[32];
	uint64_t memory[PAGES][VTD_PAGE_ENTRIES];
};

static struct dump dump;
static char path[] = "/tmp/test-vmcore.XXXXXX";

static int make_dump(void **state)
{
	unsigned int i;

	(void)state;
	memset(&dump, 0, sizeof(dump));
	memcpy(dump.header.e_ident, ELFMAG "\2\1\1", 7);
	dump.header.e_type = ET_CORE;
	dump.header.e_machine = EM_X86_64;
	dump.header.e_version = EV_CURRENT;
	dump.header.e_phoff = offsetof(struct dump, segments);
	dump.header.e_ehsize = sizeof(dump.header);
	dump.header.e_phentsize = sizeof(Elf64_Phdr);
	dump.header.e_phnum = SEGMENTS;
	/* The boundary is within a page. */
	for (i = 0; i < 2; i++) {
		dump.segments[i].p_type = PT_LOAD;
		dump.segments[i].p_paddr = AT + i * 10000;
		dump.segments[i].p_offset = offsetof(struct dump, memory) + i * 10000;
		dump.segments[i].p_filesz = i ? MEMORY - 10000 : 10000;
	}
	dump.segments[2].p_type = PT_NOTE;
	dump.segments[2].p_offset = offsetof(struct dump, note);
	dump.segments[2].p_filesz = sizeof(dump.note) + sizeof(dump.name) + sizeof(dump.text);
	dump.note.n_namesz = sizeof("VMCOREINFO");
	dump.note.n_descsz = sizeof(dump.text);
	memcpy(dump.name, "VMCOREINFO", sizeof("VMCOREINFO"));
	memcpy(dump.text, "A=1\nNUMBER(phys_base)=77\nB=ff\n", 31);
	for (i = 0; i < MEMORY / 8; i++)
		dump.memory[i / VTD_PAGE_ENTRIES][i % VTD_PAGE_ENTRIES] = i;
	return 0;
}

/* Writes it, or its first @size bytes, and opens it. */
static int open_dump(struct vmcore *vmcore, size_t size)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(&dump, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
	return vmcore_open(vmcore, path);
}

static void refused(const char *why)
{
	struct vmcore vmcore;

	assert_int_equal(open_dump(&vmcore, sizeof(dump)), -1);
	if (!strstr(vmcore.why, why))
		fail_msg("%s", vmcore.why);
	vmcore_close(&vmcore);
}

static void memory_is_read_across_ranges(void **state)
{
	uint64_t words[2 * VTD_PAGE_ENTRIES], number;
	struct vmcore vmcore;

	(void)state;
	assert_int_equal(open_dump(&vmcore, sizeof(dump)), 0);
	assert_false(vmcore.cut);
	assert_true(vmcore_read(&vmcore, AT + 2 * VTD_PAGE_SIZE, words, sizeof(words)));
	assert_int_equal(words[0], 2 * VTD_PAGE_ENTRIES);
	assert_int_equal(words[2 * VTD_PAGE_ENTRIES - 1], 4 * VTD_PAGE_ENTRIES - 1);
	assert_false(vmcore_read(&vmcore, AT - 8, words, 16));
	assert_false(vmcore_read(&vmcore, AT + MEMORY - 8, words, 16));
	assert_false(vmcore_read(&vmcore, UINT64_MAX - 7, words, 16));
	assert_true(vmcore_info_number(&vmcore, "NUMBER(phys_base)=", 10, &number));
	assert_int_equal(number, 77);
	assert_true(vmcore_info_number(&vmcore, "B=", 16, &number));
	assert_int_equal(number, 255);
	assert_false(vmcore_info_number(&vmcore, "C=", 10, &number));
	vmcore_close(&vmcore);
}

static void what_is_cut_off_is_not_there(void **state)
{
	struct vmcore vmcore;
	uint64_t word;

	(void)state;
	assert_int_equal(open_dump(&vmcore, offsetof(struct dump, memory) + MEMORY / 2), 0);
	assert_true(vmcore.cut);
	assert_true(vmcore_read(&vmcore, AT + MEMORY / 2 - 8, &word, 8));
	assert_false(vmcore_read(&vmcore, AT + MEMORY / 2, &word, 8));
	vmcore_close(&vmcore);
	assert_int_equal(open_dump(&vmcore, offsetof(struct dump, memory)), -1);
	vmcore_close(&vmcore);
	assert_int_equal(open_dump(&vmcore, 100), -1);
	vmcore_close(&vmcore);
}

static void headers_are_checked(void **state)
{
	(void)state;
	dump.header.e_type = ET_EXEC;
	refused("no core");
	make_dump(NULL);
	dump.header.e_machine = EM_AARCH64;
	refused("another machine");
	make_dump(NULL);
	dump.header.e_phnum = 0;
	refused("says nothing of memory");
	make_dump(NULL);
	dump.header.e_phoff = UINT64_MAX - 4;
	refused("");
	make_dump(NULL);
	dump.segments[0].p_paddr = UINT64_MAX - 5000;
	refused("it is damaged: memory at");
	make_dump(NULL);
	/* The last 2 MiB of 64 bits, and beyond what a machine can address. */
	dump.segments[0].p_paddr = UINT64_MAX - 0x1fffff;
	refused("it is damaged: memory at");
	make_dump(NULL);
	dump.segments[0].p_paddr = (1ULL << 52) - 9999;
	refused("it is damaged: memory at");
	make_dump(NULL);
	dump.segments[0].p_offset = dump.segments[1].p_offset = UINT64_MAX - 5000;
	refused("no memory");
}

static void a_damaged_note_is_passed_over(void **state)
{
	struct vmcore vmcore;

	(void)state;
	dump.note.n_descsz = UINT32_MAX - 8;
	assert_int_equal(open_dump(&vmcore, sizeof(dump)), 0);
	assert_null(vmcore.info);
	vmcore_close(&vmcore);
	make_dump(NULL);
	dump.segments[2].p_filesz = UINT64_MAX / 2;
	assert_int_equal(open_dump(&vmcore, sizeof(dump)), 0);
	vmcore_close(&vmcore);
}

/* Root, context and page tables in the first pages, in legacy mode. */
static struct json_object *make_tables(void)
{
	memset(dump.memory, 0, sizeof(dump.memory));
	dump.memory[0][2] = (AT + VTD_PAGE_SIZE) | 1;	  /* bus 1 */
	dump.memory[1][0] = (AT + 2 * VTD_PAGE_SIZE) | 1; /* 01:00.0 */
	dump.memory[1][1] = 7 << 8 | 2;			  /* domain 7, 4 levels */
	dump.memory[2][0] = (AT + 3 * VTD_PAGE_SIZE) | 3;
	dump.memory[3][0] = (AT + 4 * VTD_PAGE_SIZE) | 3;
	dump.memory[4][0] = (AT + 5 * VTD_PAGE_SIZE) | 3;
	dump.memory[5][9] = 0x7000 | 3;
	return json_tokener_parse("{\"units\": [{\"unit\": \"0xfed90000\", \"root\": \"0x100000\", "
				  "\"segment\": 0, \"type\": 1}]}");
}

static void tables_are_walked(void **state)
{
	struct json_object *explored = make_tables();
	struct table_set set = { 0 };
	struct vmcore vmcore;

	(void)state;
	assert_int_equal(open_dump(&vmcore, sizeof(dump)), 0);
	assert_int_equal(vmcore_collect(&vmcore, explored, &set, NULL, 0), 0);
	assert_int_equal(set.device_count, 1);
	assert_int_equal(tables_pages(&set), 4);
	assert_int_equal(set.domains[0].leaves, 1);
	tables_free(&set);
	vmcore_close(&vmcore);
	json_object_put(explored);
}

static void tables_outside_the_dump_are_unknown(void **state)
{
	struct json_object *explored = make_tables();
	struct table_set set = { 0 };
	struct vmcore vmcore;

	(void)state;
	dump.memory[3][1] = 0x7777000 | 3;
	assert_int_equal(open_dump(&vmcore, sizeof(dump)), 0);
	assert_int_equal(vmcore_collect(&vmcore, explored, &set, NULL, 0), -1);
	assert_non_null(strstr(set.error, "0x7777000"));
	tables_free(&set);
	vmcore_close(&vmcore);
	json_object_put(explored);
}

static void tables_that_lead_round_in_circles_end(void **state)
{
	struct json_object *explored = make_tables();
	struct table_set set = { 0 };
	struct vmcore vmcore;
	int i;

	(void)state;
	/* Each entry of the top table leads to it again. */
	for (i = 0; i < VTD_PAGE_ENTRIES; i++)
		dump.memory[2][i] = (AT + 2 * VTD_PAGE_SIZE) | 3;
	assert_int_equal(open_dump(&vmcore, sizeof(dump)), 0);
	assert_int_equal(vmcore_collect(&vmcore, explored, &set, NULL, 0), -1);
	assert_non_null(strstr(set.error, "circles"));
	tables_free(&set);
	vmcore_close(&vmcore);
	json_object_put(explored);
}

static void a_unit_that_nobody_knows_is_not_walked(void **state)
{
	struct json_object *explored = json_tokener_parse(
		"{\"units\": [{\"unit\": \"0x1\", \"root\": \"0x100000\", \"type\": 1, \"damaged\": true},"
		"{\"unit\": \"0x2\", \"root\": \"0x100000\", \"type\": 2}]}");
	struct table_set set = { 0 };
	struct vmcore vmcore;

	(void)state;
	assert_int_equal(open_dump(&vmcore, sizeof(dump)), 0);
	assert_int_equal(vmcore_collect(&vmcore, explored, &set, NULL, 0), -1);
	assert_non_null(strstr(set.error, "nothing of a VT-d"));
	vmcore_close(&vmcore);
	json_object_put(explored);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(memory_is_read_across_ranges, make_dump),
		cmocka_unit_test_setup(what_is_cut_off_is_not_there, make_dump),
		cmocka_unit_test_setup(headers_are_checked, make_dump),
		cmocka_unit_test_setup(a_damaged_note_is_passed_over, make_dump),
		cmocka_unit_test_setup(tables_are_walked, make_dump),
		cmocka_unit_test_setup(tables_outside_the_dump_are_unknown, make_dump),
		cmocka_unit_test_setup(tables_that_lead_round_in_circles_end, make_dump),
		cmocka_unit_test_setup(a_unit_that_nobody_knows_is_not_walked, make_dump),
	};
	int fd = mkstemp(path), ret;

	if (fd < 0)
		return 1;
	close(fd);
	ret = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(path);
	return ret;
}
