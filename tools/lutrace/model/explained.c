// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "model/explained.h"
#include "model/handover.h"

/* Nanoseconds from the begin of the pause, and whose time it is. */
struct segment {
	uint64_t begin;
	uint64_t end;
	size_t step;
};

/**
 * struct measure - what is being computed
 * @handover: the handover; its pause is known
 * @explained: what was found
 * @parts:    [step]: does it have steps in it that take time?
 * @cursor:   [step]: until when its time is given to something
 * @own:      [step]: what it explains, of its own
 * @named:    segments that have a name; then without overlaps
 * @count:    number of @named
 * @rest:     own time of steps that have short ones in them
 * @rests:    number of @rest
 */
struct measure {
	const struct handover *handover;
	struct explained *explained;
	bool *parts;
	uint64_t *cursor;
	uint64_t *own;
	struct segment *named;
	size_t count;
	struct segment *rest;
	size_t rests;
};

/**
 * explained_part - the part of a step that is in the pause
 * @handover: its pause is known
 * @step:     the step
 * @begin:    where to write from when on, in nanoseconds from the begin of the pause
 * @end:      where to write until when
 *
 * Return: false if there is none, or if it took no time that is known.
 */
bool explained_part(const struct handover *handover, const struct step *step, uint64_t *begin,
		    uint64_t *end)
{
	int64_t from, to, last = (int64_t)handover->blackout.ns;
	uint64_t ns;

	if (step->begin->edge == LIVEUPDATE_EDGE_INSTANT || !handover_duration(handover, step, &ns))
		return false;
	from = handover_time(handover, step->begin->cycles);
	to = from + (int64_t)ns;
	from = from < 0 ? 0 : from;
	to = to > last ? last : to;
	if (from >= to)
		return false;
	*begin = (uint64_t)from;
	*end = (uint64_t)to;
	return true;
}

/* Does a step say by its name who took the time, whatever is part of it? */
static bool names_itself(const struct step *step)
{
	switch (step->begin->step) {
	case LIVEUPDATE_STEP_SETUP:
	case LIVEUPDATE_STEP_TEARDOWN:
	case LIVEUPDATE_STEP_INITCALL:
	case LIVEUPDATE_STEP_PROBE:
	case LIVEUPDATE_STEP_SHUTDOWN:
	case LIVEUPDATE_STEP_USER_MARK:
	case STEP_UNIT:
		return true;
	}
	return false;
}

/* Time in which a step was under way and none of its parts. */
static void add_segment(struct measure *measure, size_t i, uint64_t begin, uint64_t end)
{
	const struct step *step = &measure->handover->steps[i];
	struct segment segment = { begin, end, i };

	if (begin >= end)
		return;
	if (measure->parts[i] && !names_itself(step)) {
		measure->rest[measure->rests++] = segment;
		return;
	}
	measure->own[i] += end - begin;
	measure->named[measure->count++] = segment;
}

/* Steps come in the order in which they began, each behind the one around it. */
static void divide(struct measure *measure)
{
	const struct handover *handover = measure->handover;
	uint64_t begin, end, from, until;
	size_t i, parent;

	for (i = 0; i < handover->count; i++) {
		const struct step *step = &handover->steps[i];

		if (step->parent != NO_PARENT &&
		    (step_is_sum(step) || explained_part(handover, step, &begin, &end)))
			measure->parts[step->parent] = true;
	}
	for (i = 0; i < handover->count; i++) {
		if (!explained_part(handover, &handover->steps[i], &begin, &end))
			continue;
		measure->cursor[i] = begin;
		parent = handover->steps[i].parent;
		if (parent == NO_PARENT ||
		    !explained_part(handover, &handover->steps[parent], &from, &until))
			continue;
		/* A part may go on for longer than what it is part of. */
		add_segment(measure, parent, measure->cursor[parent],
			    begin < until ? begin : until);
		if (end > measure->cursor[parent])
			measure->cursor[parent] = end;
	}
	for (i = 0; i < handover->count; i++) {
		if (explained_part(handover, &handover->steps[i], &begin, &end))
			add_segment(measure, i, measure->cursor[i], end);
	}
}

static int compare_segments(const void *left, const void *right)
{
	const struct segment *a = left, *b = right;

	if (a->begin != b->begin)
		return a->begin < b->begin ? -1 : 1;
	return a->end == b->end ? 0 : a->end < b->end ? -1 : 1;
}

static void unite(struct measure *measure)
{
	struct segment *list = measure->named;
	size_t i, kept = 0;

	if (!measure->count)
		return;
	qsort(list, measure->count, sizeof(*list), compare_segments);
	for (i = 1; i < measure->count; i++) {
		if (list[i].begin > list[kept].end)
			list[++kept] = list[i];
		else if (list[i].end > list[kept].end)
			list[kept].end = list[i].end;
	}
	measure->count = kept + 1;
}

/* Of the time from @begin to @end, that which has a name. */
static uint64_t named_time(const struct measure *measure, uint64_t begin, uint64_t end)
{
	size_t low = 0, high = measure->count;
	uint64_t ns = 0;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (measure->named[middle].end <= begin)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < measure->count && measure->named[low].begin < end; low++) {
		const struct segment *named = &measure->named[low];

		ns += (named->end < end ? named->end : end) -
		      (named->begin > begin ? named->begin : begin);
	}
	return ns;
}

