// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Kinds of step as text. */
#include <inttypes.h>
#include <stdio.h>

#include "show/output.h"
#include "show/report.h"

const struct column step_summary_columns[STEP_SUMMARY_COLUMNS] = {
	{ "step", "step", COLUMN_TEXT },	{ "count", "count", COLUMN_COUNT },
	{ "open", "open", COLUMN_COUNT },	{ "errors", "errors", COLUMN_COUNT },
	{ "objects", "objects", COLUMN_COUNT }, { "total_ns", "total", COLUMN_TIME },
	{ "mean_ns", "mean", COLUMN_TIME },	{ "max_ns", "max", COLUMN_TIME },
};

void print_step_summary(struct json_object *rows)
{
	output_table(rows, step_summary_columns, STEP_SUMMARY_COLUMNS, 0);
}

/* A bound of a histogram, as bpftrace writes it: 4096 is "4K". */
const char *bound_text(int64_t bound, char text[BOUND_TEXT_SIZE])
{
	static const char units[] = "\0KMGTPE";
	const char *unit = units;

	while (bound >= 1024 && bound % 1024 == 0) {
		bound /= 1024;
		unit++;
	}
	snprintf(text, BOUND_TEXT_SIZE, "%" PRId64 "%.1s", bound, unit);
	return text;
}
