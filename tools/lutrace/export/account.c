// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "export/account.h"

/* Both kinds of entries begin with their key. */
static int by_key(const void *left, const void *right)
{
	return memcmp(left, right, sizeof(uint64_t[3]));
}

static void pack_steps(struct pack *to, const struct export_ledger *ledger)
{
	size_t i, bucket, kinds = 0, filled;

	for (i = 0; i < EXPORT_STEP_KINDS; i++)
		kinds += ledger->steps[i].count != 0;
	pack_number(to, ledger->reboots_failed);
	pack_number(to, ledger->isolated);
	pack_number(to, kinds);
	for (i = 0; i < EXPORT_STEP_KINDS; i++) {
		const struct export_step *step = &ledger->steps[i];

		if (!step->count)
			continue;
		pack_number(to, i);
		pack_number(to, step->count);
		pack_number(to, step->errors);
		pack_number(to, step->durations.count);
		pack_number(to, step->durations.sum_ns);
		for (filled = bucket = 0; bucket < OPENMETRICS_MAX_BOUNDS; bucket++)
			filled += step->durations.buckets[bucket] != 0;
		pack_number(to, filled);
		for (bucket = 0; bucket < OPENMETRICS_MAX_BOUNDS; bucket++) {
			if (!step->durations.buckets[bucket])
				continue;
			pack_number(to, bucket);
			pack_number(to, step->durations.buckets[bucket]);
		}
	}
}

/* A step that a newer lutrace knew is one of those without a name. */
static void unpack_step(struct account *account, struct unpack *from, uint64_t sign)
{
	uint64_t number = unpack_number(from), bucket, filled;
	struct export_step *step = &account->steps[number < EXPORT_STEP_KINDS ? number : 0];

	step->count += sign * unpack_number(from);
	step->errors += sign * unpack_number(from);
	step->durations.count += sign * unpack_number(from);
	step->durations.sum_ns += sign * unpack_number(from);
	for (filled = unpack_at_most(from, OPENMETRICS_MAX_BOUNDS); filled; filled--) {
		bucket = unpack_at_most(from, OPENMETRICS_MAX_BOUNDS - 1);
		step->durations.buckets[bucket] += sign * unpack_number(from);
	}
}

/* Into the sums, or out of them: @sign is 1 or -1, and the sums are modulo 2^64. */
static void count_ledger(struct account *account, const struct account_ledger *entry, uint64_t sign)
{
	struct unpack from = { entry->steps, entry->steps + entry->size, false };
	uint64_t kinds;

	account->reboots_failed += sign * unpack_number(&from);
	account->isolated += sign * unpack_number(&from);
	for (kinds = unpack_number(&from); kinds && !from.failed; kinds--)
		unpack_step(account, &from, sign);
}

/* The entry with the key @entry has, which may be @entry; NULL without memory. */
static void *enter(void **tree, size_t *count, void *entry)
{
	void **node = tsearch(entry, tree, by_key);

	if (node && *node == entry)
		++*count;
	return node ? *node : NULL;
}

/**
 * account_add_ledger - count a ledger
 * @account: in which a shorter version of it may be already
 * @ledger:  as it is now
 * @entry:   set to what the account knows of it; NULL if it has no record
 *
 * Return: 0, -ENOMEM.
 */
int account_add_ledger(struct account *account, const struct export_ledger *ledger,
		       struct account_ledger **entry)
{
	struct account_ledger *known, *now;
	struct pack steps = { 0 };

	*entry = NULL;
	if (!ledger->present || !ledger->records)
		return 0;
	now = calloc(1, sizeof(*now));
	if (!now)
		return -ENOMEM;
	memcpy(now->key, ledger->key, sizeof(now->key));
	known = enter(&account->ledgers, &account->ledger_count, now);
	if (known != now)
		free(now);
	if (!known)
		return -ENOMEM;
	*entry = known;
	if (known->records >= ledger->records)
		return 0;
	pack_steps(&steps, ledger);
	if (steps.failed) {
		free(steps.bytes);
		return -ENOMEM;
	}
	if (known->size)
		count_ledger(account, known, -1ULL);
	free(known->steps);
	known->records = ledger->records;
	known->steps = steps.bytes;
	known->size = (uint32_t)steps.size;
	count_ledger(account, known, 1);
	account->changed = true;
	return 0;
}

/* Where a kernel pair is counted; one that is new when there are many replaces the oldest. */
static struct account_pair *find_pair(struct account *account, const struct account_handover *of,
				      bool make)
{
	struct account_pair *pair, *oldest = account->pairs;
	size_t i;

	for (i = 0; i < account->pair_count; i++) {
		pair = &account->pairs[i];
		if (!memcmp(pair->release, of->release, sizeof(pair->release)))
			return pair;
		if (pair->time_ns < oldest->time_ns)
			oldest = pair;
	}
	if (!make)
		return NULL;
	if (account->pair_count < EXPORT_PAIRS_MOST)
		oldest = &account->pairs[account->pair_count++];
	else if (of->time_ns < oldest->time_ns)
		return NULL;
	memset(oldest, 0, sizeof(*oldest));
	memcpy(oldest->release, of->release, sizeof(oldest->release));
	return oldest;
}

