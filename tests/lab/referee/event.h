/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A line of QEMU's trace. */
#ifndef REFEREE_EVENT_H
#define REFEREE_EVENT_H

#include <stdint.h>

const char *event_of(const char *line, int64_t *when);

#endif /* REFEREE_EVENT_H */
