// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "liveupdate_mark.h"
#include "model/handover.h"
#include "model/nest.h"
#include "model/unseen.h"

/* "outgoing" or "incoming". */
const char *side_name(enum side side)
{
	return side == OUTGOING ? "outgoing" : "incoming";
}

#define PHASE_NAME(name, number, member, text) [number] = text,
#define REASON_TEXT(name, number, text)	       [number] = text,

const char *phase_name(unsigned int phase)
{
	static const char *const names[] = { LIVEUPDATE_PHASES(PHASE_NAME) };

	return names[phase];
}

/* Why the blackout is not known. */
const char *blackout_reason_text(unsigned int reason)
{
	static const char *const texts[] = { BLACKOUT_REASONS(REASON_TEXT) };

	return texts[reason];
}

/* Marks of one kernel that begin a step and wait for their end; more are no steps. */
#define OPEN_MARKS 64

/**
 * struct building - a handover that is being built
 * @handover: the handover; its steps are by sequence
 * @side:     the kernel whose records are taken
 * @open:     steps that a mark began and no mark has ended
 * @opened:   number of @open
 */
struct building {
	struct handover *handover;
	enum side side;
	size_t open[OPEN_MARKS];
	unsigned int opened;
};

/* The step that begins with a sequence number. */
static size_t find_step(const struct handover *handover, __u64 sequence)
{
	size_t low = 0, high = handover->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (handover->steps[middle].sequence < sequence)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < handover->count && handover->steps[low].sequence == sequence)
		return low;
	return NO_PARENT;
}

static struct step *add_step(struct building *building, const struct liveupdate_record *record)
{
	struct handover *handover = building->handover;
	struct step *step = &handover->steps[handover->count];
	size_t parent = record->ref ? find_step(handover, record->ref) : NO_PARENT;

	step->sequence = record->sequence;
	step->begin = record;
	step->end = record->edge == LIVEUPDATE_EDGE_INSTANT ? record : NULL;
	step->name = names_of(&handover->names, record);
	step->side = building->side;
	step->parent = NO_PARENT;
	if (parent != NO_PARENT && handover->steps[parent].side == building->side &&
	    handover->steps[parent].begin->edge == LIVEUPDATE_EDGE_BEGIN)
		step->parent = parent;
	handover->count++;
	return step;
}

static struct liveupdate_record *make_record(struct handover *handover,
					     const struct liveupdate_record *record)
{
	struct liveupdate_record *made = &handover->made[handover->made_count++];

	*made = *record;
	return made;
}

/* How many parts of a step were too short to be recorded, and what they took. */
static void add_sum(struct building *building, const struct liveupdate_record *record)
{
	struct liveupdate_record *made = make_record(building->handover, record);
	struct step *step;

	made->object = 0;
	made->count = record->object;
	made->name[0] = '\0';
	step = add_step(building, made);
	step->sum = record->count;
	step->name = record->kind == LIVEUPDATE_KIND_DEVICE	? "devices"
		     : record->kind == LIVEUPDATE_KIND_FUNCTION ? "functions"
								: "parts";
}

/* What follows "begin:" or "end:" in a mark, NULL if it does not begin so. */
static const char *mark_rest(const char *text, const char *word)
{
	size_t length = strlen(word);

	return !strncmp(text, word, length) && text[length] ? text + length : NULL;
}

static void begin_mark(struct building *building, const struct liveupdate_record *record,
		       const char *name)
{
	struct liveupdate_record *made = make_record(building->handover, record);
	struct step *step;

	made->edge = LIVEUPDATE_EDGE_BEGIN;
	snprintf(made->name, sizeof(made->name), "%.15s", name);
	building->open[building->opened++] = building->handover->count;
	step = add_step(building, made);
	step->name = name;
}

/* Ends the step of that name that began last; returns false if there is none. */
static bool end_mark(struct building *building, const struct liveupdate_record *record,
		     const char *name)
{
	struct handover *handover = building->handover;
	struct liveupdate_record *made;
	unsigned int i;

	for (i = building->opened; i-- > 0;) {
		struct step *step = &handover->steps[building->open[i]];

		if (strcmp(step->name, name) != 0)
			continue;
		made = make_record(handover, record);
		made->edge = LIVEUPDATE_EDGE_END;
		made->ref = step->sequence;
		step->end = made;
		building->opened--;
		memmove(&building->open[i], &building->open[i + 1],
			(building->opened - i) * sizeof(building->open[0]));
		return true;
	}
	return false;
}

/* Marks "begin:NAME" and "end:NAME" are the ends of a step; others are instants. */
static void add_mark(struct building *building, const struct liveupdate_record *record)
{
	const char *text = names_of(&building->handover->names, record), *name;

	if (liveupdate_mark_check(text)) {
		add_step(building, record);
		return;
	}
	name = mark_rest(text, BLACKOUT_MARK_STEP_BEGIN);
	if (name && building->opened < OPEN_MARKS) {
		begin_mark(building, record, name);
		return;
	}
	name = mark_rest(text, BLACKOUT_MARK_STEP_END);
	if (!name || !end_mark(building, record, name))
		add_step(building, record);
}

