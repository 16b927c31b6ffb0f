/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LUTRACE_SHOW_PERFETTO_H
#define LUTRACE_SHOW_PERFETTO_H

#include <stdio.h>

#include "model/handover.h"

int perfetto_write(FILE *out, const struct handover *handover);

#endif /* LUTRACE_SHOW_PERFETTO_H */
