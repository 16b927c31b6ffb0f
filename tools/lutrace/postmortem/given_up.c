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
 * @id:    by which the files of a session know it, 0 in version 1 of the ledger
 * @files: that it has preserved still
 * @ended: that it had preserved
 * @last:  the step that ended the last of them
 */
struct given_up {
	__u64 id;
	size_t files;
	size_t ended;
	const struct step *last;
};

/* The entry of a session; there is room for one more. */
static struct given_up *session_at(struct given_up *sessions, size_t *count, __u64 id)
{
	size_t i;

	for (i = 0; i < *count; i++) {
		if (sessions[i].id == id)
			return &sessions[i];
	}
	sessions[i] = (struct given_up){ .id = id };
	(*count)++;
	return &sessions[i];
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
				  const struct step *reboot)
{
	struct json_object *row = json_object_new_object();
	char name[SESSION_TEXT_SIZE];

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
	struct given_up *sessions = calloc(handover->count ?: 1, sizeof(*sessions));
	size_t i, count = 0;

	for (i = 0; reboot && sessions && &handover->steps[i] < reboot; i++) {
		const struct step *step = &handover->steps[i];
		struct given_up *session;

		if (step->begin->kind != LIVEUPDATE_KIND_FILE || !step->end || step->end->ret)
			continue;
		if (step->begin->step == LIVEUPDATE_STEP_FILE_PRESERVE) {
			session_at(sessions, &count, step->begin->count)->files++;
		} else if (step->begin->step == LIVEUPDATE_STEP_FILE_UNPRESERVE) {
			session = session_at(sessions, &count, step->begin->count);
			session->files -= session->files > 0;
			session->ended++;
			session->last = step;
		}
	}
	for (i = 0; i < count; i++) {
		if (!sessions[i].files && sessions[i].last)
			json_object_array_add(rows, row_of(handover, &sessions[i], reboot));
	}
	free(sessions);
	return rows;
}