static void count(struct openmetrics_histogram *sum, uint64_t ns, uint64_t sign)
{
	struct openmetrics_histogram histogram = { 0 };
	size_t i;

	openmetrics_observe(&histogram, &export_pause_bounds, ns);
	sum->count += sign;
	sum->sum_ns += sign * ns;
	for (i = 0; i < OPENMETRICS_MAX_BOUNDS; i++)
		sum->buckets[i] += sign * histogram.buckets[i];
}

static void count_handover(struct account *account, const struct account_handover *entry,
			   uint64_t sign)
{
	struct account_pair *pair = find_pair(account, entry, sign == 1);
	size_t i;

	account->handovers += sign;
	if (pair) {
		pair->count += sign;
		if (entry->time_ns > pair->time_ns)
			pair->time_ns = entry->time_ns;
		if (entry->known)
			count(&pair->blackouts, entry->ns, sign);
	}
	if (!entry->known) {
		account->unknown[entry->reason] += sign;
		return;
	}
	count(&account->blackouts, entry->ns, sign);
	for (i = 0; i < LIVEUPDATE_PHASE_COUNT; i++) {
		if (entry->phases[i] != UINT64_MAX)
			count(&account->phases[i], entry->phases[i], sign);
	}
}

/* One whose incoming kernel recorded nothing is known by the outgoing one's ledger. */
static void handover_key(uint64_t key[LEDGER_KEY_WORDS], const struct export_figures *figures)
{
	const struct export_ledger *ledger = &figures->ledger[INCOMING];

	memcpy(key, ledger->key, sizeof(ledger->key));
	if (!ledger->records) {
		memcpy(key, figures->ledger[OUTGOING].key, sizeof(ledger->key));
		key[0] ^= ledger->key[0] | 1;
	}
}

/**
 * account_add_handover - count a live update
 * @account: in which an earlier version of it may be already
 * @figures: what is known of it now
 * @time_ns: when it was, 0 if that is not known
 * @entry:   set to what the account knows of it
 *
 * Return: 0, -ENOMEM.
 */
int account_add_handover(struct account *account, const struct export_figures *figures,
			 int64_t time_ns, struct account_handover **entry)
{
	const struct blackout *blackout = &figures->blackout;
	struct account_handover *known, *now = calloc(1, sizeof(*now));
	size_t i;
	int side;

	if (!now)
		return -ENOMEM;
	handover_key(now->key, figures);
	known = enter(&account->updates, &account->update_count, now);
	if (known != now)
		free(now);
	if (!known)
		return -ENOMEM;
	*entry = known;
	if (known->release[INCOMING][0]) {
		if (known->records >= figures->ledger[INCOMING].records)
			return 0;
		count_handover(account, known, -1ULL);
	}
	known->records = figures->ledger[INCOMING].records;
	known->time_ns = time_ns;
	known->known = blackout->known;
	known->reason = blackout->reason < EXPORT_REASONS ? blackout->reason : 0;
	known->ns = blackout->ns;
	for (i = 0; i < LIVEUPDATE_PHASE_COUNT; i++)
		known->phases[i] = blackout->phases[i].absent ? UINT64_MAX : blackout->phases[i].ns;
	for (side = 0; side < SIDES; side++)
		/* "?" for a kernel that did not say, so that none is empty. */
		snprintf(known->release[side], sizeof(known->release[side]), "%s",
			 figures->ledger[side].release[0] ? figures->ledger[side].release : "?");
	count_handover(account, known, 1);
	account->changed = true;
	return 0;
}

struct trim {
	uint64_t round;
	void **gone;
	size_t count;
};

static void find_old_ledger(const void *node, VISIT visit, void *closure)
{
	struct account_ledger *entry = *(struct account_ledger *const *)node;
	struct trim *trim = closure;

	if ((visit == postorder || visit == leaf) && entry->round != trim->round)
		trim->gone[trim->count++] = entry;
}

static void find_old_update(const void *node, VISIT visit, void *closure)
{
	struct account_handover *entry = *(struct account_handover *const *)node;
	struct trim *trim = closure;

	if ((visit == postorder || visit == leaf) && entry->round != trim->round)
		trim->gone[trim->count++] = entry;
}

