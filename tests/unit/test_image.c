// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What a kernel image says of live update: its layout, and how it is read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include "luo_image.h"

#define IMAGE_SIZE 0x2000
#define INFO	   0x400
#define CHUNK	   (INFO + 16)

static const char strings[] = "quiet kho=on\0kho-v4\0a-v1;b,c,d\0e-v2\0";

static void put32(unsigned char *at, uint32_t value)
{
	memcpy(at, &value, sizeof(value));
}

/* A bzImage of two sectors and a kernel_info with a foreign chunk before ours. */
static unsigned char *make_image(uint32_t flags)
{
	unsigned char *image = calloc(1, IMAGE_SIZE);
	struct liveupdate_image head = {
		.magic = LIVEUPDATE_IMAGE_MAGIC,
		.size = sizeof(head) + sizeof(strings),
		.version = LIVEUPDATE_IMAGE_VERSION,
		.header_size = sizeof(head),
		.flags = flags,
	};

	assert_non_null(image);
	image[0x1f1] = 1;
	put32(image + 0x202, 0x53726448); /* "HdrS" */
	put32(image + 0x206, 0x20f);
	put32(image + INFO, 0x506f544c); /* "LToP" */
	put32(image + INFO + 4, 16);
	put32(image + INFO + 8, 16 + 8 + head.size);
	put32(image + CHUNK, 0x2168744f); /* "Oth!" */
	put32(image + CHUNK + 4, 8);
	memcpy(image + CHUNK + 8, &head, sizeof(head));
	memcpy(image + CHUNK + 8 + sizeof(head), strings, sizeof(strings));
	return image;
}

static enum liveupdate_refusal find(const unsigned char *image, uint64_t size)
{
	struct liveupdate_image head;
	const char *found;
	uint32_t length;

	return liveupdate_image_find(image, size, &head, &found, &length);
}

static void the_layout_is_what_it_was(void **state)
{
	(void)state;
	assert_int_equal(sizeof(struct liveupdate_image), 16);
	assert_int_equal(offsetof(struct liveupdate_image, size), 4);
	assert_int_equal(offsetof(struct liveupdate_image, version), 8);
	assert_int_equal(offsetof(struct liveupdate_image, header_size), 10);
	assert_int_equal(offsetof(struct liveupdate_image, flags), 12);
	assert_int_equal(LIVEUPDATE_IMAGE_MAGIC, 0x6d49554c);
	assert_int_equal(LIVEUPDATE_IMAGE_VERSION, 1);
	assert_int_equal(LIVEUPDATE_IMAGE_OVERRIDE, 16);
	assert_int_equal(LIVEUPDATE_REFUSAL_UNFINISHED, 12);
	assert_int_equal(LIVEUPDATE_REFUSAL_MEMORY_TEST, LIVEUPDATE_REFUSAL_MAX);
	assert_int_equal(LIVEUPDATE_REFUSAL_MAX, 14);
}

static void the_statement_is_found_behind_another_chunk(void **state)
{
	unsigned char *image = make_image(5);
	struct liveupdate_image head;
	const char *found;
	uint32_t length;

	(void)state;
	assert_int_equal(liveupdate_image_find(image, IMAGE_SIZE, &head, &found, &length), 0);
	assert_int_equal(head.flags, 5);
	assert_int_equal(length, sizeof(strings));
	assert_memory_equal(found, strings, length);
	free(image);
}

/* A header that has grown: what was appended is skipped. */
static void a_longer_header_is_read(void **state)
{
	unsigned char *image = make_image(0);
	struct liveupdate_image head;
	const char *found;
	uint32_t length;

	(void)state;
	image[CHUNK + 8 + 10] = sizeof(head) + sizeof("quiet kho=on");
	assert_int_equal(liveupdate_image_find(image, IMAGE_SIZE, &head, &found, &length), 0);
	assert_string_equal(found, "kho-v4");
	free(image);
}

