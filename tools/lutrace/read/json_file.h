/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Files of JSON. */
#ifndef LUTRACE_JSON_FILE_H
#define LUTRACE_JSON_FILE_H

#include <stdbool.h>
#include <json-c/json.h>

#include "model/ledger.h"

void json_clean(char *text);
struct json_object *json_file_read(const char *path, bool recording, char why[LEDGER_WHY_SIZE]);

#endif /* LUTRACE_JSON_FILE_H */
