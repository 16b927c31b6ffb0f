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
void doctor_row_text(struct json_object *checks, const char *name, enum verdict verdict,
		     const char *advice, const char *format, ...)
	__attribute__((format(printf, 5, 6)));
void doctor_memory(struct json_object *checks, const struct system *system);
void doctor_security(struct json_object *checks, const struct system *system);
void doctor_security_image(struct json_object *checks, const struct system *system,
			   const char *image, size_t size);
void doctor_holders(struct json_object *checks, const struct system *system);
int doctor_sessions(struct json_object *checks, const struct system *system);
int doctor_successor(struct json_object *checks, const struct system *system, const char *file,
		     const char *cmdline);

void doctor_tools(struct json_object *checks, const struct system *system);

#endif /* LUTRACE_DOCTOR_H */
