// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Advice as docs/schema/advise.json has it. */
#include <stdio.h>

#include "base/json.h"
#include "model/advice.h"
#include "model/document.h"
#include "model/vocabulary.h"

static const char *const done_names[] = {
	[DONE_NO] = "no",
	[DONE_UNKNOWN] = "unknown",
	[DONE_YES] = "yes",
};

static void add(struct json_object *value, const char *name, struct json_object *new)
{
	json_object_object_add(value, name, new);
}

static void add_count(struct json_object *value, const char *name, uint64_t number)
{
	add(value, name, json_object_new_uint64(number));
}

/* A part of the pause in percent, in two digits behind the point. */
static void add_percent(struct json_object *value, const struct handover *handover, uint64_t ns)
{
	uint64_t pause = handover->blackout.ns;
	double percent = pause ? 100 * (double)ns / (double)pause : 0;
	char text[24];

	snprintf(text, sizeof(text), "%.2f", percent);
	add(value, "percent", json_object_new_double_s(percent, text));
}

static struct json_object *make_step(const struct handover *handover, size_t i, uint64_t ns)
{
	const struct step *step = &handover->steps[i];
	struct json_object *row = json_object_new_object();
	char text[NAME_TEXT_SIZE];

	add_text(row, "kernel", side_name(step->side));
	add_text(row, "step", step_name(step->begin->step));
	add_text(row, "kind", kind_name(step->begin->kind));
	add_text(row, "object", step_object(step, text));
	add_count(row, "ns", ns);
	add_percent(row, handover, ns);
	return row;
}

static struct json_object *make_remedy(const struct advised *advised,
				       const struct handover *handover)
{
	struct json_object *row = remedy_json(advised->remedy), *steps = json_object_new_array();
	uint64_t begin, end;
	size_t i;

	/* Those of the record in place of those of the table. */
	for (i = 0; i < advised->count; i++) {
		if (explained_part(handover, &handover->steps[advised->steps[i]], &begin, &end))
			json_object_array_add(steps,
					      make_step(handover, advised->steps[i], end - begin));
	}
	add(row, "steps", steps);
	add_count(row, "ns", advised->ns);
	add_percent(row, handover, advised->ns);
	add(row, "gain_ns", advised->known ? json_object_new_uint64(advised->gain) : NULL);
	add(row, "emulation_only", json_object_new_boolean(!advised->counted));
	add_text(row, "done", done_names[advised->done]);
	add_text(row, "because", advised->why);
	return row;
}

static struct json_object *make_units(const struct advice *advice, const struct handover *handover)
{
	struct json_object *value;
	const char *agent = NULL;

	if (advice->units == UNITS_NONE)
		return NULL;
	if (advice->units == UNITS_AGENT)
		agent = handover->steps[advice->agent].name;
	value = json_object_new_object();
	add_text(value, "agent", agent);
	return value;
}

/* What lies in no named step, of each phase where that is something. */
static struct json_object *make_nameless(const struct handover *handover)
{
	struct json_object *rows = json_object_new_array(), *row;
	unsigned int i;

	for (i = 0; i < LIVEUPDATE_PHASE_COUNT; i++) {
		const struct blackout_phase *phase = &handover->blackout.phases[i];

		if (phase->absent || phase->ns == handover->explained.phases[i])
			continue;
		row = json_object_new_object();
		add_text(row, "phase", phase_name(i));
		add_count(row, "ns", phase->ns - handover->explained.phases[i]);
		json_object_array_add(rows, row);
	}
	return rows;
}

static void add_part(struct json_object *value, const char *name, const struct handover *handover,
		     uint64_t ns, const char *list, struct json_object *rows)
{
	struct json_object *part = json_object_new_object();

	add_count(part, "ns", ns);
	add_percent(part, handover, ns);
	if (list)
		add(part, list, rows);
	add(value, name, part);
}

/**
 * advice_json - all of an advice
 * @advice:   as advice_make() left it
 * @handover: what it is on
 *
 * Return: the document; the members after "blackout" say nothing where that is not known.
 */
struct json_object *advice_json(const struct advice *advice, const struct handover *handover)
{
	struct json_object *value = json_object_new_object(), *rows = json_object_new_array();
	struct json_object *rest = json_object_new_array();
	bool known = handover->blackout.known;
	char text[24];
	size_t i;

	add_count(value, "version", ADVICE_VERSION);
	add(value, "kernel", recording_kernel(handover));
	add(value, "time", recording_time(handover));
	add(value, "blackout", recording_blackout(handover));
	snprintf(text, sizeof(text), "%g", advice->asked.least);
	add(value, "least_percent", json_object_new_double_s(advice->asked.least, text));
	add(value, "emulated",
	    advice->emulated == FLAG_NOT_KNOWN
		    ? NULL
		    : json_object_new_boolean(advice->emulated == FLAG_YES));
	for (i = 0; i < advice->count; i++)
		json_object_array_add(rows, make_remedy(&advice->list[i], handover));
	add(value, "remedies", rows);
	add(value, "units", make_units(advice, handover));
	for (i = 0; i < advice->rests; i++)
		json_object_array_add(rest, make_step(handover, advice->rest[i].step,
						      advice->rest[i].ns));
	add_part(value, "at_most", handover, advice->at_most, NULL, NULL);
	add_part(value, "maybe", handover, advice->maybe, NULL, NULL);
	add_part(value, "addressed", handover, advice->addressed, NULL, NULL);
	add_part(value, "unaddressed", handover, advice->unaddressed, "steps", rest);
	add_part(value, "unexplained", handover, advice->unexplained, "phases",
		 known ? make_nameless(handover) : json_object_new_array());
	return value;
}
