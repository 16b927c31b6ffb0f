/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * How much of the pause has a name.
 *
 * This is the only place that says what counts. A moment of the pause is explained if
 *
 *	a step was under way that has no steps in it (a leaf), or
 *	a step was under way that names what ran - a part of boot or of the reboot call, an
 *	initcall, the probe or the shutdown of a device, a unit, a step between marks - and
 *	none of the steps in it was: then it is that one's own time.
 *
 * The own time of a step that only gathers others (a level of initcalls, a session) is
 * not explained by its name.
 *
 * Besides, a step that has a sum of short steps is explained for as long as those took,
 * up to what else is of it.
 * An instant explains nothing, nor does a step that never ended.
 */
#ifndef LUTRACE_EXPLAINED_H
#define LUTRACE_EXPLAINED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/types.h>
#include <linux/liveupdate_trace.h>

#include "blackout.h"

struct handover;
struct step;

/* So many leaves are named where one line has to do. */
#define EXPLAINED_LEAVES 5

/**
 * struct explained_leaf - what explains a part of the pause
 * @step: index of the step
 * @ns:   how much of the pause
 */
struct explained_leaf {
	size_t step;
	uint64_t ns;
};

/**
 * struct explained - how much of the pause has a name
 * @ns:     of the pause; 0 if that is not known
 * @phases: of each phase; adds up to @ns
 * @leaves: what explains most, longest first
 * @count:  number of @leaves
 */
struct explained {
	uint64_t ns;
	uint64_t phases[LIVEUPDATE_PHASE_COUNT];
	struct explained_leaf leaves[EXPLAINED_LEAVES];
	unsigned int count;
};

bool explained_part(const struct handover *handover, const struct step *step, uint64_t *begin,
		    uint64_t *end);
int explained_steps(const struct handover *handover, struct explained *explained, uint64_t *own);
int explained_find(struct handover *handover);
double explained_share(const struct handover *handover);

#endif /* LUTRACE_EXPLAINED_H */
