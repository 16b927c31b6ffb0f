// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Compared are the median and, where a hundred values make it one, the 99th
 * percentile. Phases are compared only if all runs have the same ones, because
 * the time of a phase that did not occur is in the phase before it.
 *
 * A difference has to be larger than the limit, and larger than what chance gives: a
 * rank test of the medians, with one value for each live update, since what is
 * measured twice in one is not independent. What cannot pass the limit, whichever
 * live updates were before and which after, is not tested; the others of a table are
 * corrected for their number. The blackout is a table of its own.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "base/json.h"
#include "base/say.h"
#include "model/diff.h"
#include "model/statistics.h"
#include "model/vocabulary.h"

#define MICROSECOND 1000.0

/* What is tested of a row. */
enum { MIDDLE, TAIL, TESTS };

/**
 * struct compared_side - one side of a row
 * @values: all that were measured
 * @middle: one for each live update
 * @tail:   the longest of each live update
 */
struct compared_side {
	const struct values *values, *middle, *tail;
};

/**
 * struct compared_row - what is compared with itself
 * @name:       of it
 * @comparable: the two can be compared
 * @before:     one side
 * @after:      the other
 * @p:          [test]: how often chance gives such a difference; -1 if it was not tested
 */
struct compared_row {
	const char *name;
	bool comparable;
	struct compared_side before, after;
	double p[TESTS];
};

static const struct values no_values;

/* More than the limit, and than the minimum. */
static bool is_more(const struct runs_comparison *comparison, double more, double less)
{
	return more > less * (1 + comparison->limit / 100) && more - less >= comparison->minimum;
}

static bool percentile_is_more(const struct runs_comparison *comparison, const struct values *more,
			       const struct values *less, unsigned int percent)
{
	uint64_t more_ns, less_ns;

	return values_percentile(more, percent, &more_ns) &&
	       values_percentile(less, percent, &less_ns) &&
	       is_more(comparison, (double)more_ns, (double)less_ns);
}

/* Could it be a difference, if other live updates had been before and after? */
static bool is_tested(const struct runs_comparison *comparison, const struct compared_row *row)
{
	const struct values *before = row->before.values, *after = row->after.values;
	uint64_t least, most;

	if (!row->comparable || !before->count || !after->count)
		return false;
	least = before->ns[0] < after->ns[0] ? before->ns[0] : after->ns[0];
	most = before->ns[before->count - 1];
	if (after->ns[after->count - 1] > most)
		most = after->ns[after->count - 1];
	return is_more(comparison, (double)most, (double)least);
}

/* Where all are the same there is nothing to test. */
static double test_values(const struct values *before, const struct values *after)
{
	uint64_t one = before->ns[0];

	if (before->ns[before->count - 1] == one && after->ns[0] == one &&
	    after->ns[after->count - 1] == one)
		return -1;
	return rank_test(before->ns, before->count, after->ns, after->count);
}

/* Of the longest there is a rank test, too, unless they are the values themselves. */
static double test_tail(const struct compared_side *before, const struct compared_side *after)
{
	const struct values *was = before->values, *now = after->values;

	if (was->count < P99_VALUES || now->count < P99_VALUES)
		return -1;
	if (before->middle != was || after->middle != now)
		return test_values(before->tail, after->tail);
	return exceedance_test(was->ns, was->count, (was->count * 99 + 99) / 100, now->ns,
			       now->count);
}

/* Test the rows of a table; returns how many tests that were. */
static size_t test_rows(const struct runs_comparison *comparison, struct compared_row *rows,
			size_t count)
{
	double *p = calloc(count * TESTS ?: 1, sizeof(*p));
	size_t i, tests = 0;

	for (i = 0; i < count; i++) {
		struct compared_row *row = &rows[i];
		bool tested = is_tested(comparison, row);

		row->p[MIDDLE] = tested ? test_values(row->before.middle, row->after.middle) : -1;
		row->p[TAIL] = tested ? test_tail(&row->before, &row->after) : -1;
		tests += (row->p[MIDDLE] >= 0) + (row->p[TAIL] >= 0);
		if (p)
			memcpy(p + i * TESTS, row->p, sizeof(row->p));
	}
	if (p)
		holm_correct(p, count * TESTS);
	for (i = 0; i < count * TESTS; i++) {
		double one = rows[i / TESTS].p[i % TESTS];

		/* Without memory, by their number. */
		rows[i / TESTS].p[i % TESTS] = p ? p[i] : one < 0 ? -1 : one * (double)tests;
	}
	free(p);
	return tests;
}

static bool is_significant(double p)
{
	return p >= 0 && p <= SIGNIFICANCE;
}

