/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Output: a verb builds one JSON value, and all forms of output are made from
 * it: compact JSON (-j), indented JSON (-p), or text, where tables are JSON
 * arrays of objects seen through a list of columns.
 */
#ifndef LUTRACE_OUTPUT_H
#define LUTRACE_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <json-c/json.h>

#include "base/json.h"
#include "base/say.h"
#include "base/text.h"

enum column_format {
	COLUMN_TEXT,  /* left-aligned; null and false are blank */
	COLUMN_COUNT, /* integer; 0 is blank */
	COLUMN_TIME,  /* nanoseconds, in a unit that fits; null is "-" */
	COLUMN_SHARE, /* part of the table's total, in percent */
	COLUMN_BAR,   /* the same as a bar */
	COLUMN_ERROR, /* negative errno by name; 0 is blank */
};

/**
 * struct column - how one member of each row is shown
 * @member: name of the JSON member
 * @title:  heading
 * @format: how
 */
struct column {
	const char *member;
	const char *title;
	enum column_format format;
};

#define CELL_SIZE 160

const char *error_text(int ret);

bool cell_is_text(const struct column *column);
const char *cell_text(struct json_object *row, const struct column *column, uint64_t total,
		      char text[CELL_SIZE]);
void output_table(struct json_object *rows, const struct column *columns, size_t count,
		  uint64_t total);
int output(struct json_object *value, void (*text)(struct json_object *value));
int output_of(struct json_object *value,
	      void (*text)(struct json_object *value, const void *context), const void *context);

#endif /* LUTRACE_OUTPUT_H */
