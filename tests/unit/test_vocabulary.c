// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Names and numbers, and how objects are written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include "show/output.h"
#include "model/vocabulary.h"
/* It defines fail(), which is a function of lutrace. */
#include <cmocka.h>

static void every_name_leads_back_to_its_number(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 1; i <= LIVEUPDATE_STEP_MAX + 5; i++)
		assert_int_equal(step_number(step_name(i)), i);
	for (i = 0; i <= LIVEUPDATE_KIND_MAX + 5; i++)
		assert_int_equal(kind_number(kind_name(i)), i);
	for (i = 0; i <= LIVEUPDATE_EDGE_INSTANT + 5; i++)
		assert_int_equal(edge_number(edge_name(i)), i);
}

static void what_is_no_name_has_no_number(void **state)
{
	(void)state;
	assert_int_equal(step_number(""), -1);
	assert_int_equal(step_number("lunch"), -1);
	assert_int_equal(step_number("step-"), -1);
	assert_int_equal(step_number("step-1x"), -1);
	assert_int_equal(step_number("step-70000"), -1);
	assert_int_equal(kind_number("step-1"), -1);
}

static void assert_object(int kind, __u64 object, const char *name, const char *expected)
{
	char text[NAME_TEXT_SIZE];

	assert_string_equal(object_text((unsigned int)kind, object, name, text), expected);
}

static void objects_are_written_as_people_do(void **state)
{
	(void)state;
	assert_object(LIVEUPDATE_KIND_NONE, 0, "", "");
	assert_object(LIVEUPDATE_KIND_DEVICE, LIVEUPDATE_DEVICE_ID(0, 0x0100, 0), "",
		      "0000:01:00.0");
	assert_object(LIVEUPDATE_KIND_DEVICE, LIVEUPDATE_DEVICE_ID(0xffff, 0xffff, 0xfffff), "",
		      "ffff:ff:1f.7 pasid 1048575");
	assert_object(LIVEUPDATE_KIND_IOMMU, 0xfed90000, "", "0xfed90000");
	assert_object(LIVEUPDATE_KIND_FILE, 3, "vfio-pci-v1", "3 (vfio-pci-v1)");
	assert_object(LIVEUPDATE_KIND_FILE, UINT64_MAX, "fifteen letters",
		      "18446744073709551615 (fifteen letters)");
	assert_object(LIVEUPDATE_KIND_SESSION, 0x1234, "workload", "workload");
	assert_object(LIVEUPDATE_KIND_SESSION, 0x1234, "", "0x1234");
	assert_object(200, 7, "", "0x7");
}

static void times_are_written_in_a_unit_that_fits(void **state)
{
	static const struct {
		int64_t ns;
		const char *text;
	} times[] = {
		{ 0, "0 ns" },
		{ 999, "999 ns" },
		{ 1000, "1.000 us" },
		{ 1234567, "1.235 ms" },
		{ 1234567890, "1.235 s" },
		{ -1500000, "-1.500 ms" },
		{ INT64_MAX, "9223372036.855 s" },
		{ INT64_MIN, "-9223372036.855 s" },
	};
	char text[TIME_TEXT_SIZE];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(times) / sizeof(times[0]); i++)
		assert_string_equal(time_text(times[i].ns, text), times[i].text);
}

static void errors_are_written_by_name(void **state)
{
	(void)state;
	assert_string_equal(error_text(0), "");
	assert_string_equal(error_text(-16), "EBUSY");
	assert_string_equal(error_text(-4000), "-4000");
}

int main(void)
{
	static const struct CMUnitTest vocabulary[] = {
		cmocka_unit_test(every_name_leads_back_to_its_number),
		cmocka_unit_test(what_is_no_name_has_no_number),
		cmocka_unit_test(objects_are_written_as_people_do),
		cmocka_unit_test(times_are_written_in_a_unit_that_fits),
		cmocka_unit_test(errors_are_written_by_name),
	};

	return cmocka_run_group_tests(vocabulary, NULL, NULL);
}
