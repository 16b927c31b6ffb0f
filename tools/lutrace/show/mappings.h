/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Two snapshots of page tables, compared, as text. */
#ifndef LUTRACE_SHOW_MAPPINGS_H
#define LUTRACE_SHOW_MAPPINGS_H

#include <json-c/json.h>

void mappings_print(struct json_object *value);

#endif /* LUTRACE_SHOW_MAPPINGS_H */
