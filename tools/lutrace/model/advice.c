// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/advice.h"
#include "model/config.h"
#include "model/vocabulary.h"

/* A step that was shorter, in percent of the pause, is there with the remedy as well. */
#define SHARE_THAT_TELLS 1

/* Fewer pages do not tell how large they are. */
#define PAGES_THAT_TELL 1024

static void __attribute__((format(printf, 3, 4)))
tell(struct advised *advised, enum advice_done done, const char *format, ...)
{
	va_list arguments;

	advised->done = done;
	va_start(arguments, format);
	vsnprintf(advised->why, sizeof(advised->why), format, arguments);
	va_end(arguments);
}

static int compare_spans(const void *left, const void *right)
{
	const struct span *a = left, *b = right;

	return a->begin == b->begin ? 0 : a->begin < b->begin ? -1 : 1;
}

/* Leave no overlaps; returns how many spans are left, and in @ns how long they are. */
static size_t unite(struct span *spans, size_t count, uint64_t *ns)
{
	size_t i, kept = 0;

	*ns = 0;
	if (!count)
		return 0;
	qsort(spans, count, sizeof(*spans), compare_spans);
	for (i = 1; i < count; i++) {
		if (spans[i].begin > spans[kept].end)
			spans[++kept] = spans[i];
		else if (spans[i].end > spans[kept].end)
			spans[kept].end = spans[i].end;
	}
	for (i = 0; i <= kept; i++)
		*ns += spans[i].end - spans[i].begin;
	return kept + 1;
}

static bool is_within(const struct handover *handover, const struct step *step, unsigned int what)
{
	for (; step->parent != NO_PARENT; step = &handover->steps[step->parent]) {
		if (handover->steps[step->parent].begin->step == what)
			return true;
	}
	return false;
}

/* Is a step one that a remedy makes shorter? */
static bool matches(const struct handover *handover, const struct step *step,
		    const struct remedy *remedy)
{
	const struct remedy_match *match;

	/* All of the remedies are done to the incoming kernel. */
	if (step->side != INCOMING)
		return false;
	for (match = remedy->steps; match->step; match++) {
		if (step->begin->step == match->step &&
		    (!match->name || !strcmp(match->name, step->name)) &&
		    (!match->within || is_within(handover, step, match->within)))
			return true;
	}
	return false;
}

static int add_step(struct advised *advised, size_t i, struct span span, size_t room)
{
	if (!advised->steps) {
		advised->steps = calloc(room, sizeof(*advised->steps));
		advised->spans = calloc(room, sizeof(*advised->spans));
		if (!advised->steps || !advised->spans)
			return -ENOMEM;
	}
	advised->steps[advised->count++] = i;
	advised->spans[advised->spanned++] = span;
	return 0;
}

static int take_steps(struct advised *advised, const struct handover *handover)
{
	const struct remedy *remedy = advised->remedy;
	size_t i;

	for (i = 0; i < handover->count; i++) {
		const struct step *step = &handover->steps[i];
		struct span span;

		if (!matches(handover, step, remedy) ||
		    !explained_part(handover, step, &span.begin, &span.end) ||
		    span.end - span.begin < remedy->least_ns)
			continue;
		if (add_step(advised, i, span, handover->count))
			return -ENOMEM;
	}
	return 0;
}

/* The step of systemd's own, before it starts units: what units wait for in any order. */
static bool is_of_manager(const struct step *step)
{
	return !strchr(step->name, '.');
}

static bool is_unit(const struct step *step)
{
	return step->begin->step == STEP_UNIT;
}

/* NAME, or NAME.service? */
static bool is_named(const struct step *step, const char *name)
{
	size_t length = strlen(name);

	return is_unit(step) && !strncmp(step->name, name, length) &&
	       (!step->name[length] || !strcmp(step->name + length, ".service"));
}

/* Has a handover a unit of that name, with or without ".service"? */
bool advice_has_unit(const struct handover *handover, const char *name)
{
	size_t i;

	for (i = 0; i < handover->count; i++) {
		if (is_named(&handover->steps[i], name))
			return true;
	}
	return false;
}