static void trim_tree(void **tree, size_t *count, uint64_t round,
		      void (*find)(const void *, VISIT, void *), bool has_steps)
{
	struct trim trim = { .round = round, .gone = calloc(*count ?: 1, sizeof(void *)) };

	/* Without memory it is trimmed next time. */
	if (!trim.gone)
		return;
	twalk_r(*tree, find, &trim);
	*count -= trim.count;
	while (trim.count) {
		void *entry = trim.gone[--trim.count];

		tdelete(entry, tree, by_key);
		if (has_steps)
			free(((struct account_ledger *)entry)->steps);
		free(entry);
	}
	free(trim.gone);
}

/**
 * account_trim - forget what is in no recording any more, if it is much
 * @account: its entries that are to stay have its @round
 * @most:    so many entries are not too many
 *
 * The sums stay. Should such a recording come back it is counted again.
 */
void account_trim(struct account *account, size_t most)
{
	if (account->ledger_count > most)
		trim_tree(&account->ledgers, &account->ledger_count, account->round,
			  find_old_ledger, true);
	if (account->update_count > most)
		trim_tree(&account->updates, &account->update_count, account->round,
			  find_old_update, false);
}

static void free_ledger(void *entry)
{
	free(((struct account_ledger *)entry)->steps);
	free(entry);
}

void account_free(struct account *account)
{
	tdestroy(account->ledgers, free_ledger);
	tdestroy(account->updates, free);
	memset(account, 0, sizeof(*account));
}

static void pack_key(struct pack *to, const uint64_t key[LEDGER_KEY_WORDS])
{
	int i;

	for (i = 0; i < 3; i++)
		pack_number(to, key[i]);
}

static void pack_histogram(struct pack *to, const struct openmetrics_histogram *histogram)
{
	size_t i;

	pack_number(to, histogram->count);
	pack_number(to, histogram->sum_ns);
	for (i = 0; i < OPENMETRICS_MAX_BOUNDS; i++)
		pack_number(to, histogram->buckets[i]);
}

struct packing {
	struct pack *to;
	uint32_t number;
};

static void pack_ledger(const void *node, VISIT visit, void *closure)
{
	struct account_ledger *entry = *(struct account_ledger *const *)node;
	struct packing *packing = closure;

	if (visit != postorder && visit != leaf)
		return;
	entry->number = ++packing->number;
	pack_key(packing->to, entry->key);
	pack_number(packing->to, entry->records);
	pack_number(packing->to, entry->size);
	pack_bytes(packing->to, entry->steps, entry->size);
}

static void pack_update(const void *node, VISIT visit, void *closure)
{
	struct account_handover *entry = *(struct account_handover *const *)node;
	struct packing *packing = closure;
	size_t i;

	if (visit != postorder && visit != leaf)
		return;
	entry->number = ++packing->number;
	pack_key(packing->to, entry->key);
	pack_number(packing->to, entry->records);
	pack_number(packing->to, (uint64_t)entry->time_ns);
	pack_number(packing->to, entry->known);
	pack_number(packing->to, entry->reason);
	pack_number(packing->to, entry->ns);
	for (i = 0; i < LIVEUPDATE_PHASE_COUNT; i++)
		pack_number(packing->to, entry->phases[i]);
	pack_text(packing->to, entry->release[OUTGOING]);
	pack_text(packing->to, entry->release[INCOMING]);
}

/**
 * account_pack - write the account
 * @account: its entries get numbers, from 1
 * @to:      written to
 */
void account_pack(struct account *account, struct pack *to)
{
	struct packing packing = { .to = to };
	struct export_ledger sums = { .reboots_failed = account->reboots_failed,
				      .isolated = account->isolated };
	size_t i;

	pack_number(to, account->handovers);
	pack_histogram(to, &account->blackouts);
	pack_number(to, EXPORT_REASONS);
	for (i = 0; i < EXPORT_REASONS; i++)
		pack_number(to, account->unknown[i]);
	pack_number(to, LIVEUPDATE_PHASE_COUNT);
	for (i = 0; i < LIVEUPDATE_PHASE_COUNT; i++)
		pack_histogram(to, &account->phases[i]);
	memcpy(sums.steps, account->steps, sizeof(sums.steps));
	pack_steps(to, &sums);
	pack_number(to, account->pair_count);
	for (i = 0; i < account->pair_count; i++) {
		pack_text(to, account->pairs[i].release[OUTGOING]);
		pack_text(to, account->pairs[i].release[INCOMING]);
		pack_number(to, (uint64_t)account->pairs[i].time_ns);
		pack_number(to, account->pairs[i].count);
		pack_histogram(to, &account->pairs[i].blackouts);
	}
	pack_number(to, account->ledger_count);
	twalk_r(account->ledgers, pack_ledger, &packing);
	packing.number = 0;
	pack_number(to, account->update_count);
	twalk_r(account->updates, pack_update, &packing);
}

