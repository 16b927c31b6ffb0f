/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Objects of JSON that are structures in C: which member is which, of what type, and
 * within what range. One table of fields reads, writes, and frees a structure.
 */
#ifndef LUTRACE_SHAPE_H
#define LUTRACE_SHAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <json-c/json.h>

#include "model/ledger.h"

/* A number of which null says that it is not known, or that is not there. */
#define NOT_KNOWN INT64_MIN

/* A flag, likewise. */
enum known_flag { FLAG_NOT_KNOWN, FLAG_NO, FLAG_YES };

enum field_type {
	FIELD_NUMBER, /* int64_t: NOT_KNOWN for null */
	FIELD_BITS,   /* uint64_t: 0 for null */
	FIELD_FLAG,   /* enum known_flag */
	FIELD_TEXT,   /* char *: NULL for null */
	FIELD_TEXTS,  /* char **, and their number as size_t: NULL for null */
	FIELD_OBJECT, /* struct *: NULL for null */
	FIELD_LIST,   /* struct *, and their number as size_t: NULL for null */
};

/* What there has to be of a member. */
enum field_need {
	FIELD_OPTIONAL, /* nothing */
	FIELD_THERE,	/* a value or null */
	FIELD_KNOWN,	/* a value */
};

/**
 * struct field - one member
 * @name:    in the object
 * @type:    what it is
 * @need:    what there has to be of it
 * @offset:  in the structure
 * @count:   of a list or texts: where in the structure their number is
 * @least:   of a number
 * @most:    of a number; of bytes in a text, 0 for SHAPE_TEXT_MOST
 * @choices: texts that it may be, ended by NULL; or NULL
 * @fits:    what a text has to be besides, in @wanted's words; or NULL
 * @wanted:  see @fits
 * @shape:   of an object, or of those in a list
 */
struct field {
	const char *name;
	enum field_type type;
	enum field_need need;
	size_t offset;
	size_t count;
	int64_t least;
	int64_t most;
	const char *const *choices;
	bool (*fits)(const char *text);
	const char *wanted;
	const struct shape *shape;
};

/* Bytes of a text of which a field says nothing else. */
#define SHAPE_TEXT_MOST 4096

/* No offset is that. */
#define SHAPE_NOWHERE SIZE_MAX

/**
 * struct shape - all members of an object
 * @fields:   the members
 * @count:    number of @fields
 * @size:     of the structure
 * @others:   where in the structure members stay that are not in @fields, as a
 *            struct json_object *; SHAPE_NOWHERE: there must be none
 * @sentence: where in the structure the text is that may stand for the object, as a
 *            char *; SHAPE_NOWHERE: none may
 */
struct shape {
	const struct field *fields;
	size_t count;
	size_t size;
	size_t others;
	size_t sentence;
};

int field_read(const struct field *field, void *to, struct json_object *value, const char *path,
	       char why[LEDGER_WHY_SIZE]);
struct json_object *field_write(const struct field *field, const void *from);
void field_free(const struct field *field, void *of);

int shape_read(const struct shape *shape, void *to, struct json_object *value, const char *path,
	       char why[LEDGER_WHY_SIZE]);
struct json_object *shape_write(const struct shape *shape, const void *from);
void shape_free(const struct shape *shape, void *of);
void shape_clear(const struct shape *shape, void *to);

#endif /* LUTRACE_SHAPE_H */
