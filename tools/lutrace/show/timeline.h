/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LUTRACE_TIMELINE_H
#define LUTRACE_TIMELINE_H

#include <stdbool.h>
#include <stdio.h>

#include "model/handover.h"

size_t timeline_write(FILE *out, const struct handover *handover, bool all, size_t most);

#endif /* LUTRACE_TIMELINE_H */