static void end_step(struct building *building, const struct liveupdate_record *record)
{
	struct handover *handover = building->handover;
	size_t found = find_step(handover, record->ref);
	struct step *step;

	if (found == NO_PARENT) {
		handover->unpaired++;
		return;
	}
	step = &handover->steps[found];
	assert(step->begin);
	if (step->end || step->side != building->side || step->begin->step != record->step) {
		handover->unpaired++;
		return;
	}
	step->end = record;
}

static void take_record(struct building *building, const struct liveupdate_record *record)
{
	if (record->step == LIVEUPDATE_STEP_NAME)
		return;
	if (record->edge == LIVEUPDATE_EDGE_END)
		end_step(building, record);
	else if (record->edge == LIVEUPDATE_EDGE_INSTANT && record->step == LIVEUPDATE_STEP_SHORT)
		add_sum(building, record);
	else if (record->edge == LIVEUPDATE_EDGE_INSTANT &&
		 record->step == LIVEUPDATE_STEP_USER_MARK)
		add_mark(building, record);
	else
		add_step(building, record);
}

/* Numbered on from the last record, so that others can say what they are part of. */
static void add_units(struct building *building)
{
	struct handover *handover = building->handover;
	const struct ledger *ledger = &handover->ledger[INCOMING];
	__u64 sequence = ledger->count ? ledger->records[ledger->count - 1].sequence : 0;
	size_t i;

	for (i = 0; i < handover->units.count && handover->present[INCOMING]; i++) {
		const struct unit *unit = &handover->units.list[i];
		struct liveupdate_record record = {
			.sequence = ++sequence,
			.cycles = unit->begin,
			.step = STEP_UNIT,
			.edge = LIVEUPDATE_EDGE_BEGIN,
			.kind = KIND_UNIT,
		};
		struct liveupdate_record *end;
		struct step *step = add_step(building, make_record(handover, &record));

		step->name = unit->name;
		end = make_record(handover, &record);
		end->cycles = unit->end;
		end->ref = record.sequence;
		end->edge = LIVEUPDATE_EDGE_END;
		end->ret = unit->failed ? -EIO : 0;
		step->end = end;
	}
}

/* Records that are made of what there is: at most one of each of these, two of a unit. */
static size_t count_made(const struct handover *handover)
{
	size_t i, count = 2 * handover->units.count;
	int side;

	for (side = 0; side < SIDES; side++) {
		for (i = 0; i < handover->ledger[side].count; i++) {
			unsigned int step = handover->ledger[side].records[i].step;

			count += step == LIVEUPDATE_STEP_SHORT || step == LIVEUPDATE_STEP_USER_MARK;
		}
	}
	return count;
}

/* What a ledger dropped, for the blackout. */
static void note_drops(struct blackout_side *notes, const struct ledger *ledger)
{
	int i;

	for (i = 0; i < LIVEUPDATE_CLASS_COUNT; i++) {
		struct liveupdate_drops drops = ledger_drops(ledger, i);

		blackout_note_drops(notes, i, drops.count, drops.first, drops.last);
	}
}

/*
 * A kernel whose ledger is of version 1 did not record that all sessions are
 * finished: count them. Of a recording that does not say how many came, the last
 * one that finished is the last.
 */
static void complete_version_1(struct blackout_side *notes, const struct ledger *ledger)
{
	__u64 finished = 0, sessions = 0;
	size_t i;

	if (ledger->header.version != 1)
		return;
	for (i = 0; i < ledger->count; i++) {
		const struct liveupdate_record *record = &ledger->records[i];

		if (record->edge != LIVEUPDATE_EDGE_END || record->ret)
			continue;
		if (record->step == LIVEUPDATE_STEP_DESERIALIZE)
			sessions = record->count;
		finished += record->step == LIVEUPDATE_STEP_SESSION_FINISH;
	}
	if (finished && finished >= sessions)
		notes->complete = notes->finished;
}

static void choose_origin(struct handover *handover, const struct blackout_side *outgoing,
			  const struct blackout_side *incoming)
{
	if (handover->blackout.known)
		handover->origin = handover->blackout.begin_cycles;
	else if (outgoing->reboot.sequence)
		handover->origin = outgoing->reboot.cycles;
	else if (incoming->boot.sequence)
		handover->origin = incoming->boot.cycles;
	else if (handover->ledger[OUTGOING].count)
		handover->origin = handover->ledger[OUTGOING].records[0].cycles;
	else if (handover->ledger[INCOMING].count)
		handover->origin = handover->ledger[INCOMING].records[0].cycles;
}

