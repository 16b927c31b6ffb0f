// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/version.h"
#include "export/page.h"
#include "export/warn.h"
#include "model/vocabulary.h"
#include "read/acknowledgement.h"

#define NS_PER_S 1000000000LL

#define METRIC(id) (&export_metrics[EXPORT_##id])

#define UNKNOWN_REASON(name, number, text) [number] = #name,

static const char *const reason_names[EXPORT_REASONS] = { BLACKOUT_REASONS(UNKNOWN_REASON) };

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

static int by_time(const void *left, const void *right)
{
	const struct account_pair *one = *(const struct account_pair *const *)left;
	const struct account_pair *other = *(const struct account_pair *const *)right;

	return (one->time_ns < other->time_ns) - (one->time_ns > other->time_ns);
}

/* The last @most kernel pairs: so many series and no more, however many kernels there were. */
static void put_pairs(struct openmetrics *page, const struct account *account, size_t most)
{
	const struct account_pair *pairs[EXPORT_PAIRS_MOST];
	size_t i;

	for (i = 0; i < account->pair_count; i++)
		pairs[i] = &account->pairs[i];
	qsort(pairs, account->pair_count, sizeof(void *), by_time);
	if (most > account->pair_count)
		most = account->pair_count;
	openmetrics_describe(page, METRIC(PAIR_HANDOVERS));
	for (i = 0; i < most; i++)
		openmetrics_count(page, METRIC(PAIR_HANDOVERS), pairs[i]->count,
				  pairs[i]->release[OUTGOING], pairs[i]->release[INCOMING], NULL);
	openmetrics_describe(page, METRIC(PAIR_BLACKOUT));
	for (i = 0; i < most; i++)
		openmetrics_durations(page, METRIC(PAIR_BLACKOUT), &export_pause_bounds,
				      &pairs[i]->blackouts, pairs[i]->release[OUTGOING],
				      pairs[i]->release[INCOMING], NULL);
}

/*
 * Why pauses are not known. The workload of the last live update may still come back,
 * and a counter must not fall then: it counts when there is a next one.
 */
static void put_unknown(struct openmetrics *page, const struct account *account,
			const struct export_figures *last)
{
	bool open = last && !last->blackout.known &&
		    (last->blackout.reason == BLACKOUT_REASON_NO_END ||
		     last->blackout.reason == BLACKOUT_REASON_UNFINISHED);
	char reason[24];
	size_t i;

	/* Zeros as well: an increase from nothing is none to Prometheus. */
	openmetrics_describe(page, METRIC(BLACKOUT_UNKNOWN));
	for (i = BLACKOUT_REASON_NO_REBOOT; i < EXPORT_REASONS; i++) {
		uint64_t count = account->unknown[i];

		/* Those of a workload are none of the host's. */
		if (i == BLACKOUT_REASON_NOT_PAUSED || i == BLACKOUT_REASON_NOT_RESUMED)
			continue;
		if (open && i == last->blackout.reason && count)
			count--;
		openmetrics_count(page, METRIC(BLACKOUT_UNKNOWN), count, reason_label(i, reason),
				  NULL);
	}
}

static void put_sums(struct openmetrics *page, const struct account *account)
{
	size_t i;

	openmetrics_describe(page, METRIC(HANDOVERS));
	openmetrics_count(page, METRIC(HANDOVERS), account->handovers, NULL);
	openmetrics_describe(page, METRIC(BLACKOUT));
	openmetrics_durations(page, METRIC(BLACKOUT), &export_pause_bounds, &account->blackouts,
			      NULL);
	openmetrics_describe(page, METRIC(PHASE));
	for (i = 0; i < LIVEUPDATE_PHASE_COUNT; i++)
		openmetrics_durations(page, METRIC(PHASE), &export_pause_bounds,
				      &account->phases[i], phase_name(i), NULL);

	openmetrics_describe(page, METRIC(STEP));
	for (i = 0; i < EXPORT_STEP_KINDS; i++) {
		if (account->steps[i].durations.count)
			openmetrics_durations(page, METRIC(STEP), &export_step_bounds,
					      &account->steps[i].durations, step_label(i), NULL);
	}
	openmetrics_describe(page, METRIC(STEPS));
	for (i = 0; i < EXPORT_STEP_KINDS; i++) {
		if (account->steps[i].count)
			openmetrics_count(page, METRIC(STEPS), account->steps[i].count,
					  step_label(i), NULL);
	}
	openmetrics_describe(page, METRIC(STEP_ERRORS));
	for (i = 0; i < EXPORT_STEP_KINDS; i++) {
		if (account->steps[i].count)
			openmetrics_count(page, METRIC(STEP_ERRORS), account->steps[i].errors,
					  step_label(i), NULL);
	}
	openmetrics_describe(page, METRIC(REBOOTS_FAILED));
	openmetrics_count(page, METRIC(REBOOTS_FAILED), account->reboots_failed, NULL);
	openmetrics_describe(page, METRIC(ISOLATED));
	openmetrics_count(page, METRIC(ISOLATED), account->isolated, NULL);
}

