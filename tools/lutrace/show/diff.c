// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "model/diff.h"
#include "show/diff.h"
#include "show/output.h"

void diff_print_set(struct json_object *value, const char *name)
{
	struct json_object *set = member(value, name);
	int64_t runs = member_number(set, "runs"), without = member_number(set, "unknown");

	printf("%-7s %" PRId64 " run%s, ", name, runs, runs == 1 ? "" : "s");
	if (!strcmp(member_text(set, "outgoing"), SEVERAL_KERNELS))
		printf("of %s", SEVERAL_KERNELS);
	else
		printf("Linux %s to %s",
		       member(set, "outgoing") ? member_text(set, "outgoing") : "?",
		       member(set, "incoming") ? member_text(set, "incoming") : "?");
	if (without)
		printf("; the blackout of %" PRId64 " is unknown", without);
	putchar('\n');
}

static void flatten(struct json_object *from, struct json_object *to, const char *suffix)
{
	static const char *const names[] = { "p50_ns", "p99_ns", "max_ns" };
	char name[32];
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(name, sizeof(name), "%s_%s", names[i], suffix);
		json_object_object_add(to, name, json_object_get(member(from, names[i])));
	}
}

static const char *verdict(struct json_object *row, double limit)
{
	double ratio = json_object_get_double(member(row, "ratio"));

	if (json_object_get_boolean(member(row, "regression")))
		return "SLOWER";
	if (!member_number(member(row, "before"), "count"))
		return "new";
	if (!member_number(member(row, "after"), "count"))
		return "gone";
	if (member(row, "ratio") && ratio < 1 - limit / 100)
		return "faster";
	return "";
}

/* Returns whether there is a 99th percentile in it. */
static bool print_rows(struct json_object *value, const char *name, const char *title)
{
	const struct column columns[] = {
		{ "name", title, COLUMN_TEXT },
		{ "p50_ns_before", "p50 before", COLUMN_TIME },
		{ "p50_ns_after", "after", COLUMN_TIME },
		{ "ratio", "ratio", COLUMN_TEXT },
		{ "verdict", "", COLUMN_TEXT },
		{ "max_ns_before", "max before", COLUMN_TIME },
		{ "max_ns_after", "after", COLUMN_TIME },
		{ "p99_ns_before", "p99 before", COLUMN_TIME },
		{ "p99_ns_after", "after", COLUMN_TIME },
	};
	double limit = json_object_get_double(member(value, "limit_percent"));
	struct json_object *rows = member(value, name), *flat = json_object_new_array();
	size_t i, count = sizeof(columns) / sizeof(columns[0]);
	bool p99 = false;
	char text[32];

	for (i = 0; i < json_object_array_length(rows); i++) {
		struct json_object *row = json_object_array_get_idx(rows, i);
		struct json_object *line = json_object_new_object();

		add_text(line, "name", member_text(row, "name"));
		flatten(member(row, "before"), line, "before");
		flatten(member(row, "after"), line, "after");
		snprintf(text, sizeof(text), "%.2f", json_object_get_double(member(row, "ratio")));
		add_text(line, "ratio", member(row, "ratio") ? text : NULL);
		add_text(line, "verdict", verdict(row, limit));
		p99 = p99 || member(line, "p99_ns_before") || member(line, "p99_ns_after");
		json_object_array_add(flat, line);
	}
	output_table(flat, columns, p99 ? count : count - 2, 0);
	json_object_put(flat);
	return p99;
}

void diff_print(struct json_object *value)
{
	struct json_object *phases = member(value, "phases");
	int64_t before = member_number(member(value, "before"), "runs");
	int64_t after = member_number(member(value, "after"), "runs");
	size_t count = json_object_array_length(phases);
	bool p99;

	diff_print_set(value, "before");
	diff_print_set(value, "after");
	putchar('\n');
	p99 = print_rows(value, "phases", "phase");
	if (!p99)
		printf("\nNot enough runs for a 99th percentile of the phases: %" PRId64
		       " and %" PRId64 ", where %d are needed.\n",
		       before, after, P99_VALUES);
	if (member(value, "incomparable"))
		printf("\nThe blackouts cannot be compared: %s.\n",
		       member_text(value, "incomparable"));
	else if (count > 1 && !member(json_object_array_get_idx(phases, 1), "regression"))
		printf("\nThe phases cannot be compared: not all runs have the same ones.\n");
	putchar('\n');
	print_rows(value, "steps", "step");
	printf("\n%s\n", json_object_get_boolean(member(value, "regression"))
				 ? "Slower than before."
			 : member(value, "incomparable") ? "No step is slower than before."
							 : "Nothing is slower than before.");
}