/* The unit in which the first session is retrieved, or that which the user names. */
static void find_agent(struct advice *advice, const struct handover *handover)
{
	size_t i, at;

	for (i = 0; i < handover->count; i++) {
		const struct step *step = &handover->steps[i];

		if (is_unit(step) && advice->units == UNITS_NONE)
			advice->units = UNITS_NO_AGENT;
		if (advice->asked.agent) {
			if (!is_named(step, advice->asked.agent))
				continue;
			at = i;
		} else {
			if (step->begin->step != LIVEUPDATE_STEP_SESSION_RETRIEVE)
				continue;
			for (at = i; at != NO_PARENT && !is_unit(&handover->steps[at]);)
				at = handover->steps[at].parent;
			if (at == NO_PARENT)
				continue;
		}
		advice->agent = at;
		advice->units = UNITS_AGENT;
		return;
	}
}

/**
 * struct ordered - units that the service manager started, in the pause
 * @step:  index
 * @span:  when it was being started
 */
struct ordered {
	size_t step;
	struct span span;
};

/* Of the units that were over at a moment, the one that ended last; NULL for none. */
static const struct ordered *unit_before(const struct ordered *units, size_t count, uint64_t moment)
{
	const struct ordered *found = NULL;
	size_t i;

	for (i = 0; i < count; i++) {
		if (units[i].span.end <= moment && (!found || units[i].span.end > found->span.end))
			found = &units[i];
	}
	return found;
}

/*
 * Units in the pause, systemd's own parts left out; in @loaded, when those were over that were
 * before the agent began.
 */
static size_t list_units(const struct handover *handover, struct ordered *units, uint64_t agent,
			 uint64_t *loaded)
{
	size_t i, count = 0;
	struct span span;

	*loaded = 0;
	for (i = 0; i < handover->count; i++) {
		const struct step *step = &handover->steps[i];

		if (!is_unit(step) || !explained_part(handover, step, &span.begin, &span.end))
			continue;
		if (!is_of_manager(step))
			units[count++] = (struct ordered){ i, span };
		else if (span.end <= agent && span.end > *loaded)
			*loaded = span.end;
	}
	return count;
}

/*
 * Units that were over before the agent's began. What waited for what is not recorded: the
 * one that ended last before the agent began, the one that ended last before that, and so on,
 * back to when the agent could have been started: units were loaded, and the first began.
 */
static int take_units(struct advised *advised, const struct advice *advice,
		      const struct handover *handover)
{
	const struct ordered *unit;
	struct ordered *units;
	struct span agent, all;
	size_t i, count;
	int ret = 0;

	if (advice->units != UNITS_AGENT ||
	    !explained_part(handover, &handover->steps[advice->agent], &agent.begin, &agent.end))
		return 0;
	units = calloc(handover->count, sizeof(*units));
	if (!units)
		return -ENOMEM;
	all.end = agent.begin;
	count = list_units(handover, units, all.end, &all.begin);
	for (i = 0, agent.end = all.end; i < count; i++) {
		if (units[i].span.begin < agent.end)
			agent.end = units[i].span.begin;
	}
	all.begin = agent.end > all.begin ? agent.end : all.begin;
	unit = unit_before(units, count, all.end);
	while (!ret && unit && unit->span.end > all.begin) {
		ret = add_step(advised, unit->step, unit->span, handover->count);
		unit = unit_before(units, count, unit->span.begin);
	}
	/* All of the time, also that when no unit was under way. */
	if (advised->count) {
		advised->spans[0] = all;
		advised->spanned = 1;
	}
	free(units);
	return ret;
}

/* Does the incoming kernel record the parts of its boot? */
static bool records_parts(const struct handover *handover)
{
	size_t i;

	for (i = 0; i < handover->count; i++) {
		const struct step *step = &handover->steps[i];

		if (step->side == INCOMING && (step->begin->step == LIVEUPDATE_STEP_SETUP ||
					       step->begin->step == LIVEUPDATE_STEP_INITCALLS))
			return true;
	}
	return false;
}

