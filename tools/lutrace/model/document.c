// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "base/version.h"
#include "model/document.h"
#include "model/unseen.h"
#include "model/verdict.h"
#include "model/vocabulary.h"

/*
 * JSON numbers are doubles to many readers. Values that use all 64 bits are
 * therefore written as hexadecimal text.
 */
static void add_bits(struct json_object *value, const char *name, __u64 number)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%llx", number);
	json_object_object_add_ex(value, name, json_object_new_string(text),
				  JSON_C_OBJECT_ADD_KEY_IS_NEW | JSON_C_OBJECT_ADD_CONSTANT_KEY);
}

static void add(struct json_object *value, const char *name, struct json_object *new)
{
	json_object_object_add_ex(value, name, new,
				  JSON_C_OBJECT_ADD_KEY_IS_NEW | JSON_C_OBJECT_ADD_CONSTANT_KEY);
}

static void add_name(struct json_object *value, const char *name, const char *text)
{
	add(value, name, json_object_new_string(text));
}

static void add_count(struct json_object *value, const char *name, __u64 number)
{
	add(value, name, json_object_new_uint64(number));
}

/* {"outgoing": release or null, "incoming": release or null} */
struct json_object *recording_kernel(const struct handover *handover)
{
	struct json_object *value = json_object_new_object();
	int side;

	for (side = 0; side < SIDES; side++)
		add_text(value, side_name(side),
			 handover->present[side] ? handover->ledger[side].header.release : NULL);
	return value;
}

/* Wall-clock time of the origin in ISO 8601, or null. */
struct json_object *recording_time(const struct handover *handover)
{
	char date[40], text[64];
	struct tm broken;
	time_t seconds;
	int64_t ns;

	if (!handover_wall(handover, handover->origin, &ns) || ns < 0)
		return NULL;
	seconds = ns / 1000000000;
	if (!gmtime_r(&seconds, &broken))
		return NULL;
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &broken);
	snprintf(text, sizeof(text), "%s.%06" PRId64 "Z", date, ns % 1000000000 / 1000);
	return json_object_new_string(text);
}

/**
 * recording_phases - the phases of a pause
 * @blackout: the pause
 * @handover: the handover that it is of, which says how much of them has a name; NULL if
 *            nobody knows
 *
 * Return: a list, empty if the pause is not known.
 */
struct json_object *recording_phases(const struct blackout *blackout,
				     const struct handover *handover)
{
	char unseen[UNSEEN_TEXT_SIZE];
	struct json_object *phases = json_object_new_array();
	unsigned int i;

	for (i = 0; blackout->known && i < LIVEUPDATE_PHASE_COUNT; i++) {
		const struct blackout_phase *phase = &blackout->phases[i];
		struct json_object *row;

		if (phase->absent)
			continue;
		row = json_object_new_object();
		add_name(row, "name", phase_name(i));
		add_count(row, "begin_ns", phase->begin_ns);
		add_count(row, "ns", phase->ns);
		add(row, "unexplained_ns",
		    handover ? json_object_new_uint64(phase->ns - handover->explained.phases[i])
			     : NULL);
		if (handover && unseen_text(handover, i, unseen))
			add_name(row, "unknown", unseen);
		json_object_array_add(phases, row);
	}
	return phases;
}

/**
 * recording_add_workload - the pause of one workload, as one row
 * @rows:  the rows; unchanged if the workload had no part in the live update
 * @name:  its name
 * @pause: its pause
 * @host:  the host's pause, in which the workload's begins
 */
void recording_add_workload(struct json_object *rows, const char *name,
			    const struct blackout_pause *pause, const struct blackout *host)
{
	struct json_object *row;
	__u64 begin;

	if (!pause->present)
		return;
	row = json_object_new_object();
	add_text(row, "name", name);
	/* Where the host's pause is not known, there is nothing to count from. */
	add(row, "begin_ns",
	    blackout_workload_begin(host, pause, &begin) ? json_object_new_uint64(begin) : NULL);
	add(row, "ns", pause->known ? json_object_new_uint64(pause->ns) : NULL);
	add_text(row, "unknown", pause->known ? NULL : blackout_reason_text(pause->reason));
	json_object_array_add(rows, row);
}