static void nothing_is_said_or_it_is_damaged(void **state)
{
	static const struct {
		unsigned int at;
		uint32_t value;
		enum liveupdate_refusal why;
	} damages[] = {
		{ 0x202, 0, LIVEUPDATE_REFUSAL_SILENT },	      /* no boot protocol */
		{ 0x206, 0x20e, LIVEUPDATE_REFUSAL_SILENT },	      /* before 2.15 */
		{ 0x268, IMAGE_SIZE, LIVEUPDATE_REFUSAL_SILENT },     /* info is outside */
		{ 0x268, 0xffffffff, LIVEUPDATE_REFUSAL_SILENT },     /* far outside */
		{ INFO, 0, LIVEUPDATE_REFUSAL_SILENT },		      /* no info */
		{ INFO + 4, 4, LIVEUPDATE_REFUSAL_DAMAGED },	      /* too short */
		{ INFO + 4, 0xffffffff, LIVEUPDATE_REFUSAL_DAMAGED }, /* longer than all */
		{ INFO + 8, IMAGE_SIZE, LIVEUPDATE_REFUSAL_DAMAGED }, /* beyond the file */
		{ INFO + 8, 16, LIVEUPDATE_REFUSAL_SILENT },	      /* no chunks */
		{ CHUNK + 4, 0, LIVEUPDATE_REFUSAL_DAMAGED },	      /* would not end */
		{ CHUNK + 4, 0xfffffff8, LIVEUPDATE_REFUSAL_DAMAGED },
		{ CHUNK + 8, 0, LIVEUPDATE_REFUSAL_SILENT },		/* another magic */
		{ CHUNK + 12, 12, LIVEUPDATE_REFUSAL_DAMAGED },		/* half a header */
		{ CHUNK + 12, 0x10000, LIVEUPDATE_REFUSAL_DAMAGED },	/* beyond the end */
		{ CHUNK + 16, 0x100002, LIVEUPDATE_REFUSAL_DAMAGED },	/* version 2 */
		{ CHUNK + 16, 0x80001, LIVEUPDATE_REFUSAL_DAMAGED },	/* a short header */
		{ CHUNK + 16, 0xffff0001, LIVEUPDATE_REFUSAL_DAMAGED }, /* a long one */
		{ CHUNK + 12, sizeof(struct liveupdate_image) + 3, LIVEUPDATE_REFUSAL_DAMAGED },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
		unsigned char *image = make_image(0);

		put32(image + damages[i].at, damages[i].value);
		if (find(image, IMAGE_SIZE) != damages[i].why)
			fail_msg("damage %zu: %d", i, find(image, IMAGE_SIZE));
		free(image);
	}
}

/* Whatever is in the file, nothing outside of it is read: see that with a sanitizer. */
static void a_file_may_end_anywhere_and_say_anything(void **state)
{
	unsigned char *image = make_image(0);

	(void)state;
	for (uint64_t size = 0; size < IMAGE_SIZE; size += 7) {
		unsigned char *part = malloc(size + !size);

		assert_non_null(part);
		memcpy(part, image, size);
		find(part, size);
		free(part);
	}
	srand(1);
	for (int round = 0; round < 20000; round++) {
		unsigned int at = rand() % 2 ? 0x1f0 + rand() % 0x80 : INFO + rand() % 0x60;
		unsigned char was = image[at];

		image[at] = rand();
		find(image, IMAGE_SIZE);
		image[at] = was;
	}
	free(image);
}

static struct liveupdate_switches switches(uint32_t flags, const char *line)
{
	struct liveupdate_image head = { .flags = flags };
	struct liveupdate_switches on;

	liveupdate_image_switches(&head, "", line, "", &on);
	return on;
}

static void the_last_word_that_means_something_counts(void **state)
{
	(void)state;
	assert_int_equal(switches(0, "").kho, 0);
	assert_int_equal(switches(LIVEUPDATE_IMAGE_KHO_ON, "").kho, 1);
	assert_int_equal(switches(0, "kho=on").kho, 1);
	assert_int_equal(switches(0, "kho=on kho=off").kho, 0);
	assert_int_equal(switches(0, "kho=off kho=Y").kho, 1);
	assert_int_equal(switches(0, "kho=1 kho=what").kho, 1);
	assert_int_equal(switches(0, "kho=1 kho=o").kho, 1);
	assert_int_equal(switches(0, "kho=1 kho= kho").kho, 1);
	assert_int_equal(switches(0, "\tkho=on\n").kho, 1);
	assert_int_equal(switches(0, "kho=on -- kho=off").kho, 1);
	assert_int_equal(switches(0, "kho=on --kho=off").kho, 1);
	assert_int_equal(switches(0, "a=\"b kho=on c\"").kho, 0);
	assert_int_equal(switches(0, "\"kho=on\"").kho, 1);
	assert_int_equal(switches(0, "kho=\"on\"").kho, 1);
	assert_int_equal(switches(0, "mykho=on khoo=on").kho, 0);
	assert_int_equal(switches(0, "liveupdate=on liveupdate.force_successor=0").liveupdate, 1);
	assert_int_equal(switches(0, "iommu.liveupdate=off").iommu_liveupdate, 0);
	assert_int_equal(
		switches(0, "iommu.liveupdate=off iommu.liveupdate=eager").iommu_liveupdate, 1);
	assert_int_equal(switches(0, "iommu.liveupdate=off").iommu, 1);
}

