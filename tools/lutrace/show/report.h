/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Sections of text and tables that more than one verb shows, each from its JSON. */
#ifndef LUTRACE_REPORT_H
#define LUTRACE_REPORT_H

#include <json-c/json.h>

#include "show/output.h"

/* pause.c: from the members kernel, time and blackout of a recording */
#define PHASE_COLUMNS 6
extern const struct column phase_columns[PHASE_COLUMNS];
#define WORKLOAD_COLUMNS 4
extern const struct column workload_columns[WORKLOAD_COLUMNS];
const char *boundary_text(const char *boundary);
/* What explains most, where one line has to do. */
#define EXPLAINED_LEAVES_SAID 3
#define EXPLAINED_TEXT_SIZE   512
const char *explained_text(struct json_object *blackout, char text[EXPLAINED_TEXT_SIZE]);
const char *unknown_phase(struct json_object *phases, size_t i);
void print_blackout(struct json_object *recording);

/* steps.c: one row for each kind of step */
#define STEP_SUMMARY_COLUMNS 8
#define BOUND_TEXT_SIZE	     16
extern const struct column step_summary_columns[STEP_SUMMARY_COLUMNS];
const char *bound_text(int64_t bound, char text[BOUND_TEXT_SIZE]);
void print_step_summary(struct json_object *rows);

#endif /* LUTRACE_REPORT_H */
