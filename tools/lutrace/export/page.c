// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/version.h"
#include "export/page.h"
#include "model/vocabulary.h"

#define NS_PER_S 1000000000LL

#define METRIC(id) (&export_metrics[EXPORT_##id])

/* X(NAME): the reasons for which the pause of a live update is not known. */
#define UNKNOWN_REASON(name, number, text) [number] = #name,

static const char *const reason_names[] = { BLACKOUT_REASONS(UNKNOWN_REASON) };

#define REASONS (sizeof(reason_names) / sizeof(reason_names[0]))

/* "no-end" for BLACKOUT_REASON_NO_END. */
static const char *reason_label(size_t reason, char text[24])
{
	const char *from = reason_names[reason];
	size_t i;

	for (i = 0; from[i] && i < 23; i++)
		text[i] = from[i] == '_' ? '-' : (char)tolower((unsigned char)from[i]);
	text[i] = '\0';
	return text;
}

static const char *step_label(unsigned int step)
{
	return step ? step_name(step) : "unknown";
}

/**
 * struct pair - the live updates from one kernel to another
 * @first:     one of them, which knows the releases
 * @count:     how many
 * @blackouts: their pauses, as far as known
 */
struct pair {
	const struct export_figures *first;
	uint64_t count;
	struct openmetrics_histogram blackouts;
};

/**
 * struct sum - all live updates
 * @pairs:      by kernel pair
 * @pair_count: number of @pairs
 * @unknown:    by reason, how many pauses are not known
 * @phases:     by phase
 * @steps:      by step
 * @reboots_failed, @isolated: sums over the ledgers
 * @last:       the latest, NULL if there was none
 * @usable:     number of recordings
 * @unusable:   number of those that could not be used
 */
struct sum {
	struct pair *pairs;
	size_t pair_count;
	uint64_t unknown[REASONS];
	struct openmetrics_histogram phases[LIVEUPDATE_PHASE_COUNT];
	struct export_step steps[EXPORT_STEP_KINDS];
	uint64_t reboots_failed;
	uint64_t isolated;
	const struct export_figures *last;
	uint64_t usable;
	uint64_t unusable;
};

static struct pair *find_pair(struct sum *sum, const struct export_figures *figures)
{
	struct pair *pair;
	size_t i;

	for (i = 0; i < sum->pair_count; i++) {
		const struct export_ledger *ledger = sum->pairs[i].first->ledger;

		if (!strcmp(ledger[OUTGOING].release, figures->ledger[OUTGOING].release) &&
		    !strcmp(ledger[INCOMING].release, figures->ledger[INCOMING].release))
			return &sum->pairs[i];
	}
	pair = reallocarray(sum->pairs, sum->pair_count + 1, sizeof(*pair));
	if (!pair)
		return NULL;
	sum->pairs = pair;
	pair += sum->pair_count++;
	*pair = (struct pair){ .first = figures };
	return pair;
}

static int add_handover(struct sum *sum, const struct export_figures *figures)
{
	const struct blackout *blackout = &figures->blackout;
	struct pair *pair = find_pair(sum, figures);
	size_t i;

	if (!pair)
		return -ENOMEM;
	pair->count++;
	if (blackout->known) {
		openmetrics_observe(&pair->blackouts, &export_pause_bounds, blackout->ns);
		for (i = 0; i < LIVEUPDATE_PHASE_COUNT; i++) {
			if (!blackout->phases[i].absent)
				openmetrics_observe(&sum->phases[i], &export_pause_bounds,
						    blackout->phases[i].ns);
		}
	} else if (blackout->reason < REASONS) {
		sum->unknown[blackout->reason]++;
	}
	if (!sum->last || figures->time_ns > sum->last->time_ns)
		sum->last = figures;
	return 0;
}

