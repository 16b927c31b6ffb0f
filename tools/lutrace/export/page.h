/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* One answer of the exporter: all its metrics, from all its sources. */
#ifndef LUTRACE_EXPORT_PAGE_H
#define LUTRACE_EXPORT_PAGE_H

#include "export/sources.h"

/* Kernel pairs, unless somebody says otherwise. */
#define EXPORT_PAIRS_DEFAULT 4

/**
 * struct export - an exporter
 * @sources: where its figures come from
 * @probes:  directory of pinned BPF programs, NULL for none
 * @workloads: show the pauses of so many workloads by name
 * @pairs:   show so many kernel pairs
 * @scrapes: how often it was asked
 * @acknowledgement_failed: that of the last live update could not be used
 */
struct export
{
	struct export_sources sources;
	const char *probes;
	size_t workloads;
	size_t pairs;
	uint64_t scrapes;
	bool acknowledgement_failed;
};

int export_page(struct export *export, struct openmetrics *page);

/* export_probes.c: what the pinned programs cost */
void export_probes(const char *directory, struct openmetrics *page);
/* export_observed.c: what they have seen */
void export_observed(const char *directory, struct openmetrics *page);

#endif /* LUTRACE_EXPORT_PAGE_H */
