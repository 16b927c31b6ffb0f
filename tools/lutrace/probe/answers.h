/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The answers of step_latency and blackout, in the form in which lutrace gives its
 * own: what prints the one prints the other.
 */
#ifndef LUTRACE_PROBE_ANSWERS_H
#define LUTRACE_PROBE_ANSWERS_H

#include <json-c/json.h>

int probe_steps(const char *pinned, int only, struct json_object **value);
int probe_blackout(const char *pinned, struct json_object **value);

#endif /* LUTRACE_PROBE_ANSWERS_H */