/* Give the sums of short steps the time that is left of what they are part of. */
static void add_sums(struct measure *measure, const uint64_t phase_ns[LIVEUPDATE_PHASE_COUNT])
{
	const struct handover *handover = measure->handover;
	struct explained *explained = measure->explained;
	uint64_t *left = measure->cursor;
	uint64_t ns;
	size_t i;

	/* What is left of each sum is at its parent. */
	memset(left, 0, handover->count * sizeof(*left));
	for (i = 0; i < handover->count; i++) {
		const struct step *step = &handover->steps[i];

		if (step_is_sum(step) && step->parent != NO_PARENT &&
		    handover_duration(handover, step, &ns))
			left[step->parent] += ns;
	}
	for (i = 0; i < measure->rests; i++) {
		const struct segment *rest = &measure->rest[i];
		unsigned int phase;

		for (phase = 0; left[rest->step] && phase < LIVEUPDATE_PHASE_COUNT; phase++) {
			const struct blackout_phase *in = &handover->blackout.phases[phase];
			uint64_t begin = in->begin_ns > rest->begin ? in->begin_ns : rest->begin;
			uint64_t end = in->begin_ns + in->ns;
			uint64_t room = phase_ns[phase] - explained->phases[phase];

			end = end < rest->end ? end : rest->end;
			if (in->absent || begin >= end)
				continue;
			ns = end - begin - named_time(measure, begin, end);
			ns = ns < left[rest->step] ? ns : left[rest->step];
			/* What two tasks did at once is no more than the time it took. */
			ns = ns < room ? ns : room;
			left[rest->step] -= ns;
			measure->own[rest->step] += ns;
			explained->phases[phase] += ns;
		}
	}
}

/* The sums of a step are one leaf, for what they explain: the first of them. */
static void move_to_sums(struct measure *measure)
{
	const struct handover *handover = measure->handover;
	size_t i;

	for (i = 0; i < handover->count; i++) {
		const struct step *step = &handover->steps[i];

		if (!step_is_sum(step) || step->parent == NO_PARENT ||
		    names_itself(&handover->steps[step->parent]))
			continue;
		measure->own[i] = measure->own[step->parent];
		measure->own[step->parent] = 0;
	}
}

static void find_leaves(struct measure *measure)
{
	struct explained *explained = measure->explained;
	size_t i;

	for (i = 0; i < measure->handover->count; i++) {
		struct explained_leaf leaf = { i, measure->own[i] };
		unsigned int at = explained->count;

		if (!leaf.ns)
			continue;
		while (at && explained->leaves[at - 1].ns < leaf.ns)
			at--;
		if (at == EXPLAINED_LEAVES)
			continue;
		if (explained->count < EXPLAINED_LEAVES)
			explained->count++;
		memmove(&explained->leaves[at + 1], &explained->leaves[at],
			(explained->count - at - 1) * sizeof(leaf));
		explained->leaves[at] = leaf;
	}
}

static void measure_all(struct measure *measure)
{
	const struct handover *handover = measure->handover;
	struct explained *explained = measure->explained;
	uint64_t phase_ns[LIVEUPDATE_PHASE_COUNT] = { 0 };
	unsigned int i;

	divide(measure);
	unite(measure);
	for (i = 0; i < LIVEUPDATE_PHASE_COUNT; i++) {
		const struct blackout_phase *phase = &handover->blackout.phases[i];

		if (phase->absent)
			continue;
		phase_ns[i] = phase->ns;
		explained->phases[i] =
			named_time(measure, phase->begin_ns, phase->begin_ns + phase->ns);
	}
	add_sums(measure, phase_ns);
	for (i = 0; i < LIVEUPDATE_PHASE_COUNT; i++)
		explained->ns += explained->phases[i];
	move_to_sums(measure);
	find_leaves(measure);
}

/**
 * explained_steps - find what each step explains
 * @handover:  its steps are known
 * @explained: filled in, all 0 before
 * @own:       [step]: of the pause, what it explains and none of its parts does; NULL if
 *             nobody asks. All 0 if the pause is not known
 *
 * Return: 0, -ENOMEM.
 */
int explained_steps(const struct handover *handover, struct explained *explained, uint64_t *own)
{
	size_t count = handover->count ?: 1;
	struct measure measure = { .handover = handover, .explained = explained };
	int ret = -ENOMEM;

	if (own)
		memset(own, 0, handover->count * sizeof(*own));
	if (!handover->blackout.known)
		return 0;
	measure.parts = calloc(count, sizeof(*measure.parts));
	measure.cursor = calloc(count, sizeof(*measure.cursor));
	measure.own = calloc(count, sizeof(*measure.own));
	/* One before each step, and one behind its last part. */
	measure.named = calloc(2 * count, sizeof(*measure.named));
	measure.rest = calloc(2 * count, sizeof(*measure.rest));
	if (measure.parts && measure.cursor && measure.own && measure.named && measure.rest) {
		measure_all(&measure);
		if (own)
			memcpy(own, measure.own, handover->count * sizeof(*own));
		ret = 0;
	}
	free(measure.parts);
	free(measure.cursor);
	free(measure.own);
	free(measure.named);
	free(measure.rest);
	return ret;
}

/**
 * explained_find - find how much of the pause has a name
 * @handover: its steps and its pause are known; @explained is filled in
 *
 * Return: 0, -ENOMEM.
 */
int explained_find(struct handover *handover)
{
	return explained_steps(handover, &handover->explained, NULL);
}

/* The share of the pause that has a name, from 0 to 1; 1 of a pause that took no time. */
double explained_share(const struct handover *handover)
{
	if (!handover->blackout.ns)
		return 1;
	return (double)handover->explained.ns / (double)handover->blackout.ns;
}
