// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * lutrace diff: did the pause, a phase of it, or a step become slower?
 *
 * Compared are the median and, where a hundred values make it one, the 99th
 * percentile. Phases are compared only if all runs have the same ones, because
 * the time of a phase that did not occur is in the phase before it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/diff.h"
#include "main.h"
#include "model/vocabulary.h"

#define MICROSECOND	1000.0
#define SEVERAL_KERNELS "several kernels"

static bool is_worse(const struct comparison *comparison, struct json_object *before,
		     struct json_object *after, const char *name)
{
	double was = json_object_get_double(member(before, name));
	double now = json_object_get_double(member(after, name));

	return member(before, name) && member(after, name) &&
	       now > was * (1 + comparison->limit / 100) && now - was >= comparison->minimum;
}

/* One row; it is judged only if the two can be compared. */
static struct json_object *compare_values(struct comparison *comparison, const char *name,
					  const struct values *before, const struct values *after,
					  bool comparable)
{
	struct json_object *row = json_object_new_object();
	struct json_object *was = values_json(before), *now = values_json(after);
	double was_ns = json_object_get_double(member(was, "p50_ns"));
	bool worse;

	comparable = comparable && before->count && after->count;
	worse = comparable && (is_worse(comparison, was, now, "p50_ns") ||
			       is_worse(comparison, was, now, "p99_ns"));
	comparison->regression |= worse;
	add_text(row, "name", name);
	json_object_object_add(row, "before", was);
	json_object_object_add(row, "after", now);
	json_object_object_add(
		row, "ratio",
		comparable && was_ns > 0
			? json_object_new_double(json_object_get_double(member(now, "p50_ns")) /
						 was_ns)
			: NULL);
	json_object_object_add(row, "regression",
			       comparable ? json_object_new_boolean(worse) : NULL);
	return row;
}

static struct json_object *compare_phases(struct comparison *comparison, bool comparable)
{
	const struct runs *before = &comparison->before, *after = &comparison->after;
	struct json_object *rows = json_object_new_array();
	bool same = before->same == before->any && after->same == after->any &&
		    before->same == after->same;
	unsigned int i;

	json_object_array_add(rows, compare_values(comparison, "blackout", &before->blackout,
						   &after->blackout, comparable));
	for (i = 0; i < LIVEUPDATE_PHASE_COUNT; i++) {
		if ((before->any | after->any) & 1U << i)
			json_object_array_add(
				rows, compare_values(comparison, phase_name(i), &before->phases[i],
						     &after->phases[i], comparable && same));
	}
	return rows;
}

static struct json_object *compare_steps(struct comparison *comparison)
{
	struct json_object *rows = json_object_new_array();
	unsigned int i;

	for (i = 0; i < RUNS_STEPS; i++) {
		const struct values *before = &comparison->before.steps[i];
		const struct values *after = &comparison->after.steps[i];

		if (before->count || after->count)
			json_object_array_add(rows, compare_values(comparison, step_name(i), before,
								   after, true));
	}
	return rows;
}

/* What a set is of: how many updates, of which kernels. */
struct json_object *diff_describe(const struct runs *runs)
{
	struct json_object *value = json_object_new_object();
	int side;

	add_number(value, "runs", (int64_t)runs->count);
	add_number(value, "unknown", (int64_t)(runs->count - runs->known));
	for (side = 0; side < SIDES; side++)
		add_text(value, side_name(side),
			 runs->mixed		? SEVERAL_KERNELS
			 : *runs->release[side] ? runs->release[side]
						: NULL);
	return value;
}

/* Do all known blackouts begin and end with the same kind of thing? */
static bool same_bounds(const struct runs *before, const struct runs *after)
{
	size_t known = before->known + after->known;
	size_t from = before->from_mark + after->from_mark, to = before->to_mark + after->to_mark;

	return (!from || from == known) && (!to || to == known);
}

