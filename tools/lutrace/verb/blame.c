// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* lutrace blame: which step, or which object, took the time? */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "main.h"
#include "model/document.h"
#include "model/vocabulary.h"
#include "read/source.h"

/**
 * struct blamed - one step with its times; then what several have in common
 * @step:   the (first) step
 * @object: the step that names its object: itself, or where it names none, the one
 *          that it is part of
 * @count:  how many it stands for
 * @errors: of them, those that failed
 * @timed:  of them, those with a duration
 * @total:  their durations together
 * @self:   the same without the steps that are part of them
 */
struct blamed {
	const struct step *step;
	const struct step *object;
	uint64_t count;
	uint64_t errors;
	uint64_t timed;
	uint64_t total;
	uint64_t self;
};

/* What belongs together: everything that was done to one object, or one step. */
static int compare_objects(const void *left, const void *right)
{
	const struct step *a = ((const struct blamed *)left)->object;
	const struct step *b = ((const struct blamed *)right)->object;

	if (a->begin->kind != b->begin->kind)
		return a->begin->kind < b->begin->kind ? -1 : 1;
	if (a->begin->object != b->begin->object)
		return a->begin->object < b->begin->object ? -1 : 1;
	return strcmp(a->name, b->name);
}

static int compare_steps(const void *left, const void *right)
{
	const struct blamed *a = left, *b = right;

	if (a->step->side != b->step->side)
		return a->step->side < b->step->side ? -1 : 1;
	if (a->step->begin->step != b->step->begin->step)
		return a->step->begin->step < b->step->begin->step ? -1 : 1;
	return compare_objects(left, right);
}

/* Longest first; what has no time comes last; else in the order of time. */
static int compare_times(const struct blamed *a, const struct blamed *b, uint64_t a_ns,
			 uint64_t b_ns)
{
	if (!a->timed != !b->timed)
		return a->timed ? -1 : 1;
	if (a_ns != b_ns)
		return a_ns > b_ns ? -1 : 1;
	return a->step->sequence < b->step->sequence ? -1 : 1;
}

static int compare_total(const void *left, const void *right)
{
	const struct blamed *a = left, *b = right;

	return compare_times(a, b, a->total, b->total);
}

static int compare_self(const void *left, const void *right)
{
	const struct blamed *a = left, *b = right;

	return compare_times(a, b, a->self, b->self);
}

static bool in_blackout(const struct handover *handover, const struct step *step)
{
	if (step->begin->cycles > handover->blackout.end_cycles)
		return false;
	/* What never ended goes on, in the outgoing kernel until the jump. */
	return !step->end || step->end->cycles >= handover->blackout.begin_cycles;
}

/* All steps that were not instants, with their times; returns how many. */
static size_t take_steps(const struct handover *handover, bool all, struct blamed *blamed)
{
	const struct step **object = calloc(handover->count ?: 1, sizeof(struct step *));
	uint64_t *inside = calloc(handover->count ?: 1, sizeof(*inside));
	size_t i, count = 0;
	uint64_t ns;

	if (!object || !inside)
		goto out;
	for (i = 0; i < handover->count; i++) {
		const struct step *step = &handover->steps[i];

		/* A parent comes before what is part of it. */
		object[i] = step;
		if (step->begin->kind == LIVEUPDATE_KIND_NONE && !*step->name &&
		    step->parent != NO_PARENT)
			object[i] = object[step->parent];
		if (step->parent != NO_PARENT && handover_duration(handover, step, &ns))
			inside[step->parent] += ns;
	}
	for (i = 0; i < handover->count; i++) {
		const struct step *step = &handover->steps[i];
		struct blamed *row = &blamed[count];

		if (step_is_instant(step) ||
		    (!all && handover->blackout.known && !in_blackout(handover, step)))
			continue;
		*row = (struct blamed){ .step = step, .object = object[i], .count = 1 };
		if (step_is_sum(step))
			row->count = step->end->count;
		row->errors = step->end && step->end->ret;
		if (handover_duration(handover, step, &ns)) {
			row->timed = 1;
			row->total = ns;
			row->self = ns > inside[i] ? ns - inside[i] : 0;
		}
		count++;
	}
out:
	free(object);
	free(inside);
	return count;
}

/* Make one of those that are the same; returns how many are left. */
static size_t merge(struct blamed *blamed, size_t count,
		    int (*compare)(const void *left, const void *right))
{
	size_t i, kept = 0;

	if (!count)
		return 0;
	qsort(blamed, count, sizeof(*blamed), compare);
	for (i = 1; i < count; i++) {
		struct blamed *into = &blamed[kept];

		if (compare(into, &blamed[i]) != 0) {
			blamed[++kept] = blamed[i];
			continue;
		}
		if (blamed[i].step->sequence < into->step->sequence)
			into->step = blamed[i].step;
		into->count += blamed[i].count;
		into->errors += blamed[i].errors;
		into->timed += blamed[i].timed;
		into->total += blamed[i].total;
		into->self += blamed[i].self;
	}
	return kept + 1;
}

static struct json_object *make_row(const struct blamed *blamed, bool objects)
{
	struct json_object *row = json_object_new_object();
	char text[NAME_TEXT_SIZE];

