// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * One sentence on the update as a whole, out of everything that was recorded.
 *
 * It is bad if anybody saw something bad, and good only if the pause is known
 * and the page tables were found identical.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "base/json.h"
#include "show/html.h"
#include "show/output.h"

/**
 * struct sentence - the sentence so far
 * @text:    where it is written
 * @bad:     something bad was said
 * @unknown: something that has to be known is not
 */
struct sentence {
	char *text;
	bool bad;
	bool unknown;
};

static void __attribute__((format(printf, 2, 3)))
say(struct sentence *sentence, const char *format, ...)
{
	size_t length = strlen(sentence->text);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(sentence->text + length, VERDICT_TEXT_SIZE - length, format, arguments);
	va_end(arguments);
}

static void say_pause(struct sentence *sentence, const struct handover *handover)
{
	char time[TIME_TEXT_SIZE];

	if (handover->blackout.known) {
		say(sentence, "The workload was paused for %s",
		    time_text((int64_t)handover->blackout.ns, time));
		return;
	}
	say(sentence, "The pause is unknown (%s)", blackout_reason_text(handover->blackout.reason));
	sentence->unknown = true;
}

static void say_identity(struct sentence *sentence, struct json_object *identity)
{
	const char *verdict = member_text(identity, "verdict");

	if (!strcmp(verdict, "identical")) {
		say(sentence, "; the page tables are identical");
	} else if (!strcmp(verdict, "different")) {
		say(sentence, "; the page tables are different");
		sentence->bad = true;
	} else {
		say(sentence, identity ? "; nobody knows whether the page tables are identical"
				       : "; the page tables were not verified");
		sentence->unknown = true;
	}
}

static void say_dma(struct sentence *sentence, struct json_object *dma)
{
	int64_t lost = member_number(dma, "lost"), faults = member_number(dma, "faults");

	if (!member(dma, "lost"))
		say(sentence, "; nobody counted what the device wrote");
	else if (lost)
		say(sentence, "; %" PRId64 " of %" PRId64 " packets %s lost", lost,
		    member_number(dma, "sent"), lost == 1 ? "was" : "were");
	else
		say(sentence, "; no packet was lost");
	if (faults)
		say(sentence, "; the IOMMU reported %" PRId64 " fault%s", faults,
		    faults == 1 ? "" : "s");
	sentence->bad |= lost || faults;
}

static void say_referee(struct sentence *sentence, struct json_object *referee)
{
	struct json_object *identical = member(referee, "memory_identical");

	if (member_number(referee, "translation_off")) {
		say(sentence, "; translation was off");
		sentence->bad = true;
	}
	if (member_number(referee, "remapping_off")) {
		say(sentence, "; interrupt remapping was off");
		sentence->bad = true;
	}
	if (member_number(referee, "remapping_stale")) {
		say(sentence, "; an interrupt remapping table outlived its kernel");
		sentence->bad = true;
	}
	if (member_number(referee, "faults")) {
		say(sentence, "; the referee saw %" PRId64 " faults",
		    member_number(referee, "faults"));
		sentence->bad = true;
	}
	if (identical && !json_object_get_boolean(identical)) {
		say(sentence, "; the referee found the tables in memory different");
		sentence->bad = true;
	}
}

static bool did_fail(struct json_object *outcome)
{
	return member(outcome, "result") && strcmp(member_text(outcome, "result"), "ok") != 0;
}

/* What the workload tried on its way back to its device. */
static void say_session(struct sentence *sentence, struct json_object *session)
{
	struct json_object *files = member(session, "files");
	struct json_object_iterator at, end;
	size_t i, failed = 0;

	if (!json_object_is_type(session, json_type_object))
		return;
	end = json_object_iter_end(session);
	for (at = json_object_iter_begin(session); !json_object_iter_equal(&at, &end);
	     json_object_iter_next(&at))
		failed += did_fail(json_object_iter_peek_value(&at));
	for (i = 0;
	     json_object_is_type(files, json_type_array) && i < json_object_array_length(files);
	     i++)
		failed += did_fail(json_object_array_get_idx(files, i));
	if (!failed)
		return;
	say(sentence, "; %zu call%s of the session failed", failed, failed == 1 ? "" : "s");
	sentence->bad = true;
}

/* A reboot call that came back, and devices that were given up. */
static void say_steps(struct sentence *sentence, const struct handover *handover)
{
	uint64_t isolated = 0, refused = 0;
	size_t i;

	for (i = 0; i < handover->count; i++) {
		const struct step *step = &handover->steps[i];

		isolated += step->begin->step == LIVEUPDATE_STEP_DEVICE_ISOLATE;
		refused += step->begin->step == LIVEUPDATE_STEP_REBOOT && step->end &&
			   step->end->ret;
	}
	if (refused)
		say(sentence, "; the reboot call failed %s",
		    refused > 1 ? "more than once" : "once");
	if (isolated)
		say(sentence, "; %" PRIu64 " device%s isolated", isolated,
		    isolated > 1 ? "s were" : " was");
	sentence->bad |= refused || isolated;
}

/**
 * html_verdict - the update in one sentence
 * @page: the page
 * @text: the sentence
 *
 * Return: what kind of sentence it is.
 */
enum verdict html_verdict(const struct page *page, char text[VERDICT_TEXT_SIZE])
{
	struct sentence sentence = { .text = text };

	text[0] = '\0';
	say_pause(&sentence, page->handover);
	say_identity(&sentence, member(page->recording, "identity"));
	say_dma(&sentence, member(page->recording, "dma"));
	say_session(&sentence, member(page->recording, "session"));
	say_referee(&sentence, member(page->recording, "referee"));
	say_steps(&sentence, page->handover);
	say(&sentence, ".");
	return sentence.bad ? VERDICT_BAD : sentence.unknown ? VERDICT_UNKNOWN : VERDICT_GOOD;
}
