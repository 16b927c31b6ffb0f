/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Sections of text that more than one verb prints, each from its JSON. */
#ifndef LUTRACE_REPORT_H
#define LUTRACE_REPORT_H

#include <json-c/json.h>

#include "handover.h"

/* time.c: from the members kernel, time and blackout of a recording */
void print_blackout(struct json_object *recording);

/* steps.c: one row for each kind of step */
struct json_object *step_summary(const struct handover *handover, int only);
void print_step_summary(struct json_object *rows);

#endif /* LUTRACE_REPORT_H */
