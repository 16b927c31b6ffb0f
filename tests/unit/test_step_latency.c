// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The histogram of the BPF program step_latency. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <linux/types.h>
#include <cmocka.h>

#include "step_latency.h"

static void slots_follow_each_other_without_a_gap(void **state)
{
	uint32_t slot;

	(void)state;
	for (slot = 0; slot < LATENCY_SLOTS; slot++) {
		uint64_t first = latency_slot_ns(slot);

		assert_int_equal(latency_slot(first), slot);
		if (slot)
			assert_int_equal(latency_slot(first - 1), slot - 1);
	}
}

static void slot_is_at_most_a_quarter_wide(void **state)
{
	uint32_t slot;

	(void)state;
	for (slot = 4; slot + 1 < LATENCY_SLOTS; slot++) {
		uint64_t first = latency_slot_ns(slot);
		uint64_t width = latency_slot_ns(slot + 1) - first;

		assert_true(width * 4 <= first);
	}
}

static void last_slot_takes_whatever_is_longer(void **state)
{
	(void)state;
	assert_int_equal(latency_slot(UINT64_MAX), LATENCY_SLOTS - 1);
	assert_int_equal(latency_slot(1ULL << 41), LATENCY_SLOTS - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slots_follow_each_other_without_a_gap),
		cmocka_unit_test(slot_is_at_most_a_quarter_wide),
		cmocka_unit_test(last_slot_takes_whatever_is_longer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
