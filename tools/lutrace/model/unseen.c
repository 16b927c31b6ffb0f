// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <stdio.h>
#include <string.h>

#include "model/unseen.h"
#include "model/vocabulary.h"

/* The latest moment of a ledger. Its records need not be in order of time. */
static struct blackout_stamp last_moment(const struct ledger *ledger)
{
	struct blackout_stamp last = { 0, 0 };
	size_t i;

	for (i = 0; i < ledger->count; i++) {
		if (ledger->records[i].cycles > last.cycles)
			last.cycles = ledger->records[i].cycles;
		last.sequence = ledger->records[i].sequence;
	}
	return last;
}

/* A reboot call that failed is not that which jumped. */
static void forget_failed(const struct ledger *ledger, struct blackout_side *notes)
{
	size_t i;

	for (i = 0; i < ledger->count; i++) {
		const struct liveupdate_record *record = &ledger->records[i];

		if (record->step == LIVEUPDATE_STEP_REBOOT && record->edge == LIVEUPDATE_EDGE_END &&
		    record->ref == notes->reboot.sequence)
			memset(&notes->reboot, 0, sizeof(notes->reboot));
	}
}

/**
 * unseen_stand_in - let the last moment that is known stand in for those that are not
 * @unseen:    filled in
 * @outgoing:  ledger of the kernel that jumped
 * @notes:     what it says of the blackout; unchanged if the kernel wrote it
 * @workloads: marks with a name
 *
 * The jump comes after all that is known, as does a reboot call that was not seen; that only
 * says something where there is a pause to count from.
 */
void unseen_stand_in(struct unseen *unseen, const struct ledger *outgoing,
		     struct blackout_side *notes, const struct workloads *workloads)
{
	struct blackout_stamp jump = last_moment(outgoing);

	unseen->reboot = false;
	if (!ledger_is_kept(outgoing) || !outgoing->count)
		return;
	/* The number that was left to it. */
	jump.sequence++;
	notes->jump = jump;
	forget_failed(outgoing, notes);
	if (notes->reboot.sequence || (!notes->marks.pause.sequence && !workloads->count))
		return;
	notes->reboot = jump;
	unseen->reboot = true;
}

/* What stood in is no boundary of a phase, and no begin of the pause. */
void unseen_settle(const struct unseen *unseen, struct blackout *blackout)
{
	struct blackout_phase *phases = blackout->phases;

	if (!unseen->reboot || !blackout->known)
		return;
	if (phases[LIVEUPDATE_PHASE_QUIESCE].absent) {
		blackout_forget(blackout);
		blackout->known = 0;
		blackout->ns = 0;
		blackout->reason = BLACKOUT_REASON_NO_REBOOT;
		return;
	}
	/* It lasted for no time. */
	phases[LIVEUPDATE_PHASE_FREEZE].absent = 1;
}

/* The last step of the outgoing kernel that was seen. */
static const char *last_step(const struct ledger *ledger)
{
	return ledger->count ? step_name(ledger->records[ledger->count - 1].step) : "none";
}

static bool has_step(const struct ledger *ledger, unsigned int step)
{
	size_t i;

	for (i = 0; i < ledger->count; i++) {
		if (ledger->records[i].step == step)
			return true;
	}
	return false;
}

/**
 * unseen_text - what of a phase is not known, and why
 * @handover: the handover
 * @phase:    enum liveupdate_phase
 * @text:     room for it
 *
 * Return: @text, or NULL if all of the phase was recorded.
 */
const char *unseen_text(const struct handover *handover, unsigned int phase,
			char text[UNSEEN_TEXT_SIZE])
{
	const struct ledger *outgoing = &handover->ledger[OUTGOING];
	const struct ledger *incoming = &handover->ledger[INCOMING];

	if (phase == LIVEUPDATE_PHASE_JUMP && ledger_is_kept(outgoing))
		snprintf(
			text, UNSEEN_TEXT_SIZE,
			"nothing was recorded after %s: the rest of the outgoing kernel, the jump, "
			"decompression and the boot until its clock began cannot be told apart",
			last_step(outgoing));
	else if (phase == LIVEUPDATE_PHASE_EARLY_BOOT && ledger_is_kept(incoming))
		snprintf(
			text, UNSEEN_TEXT_SIZE,
			"it begins with the clock of the incoming kernel, and its parts were not recorded%s",
			has_step(incoming, LIVEUPDATE_STEP_INIT)
				? ""
				: "; nor was the start of the first process, so that user space is in it");
	else
		return NULL;
	return text;
}
