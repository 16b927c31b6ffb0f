/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The model: what happened in one handover.
 *
 * Readers put two ledgers in; handover_build() makes steps out of the records
 * (a begin and its end are one step, inside its parent) and the blackout out of
 * the steps. Verbs only look at the result.
 *
 * Both kernels' records are on one time line, because the machine's cycle
 * counter goes on across the kexec. One frequency converts all of it (the
 * incoming kernel's where it has one), so that it has no seam at the jump.
 */
#ifndef LUTRACE_HANDOVER_H
#define LUTRACE_HANDOVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/types.h>
#include <linux/liveupdate_trace.h>

#include "blackout.h"
#include "model/explained.h"
#include "model/ledger.h"
#include "model/names.h"
#include "model/units.h"
#include "model/workloads.h"

enum side { OUTGOING, INCOMING, SIDES };

#define NO_PARENT SIZE_MAX

/**
 * struct step - one step: an interval, an instant, or a sum of short steps
 * @sequence: of its begin record
 * @begin:    its begin record, or the instant; points into a ledger, or to one that
 *            was made of what is there
 * @end:      its end record; the instant itself; NULL if it never ended
 * @name:     the whole name, of which @begin may have the first 15 bytes alone
 * @sum:      of short steps: cycles that they took together
 * @side:     which kernel
 * @parent:   index of the step that it is part of, NO_PARENT for none
 * @depth:    number of steps around it
 */
struct step {
	__u64 sequence;
	const struct liveupdate_record *begin;
	const struct liveupdate_record *end;
	const char *name;
	__u64 sum;
	enum side side;
	unsigned int depth;
	size_t parent;
};

/**
 * struct handover - one handover
 * @ledger:   both kernels' ledgers
 * @present:  which of them there is
 * @blackout: the pause of the host and its phases
 * @workloads: those whose marks have a name, each with its own pause
 * @khz:      converts cycles to time, 0 if no kernel knew its frequency
 * @origin:   cycle counter at time 0: the begin of the blackout where it is
 *            known, else of the reboot call, the boot, the first record
 * @steps:    all steps of one kernel, then of the other, in the order in which they
 *            began, each behind the one that it is part of
 * @count:    number of @steps
 * @unpaired: end records whose begin is not there
 * @names:    names that are longer than a record has room for
 * @made:     records that no kernel wrote: sums of short steps, steps between marks,
 *            units of the service manager
 * @made_count: number of @made
 * @units:    what the service manager said, filled in before handover_build()
 * @explained: how much of the pause lies in a named step
 */
struct handover {
	struct ledger ledger[SIDES];
	bool present[SIDES];
	struct blackout blackout;
	struct workloads workloads;
	__u64 khz;
	__u64 origin;
	struct step *steps;
	size_t count;
	size_t unpaired;
	struct names names;
	struct liveupdate_record *made;
	size_t made_count;
	struct units units;
	struct explained explained;
};

const char *side_name(enum side side);
const char *phase_name(unsigned int phase);
const char *blackout_reason_text(unsigned int reason);

int handover_build(struct handover *handover, char why[LEDGER_WHY_SIZE]);
int handover_add_units(struct handover *handover, const struct evidence_units *units,
		       char why[LEDGER_WHY_SIZE]);
void handover_free(struct handover *handover);

bool step_is_instant(const struct step *step);
bool step_is_sum(const struct step *step);
int64_t handover_time(const struct handover *handover, __u64 cycles);
bool handover_duration(const struct handover *handover, const struct step *step, uint64_t *ns);
bool handover_wall(const struct handover *handover, __u64 cycles, int64_t *ns);
bool handover_from_mark(const struct handover *handover);
bool handover_to_mark(const struct handover *handover);

#endif /* LUTRACE_HANDOVER_H */
