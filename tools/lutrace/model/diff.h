/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Two sets of live updates, compared. */
#ifndef LUTRACE_DIFF_H
#define LUTRACE_DIFF_H

#include <stdbool.h>
#include <json-c/json.h>

#include "model/runs.h"

/* Unless the user says otherwise: percent, and microseconds. */
#define LIMIT_PERCENT  10
#define MINIMUM_MICROS 100

/**
 * struct comparison - what is compared, and how
 * @before:     one set
 * @after:      the other
 * @limit:      this many percent more are a regression
 * @minimum:    if they are so many nanoseconds, at least
 * @regression: there is one
 */
struct comparison {
	struct runs before;
	struct runs after;
	double limit;
	double minimum;
	bool regression;
};

int diff_number(const char *text, double *number);
void diff_limits(struct comparison *comparison, double percent, double micros);
struct json_object *diff_describe(const struct runs *runs);
struct json_object *diff_make(struct comparison *comparison);
void diff_print_set(struct json_object *value, const char *name);
void diff_print(struct json_object *value);

#endif /* LUTRACE_DIFF_H */
