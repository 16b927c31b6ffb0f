// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What the ledgers say of a live update that went wrong: how far it came, the
 * last step that is complete, what began and never ended, what failed and why,
 * and which objects were preserved and are not finished.
 *
 * A host may keep one ledger through several live updates, and be the outgoing
 * kernel of one after it was the incoming kernel of another: the records are
 * followed from first to last, whoever wrote them.
 *
 * What a ledger had no room for may have said something else than the records
 * that are there. Where it may have, the answer is that nobody knows.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/liveupdate_image.h>

#include "base/json.h"
#include "model/document.h"
#include "model/session_name.h"
#include "model/vocabulary.h"
#include "postmortem/postmortem.h"
#include "show/output.h"

#define POINT_NAME(name, text, where)  text,
#define POINT_WHERE(name, text, where) where,

const char *point_name(enum postmortem_point point)
{
	static const char *const names[] = { POSTMORTEM_POINTS(POINT_NAME) };

	return names[point];
}

const char *point_where(enum postmortem_point point)
{
	static const char *const where[] = { POSTMORTEM_POINTS(POINT_WHERE) };

	return where[point];
}

/*
 * X(STEP, "state"): what a step makes of its object when it succeeded. An object
 * is known from the step that preserves it on; "" ends that.
 */
#define OBJECT_STATES(X)                                                                           \
	X(FILE_PRESERVE, "preserved")                                                              \
	X(FILE_UNPRESERVE, "")                                                                     \
	X(FILE_FREEZE, "frozen")                                                                   \
	X(FILE_UNFREEZE, "preserved")                                                              \
	X(FILE_RETRIEVE, "retrieved")                                                              \
	X(FILE_FINISH, "")                                                                         \
	X(FLB_PRESERVE, "preserved")                                                               \
	X(FLB_UNPRESERVE, "")                                                                      \
	X(FLB_RETRIEVE, "restored")                                                                \
	X(FLB_FINISH, "")                                                                          \
	X(IOMMU_PRESERVE, "preserved")                                                             \
	X(IOMMU_UNPRESERVE, "")                                                                    \
	X(IOMMU_SHUTDOWN, "left running")                                                          \
	X(IOMMU_RESTORE, "")                                                                       \
	X(HWPT_PRESERVE, "preserved")                                                              \
	X(HWPT_UNPRESERVE, "")                                                                     \
	X(HWPT_RESTORE, "")                                                                        \
	X(DEVICE_PRESERVE, "preserved")                                                            \
	X(DEVICE_UNPRESERVE, "")                                                                   \
	X(DEVICE_FREEZE, "frozen")                                                                 \
	X(DEVICE_KEEP, "left running")                                                             \
	X(DEVICE_REATTACH, "waiting")                                                              \
	X(DEVICE_ISOLATE, "lost")                                                                  \
	X(DEVICE_RETRIEVE, "retrieved")                                                            \
	X(DEVICE_BIND, "bound")                                                                    \
	X(DEVICE_FINISH, "")

/* The data that the IOMMU's objects live as long as; a name in a record is cut. */
#define IOMMU_FLB "iommu-liveupdat"

static const char *state_after(unsigned int step)
{
	switch (step) {
#define STATE_CASE(name, state)                                                                    \
	case LIVEUPDATE_STEP_##name:                                                               \
		return state;
		OBJECT_STATES(STATE_CASE)
#undef STATE_CASE
	}
	return NULL;
}

static bool makes_object(unsigned int step)
{
	return step == LIVEUPDATE_STEP_FILE_PRESERVE || step == LIVEUPDATE_STEP_FLB_PRESERVE ||
	       step == LIVEUPDATE_STEP_IOMMU_PRESERVE || step == LIVEUPDATE_STEP_HWPT_PRESERVE ||
	       step == LIVEUPDATE_STEP_DEVICE_PRESERVE;
}

/**
 * struct object - something that is preserved
 * @step:   the step that preserved it
 * @state:  what became of it, "" when that is over
 * @reason: why it was isolated, or NULL
 */
