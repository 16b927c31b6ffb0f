// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "model/runs.h"

static int add_value(struct values *values, uint64_t ns)
{
	size_t room;
	uint64_t *more;

	if (values->count == values->room) {
		room = values->room ? values->room * 2 : 16;
		more = realloc(values->ns, room * sizeof(*more));
		if (!more)
			return -ENOMEM;
		values->ns = more;
		values->room = room;
	}
	values->ns[values->count++] = ns;
	return 0;
}

static int add_blackout(struct runs *runs, const struct handover *handover)
{
	const struct blackout *blackout = &handover->blackout;
	unsigned int i, mask = 0;

	if (!blackout->known)
		return 0;
	for (i = 0; i < LIVEUPDATE_PHASE_COUNT; i++) {
		if (blackout->phases[i].absent)
			continue;
		mask |= 1U << i;
		if (add_value(&runs->phases[i], blackout->phases[i].ns))
			return -ENOMEM;
	}
	runs->same = runs->known ? runs->same & mask : mask;
	runs->any |= mask;
	runs->known++;
	runs->from_mark += handover_from_mark(handover);
	runs->to_mark += handover_to_mark(handover);
	return add_value(&runs->blackout, blackout->ns);
}

static void note_kernels(struct runs *runs, const struct handover *handover)
{
	int side;

	for (side = 0; side < SIDES; side++) {
		const char *release =
			handover->present[side] ? handover->ledger[side].header.release : "";

		if (!runs->count)
			snprintf(runs->release[side], sizeof(runs->release[side]), "%s", release);
		else if (strcmp(runs->release[side], release) != 0)
			runs->mixed = true;
	}
}

/**
 * runs_add - take one handover into a set
 * @runs:     the set
 * @handover: the handover, not needed any longer afterwards
 *
 * Return: 0, -ENOMEM.
 */
int runs_add(struct runs *runs, const struct handover *handover)
{
	uint64_t ns;
	size_t i;

	note_kernels(runs, handover);
	runs->count++;
	for (i = 0; i < handover->count; i++) {
		const struct step *step = &handover->steps[i];

		if (step_is_instant(step) || step->begin->step >= RUNS_STEPS ||
		    !handover_duration(handover, step, &ns))
			continue;
		if (add_value(&runs->steps[step->begin->step], ns))
			return -ENOMEM;
	}
	return add_blackout(runs, handover);
}

static int compare(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return a == b ? 0 : a < b ? -1 : 1;
}

static void sort(struct values *values)
{
	if (values->count)
		qsort(values->ns, values->count, sizeof(*values->ns), compare);
}

/* To be called when the set is complete: percentiles need order. */
void runs_sort(struct runs *runs)
{
	size_t i;

	sort(&runs->blackout);
	for (i = 0; i < LIVEUPDATE_PHASE_COUNT; i++)
		sort(&runs->phases[i]);
	for (i = 0; i < RUNS_STEPS; i++)
		sort(&runs->steps[i]);
}

void runs_free(struct runs *runs)
{
	size_t i;

	free(runs->blackout.ns);
	for (i = 0; i < LIVEUPDATE_PHASE_COUNT; i++)
		free(runs->phases[i].ns);
	for (i = 0; i < RUNS_STEPS; i++)
		free(runs->steps[i].ns);
	memset(runs, 0, sizeof(*runs));
}

/**
 * values_percentile - the smallest value that so many percent do not exceed
 * @values:  sorted
 * @percent: 1 to 100
 * @ns:      filled in
 *
 * It is one of the values, nothing in between.
 *
 * Return: false if there are too few values to tell: none, or, for the last
 * hundredths, fewer than a hundred.
 */
bool values_percentile(const struct values *values, unsigned int percent, uint64_t *ns)
{
	size_t rank = (values->count * percent + 99) / 100;

	if (!values->count || (percent > 90 && percent < 100 && values->count < P99_VALUES))
		return false;
	*ns = values->ns[rank ? rank - 1 : 0];
	return true;
}

/* {"count", "p50_ns", "p90_ns", "p99_ns", "max_ns"}; null is what cannot be told. */
struct json_object *values_json(const struct values *values)
{
	static const struct {
		const char *name;
		unsigned int percent;
	} members[] = { { "p50_ns", 50 }, { "p90_ns", 90 }, { "p99_ns", 99 }, { "max_ns", 100 } };
	struct json_object *value = json_object_new_object();
	uint64_t ns;
	size_t i;

	add_number(value, "count", (int64_t)values->count);
	for (i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		json_object_object_add(value, members[i].name,
				       values_percentile(values, members[i].percent, &ns)
					       ? json_object_new_uint64(ns)
					       : NULL);
	return value;
}