static void add_ledger(struct sum *sum, const struct export_ledger *ledger)
{
	size_t i;

	sum->reboots_failed += ledger->reboots_failed;
	sum->isolated += ledger->isolated;
	for (i = 0; i < EXPORT_STEP_KINDS; i++) {
		sum->steps[i].count += ledger->steps[i].count;
		sum->steps[i].errors += ledger->steps[i].errors;
		openmetrics_add(&sum->steps[i].durations, &ledger->steps[i].durations);
	}
}

/*
 * Is there a better copy of the ledger of @side of @at? The outgoing side has
 * the whole of it; of two of the same side, the longer one is better, then the
 * one whose path comes first.
 */
static bool is_superseded(const struct export_sources *sources, size_t at, enum side side)
{
	const struct export_ledger *ledger = &sources->found[at].figures->ledger[side];
	size_t i;

	for (i = 0; i < sources->count; i++) {
		const struct export_source *other = &sources->found[i];
		const struct export_ledger *copy;

		if (!other->usable || i == at)
			continue;
		if (side == INCOMING &&
		    export_same_ledger(ledger, &other->figures->ledger[OUTGOING]))
			return true;
		copy = &other->figures->ledger[side];
		if (export_same_ledger(ledger, copy) &&
		    (copy->records > ledger->records ||
		     (copy->records == ledger->records && i < at)))
			return true;
	}
	return false;
}

/*
 * A recording of the same handover that was made again, later, replaces the
 * first one. It is the incoming boot by which a handover is known.
 */
static bool is_repeated(const struct export_sources *sources, size_t at)
{
	const struct export_ledger *ledger = &sources->found[at].figures->ledger[INCOMING];
	size_t i;

	for (i = 0; i < sources->count; i++) {
		const struct export_source *other = &sources->found[i];
		const struct export_ledger *copy;

		if (!other->usable || i == at || !export_is_handover(other->figures))
			continue;
		copy = &other->figures->ledger[INCOMING];
		if (export_same_ledger(ledger, copy) &&
		    (copy->records > ledger->records ||
		     (copy->records == ledger->records && i < at)))
			return true;
	}
	return false;
}

static int add_up(struct sum *sum, const struct export_sources *sources)
{
	size_t i;
	int side, ret;

	sum->unusable = sources->missing;
	for (i = 0; i < sources->count; i++) {
		const struct export_figures *figures = sources->found[i].figures;

		if (!sources->found[i].usable) {
			sum->unusable++;
			continue;
		}
		sum->usable++;
		for (side = 0; side < SIDES; side++) {
			if (figures->ledger[side].present && !is_superseded(sources, i, side))
				add_ledger(sum, &figures->ledger[side]);
		}
		if (!export_is_handover(figures) || is_repeated(sources, i))
			continue;
		ret = add_handover(sum, figures);
		if (ret)
			return ret;
	}
	return 0;
}