static uint64_t counted(const struct handover *handover, unsigned int what)
{
	uint64_t count = 0;
	size_t i;

	for (i = 0; i < handover->count; i++) {
		const struct step *step = &handover->steps[i];

		if (step->side == INCOMING && step->begin->step == what && step->end &&
		    !step->end->ret)
			count += step->end->count;
	}
	return count;
}

/* KHO counts a large page as one block, and a memfd as so many small pages. */
static void tell_by_pages(struct advised *advised, const struct handover *handover)
{
	unsigned long long pages = counted(handover, LIVEUPDATE_STEP_MEMFD_RETRIEVE);
	unsigned long long blocks = counted(handover, LIVEUPDATE_STEP_KHO_RESERVE);

	if (pages < PAGES_THAT_TELL || !blocks)
		tell(advised, DONE_UNKNOWN,
		     "%llu pages in %llu blocks do not tell how large they are", pages, blocks);
	else if (blocks >= pages / 2)
		tell(advised, DONE_NO, "%llu pages of 4 KiB crossed in %llu blocks", pages, blocks);
	else
		tell(advised, DONE_YES, "what is %llu pages of 4 KiB crossed in %llu blocks", pages,
		     blocks);
}

/* The value of an option as the record has it, 0 if it does not. */
static char recorded_option(const struct evidence_side *side, const char *option)
{
	size_t i, length = strlen(option);

	for (i = 0; side && i < side->config_count; i++) {
		if (!strncmp(side->config[i], option, length) && side->config[i][length] == '=')
			return side->config[i][length + 1];
	}
	return 0;
}

static void tell_by_config(struct advised *advised, const struct advice *advice)
{
	const struct remedy *remedy = advised->remedy;
	char value = advice->asked.config ? config_option(advice->asked.config, remedy->option)
					  : recorded_option(advice->side, remedy->option);

	if (!value)
		tell(advised, DONE_UNKNOWN,
		     "the record does not have the configuration of the incoming kernel; --config FILE names it");
	else
		tell(advised, (value == 'n') == (remedy->wanted == 'n') ? DONE_YES : DONE_NO,
		     "its configuration has CONFIG_%s%s", remedy->option,
		     value == 'n'   ? " not set"
		     : value == 'm' ? "=m"
				    : "=y");
}

/* Is a time at least so much of the pause? */
static bool is_share(const struct handover *handover, uint64_t ns, double percent)
{
	return (double)ns * 100 >= (double)handover->blackout.ns * percent;
}

static void find_sign(struct advised *advised, const struct advice *advice,
		      const struct handover *handover)
{
	switch (advised->remedy->sign) {
	case SIGN_STEP:
		tell(advised, DONE_NO,
		     "where it has been, there is no such step, or a shorter one");
		break;
	case SIGN_SHARE:
		if (is_share(handover, advised->ns, SHARE_THAT_TELLS))
			tell(advised, DONE_NO, "where it has been, the step takes next to nothing");
		else
			tell(advised, DONE_UNKNOWN, "the step is too short to tell");
		break;
	case SIGN_SERIES:
		break; /* when all others are known */
	case SIGN_CONFIG:
		tell_by_config(advised, advice);
		break;
	case SIGN_PARTS:
		if (records_parts(handover))
			tell(advised, DONE_YES,
			     "the incoming kernel records the parts of its boot, as one with all of kernel/patches does");
		else
			tell(advised, DONE_NO,
			     "the incoming kernel does not record the parts of its boot, as one with all of kernel/patches does");
		break;
	case SIGN_PAGES:
		tell_by_pages(advised, handover);
		break;
	}
}

static void find_gain(struct advised *advised)
{
	const struct remedy *remedy = advised->remedy;

	advised->known = remedy->gain != GAIN_SOME;
	switch (remedy->gain) {
	case GAIN_SOME:
		break;
	case GAIN_ALL:
		advised->gain = advised->ns;
		break;
	case GAIN_FIXED:
		advised->gain = advised->ns < (uint64_t)remedy->goes ? advised->ns
								     : (uint64_t)remedy->goes;
		break;
	case GAIN_RATIO:
		advised->gain = (uint64_t)((double)advised->ns * remedy->goes / remedy->of);
		break;
	}
}