static void iommus_are_switched_by_lists_of_words(void **state)
{
	(void)state;
	assert_int_equal(switches(0, "").intel, 0);
	assert_int_equal(switches(0, "intel_iommu=on").intel, 1);
	assert_int_equal(switches(0, "intel-iommu=sm_on,on").intel, 1);
	assert_int_equal(switches(0, "intel_iommu=on,sm_off intel_iommu=off").intel, 0);
	assert_int_equal(switches(0, "intel_iommu=on,,sm_on").intel_scalable, 1);
	assert_int_equal(
		switches(LIVEUPDATE_IMAGE_INTEL_SCALABLE, "intel_iommu=sm_off").intel_scalable, 0);
	assert_int_equal(switches(0, "amd_iommu=off amd_iommu=force_enable").amd, 0);
	assert_int_equal(switches(0, "iommu=pt,off iommu=force").iommu, 0);
	assert_int_equal(switches(0, "iommu=pt").iommu, 1);
	assert_int_equal(switches(0, "nointremap").irq_remap, 0);
	assert_int_equal(switches(0, "nointremap intremap=on").irq_remap, 1);
	assert_int_equal(switches(0, "intremap=nosid,off").irq_remap, 0);
}

static void the_built_in_command_line_comes_first(void **state)
{
	struct liveupdate_image head = { .flags = 0 };
	struct liveupdate_switches on;

	(void)state;
	liveupdate_image_switches(&head, "kho=on", "", "", &on);
	assert_int_equal(on.kho, 1);
	liveupdate_image_switches(&head, "kho=on", "kho=off", "", &on);
	assert_int_equal(on.kho, 0);
	head.flags = LIVEUPDATE_IMAGE_OVERRIDE;
	liveupdate_image_switches(&head, "kho=on", "kho=off", "", &on);
	assert_int_equal(on.kho, 1);
}

/* memory BUILT-IN, LINE, RUNNING */
static int memory(const char *built_in, const char *line, const char *running)
{
	struct liveupdate_image head = { .flags = 0 };
	struct liveupdate_switches on;

	liveupdate_image_switches(&head, built_in, line, running, &on);
	return on.memory;
}

static void memory_is_that_of_the_running_kernel(void **state)
{
	(void)state;
	assert_int_equal(memory("", "", ""), 1);
	assert_int_equal(memory("", "mem=512M", ""), 0);
	assert_int_equal(memory("mem=512M", "", ""), 0);
	assert_int_equal(memory("", "mem=512M", "quiet mem=512M"), 1);
	assert_int_equal(memory("", "mem=512M", "mem=1G"), 0);
	assert_int_equal(memory("", "mem=1G mem=512M", "mem=1G"), 0);
	assert_int_equal(memory("", "", "mem=512M"), 1);
	assert_int_equal(memory("", "memmap=1M$4G", ""), 0);
	assert_int_equal(memory("", "memmap=1M$4G", "memmap=1M$4G"), 1);
	assert_int_equal(memory("memmap=1M$4G", "", "memmap=1M$4G"), 1);
	/* It can say that there is memory, too. */
	assert_int_equal(memory("", "", "memmap=1G@4G"), 0);
	assert_int_equal(memory("", "memmap=exactmap memmap=1G@0", "memmap=1G@0"), 0);
	assert_int_equal(memory("", "-- mem=512M", ""), 1);
	assert_int_equal(memory("", "mem_encrypt=on memory=1 xmem=1 mem", ""), 1);
	assert_int_equal(memory("", "\"mem=512M\"", "mem=512M"), 1);
}

static void tests_of_memory_write_to_it(void **state)
{
	(void)state;
	assert_int_equal(switches(0, "").memory_test, 0);
	assert_int_equal(switches(0, "memtest").memory_test, 1);
	assert_int_equal(switches(0, "memtest=4").memory_test, 1);
	assert_int_equal(switches(0, "memtest=4 memtest=0").memory_test, 0);
	assert_int_equal(switches(0, "memtests memory_corruption_check=1").memory_test, 0);
	assert_int_equal(switches(0, "memory-corruption-check-size=4G").memory_test, 1);
}

