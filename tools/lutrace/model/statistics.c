// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/statistics.h"

/* Additions that the exact distribution of a rank sum may cost. */
#define EXACT_WORK 20e6

/* log of n over k */
static double log_choose(size_t n, size_t k)
{
	return lgamma((double)n + 1) - lgamma((double)k + 1) - lgamma((double)(n - k) + 1);
}

/**
 * struct ranking - two samples in one order
 * @ranks:    of all values, each times two, so that the middle of equal ones is a
 *            whole number
 * @count:    number of @ranks
 * @small:    values of the smaller sample
 * @sum:      of the ranks of its values
 * @ties:     sum of t^3 - t over groups of t equal values
 */
struct ranking {
	unsigned int *ranks;
	size_t count;
	size_t small;
	double sum;
	double ties;
};

static int rank_values(struct ranking *ranking, const uint64_t *small, size_t small_count,
		       const uint64_t *large, size_t large_count)
{
	size_t i = 0, j = 0, at = 0, same_small, same, k;

	ranking->count = small_count + large_count;
	ranking->small = small_count;
	ranking->sum = ranking->ties = 0;
	ranking->ranks = calloc(ranking->count, sizeof(*ranking->ranks));
	if (!ranking->ranks)
		return -1;
	while (at < ranking->count) {
		uint64_t value = j == large_count || (i < small_count && small[i] < large[j])
					 ? small[i]
					 : large[j];

		for (same_small = 0; i < small_count && small[i] == value; i++)
			same_small++;
		for (same = same_small; j < large_count && large[j] == value; j++)
			same++;
		/* Ranks at + 1 to at + same, each in the middle of them. */
		for (k = 0; k < same; k++)
			ranking->ranks[at + k] = (unsigned int)(2 * at + same + 1);
		ranking->sum += (double)same_small * (double)(2 * at + same + 1);
		ranking->ties += (double)same * ((double)same * (double)same - 1);
		at += same;
	}
	return 0;
}

/*
 * The part of all ways to choose the smaller sample in which the sum of ranks is not
 * larger, or not smaller, than it is: whichever is less, times two. Returns a negative
 * number without memory.
 */
static double exact_rank_test(const struct ranking *ranking)
{
	size_t most = 0, width, i, k, sum;
	double below = 0, above = 0, all = 0, *ways;

	for (i = 0; i < ranking->small; i++)
		most += ranking->ranks[ranking->count - 1 - i];
	width = most + 1;
	ways = calloc((ranking->small + 1) * width, sizeof(*ways));
	if (!ways)
		return -1;
	ways[0] = 1;
	for (i = 0; i < ranking->count; i++) {
		unsigned int rank = ranking->ranks[i];

		for (k = i < ranking->small ? i + 1 : ranking->small; k; k--) {
			double *to = ways + k * width, *from = ways + (k - 1) * width;

			for (sum = most; sum >= rank; sum--)
				to[sum] += from[sum - rank];
		}
	}
	for (sum = 0; sum <= most; sum++) {
		double here = ways[ranking->small * width + sum];

		all += here;
		below += (double)sum <= ranking->sum ? here : 0;
		above += (double)sum >= ranking->sum ? here : 0;
	}
	free(ways);
	return 2 * fmin(below, above) / all;
}

/* The same from the normal distribution, corrected for ties and for continuity. */
static double normal_rank_test(const struct ranking *ranking)
{
	double all = (double)ranking->count, small = (double)ranking->small;
	double mean = small * (all + 1) / 2, off = fabs(ranking->sum / 2 - mean) - 0.5;
	double variance =
		small * (all - small) / 12 * (all + 1 - ranking->ties / (all * (all - 1)));

	if (variance <= 0 || off <= 0)
		return 1;
	return erfc(off / sqrt(2 * variance));
}

/**
 * rank_test - how often chance gives two samples that lie so far apart
 * @before:       one sample, sorted
 * @before_count: its size
 * @after:        the other, sorted
 * @after_count:  its size
 *
 * The two-sided test of Wilcoxon, Mann and Whitney. Its distribution is the exact one,
 * with equal values as they are, unless that would be too much work: both samples are
 * large then, or one is very large, and it is close to the normal one.
 *
 * Return: from 0 to 1; 1 if there is nothing to compare.
 */
