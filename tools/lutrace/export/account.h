/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The account: what all ledgers and live updates add up to, each counted once, and
 * for ever.
 *
 * A ledger is in several recordings, each longer than the one before. The account
 * knows each by its key, has the longest version in its sums, and remembers in a few
 * hundred bytes what that was, to take it out again when there is a longer one. What
 * is removed stays in the sums: counters never fall.
 */
#ifndef LUTRACE_EXPORT_ACCOUNT_H
#define LUTRACE_EXPORT_ACCOUNT_H

#include "export/figures.h"
#include "export/pack.h"

/* Kernel pairs that are counted for themselves: the newest. */
#define EXPORT_PAIRS_MOST 64

/* X(NAME): the reasons for which the pause of a live update is not known. */
#define EXPORT_REASON_COUNTED(name, number, text) +1
#define EXPORT_REASONS				  (0 BLACKOUT_REASONS(EXPORT_REASON_COUNTED))

/**
 * struct account_ledger - one boot's ledger
 * @key:     of the ledger
 * @records: in the longest version that was seen
 * @round:   when it was last looked for, to find those that are nowhere any more
 * @number:  in the state file, while that is written
 * @steps:   what of it is in the sums, packed
 * @size:    bytes of @steps
 */
struct account_ledger {
	uint64_t key[LEDGER_KEY_WORDS];
	uint64_t records;
	uint64_t round;
	uint32_t number;
	uint32_t size;
	uint8_t *steps;
};

/**
 * struct account_handover - one live update
 * @key:      of the ledger by which it is known: the incoming kernel's
 * @records:  in that, of the version that is in the sums
 * @round:    as for ledgers
 * @number:   likewise
 * @time_ns:  when it was, 0 if that is not known
 * @known:    the pause is
 * @reason:   why not
 * @ns:       the pause
 * @phases:   of the pause; UINT64_MAX: absent
 * @release:  of both kernels
 */
struct account_handover {
	uint64_t key[LEDGER_KEY_WORDS];
	uint64_t records;
	uint64_t round;
	uint32_t number;
	int64_t time_ns;
	bool known;
	uint32_t reason;
	uint64_t ns;
	uint64_t phases[LIVEUPDATE_PHASE_COUNT];
	char release[SIDES][LIVEUPDATE_RELEASE_LENGTH];
};

/**
 * struct account_pair - the live updates from one kernel to another
 * @release:   of both
 * @time_ns:   of the last one
 * @count:     how many
 * @blackouts: their pauses, as far as known
 */
struct account_pair {
	char release[SIDES][LIVEUPDATE_RELEASE_LENGTH];
	int64_t time_ns;
	uint64_t count;
	struct openmetrics_histogram blackouts;
};

/**
 * struct account - all of it
 * @handovers: how many live updates
 * @blackouts: their pauses, as far as known
 * @unknown:   by reason, how many are not
 * @phases:    by phase
 * @steps:     by step
 * @reboots_failed, @isolated: sums over the ledgers
 * @pairs:     the last kernel pairs, in no order
 * @pair_count: number of @pairs
 * @ledgers, @updates: those that the sums know, as trees by key
 * @ledger_count, @update_count: how many these are
 * @round:     number of this look at the sources
 * @changed:   there is something in it that is not in the state file
 */
struct account {
	uint64_t handovers;
	struct openmetrics_histogram blackouts;
	uint64_t unknown[EXPORT_REASONS];
	struct openmetrics_histogram phases[LIVEUPDATE_PHASE_COUNT];
	struct export_step steps[EXPORT_STEP_KINDS];
	uint64_t reboots_failed;
	uint64_t isolated;
	struct account_pair pairs[EXPORT_PAIRS_MOST];
	size_t pair_count;
	void *ledgers, *updates;
	size_t ledger_count, update_count;
	uint64_t round;
	bool changed;
};

int account_add_ledger(struct account *account, const struct export_ledger *ledger,
		       struct account_ledger **entry);
int account_add_handover(struct account *account, const struct export_figures *figures,
			 int64_t time_ns, struct account_handover **entry);
void account_trim(struct account *account, size_t most);
void account_free(struct account *account);

/* For the state file. */
void account_pack(struct account *account, struct pack *to);
bool account_unpack(struct account *account, struct unpack *from, struct account_ledger ***ledgers,
		    struct account_handover ***updates);

#endif /* LUTRACE_EXPORT_ACCOUNT_H */
