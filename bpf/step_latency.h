/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What step_latency.bpf.c and its readers share. */
#ifndef LIVEUPDATE_STEP_LATENCY_H
#define LIVEUPDATE_STEP_LATENCY_H

/*
 * Log-linear histogram: each power of two is divided into four slots of the
 * same width, so a slot is at most 25 % wide. The last slot takes all that is
 * longer than 2^41 ns, about 37 minutes.
 */
#define LATENCY_SLOTS	160

static inline __u32 latency_slot(__u64 ns)
{
	__u64 rest = ns;
	__u32 log = 0, slot;

	if (ns < 4)
		return ns;
	/* Without a loop, and without an instruction that BPF does not have. */
	if (rest >> 32) {
		rest >>= 32;
		log += 32;
	}
	if (rest >> 16) {
		rest >>= 16;
		log += 16;
	}
	if (rest >> 8) {
		rest >>= 8;
		log += 8;
	}
	if (rest >> 4) {
		rest >>= 4;
		log += 4;
	}
	if (rest >> 2) {
		rest >>= 2;
		log += 2;
	}
	if (rest >> 1)
		log += 1;
	slot = (log - 1) * 4 + ((ns >> (log - 2)) & 3);
	return slot < LATENCY_SLOTS ? slot : LATENCY_SLOTS - 1;
}

/* The shortest duration that goes into a slot. */
static inline __u64 latency_slot_ns(__u32 slot)
{
	return slot < 4 ? slot : (__u64)(4 + slot % 4) << (slot / 4 - 1);
}

/**
 * struct step_latency - one kind of step
 * @count:    how often it ended or, for an instant, occurred
 * @errors:   how often it failed
 * @items:    pages, entries or devices that it dealt with
 * @timed:    how many of @count have a duration; an instant has none
 * @total_ns: sum of the durations
 * @last_ns:  the latest
 * @max_ns:   the longest
 * @slots:    histogram of the durations
 */
struct step_latency {
	__u64 count;
	__u64 errors;
	__u64 items;
	__u64 timed;
	__u64 total_ns;
	__u64 last_ns;
	__u64 max_ns;
	__u32 slots[LATENCY_SLOTS];
};

/**
 * struct step_records - what the program has seen
 * @records:    records that were counted
 * @duplicates: records that had been counted before: live, then replayed
 * @unpaired:   ends whose begin was not seen; a replay brings both
 * @unclocked:  ends in a ledger that does not know its clock's frequency
 */
struct step_records {
	__u64 records;
	__u64 duplicates;
	__u64 unpaired;
	__u64 unclocked;
};

#endif /* LIVEUPDATE_STEP_LATENCY_H */
