/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LUTRACE_TIMELINE_H
#define LUTRACE_TIMELINE_H

#include <stdbool.h>
#include <stdio.h>

#include "handover.h"

void timeline_write(FILE *out, const struct handover *handover, bool all);

#endif /* LUTRACE_TIMELINE_H */
