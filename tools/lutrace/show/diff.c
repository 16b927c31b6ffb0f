// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "model/diff.h"
#include "show/diff.h"
#include "show/output.h"

/**
 * struct shown_workload - one of many
 * @index:  among all
 * @weight: the largest are shown
 */
struct shown_workload {
	size_t index;
	double weight;
};

void diff_print_set(struct json_object *value, const char *name)
{
	struct json_object *set = member(value, name);
	int64_t runs = member_number(set, "runs"), without = member_number(set, "unknown");
	int64_t copies = member_number(set, "copies"),
		unreadable = member_number(set, "unreadable");

	printf("%-7s %" PRId64 " run%s, ", name, runs, runs == 1 ? "" : "s");
	if (!strcmp(member_text(set, "outgoing"), SEVERAL_KERNELS))
		printf("of %s", SEVERAL_KERNELS);
	else
		printf("Linux %s to %s",
		       member(set, "outgoing") ? member_text(set, "outgoing") : "?",
		       member(set, "incoming") ? member_text(set, "incoming") : "?");
	if (without)
		printf("; the blackout of %" PRId64 " is unknown", without);
	if (copies)
		printf("; %" PRId64 " more %s of the same live updates", copies,
		       copies == 1 ? "recording is" : "recordings are");
	if (unreadable)
		printf("; %" PRId64 " file%s cannot be read", unreadable,
		       unreadable == 1 ? "" : "s");
	putchar('\n');
}

/* Which of many workloads are printed: the longest, or those that changed. */
#define MOST_WORKLOADS 20

/* Larger first; names keep their order. */
static int compare_shown(const void *left, const void *right)
{
	const struct shown_workload *a = left, *b = right;

	if (a->weight != b->weight)
		return a->weight > b->weight ? -1 : 1;
	return a->index == b->index ? 0 : a->index < b->index ? -1 : 1;
}

static int compare_index(const void *left, const void *right)
{
	const struct shown_workload *a = left, *b = right;

	return a->index == b->index ? 0 : a->index < b->index ? -1 : 1;
}

/* Returns a new array; *@left is how many are not in it. */
static struct json_object *choose_workloads(struct json_object *rows,
					    double (*weigh)(struct json_object *row), size_t *left)
{
	size_t i, count = json_object_array_length(rows);
	struct shown_workload *shown = calloc(count ?: 1, sizeof(*shown));
	struct json_object *chosen = json_object_new_array();

	for (i = 0; shown && i < count; i++)
		shown[i] = (struct shown_workload){
			.index = i, .weight = weigh(json_object_array_get_idx(rows, i))
		};
	*left = 0;
	if (shown && count > MOST_WORKLOADS) {
		qsort(shown, count, sizeof(*shown), compare_shown);
		*left = count - MOST_WORKLOADS;
		count = MOST_WORKLOADS;
		qsort(shown, count, sizeof(*shown), compare_index);
	}
	for (i = 0; shown && i < count; i++)
		json_object_array_add(
			chosen, json_object_get(json_object_array_get_idx(rows, shown[i].index)));
	free(shown);
	return chosen;
}

static void print_left(size_t left, const char *what)
{
	if (left)
		printf("  (%zu more, %s; -j lists all)\n", left, what);
}

static double weigh_pause(struct json_object *row)
{
	return (double)member_number(row, "p50_ns");
}

/* The pauses of the workloads of one set; nothing if none has a name. */
void diff_print_workloads(struct json_object *rows)
{
	static const struct column columns[] = {
		{ "name", "workload", COLUMN_TEXT },	{ "count", "count", COLUMN_COUNT },
		{ "p50_ns", "p50", COLUMN_TIME },	{ "p90_ns", "p90", COLUMN_TIME },
		{ "p99_ns", "p99", COLUMN_TIME },	{ "max_ns", "max", COLUMN_TIME },
		{ "unknown", "unknown", COLUMN_COUNT },
	};
	struct json_object *chosen;
	size_t left;

	if (!json_object_array_length(rows))
		return;
	chosen = choose_workloads(rows, weigh_pause, &left);
	putchar('\n');
	output_table(chosen, columns, sizeof(columns) / sizeof(columns[0]), 0);
	print_left(left, "with shorter pauses");
	json_object_put(chosen);
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

/* In capitals what the exit status says; with a question mark what may be chance. */
static const char *verdict(struct json_object *row)
{
	static const struct {
		const char *change, *text;
	} texts[] = { { "slower", "SLOWER" }, { "perhaps-slower", "slower?" },
		      { "faster", "faster" }, { "perhaps-faster", "faster?" },
		      { "new", "new" },	      { "gone", "gone" } };
	const char *change = member_text(row, "change");
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (!strcmp(change, texts[i].change))
			return texts[i].text;
	}
	return "";
}