struct object {
	const struct step *step;
	const char *state;
	const char *reason;
};

/**
 * struct history - what has been followed so far
 * @handover:  the records
 * @objects:   all that were preserved, in that order
 * @count:     number of @objects
 * @files:     of them, files that are not finished
 * @sessions:  sessions that came with the live update and are not finished
 * @point:     how far it came
 * @jumped:    the outgoing kernel recorded the jump
 * @jump:      index of that record
 * @handed:    number of the last record of the way from one kernel to the next
 */
struct history {
	const struct handover *handover;
	struct object *objects;
	size_t count;
	size_t files;
	size_t sessions;
	enum postmortem_point point;
	bool jumped;
	size_t jump;
	__u64 handed;
};

/* Did a kernel drop records of a class after the one with a number? */
static bool dropped_after(const struct handover *handover, enum side side,
			  enum liveupdate_class class, __u64 sequence)
{
	return handover->present[side] &&
	       ledger_drops(&handover->ledger[side], class).last > sequence;
}

/* Did either? */
static bool any_dropped_after(const struct handover *handover, enum liveupdate_class class,
			      __u64 sequence)
{
	return dropped_after(handover, OUTGOING, class, sequence) ||
	       dropped_after(handover, INCOMING, class, sequence);
}

/*
 * Is a step about what another one preserved? Tokens are those of a session:
 * another session's may be the same. Version 1 does not tell the session.
 */
static bool is_same(const struct liveupdate_record *one, const struct liveupdate_record *other)
{
	if (one->kind != other->kind || one->object != other->object)
		return false;
	return one->kind != LIVEUPDATE_KIND_FILE || !one->count || !other->count ||
	       one->count == other->count;
}

static bool is_file(const struct object *object)
{
	return object->step->begin->kind == LIVEUPDATE_KIND_FILE;
}

static void set_state(struct history *history, struct object *object, const char *state)
{
	if (is_file(object) && *object->state && !*state)
		history->files--;
	object->state = state;
}

/* All that the IOMMU had preserved is over when its shared data is. */
static void end_iommu(struct history *history)
{
	size_t i;

	for (i = 0; i < history->count; i++) {
		unsigned int kind = history->objects[i].step->begin->kind;

		if (kind == LIVEUPDATE_KIND_HWPT || kind == LIVEUPDATE_KIND_IOMMU)
			history->objects[i].state = "";
	}
}

static void follow_object(struct history *history, const struct step *step)
{
	const char *state = state_after(step->begin->step);
	size_t i;

	if (!state || !step->end)
		return;
	/* The one step whose error is what became of its object */
	if (step->end->ret && step->begin->step != LIVEUPDATE_STEP_DEVICE_ISOLATE)
		return;
	if (makes_object(step->begin->step)) {
		history->objects[history->count++] = (struct object){ step, state, NULL };
		history->files += step->begin->kind == LIVEUPDATE_KIND_FILE;
		return;
	}
	for (i = 0; i < history->count; i++) {
		struct object *object = &history->objects[i];

		if (is_same(object->step->begin, step->begin) && *object->state &&
		    strcmp(object->state, state) != 0) {
			set_state(history, object, state);
			if (step->begin->step == LIVEUPDATE_STEP_DEVICE_ISOLATE)
				object->reason = step->begin->name;
			break;
		}
	}
	if (step->begin->kind == LIVEUPDATE_KIND_FLB && !*state &&
	    !strcmp(step->begin->name, IOMMU_FLB))
		end_iommu(history);
}

