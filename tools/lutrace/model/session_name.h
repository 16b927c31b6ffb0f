/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The name of a live update session, which a record has only as a number. */
#ifndef LUTRACE_SESSION_NAME_H
#define LUTRACE_SESSION_NAME_H

#include <linux/liveupdate.h>

#include "model/handover.h"

#define SESSION_TEXT_SIZE (LIVEUPDATE_SESSION_NAME_LENGTH + 1)

const char *session_name(const struct handover *handover, __u64 id, char text[SESSION_TEXT_SIZE]);
const char *session_of(const struct handover *handover, size_t i, char text[SESSION_TEXT_SIZE]);

#endif /* LUTRACE_SESSION_NAME_H */
