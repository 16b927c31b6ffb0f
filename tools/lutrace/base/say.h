/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a verb says: its answer as JSON, or why there is none; and its exit code. */
#ifndef LUTRACE_SAY_H
#define LUTRACE_SAY_H

#include <stdbool.h>
#include <json-c/json.h>

/* Exit codes, so that a script can tell "no" from "cannot tell". */
enum exit_code {
	EXIT_GOOD = 0,	  /* done; the answer is good */
	EXIT_BAD = 1,	  /* failed, or the answer is bad */
	EXIT_UNKNOWN = 2, /* there is no answer */
};

extern bool json_output;   /* -j or -p */
extern bool pretty_output; /* -p */

void output_json(struct json_object *value);
int output_end(void);
int not_json(const char *what);
int fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
void warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
void warn_as(const char *who, const char *format, ...) __attribute__((format(printf, 2, 3)));
int unknown(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif /* LUTRACE_SAY_H */