static void put_sums(struct openmetrics *page, const struct sum *sum)
{
	char reason[24];
	size_t i;

	openmetrics_describe(page, METRIC(HANDOVERS));
	for (i = 0; i < sum->pair_count; i++)
		openmetrics_count(page, METRIC(HANDOVERS), sum->pairs[i].count,
				  sum->pairs[i].first->ledger[OUTGOING].release,
				  sum->pairs[i].first->ledger[INCOMING].release, NULL);
	openmetrics_describe(page, METRIC(BLACKOUT));
	for (i = 0; i < sum->pair_count; i++)
		openmetrics_durations(page, METRIC(BLACKOUT), &export_pause_bounds,
				      &sum->pairs[i].blackouts,
				      sum->pairs[i].first->ledger[OUTGOING].release,
				      sum->pairs[i].first->ledger[INCOMING].release, NULL);
	/* Zeros as well: an increase from nothing is none to Prometheus. */
	openmetrics_describe(page, METRIC(BLACKOUT_UNKNOWN));
	for (i = BLACKOUT_REASON_NO_REBOOT; i < REASONS; i++) {
		/* Those of a workload are none of the host's. */
		if (i == BLACKOUT_REASON_NOT_PAUSED || i == BLACKOUT_REASON_NOT_RESUMED)
			continue;
		openmetrics_count(page, METRIC(BLACKOUT_UNKNOWN), sum->unknown[i],
				  reason_label(i, reason), NULL);
	}
	openmetrics_describe(page, METRIC(PHASE));
	for (i = 0; i < LIVEUPDATE_PHASE_COUNT; i++)
		openmetrics_durations(page, METRIC(PHASE), &export_pause_bounds, &sum->phases[i],
				      phase_name(i), NULL);

	openmetrics_describe(page, METRIC(STEP));
	for (i = 0; i < EXPORT_STEP_KINDS; i++) {
		if (sum->steps[i].durations.count)
			openmetrics_durations(page, METRIC(STEP), &export_step_bounds,
					      &sum->steps[i].durations, step_label(i), NULL);
	}
	openmetrics_describe(page, METRIC(STEPS));
	for (i = 0; i < EXPORT_STEP_KINDS; i++) {
		if (sum->steps[i].count)
			openmetrics_count(page, METRIC(STEPS), sum->steps[i].count, step_label(i),
					  NULL);
	}
	openmetrics_describe(page, METRIC(STEP_ERRORS));
	for (i = 0; i < EXPORT_STEP_KINDS; i++) {
		if (sum->steps[i].count)
			openmetrics_count(page, METRIC(STEP_ERRORS), sum->steps[i].errors,
					  step_label(i), NULL);
	}
	openmetrics_describe(page, METRIC(REBOOTS_FAILED));
	openmetrics_count(page, METRIC(REBOOTS_FAILED), sum->reboots_failed, NULL);
	openmetrics_describe(page, METRIC(ISOLATED));
	openmetrics_count(page, METRIC(ISOLATED), sum->isolated, NULL);
}

static void put_last_pause(struct openmetrics *page, const struct export_figures *last)
{
	size_t i;

	openmetrics_describe(page, METRIC(LAST));
	openmetrics_count(page, METRIC(LAST), 1, last->ledger[OUTGOING].release,
			  last->ledger[INCOMING].release, NULL);
	if (last->time_ns) {
		openmetrics_describe(page, METRIC(LAST_TIME));
		openmetrics_seconds(page, METRIC(LAST_TIME), last->time_ns, NULL);
	}
	openmetrics_describe(page, METRIC(LAST_KNOWN));
	openmetrics_count(page, METRIC(LAST_KNOWN), last->blackout.known, NULL);
	if (!last->blackout.known)
		return;
	openmetrics_describe(page, METRIC(LAST_BLACKOUT));
	openmetrics_seconds(page, METRIC(LAST_BLACKOUT), (int64_t)last->blackout.ns, NULL);
	openmetrics_describe(page, METRIC(LAST_PHASE));
	for (i = 0; i < LIVEUPDATE_PHASE_COUNT; i++) {
		if (!last->blackout.phases[i].absent)
			openmetrics_seconds(page, METRIC(LAST_PHASE),
					    (int64_t)last->blackout.phases[i].ns, phase_name(i),
					    NULL);
	}
	openmetrics_describe(page, METRIC(LAST_UNEXPLAINED));
	for (i = 0; i < LIVEUPDATE_PHASE_COUNT; i++) {
		if (!last->blackout.phases[i].absent)
			openmetrics_seconds(
				page, METRIC(LAST_UNEXPLAINED),
				(int64_t)(last->blackout.phases[i].ns - last->explained.phases[i]),
				phase_name(i), NULL);
	}
}