/* One of the words of docs/schema/common.json; NULL if the two cannot be compared. */
static const char *change(const struct runs_comparison *comparison, const struct compared_row *row)
{
	const struct values *was = row->before.values, *now = row->after.values;
	bool slower = percentile_is_more(comparison, now, was, 50);
	bool faster = percentile_is_more(comparison, was, now, 50);
	bool tail = percentile_is_more(comparison, now, was, 99);

	if (!was->count || !now->count)
		return now->count ? "new" : was->count ? "gone" : NULL;
	if (!row->comparable)
		return NULL;
	if ((slower && is_significant(row->p[MIDDLE])) || (tail && is_significant(row->p[TAIL])))
		return "slower";
	if (slower || tail)
		return "perhaps-slower";
	return !faster ? "none" : is_significant(row->p[MIDDLE]) ? "faster" : "perhaps-faster";
}

static void add_real(struct json_object *row, const char *name, bool known, double number)
{
	json_object_object_add(row, name,
			       known && isfinite(number) ? json_object_new_double(number) : NULL);
}

/* Between which values the ratio of the medians is; of one value for each live update. */
static void add_interval(struct json_object *value, const struct compared_row *row)
{
	uint64_t low[2] = { 0, 0 }, high[2] = { 0, 0 };
	const struct values *was = row->before.values, *now = row->after.values;
	/* Both medians are between theirs as often as the ratio shall be. */
	double confidence = sqrt(CONFIDENCE);
	bool known = row->comparable && row->before.middle == was && row->after.middle == now &&
		     median_bounds(was->ns, was->count, confidence, &low[0], &high[0]) &&
		     median_bounds(now->ns, now->count, confidence, &low[1], &high[1]) && low[0];

	add_real(value, "ratio_low", known, known ? (double)low[1] / (double)high[0] : 0);
	add_real(value, "ratio_high", known, known ? (double)high[1] / (double)low[0] : 0);
}

static struct json_object *row_json(struct runs_comparison *comparison,
				    const struct compared_row *row)
{
	struct json_object *value = json_object_new_object();
	struct json_object *was = values_json(row->before.values);
	struct json_object *now = values_json(row->after.values);
	double was_ns = json_object_get_double(member(was, "p50_ns"));
	double now_ns = json_object_get_double(member(now, "p50_ns"));
	const char *what = change(comparison, row);
	bool both = row->comparable && row->before.values->count && row->after.values->count;
	bool slower = what && !strcmp(what, "slower");

	comparison->regression |= slower;
	add_text(value, "name", row->name);
	json_object_object_add(value, "before", was);
	json_object_object_add(value, "after", now);
	add_real(value, "ratio", both && was_ns > 0, now_ns / was_ns);
	add_interval(value, row);
	add_real(value, "p50_p", row->p[MIDDLE] >= 0, row->p[MIDDLE]);
	add_real(value, "p99_p", row->p[TAIL] >= 0, row->p[TAIL]);
	add_text(value, "change", what);
	/* "Perhaps" is neither. */
	json_object_object_add(value, "regression",
			       row->comparable && !(what && !strcmp(what, "perhaps-slower"))
				       ? json_object_new_boolean(slower)
				       : NULL);
	return value;
}

static size_t add_rows(struct runs_comparison *comparison, struct json_object *to,
		       struct compared_row *rows, size_t count)
{
	size_t i, tests = test_rows(comparison, rows, count);

	for (i = 0; i < count; i++)
		json_object_array_add(to, row_json(comparison, &rows[i]));
	return tests;
}

/* One value for each live update, before and after. */
static struct compared_row plain_row(const char *name, bool comparable, const struct values *before,
				     const struct values *after)
{
	return (struct compared_row){
		.name = name,
		.comparable = comparable,
		.before = { before, before, before },
		.after = { after, after, after },
	};
}

/* The blackout and its phases; how many tests is told in @tests. */
static struct json_object *compare_phases(struct runs_comparison *comparison, bool comparable,
					  struct json_object *tests)
{
	const struct runs *before = &comparison->before, *after = &comparison->after;
	struct compared_row blackout =
		plain_row("blackout", comparable, &before->blackout, &after->blackout);
	struct compared_row rows[LIVEUPDATE_PHASE_COUNT];
	struct json_object *to = json_object_new_array();
	bool same = before->same == before->any && after->same == after->any &&
		    before->same == after->same;
	unsigned int i, count = 0;

	for (i = 0; i < LIVEUPDATE_PHASE_COUNT; i++) {
		if ((before->any | after->any) & 1U << i)
			rows[count++] = plain_row(phase_name(i), comparable && same,
						  &before->phases[i], &after->phases[i]);
	}
	add_number(tests, "blackout", (int64_t)add_rows(comparison, to, &blackout, 1));
	add_number(tests, "phases", (int64_t)add_rows(comparison, to, rows, count));
	return to;
}

/* Those of both sets, by name. */
static struct json_object *compare_workloads(struct runs_comparison *comparison,
					     struct json_object *tests)
{
	const struct runs *before = &comparison->before, *after = &comparison->after;
	size_t most = before->workload_count + after->workload_count, i, count = 0;
	struct compared_row *rows = calloc(most ?: 1, sizeof(*rows));
	struct json_object *to = json_object_new_array();

