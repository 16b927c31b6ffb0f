/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LUTRACE_PLOT_H
#define LUTRACE_PLOT_H

#include <stdbool.h>
#include <stdio.h>

#include "handover.h"

void plot_write(FILE *out, const struct handover *handover, bool all);

#endif /* LUTRACE_PLOT_H */
