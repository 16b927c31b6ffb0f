// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What pinned probes have seen on this machine, and what they could not keep. It takes
 * permission to read the pins of their maps, and to search the directories that those are in.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <linux/types.h>

#include "dma_faults.h"
#include "export/page.h"
#include "export/warn.h"
#include "immutable.h"
#include "probe/probe.h"
#include "read/system.h"

static void put_lost(const struct probe_list *list, struct openmetrics *page)
{
	const struct openmetrics_family *family = &export_metrics[EXPORT_PROBE_LOST];
	const struct probe *probe;
	size_t number;

	openmetrics_describe(page, family);
	for (number = 0; number < PROBE_COUNT; number++) {
		probe = probe_get(list, number);
		if (probe)
			openmetrics_count(page, family, probe_lost(probe), probe->kind->name, NULL);
	}
}

/* A counter that began anew may have come to what it was before. */
static void put_pinned(const struct probe_list *list, struct openmetrics *page)
{
	const struct openmetrics_family *family = &export_metrics[EXPORT_PROBE_PINNED];
	const struct probe *probe;
	size_t number;

	openmetrics_describe(page, family);
	for (number = 0; number < PROBE_COUNT; number++) {
		probe = probe_get(list, number);
		if (probe)
			openmetrics_seconds(page, family, probe->maps[0].pinned_ns,
					    probe->kind->name, NULL);
	}
}

static void put_changes(const struct probe_list *list, struct openmetrics *page)
{
	const struct openmetrics_family *family = &export_metrics[EXPORT_PROBE_CHANGES];
	const struct probe *probe = probe_get(list, PROBE_IMMUTABLE);
	struct immutable_totals totals;
	const __u32 zero = 0;

	if (!probe || !probe_read(probe, "immutable_totals", &zero, &totals, sizeof(totals)))
		return;
	openmetrics_describe(page, family);
	openmetrics_count(page, family, totals.changes, NULL);
}

static void put_faults(const struct probe_list *list, struct openmetrics *page)
{
	const struct openmetrics_family *family = &export_metrics[EXPORT_PROBE_FAULTS];
	const struct probe *probe = probe_get(list, PROBE_DMA_FAULTS);
	struct fault_totals totals;
	const __u32 zero = 0;

	if (!probe || !probe_read(probe, "fault_totals", &zero, &totals, sizeof(totals)))
		return;
	openmetrics_describe(page, family);
#define PUT_PHASE(name, number, member, text)                                                      \
	openmetrics_count(page, family, totals.faults.member, text, NULL);
	FAULT_PHASES(PUT_PHASE)
#undef PUT_PHASE
	family = &export_metrics[EXPORT_PROBE_PRESERVED_FAULTS];
	openmetrics_describe(page, family);
	openmetrics_count(page, family, probe_preserved_faults(probe), NULL);
}

/* Said once, and again after it was in order. */
static void say_denied(const char *directory, const char *why)
{
	static bool said;

	if (why && !said)
		export_warn(directory,
			    "what is pinned there cannot be read: %s; see lutrace-export(1)", why);
	said = why;
}

/**
 * export_observed - what pinned probes have seen
 * @directory: below which they are pinned
 * @page:      the text that it is added to
 */
void export_observed(const char *directory, struct openmetrics *page)
{
	struct probe_list list = { 0 };
	char why[SYSTEM_WHY_SIZE];

	/* Of the directory itself it is said when the exporter begins. */
	if (access(directory, R_OK | X_OK) || probe_find(&list, directory))
		return;
	say_denied(directory, list.denied ? strerror(EACCES) : NULL);
	if (list.count) {
		put_lost(&list, page);
		put_pinned(&list, page);
		/* 0 would say that nothing happened, where these programs see nothing. */
		if (!system_beside(false, why))
			put_changes(&list, page);
		if (!system_beside(true, why))
			put_faults(&list, page);
	}
	probe_free(&list);
}
