/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The pauses of the workloads as bars in the time line. */
#ifndef LUTRACE_SHOW_WORKLOADS_H
#define LUTRACE_SHOW_WORKLOADS_H

#include <stdio.h>

#include "model/handover.h"
#include "show/svg.h"

int workload_bars_height(const struct handover *handover);
void workload_bars(FILE *out, const struct svg_scale *scale, const struct handover *handover,
		   int top);

#endif /* LUTRACE_SHOW_WORKLOADS_H */
