/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Two sets of live updates, compared. */
#ifndef LUTRACE_MODEL_DIFF_H
#define LUTRACE_MODEL_DIFF_H

#include <stdbool.h>
#include <json-c/json.h>

#include "model/runs.h"

/* In the place of a release, where the kernels of a set differ. */
#define SEVERAL_KERNELS "several kernels"

/* Unless the user says otherwise: percent, and microseconds. */
#define LIMIT_PERCENT  10
#define MINIMUM_MICROS 100

/**
 * struct runs_comparison - what is compared, and how
 * @before:     one set
 * @after:      the other
 * @limit:      this many percent more are a regression
 * @minimum:    if they are so many nanoseconds, at least
 * @regression: there is one
 * @enough:     there are so many live updates that one of the blackout could be found
 */
struct runs_comparison {
	struct runs before;
	struct runs after;
	double limit;
	double minimum;
	bool regression;
	bool enough;
};

int diff_number(const char *text, double *number);
void diff_limits(struct runs_comparison *comparison, double percent, double micros);
struct json_object *diff_describe(const struct runs *runs);
struct json_object *diff_make(struct runs_comparison *comparison);

#endif /* LUTRACE_MODEL_DIFF_H */
