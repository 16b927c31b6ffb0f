// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <string.h>

#include "export/workloads.h"

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
	memcpy(to->longest[at].name, workload->name.text, sizeof(to->longest[at].name));
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
