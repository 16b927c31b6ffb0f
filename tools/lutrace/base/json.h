/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Members of JSON objects, read and added.
 *
 * member_text() and member_number() take a member of any type: they are for answers
 * that lutrace has built itself. What comes from outside is read by model/shape.h.
 */
#ifndef LUTRACE_JSON_H
#define LUTRACE_JSON_H

#include <stdint.h>
#include <json-c/json.h>

const char *member_text(struct json_object *value, const char *name);
int64_t member_number(struct json_object *value, const char *name);
struct json_object *member(struct json_object *value, const char *name);
void add_text(struct json_object *value, const char *name, const char *text);
void add_hex(struct json_object *value, const char *name, uint64_t number);
void add_number(struct json_object *value, const char *name, int64_t number);
const char *json_text(struct json_object *value, int flags, size_t *size);

#endif /* LUTRACE_JSON_H */
