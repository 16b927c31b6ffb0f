// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/say.h"
#include "base/text.h"
#include "liveupdate_mark.h"
#include "model/verdict.h"

const char *const verdict_names[VERDICTS] = {
	[VERDICT_GOOD] = "good",
	[VERDICT_BAD] = "bad",
	[VERDICT_UNKNOWN] = "unknown",
};

const char *const verdict_check_names[CHECK_COUNT] = {
#define CHECK_NAME(name, text) [CHECK_##name] = text,
	VERDICT_CHECKS(CHECK_NAME)
};

/* One that nobody says: as far as pauses are known, how long they were. */
static void note(struct verdict_of *verdict, enum verdict_check check, enum verdict says,
		 const char *name, uint64_t count)
{
	if (verdict->fact_count < VERDICT_REASONS)
		verdict->facts[verdict->fact_count++] =
			(struct verdict_fact){ .check = check,
					       .says = says,
					       .name = name,
					       .count = count,
					       .subjects = verdict->subject_count,
					       .reason = -1 };
}

/* Whom the last fact is about. Each fact has room for one. */
static void about(struct verdict_of *verdict, uint64_t subject)
{
	struct verdict_fact *fact = &verdict->facts[verdict->fact_count - 1];

	if (!fact->about || verdict->subject_count < VERDICT_SUBJECTS - VERDICT_REASONS) {
		verdict->subjects[verdict->subject_count++] = subject;
		fact->about++;
	} else {
		verdict->subjects[verdict->subject_count - 1] += subject;
	}
}

static uint64_t digest_of_number(uint64_t number)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIx64 " ", number);
	return text_digest(DIGEST_OF_NOTHING, text);
}

/* A reason, and with @name the fact that it comes from: how often, how many, how long. */
static void __attribute__((format(printf, 6, 7)))
say(struct verdict_of *verdict, enum verdict_check check, enum verdict says, const char *name,
    uint64_t count, const char *format, ...)
{
	struct verdict_reason *reason = &verdict->reasons[verdict->count];
	va_list arguments;

	if (says == VERDICT_BAD || (says == VERDICT_UNKNOWN && verdict->says == VERDICT_GOOD))
		verdict->says = says;
	if (name)
		note(verdict, check, says, name, count);
	if (verdict->count == VERDICT_REASONS)
		return;
	va_start(arguments, format);
	vsnprintf(reason->text, sizeof(reason->text), format, arguments);
	va_end(arguments);
	reason->check = check;
	reason->says = says;
	if (name)
		verdict->facts[verdict->fact_count - 1].reason = (int)verdict->count;
	verdict->count++;
}

static bool some(int64_t number)
{
	return number != NOT_KNOWN && number > 0;
}

/* "1 packet was", "2 packets were": what follows a number. */
#define ONE_OR_MORE(number, one, more) ((number) == 1 ? (one) : (more))

static void ask_pause(struct verdict_of *verdict, const struct blackout *blackout)
{
	char time[TIME_TEXT_SIZE], budget[TIME_TEXT_SIZE];

	if (blackout->known) {
		say(verdict, CHECK_PAUSE, VERDICT_GOOD, "known", blackout->ns,
		    "the workload was paused for %s", time_text((int64_t)blackout->ns, time));
	} else {
		say(verdict, CHECK_PAUSE, VERDICT_UNKNOWN, "unknown", 0,
		    "the pause is unknown (%s)", blackout_reason_text(blackout->reason));
		about(verdict, blackout->reason);
	}
	if (!verdict->budget_ns)
		return;
	time_text((int64_t)verdict->budget_ns, budget);
	if (!blackout->known)
		say(verdict, CHECK_BUDGET, VERDICT_UNKNOWN, NULL, 0,
		    "nobody knows whether that is within the budget of %s", budget);
	else if (blackout->ns > verdict->budget_ns)
		say(verdict, CHECK_BUDGET, VERDICT_BAD, NULL, 0, "that is over the budget of %s",
		    budget);
	else
		say(verdict, CHECK_BUDGET, VERDICT_GOOD, NULL, 0, "that is within the budget of %s",
		    budget);
}