static void follow_sessions(struct history *history, const struct step *step)
{
	bool good = step->end && !step->end->ret;

	switch (step->begin->step) {
	case LIVEUPDATE_STEP_DESERIALIZE:
		if (good)
			history->sessions = step->end->count;
		break;
	case LIVEUPDATE_STEP_SESSION_RETRIEVE:
		if (good)
			history->point = POINT_RETRIEVED;
		break;
	case LIVEUPDATE_STEP_SESSION_FINISH:
		if (!good)
			break;
		if (history->sessions)
			history->sessions--;
		/* Later versions say so themselves. */
		if (!history->sessions && history->handover->ledger[step->side].header.version == 1)
			history->point = POINT_FINISHED;
		break;
	case LIVEUPDATE_STEP_SESSIONS_FINISHED:
		history->sessions = 0;
		history->point = POINT_FINISHED;
		break;
	}
}

static void follow(struct history *history, size_t i)
{
	const struct step *step = &history->handover->steps[i];
	bool ended = step->end, good = ended && !step->end->ret;

	if (ledger_class(step->begin->step) == LIVEUPDATE_CLASS_HANDOVER)
		history->handed = ended ? step->end->sequence : step->sequence;
	follow_object(history, step);
	follow_sessions(history, step);
	switch (step->begin->step) {
	case LIVEUPDATE_STEP_FILE_PRESERVE:
		if (good)
			history->point = POINT_PRESERVED;
		break;
	case LIVEUPDATE_STEP_FILE_UNPRESERVE:
		if (good && !history->files)
			history->point = POINT_IDLE;
		break;
	case LIVEUPDATE_STEP_REBOOT:
		/* It ends only if there was no jump. */
		if (ended && !good)
			history->point = POINT_UNDONE;
		else if (!ended && (history->files || any_dropped_after(history->handover,
									LIVEUPDATE_CLASS_OTHER, 0)))
			history->point = POINT_FREEZING;
		break;
	case LIVEUPDATE_STEP_SERIALIZE:
		if (good && history->point == POINT_FREEZING)
			history->point = POINT_FROZEN;
		break;
	case LIVEUPDATE_STEP_JUMP:
		history->jumped = true;
		history->jump = i;
		if (history->point == POINT_FROZEN)
			history->point = POINT_JUMPED;
		break;
	case LIVEUPDATE_STEP_BOOT:
		if (history->point == POINT_JUMPED)
			history->point = POINT_RESTORING;
		break;
	case LIVEUPDATE_STEP_INIT:
		if (history->point == POINT_RESTORING)
			history->point = POINT_WAITING;
		break;
	}
}

/*
 * Could the records that were dropped tell another story? A kernel that records
 * when all sessions are finished has room for that whatever else it drops.
 */
static bool is_uncertain(const struct history *history)
{
	const struct handover *handover = history->handover;
	bool tells = handover->ledger[INCOMING].header.version != 1;

	if (any_dropped_after(handover, LIVEUPDATE_CLASS_HANDOVER, history->handed))
		return true;
	switch (history->point) {
	case POINT_IDLE:
	case POINT_PRESERVED:
		/* Files that were preserved, or given up. */
		return any_dropped_after(handover, LIVEUPDATE_CLASS_OTHER, 0);
	case POINT_WAITING:
	case POINT_RETRIEVED:
		return !tells && dropped_after(handover, INCOMING, LIVEUPDATE_CLASS_SESSION, 0);
	default:
		return false;
	}
}

/* What an error means, or why the loaded kernel was refused. */
static const char *meaning_text(const struct step *step, int error)
{
	static const char *const refusals[] = {
#define REFUSAL(name, number, what, advice) [number] = what "; " advice,
		LIVEUPDATE_REFUSALS(REFUSAL)
#undef REFUSAL
	};
	uint64_t reason = step->end->count;

	if (step->begin->step == LIVEUPDATE_STEP_SUCCESSOR_REFUSE && reason &&
	    reason <= LIVEUPDATE_REFUSAL_MAX)
		return refusals[reason];
	return strerror(error);
}

static struct json_object *step_json(const struct handover *handover, const struct step *step)
{
	struct json_object *row = recording_step(handover, step);
	int ret = step->end ? step->end->ret : 0;
	char session[SESSION_TEXT_SIZE];

