/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Two sets of live updates, compared, as text. */
#ifndef LUTRACE_SHOW_DIFF_H
#define LUTRACE_SHOW_DIFF_H

#include <json-c/json.h>

void diff_print_set(struct json_object *value, const char *name);
void diff_print_workloads(struct json_object *rows);
void diff_print(struct json_object *value);

#endif /* LUTRACE_SHOW_DIFF_H */
