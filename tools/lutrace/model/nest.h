/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which step is part of which, and the order of them. */
#ifndef LUTRACE_NEST_H
#define LUTRACE_NEST_H

struct handover;

int steps_nest(struct handover *handover);

#endif /* LUTRACE_NEST_H */
