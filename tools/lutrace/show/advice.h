/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Advice and the table of remedies as text, each from its JSON. */
#ifndef LUTRACE_SHOW_ADVICE_H
#define LUTRACE_SHOW_ADVICE_H

#include <json-c/json.h>

void print_advice(struct json_object *value);
void print_remedies(struct json_object *value);

#endif /* LUTRACE_SHOW_ADVICE_H */