/* Why the pauses cannot be compared; NULL if they can. */
static const char *incomparable(const struct comparison *comparison)
{
	if (!comparison->before.known)
		return "no blackout is known of those before";
	if (!comparison->after.known)
		return "no blackout is known of those after";
	if (!same_bounds(&comparison->before, &comparison->after))
		return "some blackouts are counted between marks, others are not";
	return NULL;
}

/**
 * diff_make - compare
 * @comparison: both sets, sorted here, and the limits; whether there is a
 *              regression is filled in
 *
 * Return: the answer of 'lutrace diff'; its member "incomparable" says why the
 * blackouts cannot be compared, null if they can.
 */
struct json_object *diff_make(struct comparison *comparison)
{
	const struct runs *before = &comparison->before, *after = &comparison->after;
	struct json_object *value = json_object_new_object();
	const char *why = incomparable(comparison);

	runs_sort(&comparison->before);
	runs_sort(&comparison->after);
	json_object_object_add(value, "before", diff_describe(before));
	json_object_object_add(value, "after", diff_describe(after));
	add_text(value, "incomparable", why);
	json_object_object_add(value, "limit_percent", json_object_new_double(comparison->limit));
	json_object_object_add(value, "phases", compare_phases(comparison, !why));
	json_object_object_add(value, "steps", compare_steps(comparison));
	/* More updates that did not come to an end are worse than slow ones. */
	if ((after->count - after->known) * before->count >
	    (before->count - before->known) * after->count)
		comparison->regression = true;
	json_object_object_add(value, "regression",
			       json_object_new_boolean(comparison->regression));
	return value;
}

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

/* A limit as the user wrote it. Returns EXIT_GOOD, or EXIT_BAD after a message. */
int diff_number(const char *text, double *number)
{
	char *end;

	*number = strtod(text, &end);
	if (*end || end == text || !(*number >= 0 && *number < 1e12))
		return fail("'%s' is no number", text);
	return EXIT_GOOD;
}

void diff_limits(struct comparison *comparison, double percent, double micros)
{
	comparison->limit = percent;
	comparison->minimum = micros * MICROSECOND;
}

static int compare_sets(struct comparison *comparison)
{
	struct json_object *value;
	bool comparable;
	int code;

	value = diff_make(comparison);
	comparable = !member(value, "incomparable");
	code = output(value, diff_print);
	if (code)
		return code;
	if (comparison->regression)
		return EXIT_BAD;
	return comparable ? EXIT_GOOD : EXIT_UNKNOWN;
}

int do_diff(int argc, char **argv)
{
	static const struct option options[] = { { "before", required_argument, NULL, 'b' },
						 { "after", required_argument, NULL, 'a' },
						 { "limit", required_argument, NULL, 'l' },
						 { "minimum", required_argument, NULL, 'm' },
						 { 0 } };
	double limit = LIMIT_PERCENT, minimum = MINIMUM_MICROS;
	struct comparison *comparison = calloc(1, sizeof(*comparison));
	int letter, code = EXIT_GOOD;

	if (!comparison)
		return fail("out of memory");
	while (!code && (letter = next_option(argc, argv, "b:a:l:m:", options)) != -1) {
		switch (letter) {
		case 'b':
			code = runs_read(&comparison->before, optarg);
			break;
		case 'a':
			code = runs_read(&comparison->after, optarg);
			break;
		case 'l':
			code = diff_number(optarg, &limit);
			break;
		case 'm':
			code = diff_number(optarg, &minimum);
			break;
		}
	}
	if (!code && optind < argc && !comparison->before.count)
		code = runs_read(&comparison->before, argv[optind++]);
	if (!code && optind < argc && !comparison->after.count)
		code = runs_read(&comparison->after, argv[optind++]);
	if (!code && optind < argc)
		code = fail("'%s' is one argument too many; try --help", argv[optind]);
	if (!code && (!comparison->before.count || !comparison->after.count))
		code = fail("name what was before and what is after; try --help");
	if (!code) {
		diff_limits(comparison, limit, minimum);
		code = compare_sets(comparison);
	}
	runs_free(&comparison->before);
	runs_free(&comparison->after);
	free(comparison);
	return code;
}