/* Where a budget is not kept, can anybody say what took the time? */
static void ask_explained(struct verdict_of *verdict, const struct handover *handover)
{
	if (!verdict->budget_ns || !handover->blackout.known ||
	    handover->blackout.ns <= verdict->budget_ns)
		return;
	say(verdict, CHECK_BUDGET, VERDICT_NONE, NULL, 0,
	    "of the pause %.2f %% lies in named steps, which 'lutrace blame' lists",
	    (double)(uint64_t)(explained_share(handover) * 10000) / 100);
}

/* Whom the last fact is about: those whose pause is known, or those where it is not. */
static void about_workloads(struct verdict_of *verdict, const struct workloads *workloads,
			    bool known)
{
	size_t i;

	for (i = 0; i < workloads->count; i++) {
		const struct workload *workload = &workloads->list[i];

		if (workload->pause.present && workload->pause.known == known)
			about(verdict, text_digest(DIGEST_OF_NOTHING, workload->name.text));
	}
}

/* Of each workload whose marks have a name: the host's pause is without those not known. */
static void ask_workloads(struct verdict_of *verdict, const struct workloads *workloads)
{
	const struct workload *first = NULL;
	uint64_t longest = 0;
	size_t i, known = 0, unknown = 0;

	for (i = 0; i < workloads->count; i++) {
		const struct workload *workload = &workloads->list[i];

		if (!workload->pause.present)
			continue;
		if (workload->pause.known) {
			known++;
			if (workload->pause.ns > longest)
				longest = workload->pause.ns;
		} else {
			first = first ?: workload;
			unknown++;
		}
	}
	if (unknown == 1)
		say(verdict, CHECK_WORKLOADS, VERDICT_UNKNOWN, "unknown", unknown,
		    "the pause of '%s' is unknown (%s)", first->name.text,
		    blackout_reason_text(first->pause.reason));
	else if (unknown)
		say(verdict, CHECK_WORKLOADS, VERDICT_UNKNOWN, "unknown", unknown,
		    "the pauses of %zu workloads are unknown, that of '%s' the first", unknown,
		    first->name.text);
	if (unknown)
		about_workloads(verdict, workloads, false);
	if (known) {
		note(verdict, CHECK_WORKLOADS, VERDICT_GOOD, "known", longest);
		about_workloads(verdict, workloads, true);
	}
}

/* " pause", "pause:" and "pause:a b" are none; "pause for lunch" is a text that somebody wanted there. */
static bool is_meant_as_pause(const struct step *step)
{
	const char *word = step->name + strspn(step->name, " ");
	size_t length = strcspn(word, BLACKOUT_MARK_SEPARATOR " ");

	return liveupdate_mark_check(step->name) &&
	       ((length == strlen(LIVEUPDATE_MARK_PAUSE) &&
		 !strncmp(word, LIVEUPDATE_MARK_PAUSE, length)) ||
		(length == strlen(LIVEUPDATE_MARK_RESUME) &&
		 !strncmp(word, LIVEUPDATE_MARK_RESUME, length)));
}

/* Whoever writes to the kernel's file himself may write what no library would. */
static void ask_marks(struct verdict_of *verdict, const struct handover *handover)
{
	const struct step *first = NULL;
	size_t i, count = 0;

	for (i = 0; i < handover->count; i++) {
		const struct step *step = &handover->steps[i];

		if (step->begin->step != LIVEUPDATE_STEP_USER_MARK || !step->name ||
		    !is_meant_as_pause(step))
			continue;
		first = first ?: step;
		count++;
	}
	if (count)
		say(verdict, CHECK_WORKLOADS, VERDICT_UNKNOWN, "marks", count,
		    "the mark '%s' is none, so that a pause may be longer: write it with 'lutrace mark'",
		    first->name);
}

/*
 * Whoever marks a pause marks its end as well. A workload that has no name counts as one that
 * runs again when all sessions are finished; that it does, nobody has said.
 */