	if (!objects) {
		add_text(row, "kernel", side_name(blamed->step->side));
		add_text(row, "step", step_name(blamed->step->begin->step));
	}
	add_text(row, "kind", kind_name(blamed->object->begin->kind));
	add_text(row, "object", step_object(blamed->object, text));
	add_number(row, "count", (int64_t)blamed->count);
	add_number(row, "errors", (int64_t)blamed->errors);
	/* Steps of one object may be part of each other: only the rest adds up. */
	if (!objects)
		json_object_object_add(row, "total_ns",
				       blamed->timed ? json_object_new_uint64(blamed->total)
						     : NULL);
	json_object_object_add(row, "self_ns",
			       blamed->timed ? json_object_new_uint64(blamed->self) : NULL);
	return row;
}

/* What no row can be blamed for, by phase. */
static void print_unexplained(struct json_object *value)
{
	struct json_object *rows = member(value, "unexplained");
	size_t i, count = rows ? json_object_array_length(rows) : 0;
	char text[TIME_TEXT_SIZE];

	for (i = 0; i < count; i++) {
		struct json_object *row = json_object_array_get_idx(rows, i);

		printf("%s%s of %s",
		       i ? ", " : "\nIn no named step: ", time_text(member_number(row, "ns"), text),
		       member_text(row, "phase"));
	}
	if (count)
		printf(" (%.2f %% of the pause).\n",
		       100 - 100 * json_object_get_double(member(value, "explained")));
}

static void print_steps(struct json_object *value)
{
	static const struct column columns[] = {
		{ "total_ns", "total", COLUMN_TIME }, { "self_ns", "self", COLUMN_TIME },
		{ "count", "count", COLUMN_COUNT },   { "errors", "errors", COLUMN_COUNT },
		{ "kernel", "kernel", COLUMN_TEXT },  { "step", "step", COLUMN_TEXT },
		{ "object", "object", COLUMN_TEXT },
	};

	output_table(member(value, "steps"), columns, sizeof(columns) / sizeof(columns[0]), 0);
	print_unexplained(value);
}

static void print_objects(struct json_object *value)
{
	static const struct column columns[] = {
		{ "self_ns", "self", COLUMN_TIME },   { "count", "steps", COLUMN_COUNT },
		{ "errors", "errors", COLUMN_COUNT }, { "kind", "kind", COLUMN_TEXT },
		{ "object", "object", COLUMN_TEXT },
	};

	output_table(member(value, "objects"), columns, sizeof(columns) / sizeof(columns[0]), 0);
	print_unexplained(value);
}

/* {"phase": ..., "ns": ...} of each phase that is not all explained */
static struct json_object *make_unexplained(const struct handover *handover)
{
	struct json_object *rows = json_object_new_array();
	unsigned int i;

	for (i = 0; handover->blackout.known && i < LIVEUPDATE_PHASE_COUNT; i++) {
		uint64_t ns = handover->blackout.phases[i].ns - handover->explained.phases[i];
		struct json_object *row;

		if (handover->blackout.phases[i].absent || !ns)
			continue;
		row = json_object_new_object();
		add_text(row, "phase", phase_name(i));
		add_number(row, "ns", (int64_t)ns);
		json_object_array_add(rows, row);
	}
	return rows;
}

/* {"kernel": ..., "steps" or "objects": rows, at most @most of them, longest first} */
static struct json_object *make_answer(const struct handover *handover, bool all, bool objects,
				       bool self, size_t most)
{
	struct json_object *value = json_object_new_object();
	struct json_object *rows = json_object_new_array();
	struct blamed *blamed = calloc(handover->count ?: 1, sizeof(*blamed));
	size_t i, count;

	json_object_object_add(value, "kernel", recording_kernel(handover));
	json_object_object_add(value, "explained", recording_explained(handover));
	json_object_object_add(value, "unexplained", make_unexplained(handover));
	json_object_object_add(value, objects ? "objects" : "steps", rows);
	if (!blamed)
		return value;
	count = take_steps(handover, all, blamed);
	count = merge(blamed, count, objects ? compare_objects : compare_steps);
	if (count)
		qsort(blamed, count, sizeof(*blamed),
		      objects || self ? compare_self : compare_total);
	for (i = 0; i < count && i < most; i++)
		json_object_array_add(rows, make_row(&blamed[i], objects));
	free(blamed);
	return value;
}

int do_blame(int argc, char **argv)
{
	bool all = false, objects = false, self = false;
	struct source source = { 0 };
	struct json_object *value;
	struct handover handover;
	size_t most = SIZE_MAX;
	int letter, code;
	uint64_t number;

	while ((letter = next_option(argc, argv)) != -1) {
		switch (letter) {
		case 'a':
			all = true;
			break;
		case 'O':
			objects = true;
			break;
		case 's':
			self = true;
			break;
		case 'n':
			if (number_option(optarg, 1, UINT64_MAX, &number))
				return EXIT_BAD;
			most = number;
			break;
		default:
			source_option(&source, letter, optarg);
		}
	}
	code = source_arguments(&source, argc, argv) ?: source_read(&source, &handover);
	if (code)
		return code;
	if (!handover.khz) {
		source_free(&source, &handover);
		return unknown(
			"neither kernel recorded its cycle counter's frequency: no time is known");
	}
	value = make_answer(&handover, all, objects, self, most);
	source_free(&source, &handover);
	return output(value, objects ? print_objects : print_steps);
}
