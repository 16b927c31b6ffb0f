// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "model/shape.h"

/* Doubles are exact up to there. */
#define EXACT_MOST 9007199254740992.0

/* Members that no field is for: how deep they may be. */
#define OTHERS_DEEP 8

#define PATH_SIZE 192

#define AT(type, structure, offset) ((type *)((char *)(structure) + (offset)))

static int __attribute__((format(printf, 3, 4)))
refuse(char why[LEDGER_WHY_SIZE], const char *path, const char *format, ...)
{
	char text[LEDGER_WHY_SIZE];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	snprintf(why, LEDGER_WHY_SIZE, "its member '%.74s' %.70s", path, text);
	return -EINVAL;
}

static int out_of_memory(char why[LEDGER_WHY_SIZE])
{
	snprintf(why, LEDGER_WHY_SIZE, "out of memory");
	return -ENOMEM;
}

static int is_not(char why[LEDGER_WHY_SIZE], const char *path, struct json_object *value,
		  const char *wanted)
{
	static const char *const types[] = {
		[json_type_null] = "null",	   [json_type_boolean] = "true or false",
		[json_type_double] = "a fraction", [json_type_int] = "a number",
		[json_type_object] = "an object",  [json_type_array] = "a list",
		[json_type_string] = "a text",
	};

	return refuse(why, path, "is %s, not %s", types[json_object_get_type(value)], wanted);
}

/* A whole number; a JSON tool in between may have written 1.0 for 1. */
static bool whole(struct json_object *value, int64_t *number)
{
	double real;

	if (json_object_is_type(value, json_type_int)) {
		*number = json_object_get_int64(value);
		/* json-c has unsigned numbers beyond INT64_MAX, and cuts them there. */
		return *number != INT64_MAX || json_object_get_uint64(value) == (uint64_t)INT64_MAX;
	}
	if (!json_object_is_type(value, json_type_double))
		return false;
	real = json_object_get_double(value);
	if (!(fabs(real) < EXACT_MOST))
		return false;
	*number = (int64_t)real;
	return (double)*number == real;
}

static int read_number(const struct field *field, int64_t *to, struct json_object *value,
		       const char *path, char why[LEDGER_WHY_SIZE])
{
	int64_t number;

	if (!json_object_is_type(value, json_type_int) &&
	    !json_object_is_type(value, json_type_double))
		return is_not(why, path, value, "a whole number");
	if (whole(value, &number) && number >= field->least && number <= field->most) {
		*to = number;
		return 0;
	}
	if (!field->least && field->most == INT64_MAX)
		return refuse(why, path, "is not a whole number of 0 or more");
	return refuse(why, path, "is not a whole number from %" PRId64 " to %" PRId64, field->least,
		      field->most);
}

static int read_bits(uint64_t *to, struct json_object *value, const char *path,
		     char why[LEDGER_WHY_SIZE])
{
	int64_t number;

	if (json_object_is_type(value, json_type_int) && json_object_get_int64(value) >= 0) {
		*to = json_object_get_uint64(value);
		return 0;
	}
	if (!json_object_is_type(value, json_type_double) || !whole(value, &number) || number < 0)
		return refuse(why, path, "is not a whole number of 64 bits");
	*to = (uint64_t)number;
	return 0;
}

static int copy_text(char **to, struct json_object *value, char why[LEDGER_WHY_SIZE])
{
	/* A text with a NUL in it ends there. */
	*to = strdup(json_object_get_string(value));
	if (!*to)
		return out_of_memory(why);
	text_clean(*to);
	return 0;
}

static bool is_choice(const char *const *choices, const char *text)
{
	for (; *choices; choices++) {
		if (!strcmp(*choices, text))
			return true;
	}
	return false;
}

static int read_text(const struct field *field, char **to, struct json_object *value,
		     const char *path, char why[LEDGER_WHY_SIZE])
{
	int most = field->most ? (int)field->most : SHAPE_TEXT_MOST;
	int ret;

	if (!json_object_is_type(value, json_type_string))
		return is_not(why, path, value, "a text");
	if (json_object_get_string_len(value) > most)
		return refuse(why, path, "is longer than %d bytes", most);
	ret = copy_text(to, value, why);
	if (ret)
		return ret;
	if (field->choices && !is_choice(field->choices, *to))
		ret = refuse(why, path, "is '%.40s', which it cannot be", *to);
	else if (field->fits && !field->fits(*to))
		ret = refuse(why, path, "is '%.40s', not %s", *to, field->wanted);
	if (ret) {
		free(*to);
		*to = NULL;
	}
	return ret;
}