static void ask_resumed(struct verdict_of *verdict, const struct handover *handover)
{
	bool paused = false, resumed = false;
	size_t i;

	for (i = 0; i < handover->count; i++) {
		const struct step *step = &handover->steps[i];

		if (step->begin->step != LIVEUPDATE_STEP_USER_MARK || !step->name)
			continue;
		if (!strcmp(step->name, LIVEUPDATE_MARK_RESUME)) {
			resumed |= step->side == INCOMING;
			paused &= step->side == INCOMING;
		} else if (step->side == OUTGOING && !strcmp(step->name, LIVEUPDATE_MARK_PAUSE)) {
			paused = true;
		}
	}
	if (handover->blackout.known && paused && !resumed)
		say(verdict, CHECK_WORKLOADS, VERDICT_UNKNOWN, "not-resumed", 1,
		    "a workload was paused, and no mark 'resume' says that it runs again");
}

/* An entry of a page table: which, what it was and what it is. */
static uint64_t digest_of_difference(const struct evidence_difference *difference)
{
	const char *const texts[] = { difference->kind,	   difference->unit, difference->device,
				      difference->iova,	   difference->old,  difference->new,
				      difference->sentence };
	uint64_t digest = DIGEST_OF_NOTHING;
	char numbers[48];
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		digest = text_digest(text_digest(digest, texts[i]), "\n");
	snprintf(numbers, sizeof(numbers), "%" PRId64 " %" PRId64, difference->pasid,
		 difference->level);
	return text_digest(digest, numbers);
}

static void about_differences(struct verdict_of *verdict, const struct evidence_identity *identity)
{
	size_t i;

	for (i = 0; i < identity->count; i++)
		about(verdict, digest_of_difference(&identity->differences[i]));
}

static void ask_identity(struct verdict_of *verdict, const struct evidence_identity *identity)
{
	uint64_t differences = identity ? (uint64_t)evidence_differences(identity) : 0;

	if (!identity) {
		say(verdict, CHECK_IDENTITY, VERDICT_UNKNOWN, "not-verified", 0,
		    "the page tables were not verified");
	} else if (!strcmp(identity->verdict, "different")) {
		say(verdict, CHECK_IDENTITY, VERDICT_BAD, "different", differences,
		    "the page tables are different");
		about_differences(verdict, identity);
	} else if (strcmp(identity->verdict, "identical") != 0) {
		say(verdict, CHECK_IDENTITY, VERDICT_UNKNOWN, "unknown", 0,
		    "nobody knows whether the page tables are identical");
		about(verdict, text_digest(DIGEST_OF_NOTHING, identity->reason));
	} else if (differences) {
		say(verdict, CHECK_IDENTITY, VERDICT_BAD, "contradicted", differences,
		    "the page tables are called identical, with %" PRIu64 " difference%s",
		    differences, ONE_OR_MORE(differences, "", "s"));
		about_differences(verdict, identity);
	} else if (!identity->domains) {
		say(verdict, CHECK_IDENTITY, VERDICT_UNKNOWN, "not-verified", 0,
		    "there was no page table to verify");
	} else {
		say(verdict, CHECK_IDENTITY, VERDICT_GOOD, NULL, 0,
		    "the page tables are identical");
	}
}

/* "N packets were WHAT", if there are some. */
static void ask_some(struct verdict_of *verdict, const char *one, int64_t count, const char *name,
		     const char *what)
{
	if (some(count))
		say(verdict, CHECK_DMA, VERDICT_BAD, name, (uint64_t)count, "%" PRId64 " %s%s %s",
		    count, one, ONE_OR_MORE(count, " was", "s were"), what);
}

