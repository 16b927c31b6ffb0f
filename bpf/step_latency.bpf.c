// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * step_latency: how long does each step of a live update take?
 *
 * Counts the steps that happen while it is attached, and those that a write to
 * /sys/kernel/liveupdate/ledger/replay brings back: the ones of the kernel
 * before and of early boot. A record that comes both ways is counted once.
 */
#include "liveupdate_record.h"
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "blackout.h"
#include "step_latency_maps.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Steps under way: sequence of the begin record, and its time. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, __u64);
	__type(value, __u64);
} begun SEC(".maps");

/* What is counted: count_once.h */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, WINDOWS);
	__type(key, __u32);
	__type(value, __u64);
} windows SEC(".maps");

SEC("tp_btf/liveupdate_step_begin")
int BPF_PROG(step_begin, const struct liveupdate_record *record)
{
	__u64 sequence = record->sequence, cycles = record->cycles;

	bpf_map_update_elem(&begun, &sequence, &cycles, BPF_ANY);
	return 0;
}

SEC("tp_btf/liveupdate_step_end")
int BPF_PROG(step_end, const struct liveupdate_record *record,
	     const struct liveupdate_ledger *ledger)
{
	__u64 begin = 0, ns = 0, khz = ledger->cycles_khz, ref = record->ref;
	__u64 sequence = record->sequence;
	__u32 zero = 0, index = window_of(sequence);
	int ended = record->edge == LIVEUPDATE_EDGE_END, timed, first;
	struct step_records *seen;
	__u64 *found, *window;

	seen = bpf_map_lookup_elem(&records, &zero);
	window = bpf_map_lookup_elem(&windows, &index);
	if (!seen || !window)
		return 0;

	if (ended) {
		found = bpf_map_lookup_elem(&begun, &ref);
		if (!found) {
			/* Another CPU, with the same record, first counts it and then takes its begin away. */
			if (was_counted(window, sequence))
				__sync_fetch_and_add(&seen->duplicates, 1);
			else
				__sync_fetch_and_add(&seen->unpaired, 1);
			return 0;
		}
		begin = *found;
	}
	first = count_once(window, sequence);
	if (ended)
		bpf_map_delete_elem(&begun, &ref);
	if (!first) {
		__sync_fetch_and_add(&seen->duplicates, 1);
		return 0;
	}
	timed = ended && khz && record->cycles >= begin;
	if (timed)
		ns = blackout_ns(record->cycles - begin, khz);
	else if (ended)
		__sync_fetch_and_add(&seen->unclocked, 1);
	__sync_fetch_and_add(&seen->records, 1);

	count_step(record->step, record->ret, record->count, timed, ns);
	return 0;
}