static void path_of(char path[PATH_SIZE], const char *before, const char *name)
{
	char clean[64];

	snprintf(clean, sizeof(clean), "%.60s", name);
	text_clean(clean);
	snprintf(path, PATH_SIZE, "%.120s%s%s", before, *before ? "." : "", clean);
}

static int read_texts(const struct field *field, void *to, struct json_object *value,
		      const char *path, char why[LEDGER_WHY_SIZE])
{
	char ***texts = AT(char **, to, field->offset), at[PATH_SIZE];
	size_t *count = AT(size_t, to, field->count);
	size_t i, all;
	int ret = 0;

	if (!json_object_is_type(value, json_type_array))
		return is_not(why, path, value, "a list");
	all = json_object_array_length(value);
	*texts = calloc(all + 1, sizeof(**texts));
	if (!*texts)
		return out_of_memory(why);
	for (i = 0; !ret && i < all; i++) {
		snprintf(at, sizeof(at), "%.120s[%zu]", path, i);
		ret = read_text(field, &(*texts)[i], json_object_array_get_idx(value, i), at, why);
		*count += !ret;
	}
	return ret;
}

static int read_list(const struct field *field, void *to, struct json_object *value,
		     const char *path, char why[LEDGER_WHY_SIZE])
{
	size_t i, all, *count = AT(size_t, to, field->count);
	void **list = AT(void *, to, field->offset);
	char at[PATH_SIZE];
	int ret = 0;

	if (!json_object_is_type(value, json_type_array))
		return is_not(why, path, value, "a list");
	all = json_object_array_length(value);
	*list = calloc(all + 1, field->shape->size);
	if (!*list)
		return out_of_memory(why);
	for (i = 0; !ret && i < all; i++) {
		snprintf(at, sizeof(at), "%.120s[%zu]", path, i);
		/* Freed in any case. */
		++*count;
		ret = shape_read(field->shape, (char *)*list + i * field->shape->size,
				 json_object_array_get_idx(value, i), at, why);
	}
	return ret;
}

static int read_object(const struct field *field, void **to, struct json_object *value,
		       const char *path, char why[LEDGER_WHY_SIZE])
{
	*to = calloc(1, field->shape->size);
	return *to ? shape_read(field->shape, *to, value, path, why) : out_of_memory(why);
}

/**
 * field_read - read one member
 * @field: which
 * @to:    the structure, where it is empty; to be freed in any case
 * @value: what the member is; NULL for null, or where there is none
 * @path:  name of the member, and of those around it
 * @why:   filled in if it fails
 *
 * Return: 0, -EINVAL if it is not what it should be, -ENOMEM.
 */
int field_read(const struct field *field, void *to, struct json_object *value, const char *path,
	       char why[LEDGER_WHY_SIZE])
{
	if (!value && field->need == FIELD_KNOWN)
		return refuse(why, path, "is missing");
	if (!value)
		return 0;
	switch (field->type) {
	case FIELD_NUMBER:
		return read_number(field, AT(int64_t, to, field->offset), value, path, why);
	case FIELD_BITS:
		return read_bits(AT(uint64_t, to, field->offset), value, path, why);
	case FIELD_FLAG:
		if (!json_object_is_type(value, json_type_boolean))
			return is_not(why, path, value, "true or false");
		*AT(enum known_flag, to, field->offset) = json_object_get_boolean(value) ? FLAG_YES
											 : FLAG_NO;
		return 0;
	case FIELD_TEXT:
		return read_text(field, AT(char *, to, field->offset), value, path, why);
	case FIELD_TEXTS:
		return read_texts(field, to, value, path, why);
	case FIELD_OBJECT:
		return read_object(field, AT(void *, to, field->offset), value, path, why);
	case FIELD_LIST:
		return read_list(field, to, value, path, why);
	}
	return -EINVAL;
}

static const struct field *find_field(const struct shape *shape, const char *name)
{
	size_t i;

	for (i = 0; i < shape->count; i++) {
		if (!strcmp(shape->fields[i].name, name))
			return &shape->fields[i];
	}
	return NULL;
}