static void ask_lost(struct verdict_of *verdict, const struct evidence_dma *dma)
{
	const struct evidence_words *words = evidence_words(dma);
	int64_t missing = 0;

	if (dma->sent != NOT_KNOWN && dma->received != NOT_KNOWN && dma->sent > dma->received)
		missing = dma->sent - dma->received;
	if (dma->lost == NOT_KNOWN)
		say(verdict, CHECK_DMA, VERDICT_UNKNOWN, "lost-unknown", 0,
		    "nobody knows whether %s were lost", words->many);
	else if (dma->lost && dma->sent != NOT_KNOWN)
		say(verdict, CHECK_DMA, VERDICT_BAD, "lost", (uint64_t)dma->lost,
		    "%" PRId64 " of %" PRId64 " %s %s lost", dma->lost, dma->sent, words->many,
		    ONE_OR_MORE(dma->lost, "was", "were"));
	else if (dma->lost)
		ask_some(verdict, words->one, dma->lost, "lost", "lost");
	else if (missing)
		say(verdict, CHECK_DMA, VERDICT_BAD, "missing", (uint64_t)missing,
		    "no %s is called lost, but of %" PRId64 " %s %" PRId64 " came", words->one,
		    dma->sent, words->sent, dma->received);
	else if (dma->sent != NOT_KNOWN && dma->received > dma->sent)
		say(verdict, CHECK_DMA, VERDICT_BAD, "not-sent",
		    (uint64_t)(dma->received - dma->sent),
		    "%" PRId64 " %s came of %" PRId64 " that were %s", dma->received, words->many,
		    dma->sent, words->sent);
	else if (!dma->sent)
		say(verdict, CHECK_DMA, VERDICT_NONE, NULL, 0,
		    "no %s was %s, so that none could be lost", words->one, words->sent);
	else
		say(verdict, CHECK_DMA, VERDICT_GOOD, NULL, 0, "no %s was lost", words->one);
}

/* What the device wrote is there for whoever reads it, through the device or past it. */
static void ask_disk(struct verdict_of *verdict, const struct evidence_disk *disk)
{
	if (disk->read_back != NOT_KNOWN && disk->read_back < disk->written)
		ask_some(verdict, "block", disk->written - disk->read_back, "not-read-back",
			 "not read back as written");
	ask_some(verdict, "block", disk->missing, "not-on-disk", "not on the disk");
	ask_some(verdict, "block", disk->damaged, "damaged-on-disk", "damaged on the disk");
}

static void ask_dma(struct verdict_of *verdict, const struct evidence_dma *dma)
{
	const struct evidence_words *words;
	char twice[32];

	if (!dma) {
		say(verdict, CHECK_DMA, VERDICT_NONE, NULL, 0,
		    "nobody counted what the device wrote");
		return;
	}
	words = evidence_words(dma);
	snprintf(twice, sizeof(twice), "%s twice", words->received);
	ask_lost(verdict, dma);
	ask_some(verdict, words->one, dma->duplicates, "duplicates", twice);
	ask_some(verdict, words->one, dma->corrupt, "corrupt", "damaged");
	ask_some(verdict, words->one, dma->foreign, "foreign", "none of the workload's");
	if (dma->replace)
		ask_some(verdict, words->one, dma->replace->lost, "lost-in-replace",
			 "lost in the move to a new page table");
	if (dma->disk)
		ask_disk(verdict, dma->disk);
	if (some(dma->faults))
		say(verdict, CHECK_DMA, VERDICT_BAD, "faults", (uint64_t)dma->faults,
		    "the IOMMU reported %" PRId64 " fault%s", dma->faults,
		    ONE_OR_MORE(dma->faults, "", "s"));
}

static uint64_t digest_of_vector(const struct evidence_vector *vector)
{
	return text_digest(digest_of_number((uint64_t)vector->vector), vector->type);
}

/* Where none was enabled, none crossed. Which did not is known where some came since. */
static void ask_interrupts(struct verdict_of *verdict, const struct evidence_interrupts *interrupts)
{
	size_t i, silent = 0;

	if (!interrupts || !interrupts->count || interrupts->carried == FLAG_YES)
		return;
	for (i = 0; i < interrupts->count; i++)
		silent += !some(interrupts->vectors[i].after);
	say(verdict, CHECK_INTERRUPTS, VERDICT_BAD, "not-carried", silent ?: interrupts->count,
	    "interrupts that were enabled did not cross");
	for (i = 0; i < interrupts->count; i++) {
		if (!silent || !some(interrupts->vectors[i].after))
			about(verdict, digest_of_vector(&interrupts->vectors[i]));
	}
}

/**
 * struct taken - a session that the incoming kernel gave back
 * @object:   which
 * @finished: it was finished
 * @failed:   that was tried in vain
 */
struct taken {
	uint64_t object;
	bool finished;
	bool failed;
};

static int by_object(const void *left, const void *right)
{
	const struct taken *one = left, *other = right;

	return one->object < other->object ? -1 : one->object > other->object;
}

static bool is_of(const struct step *step, unsigned int number)
{
	return step->side == INCOMING && step->begin->step == number && step->end;
}