static void put_last_pause(struct openmetrics *page, const struct export_figures *last)
{
	char reason[24];
	size_t i;

	openmetrics_describe(page, METRIC(LAST));
	openmetrics_count(page, METRIC(LAST), 1, last->ledger[OUTGOING].release,
			  last->ledger[INCOMING].release, NULL);
	if (last->host[0] || last->machine_id[0]) {
		openmetrics_describe(page, METRIC(HOST));
		openmetrics_count(page, METRIC(HOST), 1, last->host, last->machine_id, NULL);
	}
	if (last->time_ns) {
		openmetrics_describe(page, METRIC(LAST_TIME));
		openmetrics_seconds(page, METRIC(LAST_TIME), last->time_ns, NULL);
	}
	openmetrics_describe(page, METRIC(LAST_KNOWN));
	openmetrics_count(page, METRIC(LAST_KNOWN), last->blackout.known, NULL);
	if (!last->blackout.known) {
		openmetrics_describe(page, METRIC(LAST_UNKNOWN));
		openmetrics_count(page, METRIC(LAST_UNKNOWN), 1,
				  reason_label(last->blackout.reason, reason), NULL);
		return;
	}
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
		openmetrics_count(page, METRIC(LAST_VERDICT), (int)last->verdict.says == i,
				  verdict_names[i], NULL);
	openmetrics_describe(page, METRIC(LAST_IDENTITY));
	for (i = 0; i < EXPORT_VERDICTS; i++)
		openmetrics_count(page, METRIC(LAST_IDENTITY), (int)last->identity == i,
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

/* What is wrong with the file is said once, and again after it was in order. */
static void put_last_acknowledged(struct openmetrics *page, struct export *export)
{
	const struct export_sources *sources = &export->sources;
	char why[LEDGER_WHY_SIZE];
	bool holds, failed;

	json_object_put(
		acknowledgement_read(sources->last_path, &sources->last->verdict, &holds, why));
	failed = why[0];
	if (failed && !export->acknowledgement_failed)
		export_warn(sources->last_path, "its acknowledgement cannot be used: %s", why);
	export->acknowledgement_failed = failed;
	openmetrics_describe(page, METRIC(LAST_ACKNOWLEDGED));
	openmetrics_count(page, METRIC(LAST_ACKNOWLEDGED), holds, NULL);
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

static void put_exporter(struct openmetrics *page, const struct export *export)
{
	struct timespec now;

	openmetrics_describe(page, METRIC(BUILD));
	openmetrics_count(page, METRIC(BUILD), 1, LUTRACE_VERSION, NULL);
	openmetrics_describe(page, METRIC(RECORDINGS));
	openmetrics_count(page, METRIC(RECORDINGS), export->sources.usable, NULL);
	openmetrics_describe(page, METRIC(UNREADABLE));
	openmetrics_count(page, METRIC(UNREADABLE),
			  export->sources.count - export->sources.usable + export->sources.missing,
			  NULL);
	openmetrics_describe(page, METRIC(FUTURE));
	openmetrics_count(page, METRIC(FUTURE), export->sources.future, NULL);
	if (export->sources.count) {
		openmetrics_describe(page, METRIC(UPDATED));
		openmetrics_seconds(page, METRIC(UPDATED), nanoseconds(&export->sources.written),
				    NULL);
	}
	clock_gettime(CLOCK_REALTIME, &now);
	openmetrics_describe(page, METRIC(PRODUCED));
	openmetrics_seconds(page, METRIC(PRODUCED), nanoseconds(&now), NULL);
	openmetrics_describe(page, METRIC(READS));
	openmetrics_count(page, METRIC(READS), export->sources.reads, NULL);
	openmetrics_describe(page, METRIC(LEDGER));
	openmetrics_count(page, METRIC(LEDGER),
			  !access(export->sources.ledgers ?: ledger_directory(), F_OK), NULL);
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
	const struct export_sources *sources = &export->sources;
	const struct export_figures *last;
	int ret;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	export->scrapes++;
	ret = export_sources_refresh(&export->sources);
	if (ret)
		return ret;
	export_state_save(&export->sources, false);
	last = sources->last;
	put_sums(page, &sources->account);
	put_unknown(page, &sources->account, last);
	put_pairs(page, &sources->account, export->pairs);
	if (last) {
		put_last_pause(page, last);
		put_last_workloads(page, &last->workloads, export->workloads);
		put_last_steps(page, last);
		put_last_evidence(page, last);
		put_last_acknowledged(page, export);
		put_last_ledgers(page, last);
	}
	if (export->probes) {
		export_probes(export->probes, page);
		export_observed(export->probes, page);
	}
	put_exporter(page, export);
	clock_gettime(CLOCK_MONOTONIC, &end);
	openmetrics_describe(page, METRIC(SCRAPE));
	openmetrics_seconds(page, METRIC(SCRAPE), nanoseconds(&end) - nanoseconds(&begin), NULL);
	openmetrics_end(page);
	return page->failed ? -ENOMEM : 0;
}