/* A copy with clean texts and whole or finite numbers; to be put in any case. */
static int copy_other(struct json_object *value, struct json_object **copy, int depth,
		      const char *path, char why[LEDGER_WHY_SIZE])
{
	struct json_object *inner;
	char at[PATH_SIZE], *text;
	int ret = 0;
	size_t i;

	*copy = NULL;
	if (depth > OTHERS_DEEP)
		return refuse(why, path, "has members of members too deep");
	switch (json_object_get_type(value)) {
	case json_type_object:
		*copy = json_object_new_object();
		json_object_object_foreach(value, name, child) {
			path_of(at, path, name);
			ret = copy_other(child, &inner, depth + 1, at, why);
			text = ret ? NULL : strdup(name);
			if (!text) {
				json_object_put(inner);
				return ret ?: out_of_memory(why);
			}
			text_clean(text);
			json_object_object_add(*copy, text, inner);
			free(text);
		}
		return 0;
	case json_type_array:
		*copy = json_object_new_array();
		for (i = 0; i < json_object_array_length(value); i++) {
			ret = copy_other(json_object_array_get_idx(value, i), &inner, depth + 1,
					 path, why);
			if (ret) {
				json_object_put(inner);
				return ret;
			}
			json_object_array_add(*copy, inner);
		}
		return 0;
	case json_type_string:
		ret = copy_text(&text, value, why);
		if (!ret) {
			*copy = json_object_new_string(text);
			free(text);
		}
		return ret;
	case json_type_double:
		if (!isfinite(json_object_get_double(value)))
			return refuse(why, path, "is not finite");
		break;
	default:
		break;
	}
	*copy = json_object_get(value);
	return 0;
}

static int read_other(const struct shape *shape, void *to, const char *name,
		      struct json_object *value, const char *path, char why[LEDGER_WHY_SIZE])
{
	struct json_object **others, *copy;
	char *text;
	int ret;

	if (shape->others == SHAPE_NOWHERE)
		return refuse(why, path, "is not known");
	others = AT(struct json_object *, to, shape->others);
	if (!*others)
		*others = json_object_new_object();
	ret = copy_other(value, &copy, 0, path, why);
	text = ret ? NULL : strdup(name);
	if (!text) {
		json_object_put(copy);
		return ret ?: out_of_memory(why);
	}
	text_clean(text);
	json_object_object_add(*others, text, copy);
	free(text);
	return 0;
}

/**
 * shape_clear - a structure of which nothing is known
 * @shape: what it is
 * @to:    all of it is overwritten
 */
void shape_clear(const struct shape *shape, void *to)
{
	size_t i;

	memset(to, 0, shape->size);
	for (i = 0; i < shape->count; i++) {
		if (shape->fields[i].type == FIELD_NUMBER)
			*AT(int64_t, to, shape->fields[i].offset) = NOT_KNOWN;
	}
}

/**
 * shape_read - make a structure out of an object
 * @shape: what it is
 * @to:    filled in; to be freed with shape_free() in any case
 * @value: the object
 * @path:  its name, for @why
 * @why:   filled in if it fails: which member is not what it should be
 *
 * Return: 0, -EINVAL if it must not be used, -ENOMEM.
 */
int shape_read(const struct shape *shape, void *to, struct json_object *value, const char *path,
	       char why[LEDGER_WHY_SIZE])
{
	char at[PATH_SIZE];
	size_t i;
	int ret;

	shape_clear(shape, to);
	if (shape->sentence != SHAPE_NOWHERE && json_object_is_type(value, json_type_string))
		return copy_text(AT(char *, to, shape->sentence), value, why);
	if (!json_object_is_type(value, json_type_object))
		return is_not(why, path, value, "an object");
	for (i = 0; i < shape->count; i++) {
		const struct field *field = &shape->fields[i];
		struct json_object *child = NULL;

		path_of(at, path, field->name);
		if (!json_object_object_get_ex(value, field->name, &child) &&
		    field->need != FIELD_OPTIONAL)
			return refuse(why, at, "is missing");
		ret = field_read(field, to, child, at, why);
		if (ret)
			return ret;
	}
	json_object_object_foreach(value, name, other) {
		if (find_field(shape, name))
			continue;
		path_of(at, path, name);
		ret = read_other(shape, to, name, other, at, why);
		if (ret)
			return ret;
	}
	return 0;
}