static void unpack_key(struct unpack *from, uint64_t key[LEDGER_KEY_WORDS])
{
	int i;

	for (i = 0; i < 3; i++)
		key[i] = unpack_number(from);
}

static void unpack_histogram(struct unpack *from, struct openmetrics_histogram *histogram)
{
	size_t i;

	histogram->count = unpack_number(from);
	histogram->sum_ns = unpack_number(from);
	for (i = 0; i < OPENMETRICS_MAX_BOUNDS; i++)
		histogram->buckets[i] = unpack_number(from);
}

static void unpack_sums(struct account *account, struct unpack *from)
{
	uint64_t i, reasons;

	account->handovers = unpack_number(from);
	unpack_histogram(from, &account->blackouts);
	/* A newer lutrace may have known more reasons. */
	reasons = unpack_at_most(from, 1024);
	for (i = 0; i < reasons; i++)
		account->unknown[i < EXPORT_REASONS ? i : 0] += unpack_number(from);
	if (unpack_number(from) != LIVEUPDATE_PHASE_COUNT)
		from->failed = true;
	for (i = 0; i < LIVEUPDATE_PHASE_COUNT; i++)
		unpack_histogram(from, &account->phases[i]);
	account->reboots_failed = unpack_number(from);
	account->isolated = unpack_number(from);
	for (i = unpack_number(from); i && !from->failed; i--)
		unpack_step(account, from, 1);
	account->pair_count = unpack_at_most(from, EXPORT_PAIRS_MOST);
	for (i = 0; i < account->pair_count; i++) {
		struct account_pair *pair = &account->pairs[i];

		unpack_text(from, pair->release[OUTGOING], sizeof(pair->release[OUTGOING]));
		unpack_text(from, pair->release[INCOMING], sizeof(pair->release[INCOMING]));
		pair->time_ns = (int64_t)unpack_number(from);
		pair->count = unpack_number(from);
		unpack_histogram(from, &pair->blackouts);
	}
}

static bool unpack_ledger(struct account *account, struct unpack *from,
			  struct account_ledger **entry)
{
	struct account_ledger *now = calloc(1, sizeof(*now));
	const uint8_t *steps;

	if (!now)
		return false;
	unpack_key(from, now->key);
	now->records = unpack_number(from);
	now->size = (uint32_t)unpack_at_most(from, UINT16_MAX);
	steps = unpack_bytes(from, now->size);
	now->steps = malloc(now->size ?: 1);
	if (!steps || !now->steps || enter(&account->ledgers, &account->ledger_count, now) != now) {
		free_ledger(now);
		return false;
	}
	memcpy(now->steps, steps, now->size);
	*entry = now;
	return true;
}

static bool unpack_update(struct account *account, struct unpack *from,
			  struct account_handover **entry)
{
	struct account_handover *now = calloc(1, sizeof(*now));
	size_t i;

	if (!now)
		return false;
	unpack_key(from, now->key);
	now->records = unpack_number(from);
	now->time_ns = (int64_t)unpack_number(from);
	now->known = unpack_at_most(from, 1);
	now->reason = (uint32_t)unpack_at_most(from, EXPORT_REASONS - 1);
	now->ns = unpack_number(from);
	for (i = 0; i < LIVEUPDATE_PHASE_COUNT; i++)
		now->phases[i] = unpack_number(from);
	unpack_text(from, now->release[OUTGOING], sizeof(now->release[OUTGOING]));
	unpack_text(from, now->release[INCOMING], sizeof(now->release[INCOMING]));
	if (from->failed || enter(&account->updates, &account->update_count, now) != now) {
		free(now);
		return false;
	}
	*entry = now;
	return true;
}

/**
 * account_unpack - read an account
 * @account: empty; to be freed with account_free() in any case
 * @from:    read from
 * @ledgers: set to its entries by number, less one; to be freed in any case
 * @updates: likewise
 *
 * Return: false if it is damaged, or there is no memory.
 */
bool account_unpack(struct account *account, struct unpack *from, struct account_ledger ***ledgers,
		    struct account_handover ***updates)
{
	uint64_t i, count;

	unpack_sums(account, from);
	/* Each entry is a byte at least. */
	count = unpack_at_most(from, (uint64_t)(from->end - from->at));
	*ledgers = calloc(count ?: 1, sizeof(void *));
	for (i = 0; i < count; i++) {
		if (!*ledgers || !unpack_ledger(account, from, &(*ledgers)[i]))
			return false;
	}
	count = unpack_at_most(from, (uint64_t)(from->end - from->at));
	*updates = calloc(count ?: 1, sizeof(void *));
	for (i = 0; i < count; i++) {
		if (!*updates || !unpack_update(account, from, &(*updates)[i]))
			return false;
	}
	return *ledgers && *updates && !from->failed;
}
