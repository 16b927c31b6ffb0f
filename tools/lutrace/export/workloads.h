/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the exporter keeps of the workloads of one live update: how many, and the
 * longest pauses. Names are labels only where somebody asks for them, and as many as
 * he asks for.
 */
#ifndef LUTRACE_EXPORT_WORKLOADS_H
#define LUTRACE_EXPORT_WORKLOADS_H

#include "model/handover.h"

/* No more names than that, whoever asks. */
#define EXPORT_WORKLOADS_MOST 64

/**
 * struct export_workloads - the workloads whose marks have a name
 * @known:   how many have a known pause
 * @unknown: how many have none
 * @count:   number of @longest
 * @longest: name and pause, longest first
 */
struct export_workloads {
	uint64_t known;
	uint64_t unknown;
	size_t count;
	struct {
		char name[WORKLOAD_NAME_SIZE];
		uint64_t ns;
	} longest[EXPORT_WORKLOADS_MOST];
};

void export_workloads(struct export_workloads *to, const struct handover *handover);

#endif /* LUTRACE_EXPORT_WORKLOADS_H */
