// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/handover.h"
#include "model/nest.h"

/* Steps that are looked at to find the one around another. */
#define AROUND_MOST 64

/* Of a step that has ended. */
static __u64 end_of(const struct step *step)
{
	return step->end->cycles;
}

/* The earlier first; of those that begin at once, the longer, then the lower number. */
static int compare_intervals(const void *left, const void *right)
{
	const struct step *a = *(const struct step *const *)left;
	const struct step *b = *(const struct step *const *)right;

	if (a->begin->cycles != b->begin->cycles)
		return a->begin->cycles < b->begin->cycles ? -1 : 1;
	if (end_of(a) != end_of(b))
		return end_of(a) > end_of(b) ? -1 : 1;
	return a->sequence < b->sequence ? -1 : a->sequence > b->sequence;
}

/*
 * Could others that do not say so be part of a step? Of the way from one kernel to
 * the next, of what user space marks, and of units. Work on a file, a device or a page table
 * is one task's, which says what is part of it.
 */
static bool encloses_others(const struct step *step)
{
	unsigned int number = step->begin->step;

	return ledger_class(number) == LIVEUPDATE_CLASS_HANDOVER || number > LIVEUPDATE_STEP_NAME ||
	       number == LIVEUPDATE_STEP_USER_MARK;
}

/* Would @parent be part of @step itself? Then their times are damaged. */
static bool goes_in_circles(const struct handover *handover, size_t parent, size_t step)
{
	unsigned int i;

	for (i = 0; i < AROUND_MOST && parent != NO_PARENT; i++) {
		if (parent == step)
			return true;
		parent = handover->steps[parent].parent;
	}
	return parent != NO_PARENT;
}

/* The innermost of the steps that are under way around a step that does not say. */
static void nest_step(struct handover *handover, size_t i, const size_t *around, size_t count)
{
	struct step *step = &handover->steps[i];
	unsigned int most = AROUND_MOST;

	while (count-- > 0 && most-- > 0) {
		const struct step *outer = &handover->steps[around[count]];

		if (end_of(outer) < end_of(step) || goes_in_circles(handover, around[count], i))
			continue;
		step->parent = around[count];
		return;
	}
}

/* Steps of one kernel that are no instants and do not say what they are part of. */
static void nest_by_time(struct handover *handover, const struct step **order, size_t *around,
			 enum side side)
{
	size_t i, count = 0, depth = 0;

	for (i = 0; i < handover->count; i++) {
		const struct step *step = &handover->steps[i];

		if (step->side == side && step->begin->edge == LIVEUPDATE_EDGE_BEGIN && step->end &&
		    step->end->cycles >= step->begin->cycles)
			order[count++] = step;
	}
	if (count)
		qsort(order, count, sizeof(const struct step *), compare_intervals);
	for (i = 0; i < count; i++) {
		size_t at = (size_t)(order[i] - handover->steps);

		while (depth &&
		       end_of(&handover->steps[around[depth - 1]]) < order[i]->begin->cycles)
			depth--;
		if (order[i]->parent == NO_PARENT)
			nest_step(handover, at, around, depth);
		if (encloses_others(order[i]))
			around[depth++] = at;
	}
}

/**
 * struct place - where a step belongs
 * @step:   the step
 * @begin:  when it began, or when the one around it did, if that is later
 * @depth:  number of steps around it
 */
struct place {
	const struct step *step;
	__u64 begin;
	unsigned int depth;
};

static int compare_places(const void *left, const void *right)
{
	const struct place *a = left, *b = right;

	if (a->step->side != b->step->side)
		return a->step->side < b->step->side ? -1 : 1;
	if (a->begin != b->begin)
		return a->begin < b->begin ? -1 : 1;
	if (a->depth != b->depth)
		return a->depth < b->depth ? -1 : 1;
	return a->step->sequence < b->step->sequence ? -1 : 1;
}

/* The depth of a step and of all around it; @path has room for all of them. */
static void place_step(const struct handover *handover, struct place *places, size_t *path,
		       size_t i)
{
	size_t count = 0;

	for (; i != NO_PARENT && !places[i].step; i = handover->steps[i].parent)
		path[count++] = i;
	while (count-- > 0) {
		const struct step *step = &handover->steps[path[count]];
		struct place *place = &places[path[count]];

		place->step = step;
		place->begin = step->begin->cycles;
		if (step->parent == NO_PARENT)
			continue;
		place->depth = places[step->parent].depth + 1;
		if (places[step->parent].begin > place->begin)
			place->begin = places[step->parent].begin;
	}
}

/* Put the steps in the order of their places. */
static int sort_steps(struct handover *handover, struct place *places, size_t *path)
{
	struct step *sorted = calloc(handover->count ?: 1, sizeof(*sorted));
	size_t i;

	if (!sorted)
		return -ENOMEM;
	for (i = 0; i < handover->count; i++)
		place_step(handover, places, path, i);
	if (handover->count)
		qsort(places, handover->count, sizeof(*places), compare_places);
	/* From where a step was to where it is. */
	for (i = 0; i < handover->count; i++)
		path[places[i].step - handover->steps] = i;
	for (i = 0; i < handover->count; i++) {
		sorted[i] = *places[i].step;
		sorted[i].depth = places[i].depth;
		if (sorted[i].parent != NO_PARENT)
			sorted[i].parent = path[sorted[i].parent];
	}
	free(handover->steps);
	handover->steps = sorted;
	return 0;
}

/**
 * steps_nest - find what is part of what, and put the steps in order
 * @handover: its steps are by sequence, with the parents that records tell
 *
 * Records are in the order in which they were written, and what is recorded once it is
 * over stands behind what it consists of. The steps are in the order in which they
 * began.
 *
 * Return: 0, -ENOMEM.
 */
int steps_nest(struct handover *handover)
{
	const struct step **order = calloc(handover->count ?: 1, sizeof(const struct step *));
	struct place *places = calloc(handover->count ?: 1, sizeof(*places));
	size_t *indices = calloc(handover->count ?: 1, sizeof(*indices));
	int ret = -ENOMEM;

	if (order && places && indices) {
		nest_by_time(handover, order, indices, OUTGOING);
		nest_by_time(handover, order, indices, INCOMING);
		ret = sort_steps(handover, places, indices);
	}
	free(order);
	free(places);
	free(indices);
	return ret;
}
