/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Checks of lutrace doctor. */
#ifndef LUTRACE_DOCTOR_H
#define LUTRACE_DOCTOR_H

#include "show/output.h"
#include "read/system.h"

enum verdict {
	OK,
	WARN,
	FAIL,
};

const char *doctor_verdict_text(enum verdict verdict);
void doctor_row(struct json_object *checks, const char *name, enum verdict verdict,
		const char *advice, const char *found);
void doctor_memory(struct json_object *checks, const struct system *system);
int doctor_sessions(struct json_object *checks, const struct system *system);
int doctor_successor(struct json_object *checks, const struct system *system, const char *file,
		     const char *cmdline);

#endif /* LUTRACE_DOCTOR_H */
