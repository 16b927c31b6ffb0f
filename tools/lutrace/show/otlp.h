/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LUTRACE_SHOW_OTLP_H
#define LUTRACE_SHOW_OTLP_H

#include <stdbool.h>
#include <stdio.h>

#include "model/handover.h"

bool otlp_has_time(const struct handover *handover);
int otlp_write(FILE *out, const struct handover *handover);

#endif /* LUTRACE_SHOW_OTLP_H */