/* The sessions that were given back, in order, each once; NULL without memory. */
static struct taken *sessions_of(const struct handover *handover, size_t *count)
{
	struct taken *all, *found, key = { 0 };
	size_t i, kept = 0;

	*count = 0;
	all = calloc(handover->count + 1, sizeof(*all));
	if (!all)
		return NULL;
	for (i = 0; i < handover->count; i++) {
		const struct step *step = &handover->steps[i];

		if (is_of(step, LIVEUPDATE_STEP_SESSION_RETRIEVE) && !step->end->ret)
			all[(*count)++].object = step->begin->object;
	}
	qsort(all, *count, sizeof(*all), by_object);
	for (i = 0; i < *count; i++) {
		if (!kept || all[kept - 1].object != all[i].object)
			all[kept++] = all[i];
	}
	*count = kept;
	for (i = 0; i < handover->count; i++) {
		const struct step *step = &handover->steps[i];

		if (!is_of(step, LIVEUPDATE_STEP_SESSION_FINISH))
			continue;
		key.object = step->begin->object;
		found = bsearch(&key, all, *count, sizeof(*all), by_object);
		if (found && step->end->ret)
			found->failed = true;
		else if (found)
			found->finished = true;
	}
	return all;
}

/* Sessions that came, of which nobody has finished the last; 0 if all are finished. */
static uint64_t sessions_open(const struct handover *handover)
{
	uint64_t came = 0;
	size_t i;

	for (i = 0; i < handover->count; i++) {
		const struct step *step = &handover->steps[i];

		if (step->side == INCOMING &&
		    step->begin->step == LIVEUPDATE_STEP_SESSIONS_FINISHED)
			return 0;
		if (is_of(step, LIVEUPDATE_STEP_DESERIALIZE))
			came = step->end->count;
	}
	return came;
}

/* Of those that are not finished: where that was tried in vain, or where it was not. */
static void about_sessions(struct verdict_of *verdict, const struct taken *sessions, size_t count,
			   bool failed)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (!sessions[i].finished && sessions[i].failed == failed)
			about(verdict, digest_of_number(sessions[i].object));
	}
}

/* What the incoming kernel's ledger says. */
static void ask_finishes(struct verdict_of *verdict, const struct handover *handover)
{
	uint64_t came = sessions_open(handover);
	size_t i, count, refused = 0, open = 0;
	struct taken *sessions = sessions_of(handover, &count);

	if (!sessions) {
		say(verdict, CHECK_SESSION, VERDICT_UNKNOWN, "no-memory", 0,
		    "there is no memory to say more");
		return;
	}
	for (i = 0; i < count; i++) {
		refused += !sessions[i].finished && sessions[i].failed;
		open += !sessions[i].finished && !sessions[i].failed;
	}
	/* Some may not have been asked for yet. */
	if (came > count)
		open += came - count;
	if (refused) {
		say(verdict, CHECK_SESSION, VERDICT_BAD, "finish-refused", refused,
		    "%zu session%s could not be finished", refused, ONE_OR_MORE(refused, "", "s"));
		about_sessions(verdict, sessions, count, true);
	}
	if (open) {
		say(verdict, CHECK_SESSION, VERDICT_UNKNOWN, "open", open,
		    "%zu session%s not finished yet", open, ONE_OR_MORE(open, " is", "s are"));
		about_sessions(verdict, sessions, count, false);
	}
	free(sessions);
}

/* Which calls failed, and how. */
static void about_calls(struct verdict_of *verdict, const struct evidence_session *session)
{
	uint64_t digest;
	size_t i;

	for (i = 0; i < OUTCOME_COUNT; i++) {
		if (!session->outcomes[i] || !outcome_failed(session->outcomes[i]->result))
			continue;
		digest = text_digest(DIGEST_OF_NOTHING, evidence_outcome_words[i]);
		about(verdict, text_digest(digest, session->outcomes[i]->result));
	}
	for (i = 0; i < session->count; i++) {
		if (!outcome_failed(session->files[i].result))
			continue;
		digest = digest_of_number(session->files[i].token);
		about(verdict, text_digest(digest, session->files[i].result));
	}
}

