// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Members of JSON objects. */
#include <inttypes.h>
#include <stdio.h>

#include "base/json.h"

/**
 * member - a member of a JSON object
 *
 * Return: the member, or NULL where there is none or it is null.
 */
struct json_object *member(struct json_object *value, const char *name)
{
	struct json_object *found = NULL;

	if (!json_object_is_type(value, json_type_object))
		return NULL;
	json_object_object_get_ex(value, name, &found);
	return found;
}

/* The text of a member; "" where there is none. */
const char *member_text(struct json_object *value, const char *name)
{
	struct json_object *found = member(value, name);

	return found ? json_object_get_string(found) : "";
}

/* The number that a member has; 0 where there is none. */
int64_t member_number(struct json_object *value, const char *name)
{
	return json_object_get_int64(member(value, name));
}

/* Add a string; null for NULL. Text that is not UTF-8 would not be JSON. */
void add_text(struct json_object *value, const char *name, const char *text)
{
	char clean[256];
	size_t i;

	if (!text) {
		json_object_object_add(value, name, NULL);
		return;
	}
	for (i = 0; text[i] && i < sizeof(clean) - 1; i++)
		clean[i] = text[i] < 0x20 || text[i] > 0x7e ? '?' : text[i];
	if (text[i]) {
		/* Longer ones are our own messages. */
		json_object_object_add(value, name, json_object_new_string(text));
		return;
	}
	json_object_object_add(value, name, json_object_new_string_len(clean, i));
}

/**
 * json_text - a value written out
 * @value: the value, whose text it is; with it, it goes
 * @flags: JSON_C_TO_STRING_*
 * @size:  set to the bytes of the text
 *
 * Return: the text, NULL without memory.
 */
const char *json_text(struct json_object *value, int flags, size_t *size)
{
	*size = 0;
	return json_object_to_json_string_length(value, flags, size);
}

void add_number(struct json_object *value, const char *name, int64_t number)
{
	json_object_object_add(value, name, json_object_new_int64(number));
}

/* Addresses and entries: JSON numbers are not exact beyond 53 bits. */
void add_hex(struct json_object *value, const char *name, uint64_t number)
{
	char text[24];

	snprintf(text, sizeof(text), "%#" PRIx64, number);
	add_text(value, name, text);
}