/* Pauses of single workloads are shown for the @names longest, 0 for none. */
static void put_last_workloads(struct openmetrics *page, const struct export_workloads *workloads,
			       size_t names)
{
	size_t i;

	openmetrics_describe(page, METRIC(LAST_WORKLOADS));
	openmetrics_count(page, METRIC(LAST_WORKLOADS), workloads->known, "known", NULL);
	openmetrics_count(page, METRIC(LAST_WORKLOADS), workloads->unknown, "unknown", NULL);
	if (!workloads->count)
		return;
	openmetrics_describe(page, METRIC(LAST_WORKLOAD_LONGEST));
	openmetrics_seconds(page, METRIC(LAST_WORKLOAD_LONGEST), (int64_t)workloads->longest[0].ns,
			    NULL);
	if (!names)
		return;
	openmetrics_describe(page, METRIC(LAST_WORKLOAD));
	for (i = 0; i < workloads->count && i < names; i++)
		openmetrics_seconds(page, METRIC(LAST_WORKLOAD), (int64_t)workloads->longest[i].ns,
				    workloads->longest[i].name, NULL);
}

static void put_last_steps(struct openmetrics *page, const struct export_figures *last)
{
	struct export_step steps[EXPORT_STEP_KINDS];
	size_t i;
	int side;

	memset(steps, 0, sizeof(steps));
	for (side = 0; side < SIDES; side++) {
		for (i = 0; i < EXPORT_STEP_KINDS; i++) {
			const struct export_step *step = &last->ledger[side].steps[i];

			steps[i].count += step->count;
			steps[i].errors += step->errors;
			openmetrics_add(&steps[i].durations, &step->durations);
		}
	}
	openmetrics_describe(page, METRIC(LAST_STEP));
	for (i = 0; i < EXPORT_STEP_KINDS; i++) {
		if (steps[i].durations.count)
			openmetrics_seconds(page, METRIC(LAST_STEP),
					    (int64_t)steps[i].durations.sum_ns, step_label(i),
					    NULL);
	}
	openmetrics_describe(page, METRIC(LAST_STEPS));
	for (i = 0; i < EXPORT_STEP_KINDS; i++) {
		if (steps[i].count)
			openmetrics_count(page, METRIC(LAST_STEPS), steps[i].count, step_label(i),
					  NULL);
	}
	openmetrics_describe(page, METRIC(LAST_STEP_ERRORS));
	for (i = 0; i < EXPORT_STEP_KINDS; i++) {
		if (steps[i].errors)
			openmetrics_count(page, METRIC(LAST_STEP_ERRORS), steps[i].errors,
					  step_label(i), NULL);
	}
}

/* What is not known is left out: 0 would say that nothing was lost. */
static void put_known(struct openmetrics *page, const struct openmetrics_family *family,
		      int64_t number)
{
	if (number == NOT_KNOWN)
		return;
	openmetrics_describe(page, family);
	openmetrics_count(page, family, (uint64_t)number, NULL);
}

static void put_last_evidence(struct openmetrics *page, const struct export_figures *last)
{
	int i;

	openmetrics_describe(page, METRIC(LAST_VERDICT));
	for (i = 0; i < VERDICTS; i++)
		openmetrics_count(page, METRIC(LAST_VERDICT), (int)last->says == i,
				  verdict_names[i], NULL);
	openmetrics_describe(page, METRIC(LAST_IDENTITY));
	for (i = 0; i < EXPORT_VERDICTS; i++)
		openmetrics_count(page, METRIC(LAST_IDENTITY), (int)last->verdict == i,
				  export_verdict_names[i], NULL);
	put_known(page, METRIC(LAST_DOMAINS), last->domains);
	put_known(page, METRIC(LAST_PAGES), last->pages);
	put_known(page, METRIC(LAST_SENT), last->sent);
	put_known(page, METRIC(LAST_RECEIVED), last->received);
	put_known(page, METRIC(LAST_DURING), last->during);
	put_known(page, METRIC(LAST_LOST), last->lost);
	if (last->faults != NOT_KNOWN || last->referee_faults != NOT_KNOWN)
		openmetrics_describe(page, METRIC(LAST_FAULTS));
	if (last->faults != NOT_KNOWN)
		openmetrics_count(page, METRIC(LAST_FAULTS), (uint64_t)last->faults, "workload",
				  NULL);
	if (last->referee_faults != NOT_KNOWN)
		openmetrics_count(page, METRIC(LAST_FAULTS), (uint64_t)last->referee_faults,
				  "referee", NULL);
	put_known(page, METRIC(LAST_OFF), last->translation_off);
	openmetrics_describe(page, METRIC(LAST_ISOLATED));
	openmetrics_count(page, METRIC(LAST_ISOLATED), last->ledger[INCOMING].isolated, NULL);
}