/* What the workload tried on its way back to its device. */
static void ask_session(struct verdict_of *verdict, const struct evidence_session *session)
{
	size_t i, failed = 0;

	for (i = 0; i < OUTCOME_COUNT; i++)
		failed += session->outcomes[i] && outcome_failed(session->outcomes[i]->result);
	for (i = 0; i < session->count; i++)
		failed += outcome_failed(session->files[i].result);
	if (failed) {
		say(verdict, CHECK_SESSION, VERDICT_BAD, "calls-failed", failed,
		    "%zu call%s of the session failed", failed, ONE_OR_MORE(failed, "", "s"));
		about_calls(verdict, session);
	}
	if (session->finished != FLAG_YES) {
		say(verdict, CHECK_SESSION, VERDICT_BAD, "not-finished", 1,
		    "the session did not finish");
		about(verdict, text_digest(DIGEST_OF_NOTHING, session->name));
	}
}

static void ask_referee(struct verdict_of *verdict, const struct evidence_referee *referee)
{
	const struct {
		int64_t count;
		const char *name, *text;
	} seen[] = {
		{ referee->translation_off, "translation-off", "translation was off" },
		{ referee->root_changes, "root-changes", "the root of the tables changed" },
		{ referee->bus_master_off, "bus-master-off", "bus mastering was off" },
		{ referee->power_changes, "power-changes", "a device changed its power state" },
		{ referee->remapping_off, "remapping-off", "interrupt remapping was off" },
		{ referee->remapping_stale, "remapping-stale",
		  "an interrupt remapping table outlived its kernel" },
	};
	size_t i;

	for (i = 0; i < sizeof(seen) / sizeof(seen[0]); i++) {
		if (some(seen[i].count))
			say(verdict, CHECK_REFEREE, VERDICT_BAD, seen[i].name,
			    (uint64_t)seen[i].count, "%s", seen[i].text);
	}
	if (some(referee->faults))
		say(verdict, CHECK_REFEREE, VERDICT_BAD, "faults", (uint64_t)referee->faults,
		    "the referee saw %" PRId64 " fault%s", referee->faults,
		    ONE_OR_MORE(referee->faults, "", "s"));
	if (referee->memory_identical == FLAG_NO || some(referee->difference_count))
		say(verdict, CHECK_REFEREE, VERDICT_BAD, "memory-different",
		    some(referee->difference_count) ? (uint64_t)referee->difference_count : 0,
		    "the referee found the tables in memory different");
}

static bool is_isolation(const struct step *step)
{
	return step->begin->step == LIVEUPDATE_STEP_DEVICE_ISOLATE;
}

/* A reboot call that came back. */
static bool is_refusal(const struct step *step)
{
	return step->begin->step == LIVEUPDATE_STEP_REBOOT && step->end && step->end->ret;
}

/* Reboot calls that came back, by their error, and devices that were given up. */
static void ask_steps(struct verdict_of *verdict, const struct handover *handover)
{
	uint64_t isolated = 0, refused = 0;
	size_t i;

	for (i = 0; i < handover->count; i++) {
		isolated += is_isolation(&handover->steps[i]);
		refused += is_refusal(&handover->steps[i]);
	}
	if (refused)
		say(verdict, CHECK_REBOOT, VERDICT_BAD, "refused", refused,
		    "the reboot call failed %s", refused > 1 ? "more than once" : "once");
	for (i = 0; refused && i < handover->count; i++) {
		if (is_refusal(&handover->steps[i]))
			about(verdict, digest_of_number((uint32_t)handover->steps[i].end->ret));
	}
	if (isolated)
		say(verdict, CHECK_DEVICES, VERDICT_BAD, "isolated", isolated,
		    "%" PRIu64 " device%s isolated", isolated,
		    ONE_OR_MORE(isolated, " was", "s were"));
	for (i = 0; isolated && i < handover->count; i++) {
		if (is_isolation(&handover->steps[i]))
			about(verdict, digest_of_number(handover->steps[i].begin->object));
	}
}

