// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* One row of lutrace doctor. */
#include <stdarg.h>
#include <stdio.h>

#include "base/json.h"
#include "doctor/doctor.h"

const char *doctor_verdict_text(enum verdict verdict)
{
	static const char *const names[] = { "ok", "warn", "fail" };

	return names[verdict];
}

/**
 * doctor_row - add what was found
 * @checks:  the array
 * @name:    of the check
 * @verdict: what it comes to
 * @advice:  what to do unless it is OK
 * @found:   what it is about
 */
void doctor_row(struct json_object *checks, const char *name, enum verdict verdict,
		const char *advice, const char *found)
{
	struct json_object *row = json_object_new_object();

	add_text(row, "check", name);
	add_text(row, "verdict", doctor_verdict_text(verdict));
	add_text(row, "found", found);
	add_text(row, "advice", verdict == OK ? NULL : advice);
	json_object_array_add(checks, row);
}

/**
 * doctor_row_text - the same with a format
 * @checks:  the array
 * @name:    of the check
 * @verdict: what it comes to
 * @advice:  what to do unless it is OK
 * @format:  of what it is about
 */
void doctor_row_text(struct json_object *checks, const char *name, enum verdict verdict,
		     const char *advice, const char *format, ...)
{
	va_list arguments;
	char found[512];

	va_start(arguments, format);
	vsnprintf(found, sizeof(found), format, arguments);
	va_end(arguments);
	doctor_row(checks, name, verdict, advice, found);
}
