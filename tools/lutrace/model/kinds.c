// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Steps taken together by their kind. */
#include <stdlib.h>

#include "base/json.h"
#include "model/kinds.h"
#include "model/vocabulary.h"

/* Durations by powers of two; the last bucket has no upper end. */
#define BUCKETS 40

/**
 * struct kind_of_step - what is known of all steps of one kind
 * @step:    enum liveupdate_step_id
 * @count:   how many
 * @open:    of them, those that never ended
 * @errors:  of them, those that failed
 * @objects: pages, entries or devices that they dealt with
 * @timed:   of them, those with a duration
 * @total:   their durations together
 * @longest: the longest of them
 * @buckets: [i]: durations of 2^i to 2^(i+1) - 1 ns; 0 ns is in [0]
 */
struct kind_of_step {
	unsigned int step;
	uint64_t count;
	uint64_t open;
	uint64_t errors;
	uint64_t objects;
	uint64_t timed;
	uint64_t total;
	uint64_t longest;
	uint64_t buckets[BUCKETS];
};

static unsigned int bucket_of(uint64_t ns)
{
	unsigned int bucket = ns ? 63 - (unsigned int)__builtin_clzll(ns) : 0;

	return bucket < BUCKETS ? bucket : BUCKETS - 1;
}

static void count_step(const struct handover *handover, const struct step *step,
		       struct kind_of_step *kind)
{
	uint64_t ns;

	kind->step = step->begin->step;
	kind->count++;
	if (step->begin->edge == LIVEUPDATE_EDGE_INSTANT) {
		kind->errors += step->begin->ret != 0;
		kind->objects += step->begin->count;
		return;
	}
	if (!step->end) {
		kind->open++;
		return;
	}
	kind->errors += step->end->ret != 0;
	kind->objects += step->end->count;
	if (!handover_duration(handover, step, &ns))
		return;
	kind->timed++;
	kind->total += ns;
	if (ns > kind->longest)
		kind->longest = ns;
	kind->buckets[bucket_of(ns)]++;
}

static struct json_object *make_histogram(const struct kind_of_step *kind)
{
	struct json_object *rows = json_object_new_array();
	unsigned int i, first = BUCKETS, last = 0;

	for (i = 0; i < BUCKETS; i++) {
		if (!kind->buckets[i])
			continue;
		if (first == BUCKETS)
			first = i;
		last = i;
	}
	for (i = first; i <= last && i < BUCKETS; i++) {
		struct json_object *row = json_object_new_object();

		add_number(row, "from_ns", i ? (int64_t)1 << i : 0);
		add_number(row, "to_ns", (int64_t)1 << (i + 1));
		add_number(row, "count", (int64_t)kind->buckets[i]);
		json_object_array_add(rows, row);
	}
	return rows;
}

static struct json_object *make_row(const struct kind_of_step *kind)
{
	struct json_object *row = json_object_new_object();

	add_text(row, "step", step_name(kind->step));
	add_number(row, "count", (int64_t)kind->count);
	add_number(row, "open", (int64_t)kind->open);
	add_number(row, "errors", (int64_t)kind->errors);
	add_number(row, "objects", (int64_t)kind->objects);
	json_object_object_add(row, "total_ns",
			       kind->timed ? json_object_new_uint64(kind->total) : NULL);
	json_object_object_add(row, "mean_ns",
			       kind->timed ? json_object_new_uint64(kind->total / kind->timed)
					   : NULL);
	json_object_object_add(row, "max_ns",
			       kind->timed ? json_object_new_uint64(kind->longest) : NULL);
	json_object_object_add(row, "histogram", make_histogram(kind));
	return row;
}

/**
 * step_summary - one row for each kind of step that occurred
 * @handover: the handover
 * @only:     the one kind to look at, 0 for all
 *
 * Return: an array of objects, in the order of the vocabulary.
 */
struct json_object *step_summary(const struct handover *handover, int only)
{
	struct json_object *rows = json_object_new_array();
	struct kind_of_step *kinds;
	size_t i, last = 0;

	/* Steps that only a newer kernel knows are counted as well. */
	for (i = 0; i < handover->count; i++) {
		if (handover->steps[i].begin->step > last)
			last = handover->steps[i].begin->step;
	}
	kinds = calloc(last + 1, sizeof(*kinds));
	for (i = 0; kinds && i < handover->count; i++) {
		const struct step *step = &handover->steps[i];

		if (!only || step->begin->step == only)
			count_step(handover, step, &kinds[step->begin->step]);
	}
	for (i = 0; kinds && i <= last; i++) {
		if (kinds[i].count)
			json_object_array_add(rows, make_row(&kinds[i]));
	}
	free(kinds);
	return rows;
}