static struct json_object *write_texts(char *const *texts, size_t count)
{
	struct json_object *list = json_object_new_array();
	size_t i;

	for (i = 0; i < count; i++)
		json_object_array_add(list, json_object_new_string(texts[i]));
	return list;
}

static struct json_object *write_list(const struct shape *shape, const void *from, size_t count)
{
	struct json_object *list = json_object_new_array();
	size_t i;

	for (i = 0; i < count; i++)
		json_object_array_add(list,
				      shape_write(shape, (const char *)from + i * shape->size));
	return list;
}

/**
 * field_write - a member as JSON
 * @field: which
 * @from:  the structure
 *
 * Return: its value, NULL for null.
 */
struct json_object *field_write(const struct field *field, const void *from)
{
	void *const *pointer = AT(void *const, from, field->offset);
	const size_t *count = AT(const size_t, from, field->count);
	int64_t number;

	switch (field->type) {
	case FIELD_NUMBER:
		number = *AT(const int64_t, from, field->offset);
		return number == NOT_KNOWN ? NULL : json_object_new_int64(number);
	case FIELD_BITS:
		return json_object_new_uint64(*AT(const uint64_t, from, field->offset));
	case FIELD_FLAG:
		switch (*AT(const enum known_flag, from, field->offset)) {
		case FLAG_NO:
			return json_object_new_boolean(false);
		case FLAG_YES:
			return json_object_new_boolean(true);
		default:
			return NULL;
		}
	default:
		break;
	}
	if (!*pointer)
		return NULL;
	switch (field->type) {
	case FIELD_TEXT:
		return json_object_new_string(*pointer);
	case FIELD_TEXTS:
		return write_texts(*pointer, *count);
	case FIELD_OBJECT:
		return shape_write(field->shape, *pointer);
	default:
		return write_list(field->shape, *pointer, *count);
	}
}

/**
 * shape_write - a structure as an object of JSON
 * @shape: what it is
 * @from:  the structure
 *
 * Return: the object; members of which nothing is known are null if they have to be
 * there, else not there.
 */
struct json_object *shape_write(const struct shape *shape, const void *from)
{
	struct json_object *value;
	size_t i;

	if (shape->sentence != SHAPE_NOWHERE && *AT(char *const, from, shape->sentence))
		return json_object_new_string(*AT(char *const, from, shape->sentence));
	value = json_object_new_object();
	for (i = 0; i < shape->count; i++) {
		struct json_object *child = field_write(&shape->fields[i], from);

		if (child || shape->fields[i].need != FIELD_OPTIONAL)
			json_object_object_add(value, shape->fields[i].name, child);
	}
	if (shape->others != SHAPE_NOWHERE && *AT(struct json_object *const, from, shape->others)) {
		json_object_object_foreach(*AT(struct json_object *const, from, shape->others),
					   name, other)
			json_object_object_add(value, name, json_object_get(other));
	}
	return value;
}

/**
 * field_free - free what a member of a structure holds
 * @field: which
 * @of:    the structure; the member is empty then
 */
void field_free(const struct field *field, void *of)
{
	void **pointer = AT(void *, of, field->offset);
	size_t i, count = 0;

	switch (field->type) {
	case FIELD_NUMBER:
	case FIELD_BITS:
	case FIELD_FLAG:
		return;
	case FIELD_TEXT:
		break;
	case FIELD_TEXTS:
	case FIELD_LIST:
		count = *AT(size_t, of, field->count);
		*AT(size_t, of, field->count) = 0;
		break;
	case FIELD_OBJECT:
		count = !!*pointer;
		break;
	}
	for (i = 0; i < count; i++) {
		if (field->type == FIELD_TEXTS)
			free(((char **)*pointer)[i]);
		else
			shape_free(field->shape, (char *)*pointer + i * field->shape->size);
	}
	free(*pointer);
	*pointer = NULL;
}

/* Free all that a structure holds. */
void shape_free(const struct shape *shape, void *of)
{
	size_t i;

	for (i = 0; i < shape->count; i++)
		field_free(&shape->fields[i], of);
	if (shape->others != SHAPE_NOWHERE)
		json_object_put(*AT(struct json_object *, of, shape->others));
	if (shape->sentence != SHAPE_NOWHERE)
		free(*AT(char *, of, shape->sentence));
}
