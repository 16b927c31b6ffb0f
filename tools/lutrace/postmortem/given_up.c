// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Sessions that were closed before the reboot call, so that nothing of them crossed.
 * Nobody means that who preserves something and calls reboot: an init system that ends
 * all processes first, systemctl kexec for instance, ends those that hold sessions.
 */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "model/session_name.h"
#include "postmortem/postmortem.h"

/**
 * struct given_up - one session
 * @files: that it has preserved still
 * @ended: that it had preserved
 * @last:  the step that ended the last of them
 */
struct given_up {
	size_t files;
	size_t ended;
	const struct step *last;
};

/* So many sessions are named: to look a name up is to look through all records. */
#define NAMED_MOST 64

/* By session, and of one session in the order of their numbers. */
static int by_session(const void *left, const void *right)
{
	const struct step *const *one = left, *const *other = right;
	__u64 a = (*one)->begin->count, b = (*other)->begin->count;

	if (a != b)
		return a < b ? -1 : 1;
	return (*one)->sequence < (*other)->sequence ? -1 : 1;
}

/* What the steps of one session say of it; returns how many they are. */
static size_t sum_session(struct given_up *session, const struct step *const *steps, size_t count)
{
	size_t i;

	*session = (struct given_up){ 0 };
	for (i = 0; i < count && steps[i]->begin->count == steps[0]->begin->count; i++) {
		if (steps[i]->begin->step == LIVEUPDATE_STEP_FILE_PRESERVE) {
			session->files++;
			continue;
		}
		session->files -= session->files > 0;
		session->ended++;
		session->last = steps[i];
	}
	return i;
}

/* The reboot call that ended in the jump; NULL if there was none. */
static const struct step *reboot_of(const struct handover *handover)
{
	const struct step *reboot = NULL;
	size_t i;

	for (i = 0; i < handover->count; i++) {
		const struct step *step = &handover->steps[i];

		if (step->begin->step == LIVEUPDATE_STEP_REBOOT && step->side == OUTGOING)
			reboot = step;
		if (step->begin->step == LIVEUPDATE_STEP_JUMP && step->side == OUTGOING)
			return reboot;
	}
	return NULL;
}

static struct json_object *row_of(const struct handover *handover, const struct given_up *session,
				  const struct step *reboot, bool named)
{
	struct json_object *row = json_object_new_object();
	char name[SESSION_TEXT_SIZE] = "";

	if (named)
		session_of(handover, (size_t)(session->last - handover->steps), name);
	add_text(row, "session", *name ? name : NULL);
	add_number(row, "files", (int64_t)session->ended);
	add_number(row, "sequence", (int64_t)session->last->sequence);
	json_object_object_add(
		row, "before_reboot_ns",
		handover->khz ? json_object_new_int64(
					handover_time(handover, reboot->begin->cycles) -
					handover_time(handover, session->last->begin->cycles))
			      : NULL);
	return row;
}

/**
 * postmortem_given_up - tell which sessions did not live until the jump
 * @handover: the records
 *
 * Return: an array of objects with the members session, files, sequence (of the step
 * that gave up the last file) and before_reboot_ns; empty if there was no jump.
 */
struct json_object *postmortem_given_up(const struct handover *handover)
{
	struct json_object *rows = json_object_new_array();
	const struct step *reboot = reboot_of(handover);
	const struct step **steps = calloc(handover->count ?: 1, sizeof(const struct step *));
	struct given_up session;
	size_t i, count = 0;

	for (i = 0; reboot && steps && &handover->steps[i] < reboot; i++) {
		const struct step *step = &handover->steps[i];

		if (step->begin->kind == LIVEUPDATE_KIND_FILE && step->end && !step->end->ret &&
		    (step->begin->step == LIVEUPDATE_STEP_FILE_PRESERVE ||
		     step->begin->step == LIVEUPDATE_STEP_FILE_UNPRESERVE))
			steps[count++] = step;
	}
	if (count)
		qsort(steps, count, sizeof(const struct step *), by_session);
	for (i = 0; i < count;) {
		i += sum_session(&session, steps + i, count - i);
		if (!session.files && session.last)
			json_object_array_add(rows,
					      row_of(handover, &session, reboot,
						     json_object_array_length(rows) < NAMED_MOST));
	}
	free(steps);
	return rows;
}