static enum liveupdate_refusal refuse(const char *used, const char *line)
{
	static const char accepted[] = "\0a-v1;b,c,d\0\0iommu-v1;amd,intel,intel-legacy,"
				       "intel-scalable,irq-remap,vtdss\0e-v2\0";
	struct liveupdate_switches on = switches(LIVEUPDATE_IMAGE_INTEL_ON, line);

	return liveupdate_image_refuse(accepted, sizeof(accepted), &on, used);
}

static void a_base_and_its_components_are_accepted(void **state)
{
	(void)state;
	assert_int_equal(refuse("a-v1", ""), 0);
	assert_int_equal(refuse("a-v1;b", ""), 0);
	assert_int_equal(refuse("a-v1;b,d", ""), 0);
	assert_int_equal(refuse("e-v2", ""), 0);
	assert_int_equal(refuse("a-v1;e", ""), LIVEUPDATE_REFUSAL_ABI);
	assert_int_equal(refuse("a-v1;bc", ""), LIVEUPDATE_REFUSAL_ABI);
	assert_int_equal(refuse("a-v1;b,cd", ""), LIVEUPDATE_REFUSAL_ABI);
	assert_int_equal(refuse("a-v2", ""), LIVEUPDATE_REFUSAL_ABI);
	assert_int_equal(refuse("a-v", ""), LIVEUPDATE_REFUSAL_ABI);
	assert_int_equal(refuse("a-v11", ""), LIVEUPDATE_REFUSAL_ABI);
	assert_int_equal(refuse("b", ""), LIVEUPDATE_REFUSAL_ABI);
	assert_int_equal(refuse("", ""), 0); /* there is padding, and it means nothing */
}

static void what_a_component_stands_for_has_to_be_on(void **state)
{
	(void)state;
	assert_int_equal(refuse("iommu-v1;intel,irq-remap,vtdss", ""), 0);
	assert_int_equal(refuse("iommu-v1;intel", "intel_iommu=off"), LIVEUPDATE_REFUSAL_IOMMU_OFF);
	assert_int_equal(refuse("iommu-v1;amd", "intel_iommu=off"), 0);
	assert_int_equal(refuse("iommu-v1;intel", "acpi=off"), LIVEUPDATE_REFUSAL_IOMMU_OFF);
	assert_int_equal(refuse("iommu-v1;amd", "acpi=off"), LIVEUPDATE_REFUSAL_IOMMU_OFF);
	assert_int_equal(refuse("iommu-v1;intel", "acpi=offline xacpi=off"), 0);
	assert_int_equal(refuse("iommu-v1;amd", "amd_iommu=off"), LIVEUPDATE_REFUSAL_IOMMU_OFF);
	assert_int_equal(refuse("iommu-v1;amd", "iommu=off"), LIVEUPDATE_REFUSAL_IOMMU_OFF);
	assert_int_equal(refuse("iommu-v1;intel", "iommu.liveupdate=off"),
			 LIVEUPDATE_REFUSAL_IOMMU_STATE);
	assert_int_equal(refuse("iommu-v1;intel,intel-scalable", ""),
			 LIVEUPDATE_REFUSAL_IOMMU_MODE);
	assert_int_equal(refuse("iommu-v1;intel,intel-scalable", "intel_iommu=sm_on"), 0);
	assert_int_equal(refuse("iommu-v1;intel,intel-legacy", "intel_iommu=sm_on"),
			 LIVEUPDATE_REFUSAL_IOMMU_MODE);
	assert_int_equal(refuse("iommu-v1;intel,irq-remap", "nointremap"),
			 LIVEUPDATE_REFUSAL_IRQ_REMAP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_layout_is_what_it_was),
		cmocka_unit_test(the_statement_is_found_behind_another_chunk),
		cmocka_unit_test(a_longer_header_is_read),
		cmocka_unit_test(nothing_is_said_or_it_is_damaged),
		cmocka_unit_test(a_file_may_end_anywhere_and_say_anything),
		cmocka_unit_test(the_last_word_that_means_something_counts),
		cmocka_unit_test(iommus_are_switched_by_lists_of_words),
		cmocka_unit_test(the_built_in_command_line_comes_first),
		cmocka_unit_test(memory_is_that_of_the_running_kernel),
		cmocka_unit_test(tests_of_memory_write_to_it),
		cmocka_unit_test(a_base_and_its_components_are_accepted),
		cmocka_unit_test(what_a_component_stands_for_has_to_be_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
