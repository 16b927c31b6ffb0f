/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which of the latest 262,144 sequence numbers were counted; two ledgers of the
 * default size hold 16,382 records. Several CPUs may ask at the same time, of the
 * same number, too: one is told that it is the first.
 *
 * A window is a word: one bit for each of 32 numbers, and above them the round, how
 * often all windows had been gone through. So both change in one instruction.
 */
#ifndef LIVEUPDATE_COUNT_ONCE_H
#define LIVEUPDATE_COUNT_ONCE_H

#define WINDOW_NUMBERS	32
#define WINDOWS		8192

/* Who fails has lost to another CPU that changed the word; each of its bits is set once. */
#define WINDOW_TRIES	(2 * WINDOW_NUMBERS)

static inline __u32 window_of(__u64 sequence)
{
	return sequence / WINDOW_NUMBERS % WINDOWS;
}

static inline __u64 window_round(__u64 sequence)
{
	return sequence / WINDOW_NUMBERS / WINDOWS;
}

static inline __u64 window_bit(__u64 sequence)
{
	return 1ULL << sequence % WINDOW_NUMBERS;
}

/* Returns 1 if the number was counted, or is too old to tell. */
static inline int was_counted(const __u64 *window, __u64 sequence)
{
	__u64 word = *(const volatile __u64 *)window, round = window_round(sequence);

	return word >> 32 > round || (word >> 32 == round && word & window_bit(sequence));
}

/* Returns 1 for the first time that it is called with a number. */
static inline int count_once(__u64 *window, __u64 sequence)
{
	__u64 round = window_round(sequence), bit = window_bit(sequence);
	int i;

	for (i = 0; i < WINDOW_TRIES; i++) {
		__u64 old = *(volatile __u64 *)window,
		      kept = old >> 32 == round ? old : round << 32;

		if (old >> 32 > round || kept & bit)
			return 0;
		if (__sync_val_compare_and_swap(window, old, kept | bit) == old)
			return 1;
	}
	return 0;
}

/* Raises a maximum, whoever else raises it. */
static inline void raise_to(__u64 *most, __u64 value)
{
	int i;

	for (i = 0; i < WINDOW_TRIES; i++) {
		__u64 old = *(volatile __u64 *)most;

		if (old >= value || __sync_val_compare_and_swap(most, old, value) == old)
			return;
	}
}

#endif /* LIVEUPDATE_COUNT_ONCE_H */
