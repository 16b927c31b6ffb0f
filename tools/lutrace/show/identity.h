/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The verdict of verify, and differences between tables, as text. */
#ifndef LUTRACE_IDENTITY_H
#define LUTRACE_IDENTITY_H

#include <json-c/json.h>

void differences_print(struct json_object *differences);
void identity_print(struct json_object *identity);

#endif /* LUTRACE_IDENTITY_H */