	for (i = 0; rows && i < before->workload_count; i++) {
		const struct workload_runs *was = &before->workloads[i];
		const struct workload_runs *now = runs_find_workload(after, &was->name);

		rows[count++] = plain_row(was->name.text, true, &was->pause,
					  now ? &now->pause : &no_values);
	}
	for (i = 0; rows && i < after->workload_count; i++) {
		const struct workload_runs *now = &after->workloads[i];

		if (!runs_find_workload(before, &now->name))
			rows[count++] = plain_row(now->name.text, true, &no_values, &now->pause);
	}
	add_number(tests, "workloads", (int64_t)add_rows(comparison, to, rows, count));
	free(rows);
	return to;
}

static struct json_object *compare_steps(struct runs_comparison *comparison,
					 struct json_object *tests)
{
	const struct runs *before = &comparison->before, *after = &comparison->after;
	struct json_object *to = json_object_new_array();
	struct compared_row rows[RUNS_STEPS];
	unsigned int i, count = 0;

	for (i = 0; i < RUNS_STEPS; i++) {
		const struct runs *const both[] = { before, after };
		struct compared_side sides[2];
		unsigned int j;

		if (!before->steps[i].count && !after->steps[i].count)
			continue;
		for (j = 0; j < 2; j++) {
			const struct runs *runs = both[j];
			bool plain = runs->middles[i].count == runs->steps[i].count;

			sides[j].values = &runs->steps[i];
			sides[j].middle = plain ? &runs->steps[i] : &runs->middles[i];
			sides[j].tail = &runs->longests[i];
		}
		rows[count++] = (struct compared_row){ .name = step_name(i),
						       .comparable = true,
						       .before = sides[0],
						       .after = sides[1] };
	}
	add_number(tests, "steps", (int64_t)add_rows(comparison, to, rows, count));
	return to;
}

/* What the answer rests on, and whether that is enough. */
static struct json_object *describe_tests(struct runs_comparison *comparison,
					  struct json_object *tests)
{
	const struct runs *before = &comparison->before, *after = &comparison->after;
	struct json_object *value = json_object_new_object();
	int64_t most = 1;

	json_object_object_foreach(tests, name, number) {
		(void)name;
		if (json_object_get_int64(number) > most)
			most = json_object_get_int64(number);
	}
	comparison->enough = rank_test_least(before->known, after->known) <= SIGNIFICANCE;
	json_object_object_add(value, "significance", json_object_new_double(SIGNIFICANCE));
	json_object_object_add(value, "confidence", json_object_new_double(CONFIDENCE));
	json_object_object_add(value, "tests", tests);
	json_object_object_add(value, "enough", json_object_new_boolean(comparison->enough));
	add_number(value, "needed", (int64_t)rank_test_needed(SIGNIFICANCE));
	add_number(value, "needed_for_all", (int64_t)rank_test_needed(SIGNIFICANCE / (double)most));
	return value;
}

/* What a set is of: how many updates, of which kernels. */
struct json_object *diff_describe(const struct runs *runs)
{
	struct json_object *value = json_object_new_object();
	int side;

	add_number(value, "runs", (int64_t)runs->count);
	add_number(value, "unknown", (int64_t)(runs->count - runs->known));
	add_number(value, "copies", (int64_t)runs->copies);
	add_number(value, "unreadable", (int64_t)runs->unreadable);
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
static const char *incomparable(const struct runs_comparison *comparison)
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
 *              regression, and whether one could be seen, is filled in
 *
 * Return: the answer of 'lutrace diff'; its member "incomparable" says why the
 * blackouts cannot be compared, null if they can.
 */
struct json_object *diff_make(struct runs_comparison *comparison)
{
	const struct runs *before = &comparison->before, *after = &comparison->after;
	struct json_object *value = json_object_new_object();
	struct json_object *tests = json_object_new_object();
	const char *why = incomparable(comparison);

	runs_sort(&comparison->before);
	runs_sort(&comparison->after);
	json_object_object_add(value, "before", diff_describe(before));
	json_object_object_add(value, "after", diff_describe(after));
	add_text(value, "incomparable", why);
	json_object_object_add(value, "limit_percent", json_object_new_double(comparison->limit));
	json_object_object_add(value, "phases", compare_phases(comparison, !why, tests));
	json_object_object_add(value, "workloads", compare_workloads(comparison, tests));
	json_object_object_add(value, "steps", compare_steps(comparison, tests));
	json_object_object_add(value, "statistics", describe_tests(comparison, tests));
	/* More updates that did not come to an end are worse than slow ones. */
	if ((after->count - after->known) * before->count >
	    (before->count - before->known) * after->count)
		comparison->regression = true;
	json_object_object_add(value, "regression",
			       json_object_new_boolean(comparison->regression));
	return value;
}

/* A limit as the user wrote it. Returns EXIT_GOOD, or EXIT_BAD after a message. */
int diff_number(const char *text, double *number)
{
	return real_option(text, 0, 1e12, number);
}

void diff_limits(struct runs_comparison *comparison, double percent, double micros)
{
	comparison->limit = percent;
	comparison->minimum = micros * MICROSECOND;
}
