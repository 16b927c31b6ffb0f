/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LUTRACE_OVERLAY_H
#define LUTRACE_OVERLAY_H

#include <stdio.h>

#include "model/handover.h"

#define OVERLAYS 2 /* before, after */

int overlay_write(FILE *out, const struct handover *const handovers[OVERLAYS]);

#endif /* LUTRACE_OVERLAY_H */
