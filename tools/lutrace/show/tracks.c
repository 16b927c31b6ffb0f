// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/units.h"
#include "show/tracks.h"

/* Steps within steps on one track. */
#define MAX_NESTED 32

/**
 * struct nest - the steps that are under way on one track, outermost first
 * @depth: how many
 * @end:   when each ends
 * @step:  which it is
 */
struct nest {
	unsigned int depth;
	int64_t end[MAX_NESTED];
	const struct step *step[MAX_NESTED];
};

/**
 * struct track_walk - a walk through all steps
 * @handover: the handover
 * @span:     its times
 * @put:      gets what happens
 * @context:  handed to @put
 * @nests:    [track]: what is under way
 */
struct track_walk {
	const struct handover *handover;
	const struct trace_span *span;
	track_put *put;
	void *context;
	struct nest nests[MAX_TRACKS];
};

static int64_t end_of(const struct track_walk *walk, const struct step *step)
{
	int64_t begin = handover_time(walk->handover, step->begin->cycles);
	int64_t end = step->end ? handover_time(walk->handover, step->end->cycles)
				: walk->span->last[step->side];

	return end < begin ? begin : end;
}

/* End what has ended on a track by the time @now. */
static void end_until(struct track_walk *walk, unsigned int track, int64_t now)
{
	struct nest *nest = &walk->nests[track];

	while (nest->depth && nest->end[nest->depth - 1] <= now) {
		nest->depth--;
		walk->put(walk->context, 'e', nest->step[nest->depth], nest->end[nest->depth],
			  track);
	}
}

static void put_step(struct track_walk *walk, const struct step *step)
{
	int64_t begin = handover_time(walk->handover, step->begin->cycles);
	int64_t end = end_of(walk, step);
	unsigned int track;

	if (step->begin->edge == LIVEUPDATE_EDGE_INSTANT) {
		walk->put(walk->context, 'n', step, begin, 0);
		return;
	}
	for (track = 0; track < MAX_TRACKS; track++) {
		struct nest *nest = &walk->nests[track];

		end_until(walk, track, begin);
		if (nest->depth && (nest->depth == MAX_NESTED || nest->end[nest->depth - 1] < end))
			continue;
		walk->put(walk->context, 'b', step, begin, track);
		nest->end[nest->depth] = end;
		nest->step[nest->depth++] = step;
		return;
	}
	/* A track of its own. */
	walk->put(walk->context, 'b', step, begin, MAX_TRACKS);
	walk->put(walk->context, 'e', step, end, MAX_TRACKS);
}

static unsigned int kind_of(const struct step *step)
{
	return step->begin->kind == LIVEUPDATE_KIND_FUNCTION || step_is_sum(step)
		       ? LIVEUPDATE_KIND_NONE
		       : step->begin->kind;
}

/*
 * Do steps of a kind each have tracks of their object's own? What the kernel does on its
 * way, and the functions that it calls there, nest on one; units of the host are beside
 * each other.
 */
static bool by_object(const struct step *step)
{
	return kind_of(step) != KIND_UNIT && kind_of(step) != LIVEUPDATE_KIND_NONE;
}

/* Steps of one object in one kernel are one group, in the order of time. */
static int compare_objects(const void *left, const void *right)
{
	const struct step *const *a = left, *const *b = right;
	const struct liveupdate_record *first = (*a)->begin, *second = (*b)->begin;
	int name;

	if ((*a)->side != (*b)->side)
		return (*a)->side < (*b)->side ? -1 : 1;
	if (kind_of(*a) != kind_of(*b))
		return kind_of(*a) < kind_of(*b) ? -1 : 1;
	if (by_object(*a)) {
		if (first->object != second->object)
			return first->object < second->object ? -1 : 1;
		name = strcmp((*a)->name, (*b)->name);
		if (name)
			return name;
	}
	if (first->cycles != second->cycles)
		return first->cycles < second->cycles ? -1 : 1;
	/* Of those that begin at once the outer one comes first. */
	if ((*a)->depth != (*b)->depth)
		return (*a)->depth < (*b)->depth ? -1 : 1;
	return first->sequence < second->sequence ? -1 : 1;
}