/* The pauses of the workloads whose marks have a name. */
static struct json_object *make_workloads(const struct handover *handover)
{
	struct json_object *rows = json_object_new_array();
	size_t i;

	for (i = 0; i < handover->workloads.count; i++) {
		const struct workload *workload = &handover->workloads.list[i];

		recording_add_workload(rows, workload->name.text, &workload->pause,
				       &handover->blackout);
	}
	return rows;
}

/* What explains most of the pause. */
static struct json_object *make_leaves(const struct handover *handover)
{
	const struct explained *explained = &handover->explained;
	struct json_object *rows = json_object_new_array();
	char text[NAME_TEXT_SIZE];
	unsigned int i;

	for (i = 0; i < explained->count; i++) {
		const struct step *step = &handover->steps[explained->leaves[i].step];
		struct json_object *row = json_object_new_object();

		add_name(row, "kernel", side_name(step->side));
		add_name(row, "step", step_name(step->begin->step));
		add_text(row, "object", step_object(step, text));
		add_count(row, "ns", explained->leaves[i].ns);
		json_object_array_add(rows, row);
	}
	return rows;
}

/* The share of the pause that has a name, in four digits, never more; NULL if not known. */
struct json_object *recording_explained(const struct handover *handover)
{
	double share = (double)(uint64_t)(explained_share(handover) * 10000) / 10000;
	char text[16];

	if (!handover->blackout.known)
		return NULL;
	snprintf(text, sizeof(text), "%.4f", share);
	return json_object_new_double_s(share, text);
}

/* The pause: its total and its phases, or why they are not known. */
struct json_object *recording_blackout(const struct handover *handover)
{
	const struct blackout *blackout = &handover->blackout;
	struct json_object *value = json_object_new_object();

	if (blackout->known) {
		add_count(value, "ns", blackout->ns);
		add(value, "unknown", NULL);
		add_name(value, "from",
			 handover_from_mark(handover) ? "pause-mark" : "reboot-call");
		add_name(value, "to",
			 handover_to_mark(handover) ? "resume-mark" : "session-finish");
	} else {
		add(value, "ns", NULL);
		add_name(value, "unknown", blackout_reason_text(blackout->reason));
		add(value, "from", NULL);
		add(value, "to", NULL);
	}
	add(value, "explained", recording_explained(handover));
	add(value, "phases", recording_phases(blackout, handover));
	add(value, "leaves", make_leaves(handover));
	add(value, "workloads", make_workloads(handover));
	return value;
}

/* One step of the handover. */
struct json_object *recording_step(const struct handover *handover, const struct step *step)
{
	const struct liveupdate_record *begin = step->begin, *end = step->end;
	struct json_object *row = json_object_new_object();
	char text[NAME_TEXT_SIZE];
	uint64_t ns;

	add_count(row, "sequence", begin->sequence);
	add(row, "parent",
	    step->parent == NO_PARENT
		    ? NULL
		    : json_object_new_uint64(handover->steps[step->parent].begin->sequence));
	add_name(row, "kernel", side_name(step->side));
	add_name(row, "step", step_name(begin->step));
	add_name(row, "kind", kind_name(begin->kind));
	add_text(row, "object", step_object(step, text));
	add(row, "begin_ns",
	    handover->khz ? json_object_new_int64(handover_time(handover, begin->cycles)) : NULL);
	add(row, "ns", handover_duration(handover, step, &ns) ? json_object_new_uint64(ns) : NULL);
	add(row, "ret", end ? json_object_new_int(end->ret) : NULL);
	add_count(row, "count", end ? end->count : 0);
	return row;
}

struct json_object *recording_steps(const struct handover *handover)
{
	struct json_object *rows = json_object_new_array_ext((int)handover->count);
	size_t i;

	for (i = 0; i < handover->count; i++)
		json_object_array_add(rows, recording_step(handover, &handover->steps[i]));
	return rows;
}