	session_of(handover, (size_t)(step - handover->steps), session);
	add_text(row, "session", *session ? session : NULL);
	/* All of the name, where it is known. */
	if (step->begin->kind == LIVEUPDATE_KIND_SESSION && *session)
		add_text(row, "object", session);
	add_text(row, "release", handover->ledger[step->side].header.release);
	add_text(row, "error", ret ? error_text(ret) : NULL);
	add_text(row, "meaning", ret ? meaning_text(step, -ret) : NULL);
	return row;
}

/* Is a step part of another one, or that one itself? */
static bool is_within(const struct handover *handover, size_t i, size_t outer)
{
	while (i != outer && i != NO_PARENT)
		i = handover->steps[i].parent;
	return i == outer;
}

/*
 * Steps that began and never ended; those that the jump cut off are meant to. An
 * end that may have been dropped is none that is missing.
 */
static struct json_object *open_json(const struct history *history)
{
	const struct handover *handover = history->handover;
	struct json_object *rows = json_object_new_array();
	size_t i;

	for (i = 0; i < handover->count; i++) {
		const struct step *step = &handover->steps[i];

		if (step->end || (history->jumped && is_within(handover, history->jump, i)) ||
		    dropped_after(handover, step->side, ledger_class(step->begin->step),
				  step->sequence))
			continue;
		json_object_array_add(rows, step_json(handover, &handover->steps[i]));
	}
	return rows;
}

/* A refusal is no failure: somebody may have tried what he must not. */
static bool is_refusal(const struct step *step)
{
	return step->begin->step == LIVEUPDATE_STEP_DEVICE_REFUSE;
}

static bool is_failure(const struct step *step)
{
	if (step->begin->step == LIVEUPDATE_STEP_DEVICE_ISOLATE)
		return true;
	return step->end && step->end->ret && !is_refusal(step);
}

static struct json_object *within_json(const struct handover *handover, size_t i)
{
	struct json_object *names = json_object_new_array();

	for (i = handover->steps[i].parent; i != NO_PARENT; i = handover->steps[i].parent) {
		const struct liveupdate_record *begin = handover->steps[i].begin;
		char object[NAME_TEXT_SIZE], text[2 * NAME_TEXT_SIZE];

		if (begin->kind == LIVEUPDATE_KIND_SESSION)
			session_name(handover, begin->object, object);
		else
			step_object(&handover->steps[i], object);
		snprintf(text, sizeof(text), "%s%s%s", step_name(begin->step),
			 *object ? " of " : "", object);
		json_object_array_add(names, json_object_new_string(text));
	}
	return names;
}

/* Where failures began; a step that failed because a part of it did is said there. */
static struct json_object *failures_json(const struct handover *handover)
{
	struct json_object *rows = json_object_new_array(), *row;
	bool *told = calloc(handover->count ?: 1, sizeof(*told));
	size_t i, outer;

	for (i = handover->count; told && i-- > 0;) {
		if (!is_failure(&handover->steps[i]))
			continue;
		for (outer = handover->steps[i].parent;
		     outer != NO_PARENT && !told[outer] && is_failure(&handover->steps[outer]);
		     outer = handover->steps[outer].parent)
			told[outer] = true;
	}
	for (i = 0; told && i < handover->count; i++) {
		if (!is_failure(&handover->steps[i]) || told[i])
			continue;
		row = step_json(handover, &handover->steps[i]);
		json_object_object_add(row, "within", within_json(handover, i));
		json_object_array_add(rows, row);
	}
	free(told);
	return rows;
}

static struct json_object *refusals_json(const struct handover *handover)
{
	struct json_object *rows = json_object_new_array();
	size_t i;

	for (i = 0; i < handover->count; i++) {
		if (is_refusal(&handover->steps[i]))
			json_object_array_add(rows, step_json(handover, &handover->steps[i]));
	}
	return rows;
}

