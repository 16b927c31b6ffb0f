// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "base/say.h"
#include "show/output.h"

#define BAR_WIDTH   24
#define MAX_COLUMNS 12

/* The name of a return code: "EBUSY" for -EBUSY, "" for 0. */
const char *error_text(int ret)
{
	static char number[16];
	const char *name;

	if (!ret)
		return "";
	name = ret < 0 && ret > INT_MIN ? strerrorname_np(-ret) : NULL;
	if (name)
		return name;
	snprintf(number, sizeof(number), "%d", ret);
	return number;
}

/**
 * cell_text - one member of a row, as its column wants it
 * @row:    the object
 * @column: which member, and how
 * @total:  what COLUMN_SHARE and COLUMN_BAR are parts of
 * @text:   where to write it; what is longer is cut
 *
 * Return: @text.
 */
const char *cell_text(struct json_object *row, const struct column *column, uint64_t total,
		      char text[CELL_SIZE])
{
	struct json_object *value = member(row, column->member);
	double share = 0;
	int i;

	if (total)
		share = (double)json_object_get_int64(value) / (double)total;

	text[0] = '\0';
	switch (column->format) {
	case COLUMN_TEXT:
		if (value && !json_object_is_type(value, json_type_boolean))
			snprintf(text, CELL_SIZE, "%s", json_object_get_string(value));
		else if (json_object_get_boolean(value))
			snprintf(text, CELL_SIZE, "%s", column->title);
		break;
	case COLUMN_COUNT:
		if (json_object_get_int64(value))
			snprintf(text, CELL_SIZE, "%" PRIu64, json_object_get_uint64(value));
		break;
	case COLUMN_TIME:
		if (value)
			time_text(json_object_get_int64(value), text);
		else
			snprintf(text, CELL_SIZE, "-");
		break;
	case COLUMN_SHARE:
		if (value && total)
			snprintf(text, CELL_SIZE, "%.1f%%", 100 * share);
		break;
	case COLUMN_BAR:
		for (i = 0; i < (int)(share * BAR_WIDTH + 0.5) && i < BAR_WIDTH; i++)
			text[i] = '#';
		text[i] = '\0';
		break;
	case COLUMN_ERROR:
		snprintf(text, CELL_SIZE, "%s", error_text(json_object_get_int(value)));
		break;
	}
	return text;
}

/* Text is aligned at the left, numbers at the right. */
bool cell_is_text(const struct column *column)
{
	return column->format == COLUMN_TEXT || column->format == COLUMN_BAR;
}

/**
 * output_table - print an array of objects as a table
 * @rows:    the array
 * @columns: which members to show, and how
 * @count:   number of @columns
 * @total:   what COLUMN_SHARE and COLUMN_BAR are parts of
 */
void output_table(struct json_object *rows, const struct column *columns, size_t count,
		  uint64_t total)
{
	size_t lines = json_object_array_length(rows);
	size_t row, i, at, width[MAX_COLUMNS];
	char line[MAX_COLUMNS * (CELL_SIZE + 2)], text[CELL_SIZE];

	for (i = 0; i < count; i++) {
		width[i] = strlen(columns[i].title);
		for (row = 0; row < lines; row++) {
			cell_text(json_object_array_get_idx(rows, row), &columns[i], total, text);
			if (strlen(text) > width[i])
				width[i] = strlen(text);
		}
	}

	for (row = 0; row <= lines; row++) {
		at = 0;
		for (i = 0; i < count; i++) {
			if (row)
				cell_text(json_object_array_get_idx(rows, row - 1), &columns[i],
					  total, text);
			else
				snprintf(text, sizeof(text), "%s", columns[i].title);
			at += (size_t)sprintf(
				line + at, "  %*s",
				cell_is_text(&columns[i]) ? -(int)width[i] : (int)width[i], text);
		}
		while (at && line[at - 1] == ' ')
			at--;
		line[at] = '\0';
		puts(line);
	}
}

static int end_output(struct json_object *value)
{
	json_object_put(value);
	return output_end();
}

/**
 * output - show the answer of a verb in the form that the user asked for
 * @value: the answer; its reference is dropped
 * @text:  prints it as text
 *
 * Return: EXIT_GOOD, or EXIT_BAD if it could not be written.
 */
int output(struct json_object *value, void (*text)(struct json_object *value))
{
	if (json_output)
		output_json(value);
	else
		text(value);
	return end_output(value);
}

/**
 * output_of - the same of an answer that is not all in its JSON
 * @value:   the answer; its reference is dropped
 * @text:    prints it as text
 * @context: for @text
 *
 * Return: EXIT_GOOD, or EXIT_BAD if it could not be written.
 */
int output_of(struct json_object *value,
	      void (*text)(struct json_object *value, const void *context), const void *context)
{
	if (json_output)
		output_json(value);
	else
		text(value, context);
	return end_output(value);
}
