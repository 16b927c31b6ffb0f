// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <regex.h>
#include <stdio.h>
#include <string.h>

#include "schema.h"

/**
 * struct place - where in a document the check is
 * @root:   the schema as a whole, for "$ref"
 * @why:    filled in at the first violation
 * @path:   of the value that is looked at
 */
struct place {
	struct json_object *root;
	char *why;
	char path[200];
};

static bool check(struct place *place, struct json_object *schema, struct json_object *value);

static bool wrong(struct place *place, const char *what, const char *detail)
{
	if (!*place->why)
		snprintf(place->why, SCHEMA_WHY_SIZE, "%s: %s %s", *place->path ? place->path : "/",
			 what, detail);
	return false;
}

static const char *type_name(struct json_object *value)
{
	switch (json_object_get_type(value)) {
	case json_type_null:
		return "null";
	case json_type_boolean:
		return "boolean";
	case json_type_double:
		return "number";
	case json_type_int:
		return "integer";
	case json_type_object:
		return "object";
	case json_type_array:
		return "array";
	case json_type_string:
		return "string";
	}
	return "?";
}

static bool check_type(struct place *place, struct json_object *types, struct json_object *value)
{
	const char *name = type_name(value);
	size_t i;

	if (json_object_is_type(types, json_type_string)) {
		if (!strcmp(json_object_get_string(types), name))
			return true;
		return wrong(place, "is of the wrong type,", name);
	}
	for (i = 0; i < json_object_array_length(types); i++) {
		if (!strcmp(json_object_get_string(json_object_array_get_idx(types, i)), name))
			return true;
	}
	return wrong(place, "is of the wrong type,", name);
}

static bool check_enum(struct place *place, struct json_object *allowed, struct json_object *value)
{
	size_t i;

	for (i = 0; i < json_object_array_length(allowed); i++) {
		if (json_object_equal(json_object_array_get_idx(allowed, i), value))
			return true;
	}
	return wrong(place, "is not allowed:", json_object_to_json_string(value));
}

static bool check_pattern(struct place *place, const char *pattern, struct json_object *value)
{
	regex_t regex;
	int ret;

	if (!json_object_is_type(value, json_type_string))
		return true;
	if (regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB))
		return wrong(place, "has a pattern that is none:", pattern);
	ret = regexec(&regex, json_object_get_string(value), 0, NULL, 0);
	regfree(&regex);
	return ret ? wrong(place, "does not match", pattern) : true;
}

static bool check_required(struct place *place, struct json_object *names,
			   struct json_object *value)
{
	size_t i;

	if (!json_object_is_type(value, json_type_object))
		return true;
	for (i = 0; i < json_object_array_length(names); i++) {
		const char *name = json_object_get_string(json_object_array_get_idx(names, i));

		if (!json_object_object_get_ex(value, name, NULL))
			return wrong(place, "lacks", name);
	}
	return true;
}

static bool check_members(struct place *place, struct json_object *schema,
			  struct json_object *value)
{
	struct json_object *properties = NULL, *additional = NULL, *known;
	size_t length = strlen(place->path);

	if (!json_object_is_type(value, json_type_object))
		return true;
	json_object_object_get_ex(schema, "properties", &properties);
	json_object_object_get_ex(schema, "additionalProperties", &additional);
	json_object_object_foreach(value, name, child) {
		if (!properties || !json_object_object_get_ex(properties, name, &known)) {
			if (additional && !json_object_get_boolean(additional))
				return wrong(place, "may not have", name);
			continue;
		}
		snprintf(place->path + length, sizeof(place->path) - length, "/%s", name);
		if (!check(place, known, child))
			return false;
		place->path[length] = '\0';
	}
	return true;
}

static bool check_items(struct place *place, struct json_object *schema, struct json_object *value)
{
	size_t i, length = strlen(place->path);

	if (!json_object_is_type(value, json_type_array))
		return true;
	for (i = 0; i < json_object_array_length(value); i++) {
		snprintf(place->path + length, sizeof(place->path) - length, "/%zu", i);
		if (!check(place, schema, json_object_array_get_idx(value, i)))
			return false;
		place->path[length] = '\0';
	}
	return true;
}

static bool check_reference(struct place *place, const char *reference, struct json_object *value)
{
	struct json_object *target = NULL;

	if (reference[0] != '#' || json_pointer_get(place->root, reference + 1, &target))
		return wrong(place, "refers to nothing:", reference);
	return check(place, target, value);
}

/* Keywords that forbid nothing by themselves. */
static bool says_nothing(const char *keyword)
{
	static const char *const keywords[] = { "additionalProperties", "$defs", "$schema", "title",
						"description" };
	size_t i;

	for (i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++) {
		if (strcmp(keywords[i], keyword) == 0)
			return true;
	}
	return false;
}

static bool check(struct place *place, struct json_object *schema, struct json_object *value)
{
	json_object_object_foreach(schema, keyword, rule) {
		bool good = true;

		if (!strcmp(keyword, "type"))
			good = check_type(place, rule, value);
		else if (!strcmp(keyword, "enum"))
			good = check_enum(place, rule, value);
		else if (!strcmp(keyword, "const"))
			good = json_object_equal(rule, value) ||
			       wrong(place, "has to be", json_object_to_json_string(rule));
		else if (!strcmp(keyword, "pattern"))
			good = check_pattern(place, json_object_get_string(rule), value);
		else if (!strcmp(keyword, "minimum"))
			good = !json_object_is_type(value, json_type_int) ||
			       json_object_get_int64(value) >= json_object_get_int64(rule) ||
			       wrong(place, "is less than", json_object_get_string(rule));
		else if (!strcmp(keyword, "maximum"))
			good = !json_object_is_type(value, json_type_int) ||
			       json_object_get_int64(value) <= json_object_get_int64(rule) ||
			       wrong(place, "is more than", json_object_get_string(rule));
		else if (!strcmp(keyword, "required"))
			good = check_required(place, rule, value);
		else if (!strcmp(keyword, "properties"))
			good = check_members(place, schema, value);
		else if (!strcmp(keyword, "items"))
			good = check_items(place, rule, value);
		else if (!strcmp(keyword, "$ref"))
			good = check_reference(place, json_object_get_string(rule), value);
		else if (!says_nothing(keyword))
			good = wrong(place, "has a rule that this check does not know:", keyword);
		if (!good)
			return false;
	}
	return true;
}

/**
 * schema_allows - does a schema allow a value?
 * @schema: the schema
 * @value:  the value
 * @why:    filled in if not
 */
bool schema_allows(struct json_object *schema, struct json_object *value, char why[SCHEMA_WHY_SIZE])
{
	struct place place = { .root = schema, .why = why };

	why[0] = '\0';
	return check(&place, schema, value);
}