/* Those whose verdict is worst, and of the others those that grew most. */
static double weigh_change(struct json_object *row)
{
	const char *text = verdict(row);

	return json_object_get_double(member(row, "ratio")) + (!strcmp(text, "SLOWER")	  ? 3e9
							       : !strcmp(text, "slower?") ? 2e9
							       : *text			  ? 1e9
											  : 0);
}

static void add_figure(struct json_object *line, const char *name, const char *format,
		       struct json_object *number)
{
	char text[32];

	snprintf(text, sizeof(text), format, json_object_get_double(number));
	add_text(line, name, number ? text : NULL);
}

static void add_interval(struct json_object *line, struct json_object *row)
{
	struct json_object *low = member(row, "ratio_low"), *high = member(row, "ratio_high");
	char text[64];

	snprintf(text, sizeof(text), "%.3f to %.3f", json_object_get_double(low),
		 json_object_get_double(high));
	add_text(line, "interval", low && high ? text : NULL);
}

/* Of both tests the one that finds more. */
static void add_p(struct json_object *line, struct json_object *row)
{
	struct json_object *middle = member(row, "p50_p"), *tail = member(row, "p99_p");
	struct json_object *less = middle;

	if (tail && json_object_get_double(tail) < json_object_get_double(middle))
		less = tail;
	if (less && json_object_get_double(less) < 0.001)
		add_text(line, "p", "<0.001");
	else
		add_figure(line, "p", "%.3f", less);
}

static struct json_object *make_lines(struct json_object *rows)
{
	struct json_object *lines = json_object_new_array();
	size_t i;

	for (i = 0; i < json_object_array_length(rows); i++) {
		struct json_object *row = json_object_array_get_idx(rows, i);
		struct json_object *line = json_object_new_object();

		add_text(line, "name", member_text(row, "name"));
		flatten(member(row, "before"), line, "before");
		flatten(member(row, "after"), line, "after");
		add_figure(line, "ratio", "%.3f", member(row, "ratio"));
		add_interval(line, row);
		add_p(line, row);
		add_text(line, "verdict", verdict(row));
		json_object_array_add(lines, line);
	}
	return lines;
}

static bool any_has(struct json_object *lines, const char *name)
{
	size_t i;

	for (i = 0; i < json_object_array_length(lines); i++) {
		if (member(json_object_array_get_idx(lines, i), name))
			return true;
	}
	return false;
}

/* A column that has nothing is left out. Returns whether there is a 99th percentile in it. */
static bool print_rows(struct json_object *rows, const char *title)
{
	const struct {
		struct column column;
		const char *needs;
	} all[] = {
		{ { "name", title, COLUMN_TEXT }, "name" },
		{ { "p50_ns_before", "p50 before", COLUMN_TIME }, "name" },
		{ { "p50_ns_after", "after", COLUMN_TIME }, "name" },
		{ { "ratio", "ratio", COLUMN_TEXT }, "name" },
		{ { "interval", "95 % between", COLUMN_TEXT }, "interval" },
		{ { "p", "p", COLUMN_TEXT }, "p" },
		{ { "verdict", "", COLUMN_TEXT }, "name" },
		{ { "max_ns_before", "max before", COLUMN_TIME }, "name" },
		{ { "max_ns_after", "after", COLUMN_TIME }, "name" },
		{ { "p99_ns_before", "p99 before", COLUMN_TIME }, "p99_ns_before" },
		{ { "p99_ns_after", "after", COLUMN_TIME }, "p99_ns_after" },
	};
	struct column columns[sizeof(all) / sizeof(all[0])];
	struct json_object *lines = make_lines(rows);
	size_t i, count = 0;
	bool p99 = any_has(lines, "p99_ns_before") || any_has(lines, "p99_ns_after");

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (any_has(lines, all[i].needs) || (p99 && strstr(all[i].needs, "p99")))
			columns[count++] = all[i].column;
	}
	output_table(lines, columns, count, 0);
	json_object_put(lines);
	return p99;
}

