/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Is a difference between two samples one, or may chance be why?
 *
 * Nothing here assumes how times are distributed. Values are sorted; a sample is what
 * independent measurements gave, one value each.
 */
#ifndef LUTRACE_STATISTICS_H
#define LUTRACE_STATISTICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What chance alone would bring about less often than that is taken for a difference. */
#define SIGNIFICANCE 0.05

/* How often an interval has the true value in it, at least. */
#define CONFIDENCE 0.95

double rank_test(const uint64_t *before, size_t before_count, const uint64_t *after,
		 size_t after_count);
double rank_test_least(size_t before_count, size_t after_count);
size_t rank_test_needed(double significance);
double exceedance_test(const uint64_t *before, size_t before_count, size_t rank,
		       const uint64_t *after, size_t after_count);
bool median_bounds(const uint64_t *values, size_t count, double confidence, uint64_t *low,
		   uint64_t *high);
void holm_correct(double *p, size_t count);

#endif /* LUTRACE_STATISTICS_H */
