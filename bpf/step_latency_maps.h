/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The answer of step_latency, whatever steps are seen by: the maps, and what a step is
 * in them.
 *
 * Include <linux/bpf.h>, <bpf/bpf_helpers.h> and liveupdate_record.h before this file.
 */
#ifndef LIVEUPDATE_STEP_LATENCY_MAPS_H
#define LIVEUPDATE_STEP_LATENCY_MAPS_H

#include "count_once.h"
#include "step_latency.h"

/* The answer; a step that never occurred has no entry. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 256);
	__type(key, enum liveupdate_step_id);
	__type(value, struct step_latency);
} steps SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct step_records);
} records SEC(".maps");

static const struct step_latency no_latency;

static __always_inline struct step_latency *latency_of(enum liveupdate_step_id step)
{
	struct step_latency *latency = bpf_map_lookup_elem(&steps, &step);

	if (latency)
		return latency;
	bpf_map_update_elem(&steps, &step, &no_latency, BPF_NOEXIST);
	return bpf_map_lookup_elem(&steps, &step);
}

/* Counts a step that ended, or an instant, which is not @timed. */
static __always_inline void count_step(enum liveupdate_step_id step, __s32 ret, __u64 items,
				       int timed, __u64 ns)
{
	struct step_latency *latency = latency_of(step);
	__u32 slot;

	if (!latency)
		return;
	__sync_fetch_and_add(&latency->count, 1);
	__sync_fetch_and_add(&latency->items, items);
	if (ret < 0)
		__sync_fetch_and_add(&latency->errors, 1);
	if (!timed)
		return;

	__sync_fetch_and_add(&latency->timed, 1);
	__sync_fetch_and_add(&latency->total_ns, ns);
	latency->last_ns = ns;
	raise_to(&latency->max_ns, ns);
	slot = latency_slot(ns);
	if (slot < LATENCY_SLOTS)
		__sync_fetch_and_add(&latency->slots[slot], 1);
}

#endif /* LIVEUPDATE_STEP_LATENCY_MAPS_H */