/* A record; members that are 0 or empty are left out. */
static struct json_object *make_record(const struct liveupdate_record *record)
{
	struct json_object *row = json_object_new_object();

	add_count(row, "sequence", record->sequence);
	add_bits(row, "cycles", record->cycles);
	if (record->ref)
		add_count(row, "ref", record->ref);
	add_name(row, "step", step_name(record->step));
	add_name(row, "edge", edge_name(record->edge));
	if (record->kind)
		add_name(row, "kind", kind_name(record->kind));
	if (record->ret)
		add(row, "ret", json_object_new_int(record->ret));
	if (record->object)
		add_bits(row, "object", record->object);
	if (record->count)
		add_bits(row, "count", record->count);
	if (record->name[0])
		add_text(row, "name", record->name);
	return row;
}

/* What was dropped, by class; classes of which nothing was are left out. */
static struct json_object *make_drops(const struct liveupdate_ledger *header)
{
	struct json_object *value = json_object_new_object();
	int i;

	for (i = 0; i < LIVEUPDATE_CLASS_COUNT; i++) {
		const struct liveupdate_drops *drops = &header->drops[i];
		struct json_object *row;

		if (!drops->count)
			continue;
		row = json_object_new_object();
		add_count(row, "count", drops->count);
		add_count(row, "first", drops->first);
		add_count(row, "last", drops->last);
		add(value, class_name((unsigned int)i), row);
	}
	return value;
}

static struct json_object *make_ledger(const struct ledger *ledger)
{
	struct json_object *value = json_object_new_object();
	struct json_object *records = json_object_new_array_ext((int)ledger->count);
	size_t i;

	add_count(value, "version", ledger->header.version);
	add_text(value, "release", ledger->header.release);
	/* By lutrace, and not by that kernel. */
	if (ledger_is_kept(ledger))
		add(value, "kept", json_object_new_boolean(true));
	add_count(value, "capacity", ledger->header.capacity);
	add_count(value, "dropped", ledger->header.dropped);
	/* Version 1 does not tell the classes. */
	if (ledger->header.version > 1)
		add(value, "drops", make_drops(&ledger->header));
	add_count(value, "cycles_khz", ledger->header.cycles_khz);
	add_bits(value, "wall_cycles", ledger->header.wall_cycles);
	add_bits(value, "wall_ns", ledger->header.wall_ns);
	for (i = 0; i < ledger->count; i++)
		json_object_array_add(records, make_record(&ledger->records[i]));
	add(value, "records", records);
	return value;
}

/**
 * recording_overview - the recording of a handover without its single steps
 * @handover: the handover
 * @evidence: that others testify to, NULL for none
 *
 * Return: the document; evidence that there is none of is null.
 */
struct json_object *recording_overview(const struct handover *handover,
				       const struct evidence *evidence)
{
	struct json_object *value = json_object_new_object();
	const struct evidence none = { 0 };
	struct verdict_of verdict;

	add_count(value, "version", RECORDING_VERSION);
	add_name(value, "generator", "lutrace " LUTRACE_VERSION);
	add(value, "kernel", recording_kernel(handover));
	add(value, "time", recording_time(handover));
	add(value, "blackout", recording_blackout(handover));
	evidence_write(evidence, value);
	verdict_make(&verdict, handover, evidence ?: &none, 0);
	add(value, "verdict", verdict_json(&verdict));
	return value;
}

/**
 * recording_make - the whole recording of a handover
 * @handover: the handover
 * @evidence: that others testify to, NULL for none
 *
 * Return: the document, which recording_parse() understands.
 */
struct json_object *recording_make(const struct handover *handover, const struct evidence *evidence)
{
	struct json_object *value = recording_overview(handover, evidence);
	struct json_object *ledgers = json_object_new_object();
	int side;

	add(value, "steps", recording_steps(handover));
	for (side = 0; side < SIDES; side++)
		add(ledgers, side_name(side),
		    handover->present[side] ? make_ledger(&handover->ledger[side]) : NULL);
	add(value, "ledgers", ledgers);
	return value;
}