/* Memory that belongs to an object: pages of the memfd, or of its page table. */
static uint64_t pages_of(const struct handover *handover, const struct step *step)
{
	size_t i, self = (size_t)(step - handover->steps);
	uint64_t pages = 0;

	for (i = self + 1; i < handover->count; i++) {
		const struct step *part = &handover->steps[i];

		if (part->parent == self && part->end &&
		    (part->begin->step == LIVEUPDATE_STEP_MEMFD_PRESERVE ||
		     part->begin->step == LIVEUPDATE_STEP_DOMAIN_PRESERVE))
			pages += part->end->count;
		/* What is part of a step comes before that step's end. */
		if (step->end && part->sequence > step->end->sequence)
			break;
	}
	return pages;
}

static struct json_object *unfinished_json(const struct history *history)
{
	struct json_object *rows = json_object_new_array();
	char text[NAME_TEXT_SIZE], session[SESSION_TEXT_SIZE];
	size_t i;

	for (i = 0; i < history->count; i++) {
		const struct liveupdate_record *begin = history->objects[i].step->begin;
		struct json_object *row;

		if (!*history->objects[i].state)
			continue;
		row = json_object_new_object();
		add_text(row, "kind", kind_name(begin->kind));
		add_text(row, "object", step_object(history->objects[i].step, text));
		add_text(row, "state", history->objects[i].state);
		add_text(row, "reason", history->objects[i].reason);
		session_of(history->handover,
			   (size_t)(history->objects[i].step - history->handover->steps), session);
		add_text(row, "session", *session ? session : NULL);
		add_number(row, "pages",
			   (int64_t)pages_of(history->handover, history->objects[i].step));
		json_object_array_add(rows, row);
	}
	return rows;
}

/* The step whose end is the last record that is an end, or an instant. */
static const struct step *last_complete(const struct handover *handover)
{
	const struct step *last = NULL;
	size_t i;

	for (i = 0; i < handover->count; i++) {
		const struct step *step = &handover->steps[i];

		if (step->end && (!last || step->end->sequence > last->end->sequence))
			last = step;
	}
	return last;
}

/**
 * postmortem_ledger - what the records say
 * @value:    gets the members kernel, point, where, jump (its record), last, open,
 *            failures, refusals, unfinished, given_up, sessions (that are not finished),
 *            dropped, uncertain
 * @handover: the records
 *
 * Return: how far the live update came.
 */
enum postmortem_point postmortem_ledger(struct json_object *value, const struct handover *handover)
{
	struct history history = { .handover = handover };
	const struct step *last = last_complete(handover);
	uint64_t dropped = 0;
	size_t i;
	int side;

	history.objects = calloc(handover->count ?: 1, sizeof(*history.objects));
	for (i = 0; history.objects && i < handover->count; i++)
		follow(&history, i);
	/* Which of them has been retrieved may be among what was dropped. */
	if (history.point == POINT_WAITING &&
	    dropped_after(handover, INCOMING, LIVEUPDATE_CLASS_SESSION, 0))
		history.point = POINT_RETRIEVED;
	for (side = 0; side < SIDES; side++)
		dropped += handover->ledger[side].header.dropped;

	json_object_object_add(value, "kernel", recording_kernel(handover));
	add_text(value, "point", point_name(history.point));
	add_text(value, "where", point_where(history.point));
	json_object_object_add(
		value, "jump",
		history.jumped ? json_object_new_uint64(handover->steps[history.jump].sequence)
			       : NULL);
	json_object_object_add(value, "last", last ? step_json(handover, last) : NULL);
	json_object_object_add(value, "open", open_json(&history));
	json_object_object_add(value, "failures", failures_json(handover));
	json_object_object_add(value, "refusals", refusals_json(handover));
	json_object_object_add(value, "unfinished", unfinished_json(&history));
	json_object_object_add(value, "given_up", postmortem_given_up(handover));
	add_number(value, "sessions", (int64_t)history.sessions);
	add_number(value, "dropped", (int64_t)dropped);
	json_object_object_add(value, "uncertain", json_object_new_boolean(is_uncertain(&history)));
	free(history.objects);
	return history.point;
}