/* What was dropped may have been any of the above. */
static void ask_ledger(struct verdict_of *verdict, const struct handover *handover)
{
	uint64_t dropped = 0;
	int side;

	for (side = 0; side < SIDES; side++) {
		if (handover->present[side])
			dropped += handover->ledger[side].header.dropped;
	}
	if (dropped)
		say(verdict, CHECK_LEDGER, VERDICT_UNKNOWN, "dropped", dropped,
		    "%" PRIu64 " record%s dropped", dropped,
		    ONE_OR_MORE(dropped, " was", "s were"));
}

/**
 * verdict_make - judge a live update
 * @verdict:   filled in
 * @handover:  what the kernels recorded
 * @evidence:  what others testify to
 * @budget_ns: how long the pause may be, 0 for no budget
 */
void verdict_make(struct verdict_of *verdict, const struct handover *handover,
		  const struct evidence *evidence, uint64_t budget_ns)
{
	memset(verdict, 0, sizeof(*verdict));
	verdict->budget_ns = budget_ns;
	ask_pause(verdict, &handover->blackout);
	ask_explained(verdict, handover);
	ask_workloads(verdict, &handover->workloads);
	ask_marks(verdict, handover);
	ask_resumed(verdict, handover);
	ask_identity(verdict, evidence->identity);
	ask_dma(verdict, evidence->dma);
	ask_interrupts(verdict, evidence->interrupts);
	if (evidence->session)
		ask_session(verdict, evidence->session);
	ask_finishes(verdict, handover);
	if (evidence->referee)
		ask_referee(verdict, evidence->referee);
	ask_steps(verdict, handover);
	ask_ledger(verdict, handover);
}

/* "Good", "Bad", or "Not proven". */
const char *verdict_word(enum verdict verdict)
{
	static const char *const words[VERDICTS] = {
		[VERDICT_GOOD] = "Good",
		[VERDICT_BAD] = "Bad",
		[VERDICT_UNKNOWN] = "Not proven",
	};

	return words[verdict];
}

/* The exit code that says the verdict. */
int verdict_exit(const struct verdict_of *verdict)
{
	static const int codes[VERDICTS] = {
		[VERDICT_GOOD] = EXIT_GOOD,
		[VERDICT_BAD] = EXIT_BAD,
		[VERDICT_UNKNOWN] = EXIT_UNKNOWN,
	};

	return codes[verdict->says];
}

/**
 * verdict_text - all reasons in one sentence
 * @verdict: the verdict
 * @text:    where to write it
 *
 * Return: @text.
 */
const char *verdict_text(const struct verdict_of *verdict, char text[VERDICT_TEXT_SIZE])
{
	size_t length = 0;
	unsigned int i;

	text[0] = '\0';
	for (i = 0; i < verdict->count && length < VERDICT_TEXT_SIZE - VERDICT_REASON_SIZE - 3; i++)
		length += (size_t)snprintf(text + length, VERDICT_TEXT_SIZE - length, "%s%s",
					   i ? "; " : "", verdict->reasons[i].text);
	if (text[0] >= 'a' && text[0] <= 'z')
		text[0] = (char)(text[0] - 'a' + 'A');
	snprintf(text + length, VERDICT_TEXT_SIZE - length, ".");
	return text;
}

/**
 * verdict_json - the verdict as JSON
 * @verdict: the verdict
 *
 * Return: the object, as docs/schema/check.json has it.
 */
struct json_object *verdict_json(const struct verdict_of *verdict)
{
	struct json_object *value = json_object_new_object(), *rows = json_object_new_array();
	char text[VERDICT_TEXT_SIZE];
	unsigned int i;

	json_object_object_add(value, "verdict",
			       json_object_new_string(verdict_names[verdict->says]));
	json_object_object_add(value, "text", json_object_new_string(verdict_text(verdict, text)));
	json_object_object_add(value, "budget_ns",
			       verdict->budget_ns ? json_object_new_uint64(verdict->budget_ns)
						  : NULL);
	for (i = 0; i < verdict->count; i++) {
		const struct verdict_reason *reason = &verdict->reasons[i];
		struct json_object *row = json_object_new_object();

		add_text(row, "check", verdict_check_names[reason->check]);
		add_text(row, "verdict",
			 reason->says == VERDICT_NONE ? NULL : verdict_names[reason->says]);
		add_text(row, "text", reason->text);
		json_object_array_add(rows, row);
	}
	json_object_object_add(value, "reasons", rows);
	return value;
}
