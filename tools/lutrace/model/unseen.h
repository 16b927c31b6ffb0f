/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a ledger does not have that lutrace kept for a kernel (LEDGER_KEPT): the last moments
 * of the kernel that jumped, and most of the boot of the one that came. What stands in for
 * their boundaries, and what is not known of a phase therefore.
 */
#ifndef LUTRACE_UNSEEN_H
#define LUTRACE_UNSEEN_H

#include "model/handover.h"

#define UNSEEN_TEXT_SIZE 256

/**
 * struct unseen - boundaries that others stand in for
 * @reboot: the reboot call
 */
struct unseen {
	bool reboot;
};

void unseen_stand_in(struct unseen *unseen, const struct ledger *outgoing,
		     struct blackout_side *notes, const struct workloads *workloads);
void unseen_settle(const struct unseen *unseen, struct blackout *blackout);
const char *unseen_text(const struct handover *handover, unsigned int phase,
			char text[UNSEEN_TEXT_SIZE]);

#endif /* LUTRACE_UNSEEN_H */