bool tracks_same_object(const struct step *one, const struct step *other)
{
	if (one->side != other->side || kind_of(one) != kind_of(other))
		return false;
	return !by_object(one) ||
	       (one->begin->object == other->begin->object && !strcmp(one->name, other->name));
}

/* What the tracks are of that a step is on. */
static const char *group_of(const struct step *step, char text[NAME_TEXT_SIZE])
{
	if (step->begin->kind == KIND_UNIT)
		return "units";
	if (!by_object(step))
		return "kernel";
	return *step_object(step, text) ? text : "kernel";
}

/* The object of a step, "kernel" if it has none. */
void tracks_object(const struct step *step, char text[NAME_TEXT_SIZE])
{
	if (!*step_object(step, text))
		snprintf(text, NAME_TEXT_SIZE, "%s", "kernel");
}

/* A step on its track: with its object where the track does not say which. */
void tracks_slice(const struct step *step, char text[SLICE_TEXT_SIZE])
{
	char object[NAME_TEXT_SIZE];

	step_object(step, object);
	snprintf(text, SLICE_TEXT_SIZE, by_object(step) || !*object ? "%s" : "%s %s",
		 step_name(step->begin->step), object);
}

/* A track of that object. */
void tracks_name(const struct step *step, unsigned int track, char text[TRACK_TEXT_SIZE])
{
	char object[NAME_TEXT_SIZE];
	const char *group = group_of(step, object);

	if (track < MAX_TRACKS)
		snprintf(text, TRACK_TEXT_SIZE, track ? "%s track %u" : "%s", group, track + 1);
	else
		snprintf(text, TRACK_TEXT_SIZE, "%s step %" PRIu64, group,
			 (uint64_t)step->sequence);
}

/**
 * tracks_walk - put all steps on tracks
 * @handover: the handover; its khz is known
 * @span:     its times, as tracks_span() found them
 * @put:      gets what happens: one object after the other
 * @context:  handed to @put
 *
 * Return: 0, or -1 if there is no memory.
 */
int tracks_walk(const struct handover *handover, const struct trace_span *span, track_put *put,
		void *context)
{
	const struct step **order = calloc(handover->count ?: 1, sizeof(struct step *));
	struct track_walk *walk = calloc(1, sizeof(*walk));
	int ret = order && walk ? 0 : -1;
	unsigned int track;
	size_t i;

	if (!ret) {
		walk->handover = handover;
		walk->span = span;
		walk->put = put;
		walk->context = context;
		for (i = 0; i < handover->count; i++)
			order[i] = &handover->steps[i];
		qsort(order, handover->count, sizeof(struct step *), compare_objects);
		for (i = 0; i < handover->count; i++) {
			put_step(walk, order[i]);
			if (i + 1 < handover->count && tracks_same_object(order[i], order[i + 1]))
				continue;
			for (track = 0; track < MAX_TRACKS; track++)
				end_until(walk, track, INT64_MAX);
		}
	}
	free(order);
	free(walk);
	return ret;
}

/* When a trace begins and ends, and where it crosses from one kernel to the other. */
void tracks_span(const struct handover *handover, struct trace_span *span)
{
	size_t i;

	*span = (struct trace_span){ .first = INT64_MAX,
				     .begin = { INT64_MAX, INT64_MAX },
				     .last = { INT64_MIN, INT64_MIN } };
	for (i = 0; i < handover->count; i++) {
		const struct step *step = &handover->steps[i];
		int64_t begin = handover_time(handover, step->begin->cycles), end = begin;

		if (step->end)
			end = handover_time(handover, step->end->cycles);
		if (begin < span->first)
			span->first = begin;
		if (begin < span->begin[step->side])
			span->begin[step->side] = begin;
		if (end > span->last[step->side])
			span->last[step->side] = end;
		if (step->side == OUTGOING && step->begin->step == LIVEUPDATE_STEP_JUMP)
			span->jump = step;
		if (step->side == INCOMING && step->begin->step == LIVEUPDATE_STEP_BOOT &&
		    !span->boot)
			span->boot = step;
	}
	/* A mark before the first step may begin the blackout. */
	if (handover->blackout.known && span->first > 0)
		span->first = 0;
}
