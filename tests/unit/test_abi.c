// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The ABI of steps and ledger, of what an image says of itself, and of the ioctls is
 * what the golden file says, so that it cannot change by accident. When it is changed
 * on purpose, look at the difference that the test shows, and then write the golden
 * file anew:
 *
 *   build/tests/unit/test_abi --print >tests/unit/uapi.abi
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <linux/types.h>
#include <linux/iommufd.h>
#include <linux/liveupdate_image.h>
#include <linux/liveupdate_trace.h>

/* Where the golden file is; the Makefile knows the whole path. */
#ifndef GOLDEN
#define GOLDEN "uapi.abi"
#endif

#define ROW(name, number, text) fprintf(out, "  %d %s %s\n", (int)(number), #name, text);
#define CLASS_ROW(step, class)	fprintf(out, "  %s %s\n", #step, #class);
#define MEMBER(type, name)                                                                         \
	fprintf(out, "  %zu %zu %s\n", offsetof(type, name), sizeof(((type *)0)->name), #name);

#define REFUSAL(name, number, what, advice) fprintf(out, "  %d %s\n", number, #name);
#define VALUE(name)			    fprintf(out, "  %#x %s\n", name, #name);
#define TEXT(name)			    fprintf(out, "  %s %s\n", name, #name);
#define IOCTL(name, type)                                                                          \
	fprintf(out, "%s %#x, %zu bytes: offset, size, member\n", #name, (unsigned int)(name),     \
		sizeof(type));

/* What the image of a kernel says of itself, and why one is refused */
static void print_image(FILE *out)
{
	fprintf(out, "image magic %#x version %d, at most %d bytes\n", LIVEUPDATE_IMAGE_MAGIC,
		LIVEUPDATE_IMAGE_VERSION, LIVEUPDATE_IMAGE_MAX_SIZE);
	MEMBER(struct liveupdate_image, magic)
	MEMBER(struct liveupdate_image, size)
	MEMBER(struct liveupdate_image, version)
	MEMBER(struct liveupdate_image, header_size)
	MEMBER(struct liveupdate_image, flags)
	VALUE(LIVEUPDATE_IMAGE_KHO_ON)
	VALUE(LIVEUPDATE_IMAGE_LIVEUPDATE_ON)
	VALUE(LIVEUPDATE_IMAGE_INTEL_ON)
	VALUE(LIVEUPDATE_IMAGE_INTEL_SCALABLE)
	VALUE(LIVEUPDATE_IMAGE_OVERRIDE)
	fprintf(out, "components of the IOMMU's records\n");
	TEXT(LIVEUPDATE_IOMMU_AMD)
	TEXT(LIVEUPDATE_IOMMU_AMDV1)
	TEXT(LIVEUPDATE_IOMMU_GROUP)
	TEXT(LIVEUPDATE_IOMMU_INTEL)
	TEXT(LIVEUPDATE_IOMMU_INTEL_LEGACY)
	TEXT(LIVEUPDATE_IOMMU_INTEL_SCALABLE)
	TEXT(LIVEUPDATE_IOMMU_IRQ_REMAP)
	TEXT(LIVEUPDATE_IOMMU_VTDSS)
	TEXT(LIVEUPDATE_IOMMU_X86_64)
	fprintf(out, "refusals, up to %d\n", LIVEUPDATE_REFUSAL_MAX);
	LIVEUPDATE_REFUSALS(REFUSAL)
}

static void print_ioctls(FILE *out)
{
	IOCTL(IOMMU_HWPT_LIVEUPDATE_MARK_PRESERVE, struct iommu_hwpt_liveupdate_mark_preserve)
	MEMBER(struct iommu_hwpt_liveupdate_mark_preserve, size)
	MEMBER(struct iommu_hwpt_liveupdate_mark_preserve, hwpt_id)
	MEMBER(struct iommu_hwpt_liveupdate_mark_preserve, hwpt_token)
	IOCTL(IOMMU_HWPT_LIVEUPDATE_UNMARK, struct iommu_hwpt_liveupdate_unmark)
	MEMBER(struct iommu_hwpt_liveupdate_unmark, size)
	MEMBER(struct iommu_hwpt_liveupdate_unmark, hwpt_id)
	IOCTL(IOMMU_HWPT_LIVEUPDATE_RESTORE, struct iommu_hwpt_liveupdate_restore)
	MEMBER(struct iommu_hwpt_liveupdate_restore, size)
	MEMBER(struct iommu_hwpt_liveupdate_restore, flags)
	MEMBER(struct iommu_hwpt_liveupdate_restore, hwpt_token)
	MEMBER(struct iommu_hwpt_liveupdate_restore, out_hwpt_id)
}

/* Steps, and the records of them */
static void print_ledger(FILE *out)
{
	fprintf(out, "magic %#llx\nversion %d\n", LIVEUPDATE_LEDGER_MAGIC,
		LIVEUPDATE_LEDGER_VERSION);

	fprintf(out, "ledger %zu bytes: offset, size, member\n", sizeof(struct liveupdate_ledger));
	MEMBER(struct liveupdate_ledger, magic)
	MEMBER(struct liveupdate_ledger, version)
	MEMBER(struct liveupdate_ledger, header_size)
	MEMBER(struct liveupdate_ledger, record_size)
	MEMBER(struct liveupdate_ledger, flags)
	MEMBER(struct liveupdate_ledger, capacity)
	MEMBER(struct liveupdate_ledger, count)
	MEMBER(struct liveupdate_ledger, dropped)
	MEMBER(struct liveupdate_ledger, cycles_khz)
	MEMBER(struct liveupdate_ledger, wall_cycles)
	MEMBER(struct liveupdate_ledger, wall_ns)
	MEMBER(struct liveupdate_ledger, release)
	MEMBER(struct liveupdate_ledger, drops)
	fprintf(out, "version 1 of it %d bytes\n", LIVEUPDATE_LEDGER_SIZE_1);

	fprintf(out, "drops %zu bytes: offset, size, member\n", sizeof(struct liveupdate_drops));
	MEMBER(struct liveupdate_drops, count)
	MEMBER(struct liveupdate_drops, first)
	MEMBER(struct liveupdate_drops, last)

	fprintf(out, "record %zu bytes: offset, size, member\n", sizeof(struct liveupdate_record));
	MEMBER(struct liveupdate_record, sequence)
	MEMBER(struct liveupdate_record, cycles)
	MEMBER(struct liveupdate_record, ref)
	MEMBER(struct liveupdate_record, step)
	MEMBER(struct liveupdate_record, edge)
	MEMBER(struct liveupdate_record, kind)
	MEMBER(struct liveupdate_record, ret)
	MEMBER(struct liveupdate_record, object)
	MEMBER(struct liveupdate_record, count)
	MEMBER(struct liveupdate_record, name)

	fprintf(out, "device 0001:02:03.4 pasid 5: %#llx\n",
		(unsigned long long)LIVEUPDATE_DEVICE_ID(1, 0x021c, 5));
	fprintf(out, "marks %s %s\n", LIVEUPDATE_MARK_PAUSE, LIVEUPDATE_MARK_RESUME);
	fprintf(out, "edges\n");
	LIVEUPDATE_EDGES(ROW)
	fprintf(out, "kinds, up to %d\n", LIVEUPDATE_KIND_MAX);
	LIVEUPDATE_KINDS(ROW)
	fprintf(out, "steps, up to %d\n", LIVEUPDATE_STEP_MAX);
	LIVEUPDATE_STEPS(ROW)
	fprintf(out, "classes, %d\n", LIVEUPDATE_CLASS_COUNT);
	LIVEUPDATE_CLASSES(ROW)
	fprintf(out, "classes of steps\n");
	LIVEUPDATE_STEP_CLASSES(CLASS_ROW)
}

static void print_abi(FILE *out)
{
	fprintf(out, "# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause\n");
	print_ledger(out);
	print_image(out);
	print_ioctls(out);
}

static void the_abi_is_that_of_the_golden_file(void **state)
{
	char *now = NULL, golden[16384];
	FILE *out, *file;
	size_t size, length;

	(void)state;
	out = open_memstream(&now, &size);
	assert_non_null(out);
	print_abi(out);
	fclose(out);

	file = fopen(GOLDEN, "r");
	assert_non_null(file);
	length = fread(golden, 1, sizeof(golden) - 1, file);
	fclose(file);
	golden[length] = '\0';
	assert_string_equal(now, golden);
	free(now);
}

/* A number that is used twice, or one above the maximum. */
static void steps_have_numbers_of_their_own(void **state)
{
	static const int numbers[] = {
#define NUMBER(name, number, text) number,
		LIVEUPDATE_STEPS(NUMBER)
	};
	static const char *const names[] = {
#define NAME(name, number, text) text,
		LIVEUPDATE_STEPS(NAME)
	};
	size_t i, j;

	(void)state;
	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		assert_true(numbers[i] >= 1 && numbers[i] <= LIVEUPDATE_STEP_MAX);
		for (j = 0; j < i; j++) {
			assert_int_not_equal(numbers[i], numbers[j]);
			assert_string_not_equal(names[i], names[j]);
		}
	}
}

static void structures_have_no_padding(void **state)
{
	(void)state;
	assert_int_equal(sizeof(struct liveupdate_record), 64);
	assert_int_equal(sizeof(struct liveupdate_ledger) % 8, 0);
	assert_int_equal(sizeof(struct liveupdate_ledger),
			 offsetof(struct liveupdate_ledger, drops) +
				 LIVEUPDATE_CLASS_COUNT * sizeof(struct liveupdate_drops));
	assert_int_equal(offsetof(struct liveupdate_ledger, release) + LIVEUPDATE_RELEASE_LENGTH,
			 LIVEUPDATE_LEDGER_SIZE_1);
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest abi[] = {
		cmocka_unit_test(the_abi_is_that_of_the_golden_file),
		cmocka_unit_test(steps_have_numbers_of_their_own),
		cmocka_unit_test(structures_have_no_padding),
	};

	if (argc > 1 && !strcmp(argv[1], "--print")) {
		print_abi(stdout);
		return 0;
	}
	return cmocka_run_group_tests(abi, NULL, NULL);
}
