/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Several live updates taken together: how long the pause, each phase of it, that of
 * each workload, and each kind of step was in all of them.
 */
#ifndef LUTRACE_RUNS_H
#define LUTRACE_RUNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <json-c/json.h>

#include "model/handover.h"

/* A hundredth of fewer values than this would be less than one value. */
#define P99_VALUES 100

/* Kinds of step that are told apart; what a newer kernel adds has room. */
#define RUNS_STEPS 256

/**
 * struct values - measured times of one thing
 * @ns:    the times
 * @count: how many
 * @room:  how many fit
 */
struct values {
	uint64_t *ns;
	size_t count;
	size_t room;
};

/**
 * struct workload_runs - a workload in a set
 * @name:    its name, which is first for workload_place()
 * @pause:   its known pauses
 * @unknown: how many are not known
 */
struct workload_runs {
	struct workload_name name;
	struct values pause;
	size_t unknown;
};

/* The incoming kernel's ledger, and when the outgoing one jumped. */
#define RUN_KEY_WORDS (LEDGER_KEY_WORDS + 1)

/**
 * struct run_key - tells a live update from all others
 * @words: of its ledgers
 */
struct run_key {
	uint64_t words[RUN_KEY_WORDS];
};

/**
 * struct runs - a set of live updates
 * @keys:      those that it has, in no order
 * @key_count: number of @keys
 * @copies:    recordings of one of them, which were left out
 * @unreadable: files that may be recordings, but are no JSON, or no files
 * @count:     how many
 * @known:     of them, those whose blackout is known
 * @release:   [side]: the kernels of the first; "" if there is none
 * @mixed:     not all have those kernels
 * @from_mark: known blackouts that begin with a mark
 * @to_mark:   known blackouts that end with a mark
 * @same:      phases that all known blackouts have, as bits
 * @any:       phases that any of them has
 * @blackout:  how long the pause was
 * @phases:    how long each phase was
 * @steps:     how long steps were, by kind
 * @middles:   of each live update the median of its steps, by kind
 * @longests:  of each live update the longest of its steps, by kind
 * @workloads: those whose marks have a name, by name
 * @workload_count: number of @workloads
 */
struct runs {
	struct run_key *keys;
	size_t key_count;
	size_t copies;
	size_t unreadable;
	size_t count;
	size_t known;
	char release[SIDES][LIVEUPDATE_RELEASE_LENGTH];
	bool mixed;
	size_t from_mark;
	size_t to_mark;
	unsigned int same;
	unsigned int any;
	struct values blackout;
	struct values phases[LIVEUPDATE_PHASE_COUNT];
	struct values steps[RUNS_STEPS];
	struct values middles[RUNS_STEPS];
	struct values longests[RUNS_STEPS];
	struct workload_runs *workloads;
	size_t workload_count;
};

int runs_note(struct runs *runs, const struct handover *handover);
int runs_add(struct runs *runs, const struct handover *handover);
void runs_sort(struct runs *runs);
void runs_free(struct runs *runs);

bool values_percentile(const struct values *values, unsigned int percent, uint64_t *ns);
const struct workload_runs *runs_find_workload(const struct runs *runs,
					       const struct workload_name *name);

struct json_object *values_json(const struct values *values);

#endif /* LUTRACE_RUNS_H */
