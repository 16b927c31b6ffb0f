/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which format a client wants: the Accept headers of a request. */
#ifndef LUTRACE_ACCEPT_H
#define LUTRACE_ACCEPT_H

/**
 * struct accepted - what a client wants, in thousandths
 * @openmetrics: how much OpenMetrics
 * @classic:     how much the classic format
 */
struct accepted {
	int openmetrics, classic;
};

void accepted_note(struct accepted *accepted, const char *list);

#endif /* LUTRACE_ACCEPT_H */