static void print_workloads(struct json_object *value)
{
	struct json_object *rows = member(value, "workloads"), *chosen;
	size_t left;

	if (!json_object_array_length(rows))
		return;
	chosen = choose_workloads(rows, weigh_change, &left);
	putchar('\n');
	print_rows(chosen, "workload");
	print_left(left, "which changed less");
	json_object_put(chosen);
}

static bool any_is(struct json_object *value, const char *table, const char *text)
{
	struct json_object *rows = member(value, table);
	size_t i;

	for (i = 0; i < json_object_array_length(rows); i++) {
		if (!strcmp(verdict(json_object_array_get_idx(rows, i)), text))
			return true;
	}
	return false;
}

static bool any_may_be(struct json_object *value)
{
	static const char *const tables[] = { "phases", "workloads", "steps" };
	size_t i;

	for (i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		if (any_is(value, tables[i], "slower?") || any_is(value, tables[i], "faster?"))
			return true;
	}
	return false;
}

/* What the column p is, and how much can be said. */
static void print_statistics(struct json_object *value)
{
	struct json_object *statistics = member(value, "statistics");
	struct json_object *tests = member(statistics, "tests");
	int64_t needed = member_number(statistics, "needed");
	int64_t for_all = member_number(statistics, "needed_for_all");
	bool enough = json_object_get_boolean(member(statistics, "enough"));

	if (enough)
		printf("\np is how often chance alone gives such a difference (rank test), corrected for\n"
		       "the number of tests (Holm): %" PRId64 " of the blackout, %" PRId64
		       " of phases, %" PRId64 " of workloads, %" PRId64 " of steps.\n",
		       member_number(tests, "blackout"), member_number(tests, "phases"),
		       member_number(tests, "workloads"), member_number(tests, "steps"));
	if (enough && any_may_be(value))
		printf("\"?\" is more than the limit, but may be chance: p is above %.2f.\n",
		       json_object_get_double(member(statistics, "significance")));
	if (enough && any_may_be(value) && for_all > needed)
		printf("To find all that there is, %" PRId64 " live updates of each are needed.\n",
		       for_all);
	if (!enough && !member(value, "incomparable"))
		printf("\nThese are too few live updates to tell a difference from chance: at least %" PRId64
		       "\nbefore and %" PRId64 " after are needed, and %" PRId64
		       " for all that is compared here.\n",
		       needed, needed, for_all);
}

static const char *conclusion(struct json_object *value)
{
	if (json_object_get_boolean(member(value, "regression")))
		return "Slower than before.";
	if (member(value, "incomparable"))
		return "No step is slower than before.";
	if (!json_object_get_boolean(member(member(value, "statistics"), "enough")))
		return "Whether anything is slower than before cannot be said.";
	return "Nothing is slower than before.";
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
	p99 = print_rows(phases, "phase");
	if (!p99)
		printf("\nNot enough runs for a 99th percentile of the phases: %" PRId64
		       " and %" PRId64 ", where %d are needed.\n",
		       before, after, P99_VALUES);
	if (member(value, "incomparable"))
		printf("\nThe blackouts cannot be compared: %s.\n",
		       member_text(value, "incomparable"));
	else if (count > 1 && !member(json_object_array_get_idx(phases, 1), "change"))
		printf("\nThe phases cannot be compared: not all runs have the same ones.\n");
	print_workloads(value);
	putchar('\n');
	print_rows(member(value, "steps"), "step");
	print_statistics(value);
	printf("\n%s\n", conclusion(value));
}
