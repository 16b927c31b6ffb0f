/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Advice: which remedies would make the pause of a record shorter.
 *
 * A remedy is given where its steps took at least a share of the pause, and has not been
 * done as far as the record tells. What it gains is computed from the record, or it is
 * said that it is no more than the time of its steps. What nobody has measured is not
 * given at all, and the time that is left is said as well.
 */
#ifndef LUTRACE_ADVICE_H
#define LUTRACE_ADVICE_H

#include <json-c/json.h>

#include "model/evidence.h"
#include "model/handover.h"
#include "model/remedies.h"

/* Of the answer, docs/schema/advise.json */
#define ADVICE_VERSION 1

/* Remedies whose steps took less of the pause, in percent, are not given. */
#define ADVICE_LEAST "1"

/* So many steps without a remedy are named. */
#define ADVICE_REST 10

#define ADVICE_WHY_SIZE 160

/* More than there are remedies. */
#define ADVICE_MOST 24

enum advice_done { DONE_NO, DONE_UNKNOWN, DONE_YES };

/**
 * struct span - a part of the pause
 * @begin: in nanoseconds from the begin of the pause
 * @end:   likewise
 */
struct span {
	uint64_t begin;
	uint64_t end;
};

/**
 * struct advised - a remedy whose steps the record has
 * @remedy:  the remedy
 * @done:    has it been done?
 * @why:     what tells
 * @steps:   its steps, by index
 * @count:   number of @steps
 * @spans:   when they were under way in the pause; then without overlaps
 * @spanned: number of @spans
 * @ns:      how long that is: nothing more can be gained
 * @known:   is it known how much of that goes?
 * @gain:    how much, if it is
 * @counted: it is not for emulated machines alone, as far as the record tells
 */
struct advised {
	const struct remedy *remedy;
	enum advice_done done;
	char why[ADVICE_WHY_SIZE];
	size_t *steps;
	size_t count;
	struct span *spans;
	size_t spanned;
	uint64_t ns;
	bool known;
	uint64_t gain;
	bool counted;
};

/* What is known of the unit that the agent is in. */
enum advice_units {
	UNITS_NONE,	/* the record has no units */
	UNITS_NO_AGENT, /* which one it is, is not known */
	UNITS_AGENT,	/* it is known */
};

/**
 * struct advice_asked - what the user asked for, and what tells besides the record
 * @least:  remedies whose steps took less of the pause, in percent, are not given
 * @agent:  the agent's unit; NULL: that in which a session is retrieved
 * @config: configuration of the incoming kernel; NULL: what the record has of it
 */
struct advice_asked {
	double least;
	const char *agent;
	const char *config;
};

/**
 * struct advice_rest - a step without a remedy
 * @step: index of the (first) step
 * @ns:   what it explains of the pause, and none of its parts does
 */
struct advice_rest {
	size_t step;
	uint64_t ns;
};

/**
 * struct advice - what would make a pause shorter
 * @asked:       what was asked for
 * @side:        what the record has of the machine under the incoming kernel; NULL for nothing
 * @emulated:    was the record made on an emulated machine?
 * @list:        remedies, those that are worth most first; then those that have been done
 * @count:       number of @list
 * @units:       what is known of units
 * @agent:       index of the agent's unit, if it is known
 * @at_most:     of the pause, what those can take together that have not been done and count
 * @maybe:       what those can take besides of which nobody knows whether they have been done
 * @addressed:   of the pause, the steps of remedies that have not been done, as far as that tells
 * @unaddressed: other steps
 * @unexplained: no step; these three add up to the pause
 * @rest:        the longest of the other steps
 * @rests:       number of @rest
 */
struct advice {
	struct advice_asked asked;
	const struct evidence_side *side;
	enum known_flag emulated;
	struct advised list[ADVICE_MOST];
	size_t count;
	enum advice_units units;
	size_t agent;
	uint64_t at_most;
	uint64_t maybe;
	uint64_t addressed;
	uint64_t unaddressed;
	uint64_t unexplained;
	struct advice_rest rest[ADVICE_REST];
	size_t rests;
};

bool advice_has_unit(const struct handover *handover, const char *name);
int advice_make(struct advice *advice, const struct handover *handover,
		const struct evidence *evidence, const struct advice_asked *asked);
struct json_object *advice_json(const struct advice *advice, const struct handover *handover);
void advice_free(struct advice *advice);

#endif /* LUTRACE_ADVICE_H */