static void put_last_ledgers(struct openmetrics *page, const struct export_figures *last)
{
	int side;

	openmetrics_describe(page, METRIC(LEDGER_RECORDS));
	for (side = 0; side < SIDES; side++)
		openmetrics_count(page, METRIC(LEDGER_RECORDS), last->ledger[side].records,
				  side_name(side), NULL);
	openmetrics_describe(page, METRIC(LEDGER_CAPACITY));
	for (side = 0; side < SIDES; side++)
		openmetrics_count(page, METRIC(LEDGER_CAPACITY), last->ledger[side].capacity,
				  side_name(side), NULL);
	openmetrics_describe(page, METRIC(LEDGER_DROPPED));
	for (side = 0; side < SIDES; side++)
		openmetrics_count(page, METRIC(LEDGER_DROPPED), last->ledger[side].dropped,
				  side_name(side), NULL);
}

static int64_t nanoseconds(const struct timespec *time)
{
	return time->tv_sec * NS_PER_S + time->tv_nsec;
}

static void put_exporter(struct openmetrics *page, const struct export *export,
			 const struct sum *sum)
{
	struct timespec now;

	openmetrics_describe(page, METRIC(BUILD));
	openmetrics_count(page, METRIC(BUILD), 1, LUTRACE_VERSION, NULL);
	openmetrics_describe(page, METRIC(RECORDINGS));
	openmetrics_count(page, METRIC(RECORDINGS), sum->usable, NULL);
	openmetrics_describe(page, METRIC(UNREADABLE));
	openmetrics_count(page, METRIC(UNREADABLE), sum->unusable, NULL);
	if (export->sources.count) {
		openmetrics_describe(page, METRIC(UPDATED));
		openmetrics_seconds(page, METRIC(UPDATED), nanoseconds(&export->sources.written),
				    NULL);
	}
	clock_gettime(CLOCK_REALTIME, &now);
	openmetrics_describe(page, METRIC(PRODUCED));
	openmetrics_seconds(page, METRIC(PRODUCED), nanoseconds(&now), NULL);
	openmetrics_describe(page, METRIC(SCRAPES));
	openmetrics_count(page, METRIC(SCRAPES), export->scrapes, NULL);
}

/**
 * export_page - put one answer together
 * @export: the exporter
 * @page:   @classic says in which format; the text is added
 *
 * Return: 0, -ENOMEM.
 */
int export_page(struct export *export, struct openmetrics *page)
{
	struct timespec begin, end;
	struct sum *sum;
	int ret;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	export->scrapes++;
	sum = calloc(1, sizeof(*sum));
	ret = sum ? export_sources_refresh(&export->sources) : -ENOMEM;
	if (!ret)
		ret = add_up(sum, &export->sources);
	if (!ret) {
		put_sums(page, sum);
		if (sum->last) {
			put_last_pause(page, sum->last);
			put_last_workloads(page, &sum->last->workloads, export->workloads);
			put_last_steps(page, sum->last);
			put_last_evidence(page, sum->last);
			put_last_ledgers(page, sum->last);
		}
		if (export->probes) {
			export_probes(export->probes, page);
			export_observed(export->probes, page);
		}
		put_exporter(page, export, sum);
		clock_gettime(CLOCK_MONOTONIC, &end);
		openmetrics_describe(page, METRIC(SCRAPE));
		openmetrics_seconds(page, METRIC(SCRAPE), nanoseconds(&end) - nanoseconds(&begin),
				    NULL);
		openmetrics_end(page);
		if (page->failed)
			ret = -ENOMEM;
	}
	if (sum)
		free(sum->pairs);
	free(sum);
	return ret;
}
