// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Compared are the median and, where a hundred values make it one, the 99th
 * percentile. Phases are compared only if all runs have the same ones, because
 * the time of a phase that did not occur is in the phase before it.
 */
#include <stdlib.h>

#include "base/number.h"
#include "base/json.h"
#include "base/say.h"
#include "model/diff.h"
#include "model/vocabulary.h"

#define MICROSECOND	1000.0

static bool is_worse(const struct runs_comparison *comparison, struct json_object *before,
		     struct json_object *after, const char *name)
{
	double was = json_object_get_double(member(before, name));
	double now = json_object_get_double(member(after, name));

	return member(before, name) && member(after, name) &&
	       now > was * (1 + comparison->limit / 100) && now - was >= comparison->minimum;
}

/* One row; it is judged only if the two can be compared. */
static struct json_object *compare_values(struct runs_comparison *comparison, const char *name,
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

static struct json_object *compare_phases(struct runs_comparison *comparison, bool comparable)
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

static struct json_object *compare_steps(struct runs_comparison *comparison)
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
 *              regression is filled in
 *
 * Return: the answer of 'lutrace diff'; its member "incomparable" says why the
 * blackouts cannot be compared, null if they can.
 */
struct json_object *diff_make(struct runs_comparison *comparison)
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
