// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <string.h>

#include "export/metrics.h"
#include "export/workloads.h"

#define METRIC(id) (&export_metrics[EXPORT_##id])

/* A ledger may hold anything; a label does not. */
static void copy_name(char to[LIVEUPDATE_NAME_LENGTH], const char *from)
{
	size_t i;

	for (i = 0; from[i] && i < LIVEUPDATE_NAME_LENGTH - 1; i++)
		to[i] = from[i] < ' ' || from[i] > '~' ? '?' : from[i];
	to[i] = '\0';
}

/* To its place among the longest, if it has one; of those that are as long, the first name. */
static void keep(struct export_workloads *to, const struct workload *workload)
{
	size_t at = to->count, last;

	while (at && to->longest[at - 1].ns < workload->pause.ns)
		at--;
	if (at == EXPORT_WORKLOADS_MOST)
		return;
	last = to->count < EXPORT_WORKLOADS_MOST ? to->count++ : to->count - 1;
	memmove(&to->longest[at + 1], &to->longest[at], (last - at) * sizeof(to->longest[0]));
	copy_name(to->longest[at].name, workload->name.text);
	to->longest[at].ns = workload->pause.ns;
}

/**
 * export_workloads - take the workloads out of a handover
 * @to:       zeroed
 * @handover: the handover
 */
void export_workloads(struct export_workloads *to, const struct handover *handover)
{
	size_t i;

	for (i = 0; i < handover->workloads.count; i++) {
		const struct workload *workload = &handover->workloads.list[i];

		if (workload->pause.known)
			keep(to, workload);
		to->known += workload->pause.known;
		to->unknown += workload->pause.present && !workload->pause.known;
	}
}

/**
 * export_put_workloads - their metrics
 * @page:      the answer
 * @workloads: those of the last live update
 * @names:     show the pauses of so many, the longest; 0 for none
 */
void export_put_workloads(struct openmetrics *page, const struct export_workloads *workloads,
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
