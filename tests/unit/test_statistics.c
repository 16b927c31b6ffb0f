// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Tests of differences: what tables and small enumerations say. Larger samples are
 * compared with another implementation by tests/toolkit/lutrace-statistics.t.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "model/statistics.h"
/* It defines fail(), which is a function of lutrace. */
#include <cmocka.h>

#define COUNT(array)		     (sizeof(array) / sizeof((array)[0]))
#define assert_near(value, expected) assert_true(fabs((value) - (expected)) < 1e-9)

/* A rank test by going through all ways to choose @n of the values. */
static double enumerate(const uint64_t *before, size_t n, const uint64_t *after, size_t m)
{
	uint64_t all[16];
	double ranks[16], seen = 0, below = 0, above = 0, ways = 0;
	unsigned int chosen, i, j;

	memcpy(all, before, n * sizeof(*all));
	memcpy(all + n, after, m * sizeof(*all));
	for (i = 0; i < n + m; i++) {
		unsigned int less = 0, same = 0;

		for (j = 0; j < n + m; j++) {
			less += all[j] < all[i];
			same += all[j] == all[i];
		}
		ranks[i] = less + (same + 1) / 2.0;
		seen += i < n ? ranks[i] : 0;
	}
	for (chosen = 0; chosen < 1U << (n + m); chosen++) {
		double sum = 0;

		if ((size_t)__builtin_popcount(chosen) != n)
			continue;
		for (i = 0; i < n + m; i++)
			sum += chosen & 1U << i ? ranks[i] : 0;
		ways++;
		below += sum <= seen;
		above += sum >= seen;
	}
	return fmin(1, 2 * fmin(below, above) / ways);
}

static int compare(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return a == b ? 0 : a < b ? -1 : 1;
}

static void small_samples_have_the_exact_distribution(void **state)
{
	static const uint64_t low[] = { 1, 2, 3, 4 }, high[] = { 5, 6, 7, 8 };
	static const uint64_t mixed[] = { 2, 3, 5, 9, 11 }, other[] = { 4, 6, 10, 12, 13, 14 };

	(void)state;
	assert_near(rank_test(low, 4, high, 4), 2 / 70.0);
	assert_near(rank_test(high, 4, low, 4), 2 / 70.0);
	assert_near(rank_test(low, 1, high, 1), 1);
	assert_near(rank_test(low, 3, high, 3), 0.1);
	assert_near(rank_test(mixed, 5, other, 6), enumerate(mixed, 5, other, 6));
	assert_near(rank_test(low, 4, low, 4), 1);
	assert_near(rank_test(low, 0, high, 4), 1);
}

static void equal_values_count_as_they_are(void **state)
{
	uint64_t before[7], after[7];
	unsigned int seed = 4711, i, j;

	(void)state;
	for (i = 0; i < 40; i++) {
		size_t n = 1 + i % 7, m = 7 - i % 4;

		for (j = 0; j < 7; j++) {
			seed = seed * 1103515245 + 12345;
			before[j] = seed >> 16 & 3;
			seed = seed * 1103515245 + 12345;
			after[j] = (seed >> 16 & 3) + i % 3;
		}
		qsort(before, n, sizeof(*before), compare);
		qsort(after, m, sizeof(*after), compare);
		assert_near(rank_test(before, n, after, m), enumerate(before, n, after, m));
	}
}

static void all_equal_is_no_difference(void **state)
{
	uint64_t same[500];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(same); i++)
		same[i] = 7;
	assert_near(rank_test(same, 5, same, 5), 1);
	assert_near(rank_test(same, 500, same, 500), 1);
}

static void so_many_values_are_needed(void **state)
{
	(void)state;
	assert_int_equal(rank_test_needed(0.05), 4);
	assert_int_equal(rank_test_needed(0.05 / 10), 6);
	assert_int_equal(rank_test_needed(2 / 70.0), 4);
	assert_true(rank_test_least(3, 3) > 0.05);
	assert_true(rank_test_least(0, 9) == 1);
	/* One before is enough if there are many after. */
	assert_near(rank_test_least(1, 39), 0.05);
}

/* How many of m are above the value number r of n, over all orders of both. */
static double enumerate_exceedance(unsigned int n, unsigned int r, unsigned int m, unsigned int k)
{
	unsigned int order, i, counted = 0, ways = 0;

	for (order = 0; order < 1U << (n + m); order++) {
		unsigned int of_before = 0, above = 0;

		/* A bit is a value of after; the lowest bit is the smallest value. */
		if ((unsigned int)__builtin_popcount(order) != m)
			continue;
		for (i = 0; i < n + m; i++) {
			if (!(order & 1U << i))
				of_before++;
			else
				above += of_before >= r;
		}
		ways++;
		counted += above >= k;
	}
	return fmin(1, 2.0 * counted / ways);
}

static void exceedance_is_what_all_orders_give(void **state)
{
	static const uint64_t before[] = { 10, 20, 30, 40, 50, 60 };
	uint64_t after[5];
	unsigned int r, k, i;

	(void)state;
	for (r = 1; r <= 6; r++) {
		for (k = 0; k <= 5; k++) {
			for (i = 0; i < 5; i++)
				after[i] = i < 5 - k ? 1 : 100;
			assert_near(exceedance_test(before, 6, r, after, 5),
				    enumerate_exceedance(6, r, 5, k));
		}
	}
}

static void bounds_of_a_median(void **state)
{
	static const uint64_t values[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 };
	uint64_t low, high;

	(void)state;
	/* Tables: 6 values are the first that give 95 %; of 10 the second and the ninth. */
	assert_false(median_bounds(values, 5, 0.95, &low, &high));
	assert_true(median_bounds(values, 6, 0.95, &low, &high));
	assert_int_equal(low, 1);
	assert_int_equal(high, 6);
	assert_true(median_bounds(values, 10, 0.95, &low, &high));
	assert_int_equal(low, 2);
	assert_int_equal(high, 9);
	assert_false(median_bounds(values, 0, 0.95, &low, &high));
}

static void probabilities_are_corrected_for_their_number(void **state)
{
	double p[] = { 0.01, -1, 0.04, 0.03, 0.005 }, none[1] = { -1 }, one[1] = { 0.03 };

	(void)state;
	holm_correct(p, COUNT(p));
	assert_near(p[0], 0.03);
	assert_near(p[1], -1);
	assert_near(p[2], 0.06);
	assert_near(p[3], 0.06);
	assert_near(p[4], 0.02);
	holm_correct(none, 1);
	assert_near(none[0], -1);
	holm_correct(one, 1);
	assert_near(one[0], 0.03);
	holm_correct(one, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(small_samples_have_the_exact_distribution),
		cmocka_unit_test(equal_values_count_as_they_are),
		cmocka_unit_test(all_equal_is_no_difference),
		cmocka_unit_test(so_many_values_are_needed),
		cmocka_unit_test(exceedance_is_what_all_orders_give),
		cmocka_unit_test(bounds_of_a_median),
		cmocka_unit_test(probabilities_are_corrected_for_their_number),
	};

	return cmocka_run_group_tests_name("statistics", tests, NULL, NULL);
}
