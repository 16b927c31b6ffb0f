/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The verdict of verify as text. */
#ifndef LUTRACE_IDENTITY_H
#define LUTRACE_IDENTITY_H

#include <json-c/json.h>

void difference_print(struct json_object *difference);
void identity_print(struct json_object *identity);

#endif /* LUTRACE_IDENTITY_H */
