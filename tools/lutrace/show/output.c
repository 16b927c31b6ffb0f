// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "main.h"
#include "show/output.h"

#define BAR_WIDTH   24
#define MAX_COLUMNS 12

bool json_output;
bool pretty_output;

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

/**
 * time_text - a duration or a point in time in the unit that fits it
 * @ns:   nanoseconds
 * @text: where to write it
 *
 * Return: @text.
 */
const char *time_text(int64_t ns, char text[TIME_TEXT_SIZE])
{
	uint64_t size = ns < 0 ? -(uint64_t)ns : (uint64_t)ns;
	const char *sign = ns < 0 ? "-" : "";

	if (size < 1000)
		snprintf(text, TIME_TEXT_SIZE, "%s%" PRIu64 " ns", sign, size);
	else if (size < 1000000)
		snprintf(text, TIME_TEXT_SIZE, "%s%.3f us", sign, (double)size / 1e3);
	else if (size < 1000000000)
		snprintf(text, TIME_TEXT_SIZE, "%s%.3f ms", sign, (double)size / 1e6);
	else
		snprintf(text, TIME_TEXT_SIZE, "%s%.3f s", sign, (double)size / 1e9);
	return text;
}

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

/* Print a value as JSON, compact or indented. */
void output_json(struct json_object *value)
{
	int flags = JSON_C_TO_STRING_NOSLASHESCAPE;

	flags |= pretty_output ? JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED
			       : JSON_C_TO_STRING_PLAIN;
	puts(json_object_to_json_string_ext(value, flags));
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
	json_object_put(value);
	if (fflush(stdout) || ferror(stdout))
		return fail("cannot write the output: %s", strerror(errno));
	return EXIT_GOOD;
}

/**
 * output_file - write a file as a whole or not at all
 * @path: the file; NULL or "-" for standard output
 * @data: its contents
 * @size: bytes of @data
 *
 * Return: EXIT_GOOD, or EXIT_BAD after an error message.
 */
int output_file(const char *path, const void *data, size_t size)
{
	char temporary[PATH_MAX];
	mode_t mask;
	FILE *file;
	int fd;

	if (!path || !strcmp(path, "-")) {
		if (fwrite(data, 1, size, stdout) != size || fflush(stdout))
			return fail("cannot write the output: %s", strerror(errno));
		return EXIT_GOOD;
	}

	if (snprintf(temporary, sizeof(temporary), "%s.XXXXXX", path) >= (int)sizeof(temporary))
		return fail("%s: the name is too long", path);
	fd = mkstemp(temporary);
	if (fd < 0)
		return fail("cannot write %s: %s", path, strerror(errno));
	mask = umask(0);
	umask(mask);
	fchmod(fd, 0666 & ~mask);

	file = fdopen(fd, "w");
	if (!file || fwrite(data, 1, size, file) != size || fflush(file) ||
	    rename(temporary, path)) {
		int error = errno;

		unlink(temporary);
		if (file)
			fclose(file);
		return fail("cannot write %s: %s", path, strerror(error));
	}
	fclose(file);
	return EXIT_GOOD;
}

static int complain(int code, const char *format, va_list arguments)
{
	struct json_object *value;
	char text[1024];

	vsnprintf(text, sizeof(text), format, arguments);
	fprintf(stderr, "lutrace: %s\n", text);
	if (json_output) {
		value = json_object_new_object();
		add_text(value, "error", text);
		output_json(value);
		json_object_put(value);
	}
	return code;
}

/**
 * fail - say what went wrong and what to do about it
 *
 * Return: EXIT_BAD, for the verb to return.
 */
int fail(const char *format, ...)
{
	va_list arguments;
	int code;

	va_start(arguments, format);
	code = complain(EXIT_BAD, format, arguments);
	va_end(arguments);
	return code;
}

/**
 * unknown - say why there is no answer
 *
 * Return: EXIT_UNKNOWN, for the verb to return.
 */
int unknown(const char *format, ...)
{
	va_list arguments;
	int code;

	va_start(arguments, format);
	code = complain(EXIT_UNKNOWN, format, arguments);
	va_end(arguments);
	return code;
}
