// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The referee reads QEMU's trace in the forms that QEMU has given it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../lab/referee/event.h"

static void assert_event(const char *line, const char *event, int64_t when)
{
	int64_t got = 0;
	const char *found = event_of(line, &got);

	assert_non_null(found);
	assert_string_equal(found, event);
	assert_int_equal(got, when);
	assert_ptr_equal(event_of(line, NULL), found);
}

static void test_both_forms(void **state)
{
	(void)state;
	assert_event("1234@1764490796.001042:vtd_dmar_enable enable 1\n",
		     "vtd_dmar_enable enable 1\n", 1764490796001042);
	assert_event("2025-11-30T08:19:56.001042Z vtd_dmar_enable enable 1\n",
		     "vtd_dmar_enable enable 1\n", 1764490796001042);
	assert_event("2024-02-29T23:59:59.999999Z pci_cfg_write nvme 01:00.0 @0x10 <- 0x4\n",
		     "pci_cfg_write nvme 01:00.0 @0x10 <- 0x4\n", 1709251199999999);
}

static void test_no_event(void **state)
{
	static const char *const lines[] = {
		"",
		"\n",
		"qemu-system-x86_64: warning: vtd_dmar_enable enable 1\n",
		"1234@1764490796:vtd_dmar_enable enable 1\n",
		"1234@1764490796.001042 vtd_dmar_enable enable 1\n",
		"2025-11-30T08:19:56Z vtd_dmar_enable enable 1\n",
		"2025-11-30 08:19:56.001042 vtd_dmar_enable enable 1\n",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_null(event_of(lines[i], NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_forms),
		cmocka_unit_test(test_no_event),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