static int out_of_memory(char why[LEDGER_WHY_SIZE])
{
	snprintf(why, LEDGER_WHY_SIZE, "out of memory");
	return -ENOMEM;
}

/**
 * handover_build - make steps and phases out of the ledgers
 * @handover: its @ledger and @present are filled in; the rest is zero
 * @why:      filled in if it fails
 *
 * Return: 0, -EINVAL if the two ledgers do not belong together, -ENOMEM.
 */
int handover_build(struct handover *handover, char why[LEDGER_WHY_SIZE])
{
	struct building building = { .handover = handover };
	struct blackout_side notes[SIDES] = { 0 };
	const struct blackout_side *before, *after;
	struct unseen unseen;
	size_t total = 0, i;
	__u64 last = 0;
	int side;

	for (side = 0; side < SIDES; side++) {
		const struct ledger *ledger = &handover->ledger[side];

		if (!handover->present[side])
			continue;
		if (ledger->count && ledger->records[0].sequence <= last) {
			snprintf(
				why, LEDGER_WHY_SIZE,
				"the incoming kernel's ledger does not continue the outgoing kernel's");
			return -EINVAL;
		}
		if (ledger->count)
			last = ledger->records[ledger->count - 1].sequence;
		total += ledger->count;
		notes[side].cycles_khz = ledger->header.cycles_khz;
		if (names_add(&handover->names, ledger))
			return out_of_memory(why);
	}

	total += handover->units.count;
	handover->steps = calloc(total ?: 1, sizeof(*handover->steps));
	handover->made = calloc(count_made(handover) ?: 1, sizeof(*handover->made));
	if (!handover->steps || !handover->made)
		return out_of_memory(why);
	for (side = 0; side < SIDES; side++) {
		const struct ledger *ledger = &handover->ledger[side];

		if (!handover->present[side])
			continue;
		building.side = side;
		building.opened = 0;
		for (i = 0; i < ledger->count; i++) {
			const struct liveupdate_record *record = &ledger->records[i];

			blackout_note(&notes[side], record);
			if (workloads_note(&handover->workloads, side, record,
					   names_of(&handover->names, record)))
				return out_of_memory(why);
			take_record(&building, record);
		}
	}
	add_units(&building);
	if (steps_nest(handover))
		return out_of_memory(why);

	for (side = 0; side < SIDES; side++) {
		if (!handover->present[side])
			continue;
		note_drops(&notes[side], &handover->ledger[side]);
		complete_version_1(&notes[side], &handover->ledger[side]);
	}
	unseen_stand_in(&unseen, &handover->ledger[OUTGOING], &notes[OUTGOING],
			&handover->workloads);
	before = handover->present[OUTGOING] ? &notes[OUTGOING] : NULL;
	after = handover->present[INCOMING] ? &notes[INCOMING] : NULL;
	if (workloads_evaluate(&handover->workloads, before, after))
		return out_of_memory(why);
	blackout_evaluate(before, after, &handover->workloads.host, &handover->blackout);
	unseen_settle(&unseen, &handover->blackout);
	handover->khz = notes[INCOMING].cycles_khz ?: notes[OUTGOING].cycles_khz;
	choose_origin(handover, &notes[OUTGOING], &notes[INCOMING]);
	return explained_find(handover) ? out_of_memory(why) : 0;
}

/**
 * handover_add_units - build a handover again, with the units of the incoming host
 * @handover: one that was built
 * @units:    what the service manager said; NULL: nothing changes
 * @why:      filled in if it fails; then it is still to be freed
 *
 * Return: 0, -ENOMEM.
 */
int handover_add_units(struct handover *handover, const struct evidence_units *units,
		       char why[LEDGER_WHY_SIZE])
{
	struct handover again = { 0 };

	if (!units)
		return 0;
	memcpy(again.ledger, handover->ledger, sizeof(again.ledger));
	memcpy(again.present, handover->present, sizeof(again.present));
	memset(handover->ledger, 0, sizeof(handover->ledger));
	handover_free(handover);
	*handover = again;
	if (units_place(&handover->units, units, &handover->ledger[INCOMING].header))
		return out_of_memory(why);
	return handover_build(handover, why);
}

void handover_free(struct handover *handover)
{
	int side;

	for (side = 0; side < SIDES; side++)
		ledger_free(&handover->ledger[side]);
	free(handover->steps);
	free(handover->made);
	names_free(&handover->names);
	units_free(&handover->units);
	workloads_free(&handover->workloads);
	memset(handover, 0, sizeof(*handover));
}

/* Does the (known) blackout begin with a mark "pause"? Else with the reboot call. */
bool handover_from_mark(const struct handover *handover)
{
	return !handover->blackout.phases[LIVEUPDATE_PHASE_QUIESCE].absent;
}

/* Does it end with a mark "resume"? Else with the last session that finished. */
bool handover_to_mark(const struct handover *handover)
{
	return handover->blackout.to_mark;
}
