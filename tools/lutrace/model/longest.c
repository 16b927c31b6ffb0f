// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <stdlib.h>

#include "model/longest.h"

static int compare_index(const void *left, const void *right)
{
	const struct long_step *a = left, *b = right;

	return a->index < b->index ? -1 : a->index > b->index;
}

/* The longest first; of those that are as long, the earlier. */
static int compare_length(const void *left, const void *right)
{
	const struct long_step *a = left, *b = right;

	if (a->ns != b->ns)
		return a->ns < b->ns ? 1 : -1;
	return compare_index(left, right);
}

/**
 * longest_steps - choose the longest
 * @steps: the steps, by index; afterwards begins with the chosen ones, by index
 * @count: number of @steps
 * @most:  choose no more than that
 *
 * Return: how many are chosen.
 */
size_t longest_steps(struct long_step *steps, size_t count, size_t most)
{
	if (count <= most)
		return count;
	qsort(steps, count, sizeof(*steps), compare_length);
	qsort(steps, most, sizeof(*steps), compare_index);
	return most;
}