static void forget(struct advised *advised)
{
	free(advised->steps);
	free(advised->spans);
	memset(advised, 0, sizeof(*advised));
}

static int consider(struct advice *advice, const struct handover *handover,
		    const struct remedy *remedy)
{
	struct advised *advised = &advice->list[advice->count];
	int ret;

	advised->remedy = remedy;
	ret = remedy->kind == REMEDY_ORDER ? take_units(advised, advice, handover)
					   : take_steps(advised, handover);
	if (ret)
		return ret;
	advised->spanned = unite(advised->spans, advised->spanned, &advised->ns);
	if (!advised->ns || !is_share(handover, advised->ns, advice->asked.least)) {
		forget(advised);
		return 0;
	}
	find_sign(advised, advice, handover);
	find_gain(advised);
	advised->counted = !remedy->emulated || advice->emulated != FLAG_YES;
	advice->count++;
	return 0;
}

/* Which patches a kernel has, no record says: does it show that it lacks one of them? */
static void find_series(struct advice *advice)
{
	const char *lacks = NULL;
	size_t i;

	for (i = 0; i < advice->count; i++) {
		const struct advised *advised = &advice->list[i];

		if (advised->remedy->kind == REMEDY_KERNEL && advised->done == DONE_NO &&
		    advised->remedy->sign != SIGN_SERIES)
			lacks = advised->remedy->id;
	}
	for (i = 0; i < advice->count; i++) {
		struct advised *advised = &advice->list[i];

		if (advised->remedy->sign != SIGN_SERIES)
			continue;
		if (lacks)
			tell(advised, DONE_UNKNOWN,
			     "the record does not say; the incoming kernel lacks another of kernel/patches (%s)",
			     lacks);
		else
			tell(advised, DONE_YES,
			     "the incoming kernel records the parts of its boot, and no step shows that it lacks one of kernel/patches");
	}
}

/* What has not been done before what may have been; then what is worth most. */
static int compare_advised(const void *left, const void *right)
{
	const struct advised *a = left, *b = right;

	if (a->done != b->done)
		return a->done < b->done ? -1 : 1;
	if (a->counted != b->counted)
		return a->counted ? -1 : 1;
	if (a->ns != b->ns)
		return a->ns > b->ns ? -1 : 1;
	return a->remedy < b->remedy ? -1 : 1;
}

/* How long the steps of remedies took together that have been done no more than that. */
static int together(const struct advice *advice, enum advice_done done, bool all, uint64_t *ns)
{
	size_t i, count = 0, room = 1;
	struct span *spans;

	for (i = 0; i < advice->count; i++)
		room += advice->list[i].spanned;
	spans = calloc(room, sizeof(*spans));
	if (!spans)
		return -ENOMEM;
	for (i = 0; i < advice->count; i++) {
		const struct advised *advised = &advice->list[i];

		if (advised->done > done || (!all && !advised->counted))
			continue;
		memcpy(&spans[count], advised->spans, advised->spanned * sizeof(*spans));
		count += advised->spanned;
	}
	unite(spans, count, ns);
	free(spans);
	return 0;
}

/* The same step in the same kernel, such as a CPU's that comes up in two halves. */
static bool same_step(const struct step *a, const struct step *b)
{
	return a->side == b->side && a->begin->step == b->begin->step &&
	       a->begin->kind == b->begin->kind && a->begin->object == b->begin->object &&
	       !strcmp(a->name, b->name);
}

static int compare_rest(const void *left, const void *right)
{
	const struct advice_rest *a = left, *b = right;

	if (a->ns != b->ns)
		return a->ns > b->ns ? -1 : 1;
	return a->step < b->step ? -1 : 1;
}

/* Of the steps that explain most, those that are one. */
static void merge_rest(struct advice *advice, const struct handover *handover,
		       struct advice_rest *rest, size_t count)
{
	size_t i, at;