double rank_test(const uint64_t *before, size_t before_count, const uint64_t *after,
		 size_t after_count)
{
	struct ranking ranking;
	double p = -1, all = (double)before_count + (double)after_count;
	double small = (double)(before_count < after_count ? before_count : after_count);

	if (!before_count || !after_count)
		return 1;
	if (before_count < after_count
		    ? rank_values(&ranking, before, before_count, after, after_count)
		    : rank_values(&ranking, after, after_count, before, before_count))
		return 1;
	if (all * small * small * (2 * all - small + 1) <= EXACT_WORK)
		p = exact_rank_test(&ranking);
	if (p < 0)
		p = normal_rank_test(&ranking);
	free(ranking.ranks);
	return p < 1 ? p : 1;
}

/* The least that rank_test() can give of so many values: all of one sample below the other. */
double rank_test_least(size_t before_count, size_t after_count)
{
	double p = before_count && after_count
			   ? 2 * exp(-log_choose(before_count + after_count, after_count))
			   : 1;

	return p < 1 ? p : 1;
}

/* How many values both samples need, so that a difference can be found at all. */
size_t rank_test_needed(double significance)
{
	size_t count = 1;

	/* Computed with logarithms: a bound that is just reached counts as reached. */
	while (count < 1000 && rank_test_least(count, count) > significance * (1 + 1e-9))
		count++;
	return count;
}

/**
 * exceedance_test - how often chance puts so much of a sample above a value of another
 * @before:       the other, sorted
 * @before_count: its size
 * @rank:         1 to @before_count: which of its values
 * @after:        the sample, sorted
 * @after_count:  its size
 *
 * Where values are equal the answer is too large, never too small.
 *
 * Return: twice the probability that so many or more of @after are larger than the
 * value number @rank of @before, if both are from one distribution; at most 1.
 */
double exceedance_test(const uint64_t *before, size_t before_count, size_t rank,
		       const uint64_t *after, size_t after_count)
{
	size_t larger = 0, above = before_count - rank, k;
	double p = 0;

	while (larger < after_count && after[after_count - 1 - larger] > before[rank - 1])
		larger++;
	/* Of all orders of both, those with k of after behind that value. */
	for (k = larger; k <= after_count; k++)
		p += exp(log_choose(above + k, k) +
			 log_choose(rank - 1 + after_count - k, after_count - k) -
			 log_choose(before_count + after_count, after_count));
	return 2 * p < 1 ? 2 * p : 1;
}

/**
 * median_bounds - two of the values between which the median is
 * @values:     sorted
 * @count:      how many
 * @confidence: how often that holds, at least
 * @low:        filled in
 * @high:       filled in
 *
 * Each value is below the median as often as above it, so how many are below follows
 * the binomial distribution.
 *
 * Return: false if there are too few values.
 */
bool median_bounds(const uint64_t *values, size_t count, double confidence, uint64_t *low,
		   uint64_t *high)
{
	double outside = 0, most = (1 - confidence) / 2;
	size_t rank;

	for (rank = 0; rank < count; rank++) {
		outside += exp(log_choose(count, rank) - (double)count * M_LN2);
		if (outside > most)
			break;
	}
	/* The median is below value number rank less often than the confidence allows. */
	if (!rank || 2 * rank > count)
		return false;
	*low = values[rank - 1];
	*high = values[count - rank];
	return true;
}

static int compare_p(const void *left, const void *right)
{
	double a = **(const double *const *)left, b = **(const double *const *)right;

	return a == b ? 0 : a < b ? -1 : 1;
}

/**
 * holm_correct - correct what single tests gave for their number
 * @p:     probabilities, each replaced by the corrected one; those below 0 are left alone
 *         and do not count
 * @count: how many
 *
 * By the method of Holm: the probability that any test finds a difference where there
 * is none is no larger than what they are held against. Without memory they are
 * corrected by that of Bonferroni, which never is less strict.
 */
void holm_correct(double *p, size_t count)
{
	double **order = calloc(count ?: 1, sizeof(*order)), least = 0;
	size_t i, tests = 0;

	for (i = 0; i < count; i++) {
		if (p[i] >= 0 && order)
			order[tests] = &p[i];
		tests += p[i] >= 0;
	}
	if (order)
		qsort(order, tests, sizeof(*order), compare_p);
	for (i = 0; order && i < tests; i++) {
		least = fmax(least, fmin(1, *order[i] * (double)(tests - i)));
		*order[i] = least;
	}
	for (i = 0; !order && i < count; i++) {
		if (p[i] >= 0)
			p[i] = fmin(1, p[i] * (double)tests);
	}
	free(order);
}
