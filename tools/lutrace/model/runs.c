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

/* A workload by its name; NULL if no live update of the set has it. */
const struct workload_runs *runs_find_workload(const struct runs *runs,
					       const struct workload_name *name)
{
	size_t at = workload_place(runs->workloads, runs->workload_count, sizeof(*runs->workloads),
				   name);

	return at < runs->workload_count && !memcmp(&runs->workloads[at].name, name, sizeof(*name))
		       ? &runs->workloads[at]
		       : NULL;
}

static int add_workload(struct runs *runs, const struct workload *workload)
{
	struct workload_runs *list = runs->workloads;
	size_t at = workload_place(list, runs->workload_count, sizeof(*list), &workload->name);

	if (at == runs->workload_count ||
	    memcmp(&list[at].name, &workload->name, sizeof(workload->name)) != 0) {
		list = reallocarray(list, runs->workload_count + 1, sizeof(*list));
		if (!list)
			return -ENOMEM;
		runs->workloads = list;
		memmove(&list[at + 1], &list[at], (runs->workload_count - at) * sizeof(*list));
		runs->workload_count++;
		memset(&list[at], 0, sizeof(*list));
		list[at].name = workload->name;
	}
	if (workload->pause.known)
		return add_value(&list[at].pause, workload->pause.ns);
	list[at].unknown++;
	return 0;
}

static int add_workloads(struct runs *runs, const struct workloads *workloads)
{
	size_t i;

	for (i = 0; i < workloads->count; i++) {
		if (workloads->list[i].pause.present && add_workload(runs, &workloads->list[i]))
			return -ENOMEM;
	}
	return 0;
}

static int compare(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return a == b ? 0 : a < b ? -1 : 1;
}

/* Of the steps of one live update, which came last: the median, and the longest. */
static int note_steps(struct runs *runs, unsigned int step, size_t from)
{
	struct values *steps = &runs->steps[step];
	size_t count = steps->count - from;

	if (!count)
		return 0;
	qsort(steps->ns + from, count, sizeof(*steps->ns), compare);
	if (add_value(&runs->middles[step], steps->ns[from + (count - 1) / 2]))
		return -ENOMEM;
	return add_value(&runs->longests[step], steps->ns[from + count - 1]);
}

/* One whose incoming kernel recorded nothing is known by the outgoing one's ledger. */
static bool make_key(struct run_key *key, const struct handover *handover)
{
	const struct ledger *ledgers = handover->ledger;
	enum side side = ledgers[INCOMING].count ? INCOMING : OUTGOING;

	memset(key, 0, sizeof(*key));
	if (!handover->present[side] || !ledgers[side].count)
		return false;
	ledger_key(&ledgers[side], key->words);
	if (side == OUTGOING)
		key->words[0] ^= 1;
	/* A clock that counts instructions may be the same in two live updates. */
	if (side == INCOMING && handover->present[OUTGOING])
		key->words[LEDGER_KEY_WORDS] = ledgers[OUTGOING].header.wall_ns;
	return true;
}

/**
 * runs_note - count a live update once, however many recordings there are of it
 * @runs:     the set
 * @handover: one to be added
 *
 * Return: 0 if it is to be added, -EEXIST if the set has it, -ENOMEM.
 */
int runs_note(struct runs *runs, const struct handover *handover)
{
	struct run_key key, *more;
	size_t i;

	if (!make_key(&key, handover))
		return 0;
	for (i = 0; i < runs->key_count; i++) {
		if (!memcmp(&runs->keys[i], &key, sizeof(key))) {
			runs->copies++;
			return -EEXIST;
		}
	}
	more = reallocarray(runs->keys, runs->key_count + 1, sizeof(key));
	if (!more)
		return -ENOMEM;
	runs->keys = more;
	more[runs->key_count++] = key;
	return 0;
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
	size_t i, before[RUNS_STEPS];
	uint64_t ns;

	note_kernels(runs, handover);
	runs->count++;
	for (i = 0; i < RUNS_STEPS; i++)
		before[i] = runs->steps[i].count;
	for (i = 0; i < handover->count; i++) {
		const struct step *step = &handover->steps[i];

		if (step_is_instant(step) || step->begin->step >= RUNS_STEPS ||
		    !handover_duration(handover, step, &ns))
			continue;
		if (add_value(&runs->steps[step->begin->step], ns))
			return -ENOMEM;
	}
	for (i = 0; i < RUNS_STEPS; i++) {
		if (note_steps(runs, (unsigned int)i, before[i]))
			return -ENOMEM;
	}
	return add_workloads(runs, &handover->workloads) ?: add_blackout(runs, handover);
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
	for (i = 0; i < RUNS_STEPS; i++) {
		sort(&runs->steps[i]);
		sort(&runs->middles[i]);
		sort(&runs->longests[i]);
	}
	for (i = 0; i < runs->workload_count; i++)
		sort(&runs->workloads[i].pause);
}

void runs_free(struct runs *runs)
{
	size_t i;

	free(runs->blackout.ns);
	for (i = 0; i < LIVEUPDATE_PHASE_COUNT; i++)
		free(runs->phases[i].ns);
	for (i = 0; i < RUNS_STEPS; i++) {
		free(runs->steps[i].ns);
		free(runs->middles[i].ns);
		free(runs->longests[i].ns);
	}
	for (i = 0; i < runs->workload_count; i++)
		free(runs->workloads[i].pause.ns);
	free(runs->workloads);
	free(runs->keys);
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