	qsort(rest, count, sizeof(*rest), compare_rest);
	for (i = 0; i < count && advice->rests < ADVICE_REST; i++) {
		struct advice_rest *into = &advice->rest[advice->rests];

		if (!rest[i].ns)
			continue;
		*into = rest[i];
		for (at = i + 1; at < count; at++) {
			if (!rest[at].ns || !same_step(&handover->steps[rest[i].step],
						       &handover->steps[rest[at].step]))
				continue;
			into->ns += rest[at].ns;
			rest[at].ns = 0;
		}
		advice->rests++;
	}
	qsort(advice->rest, advice->rests, sizeof(*rest), compare_rest);
}

/* What no remedy is known for: neither a remedy's step nor a part of one. */
static int find_rest(struct advice *advice, const struct handover *handover)
{
	size_t i, at, count = 0, room = handover->count ?: 1;
	struct advice_rest *rest = calloc(room, sizeof(*rest));
	bool *addressed = calloc(room, sizeof(*addressed));
	uint64_t *own = calloc(room, sizeof(*own));
	struct explained explained = { 0 };
	int ret = -ENOMEM;

	if (!rest || !addressed || !own || explained_steps(handover, &explained, own))
		goto out;
	for (i = 0; i < advice->count; i++) {
		for (at = 0; advice->list[i].done != DONE_YES && at < advice->list[i].count; at++)
			addressed[advice->list[i].steps[at]] = true;
	}
	for (i = 0; i < handover->count; i++) {
		const struct step *step = &handover->steps[i];

		/* A step comes behind the one that it is part of. */
		addressed[i] |= step->parent != NO_PARENT && addressed[step->parent];
		if (own[i] && !addressed[i])
			rest[count++] = (struct advice_rest){ i, own[i] };
	}
	merge_rest(advice, handover, rest, count);
	ret = 0;
out:
	free(rest);
	free(addressed);
	free(own);
	return ret;
}

static enum known_flag is_emulated(const struct evidence_side *side)
{
	if (!side || !side->machine)
		return FLAG_NOT_KNOWN;
	return side->machine->hypervisor && !strcmp(side->machine->hypervisor, "QEMU/TCG")
		       ? FLAG_YES
		       : FLAG_NO;
}

static int divide(struct advice *advice, const struct handover *handover)
{
	uint64_t pause = handover->blackout.ns, nameless = pause - handover->explained.ns;
	int ret;

	ret = together(advice, DONE_NO, false, &advice->at_most) ?:
	      together(advice, DONE_UNKNOWN, false, &advice->maybe) ?:
	      together(advice, DONE_UNKNOWN, true, &advice->addressed);
	if (ret)
		return ret;
	advice->maybe -= advice->at_most;
	advice->unexplained = nameless < pause - advice->addressed ? nameless
								   : pause - advice->addressed;
	advice->unaddressed = pause - advice->addressed - advice->unexplained;
	return find_rest(advice, handover);
}

/**
 * advice_make - find what would make a pause shorter
 * @advice:   filled in; to be freed with advice_free() in any case
 * @handover: where its pause is not known, there is no advice
 * @evidence: what others testify to
 * @asked:    what the user asked for
 *
 * Return: 0, -ENOMEM.
 */
int advice_make(struct advice *advice, const struct handover *handover,
		const struct evidence *evidence, const struct advice_asked *asked)
{
	const struct remedy *remedy;
	int ret = 0;

	*advice = (struct advice){ .asked = *asked };
	if (evidence->environment)
		advice->side = evidence->environment->incoming;
	advice->emulated = is_emulated(advice->side);
	if (!handover->blackout.known)
		return 0;
	find_agent(advice, handover);
	for (remedy = remedies; !ret && remedy->id && advice->count < ADVICE_MOST; remedy++)
		ret = consider(advice, handover, remedy);
	if (ret)
		return ret;
	find_series(advice);
	qsort(advice->list, advice->count, sizeof(advice->list[0]), compare_advised);
	return divide(advice, handover);
}

void advice_free(struct advice *advice)
{
	size_t i;

	for (i = 0; i < ADVICE_MOST; i++)
		forget(&advice->list[i]);
}
