/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A strict check of JSON against the part of JSON Schema that this project's
 * schemas use. A keyword that it does not know is an error: nothing in a
 * schema is silently without effect.
 */
#ifndef TESTS_SCHEMA_H
#define TESTS_SCHEMA_H

#include <stdbool.h>
#include <json-c/json.h>

#define SCHEMA_WHY_SIZE 256

bool schema_allows(struct json_object *schema, struct json_object *value,
		   char why[SCHEMA_WHY_SIZE]);

#endif /* TESTS_SCHEMA_H */
