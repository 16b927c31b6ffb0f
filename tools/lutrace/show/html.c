// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The parts that an HTML page is made of: text, facts, tables, bars. */
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "base/json.h"
#include "show/html.h"
#include "show/output.h"
#include "show/svg.h"

#define TEXT_MOST   240 /* letters; a name is shorter, a longer one is none */
#define MEMBER_MOST 200 /* rows of html_members() */
#define DEPTH_MOST  4	/* objects within objects in it */

/**
 * html_text - text that is no markup, whatever is in it
 * @out:  the page
 * @text: anything; a letter that is not printable ASCII is shown as "?", and
 *        what is too long to be read is cut, visibly
 */
void html_text(FILE *out, const char *text)
{
	char start[TEXT_MOST + 1];

	snprintf(start, sizeof(start), "%s", text);
	svg_text(out, start);
	if (strlen(text) > TEXT_MOST)
		fputs("&hellip; (cut)", out);
}

/* One line of a <dl>; @name is our own. */
void html_fact(FILE *out, const char *name, const char *format, ...)
{
	char text[TEXT_MOST * 2];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	fprintf(out, "<div><dt>%s</dt><dd>", name);
	html_text(out, text);
	fputs("</dd></div>\n", out);
}

/* Part of a whole, from 0 to 1; the number stands beside it. */
void html_bar(FILE *out, double share)
{
	if (!(share > 0))
		share = 0;
	fprintf(out,
		"<svg class=\"bar\" viewBox=\"0 0 100 8\" preserveAspectRatio=\"none\" aria-hidden=\"true\">"
		"<rect width=\"%.2f\" height=\"8\"/></svg>",
		100 * (share < 1 ? share : 1));
}

static void put_cell(const struct html_table *table, FILE *out, struct json_object *row, size_t at)
{
	const struct column *column = &table->columns[at];
	struct json_object *value = member(row, column->member);
	const char *element = at ? "td" : "th scope=\"row\"";
	char text[CELL_SIZE];

	if (column->format == COLUMN_BAR) {
		fputs("<td class=\"bars\">", out);
		html_bar(out, table->total
				      ? (double)json_object_get_int64(value) / (double)table->total
				      : 0);
		fputs("</td>", out);
		return;
	}
	cell_text(row, column, table->total, text);
	if (cell_is_text(column))
		fprintf(out, "<%s>", element);
	else if (value)
		fprintf(out, "<%s class=\"amount%s\" data-value=\"%" PRId64 "\">", element,
			column->format == COLUMN_ERROR && *text ? " wrong" : "",
			json_object_get_int64(value));
	else
		fprintf(out, "<%s class=\"amount\">", element);
	html_text(out, text);
	/* cell_text() cuts as well. */
	if (strlen(text) == CELL_SIZE - 1)
		fputs("&hellip; (cut)", out);
	fprintf(out, "</%.2s>", element);
}

static void put_row(const struct html_table *table, FILE *out, struct json_object *row)
{
	size_t i;

	fputs("<tr>", out);
	for (i = 0; i < table->count; i++)
		put_cell(table, out, row, i);
	fputs("</tr>\n", out);
}

/**
 * html_table - an array of objects, as output_table() has it for a terminal
 * @out:   the page
 * @table: how
 * @rows:  the array
 */
void html_table(FILE *out, const struct html_table *table, struct json_object *rows)
{
	size_t i, count = json_object_array_length(rows);

	fprintf(out,
		"<div class=\"wide\" role=\"group\" tabindex=\"0\" aria-label=\"%s\">"
		"<table%s><caption>%s</caption>\n<thead><tr>",
		table->caption, table->sort ? " class=\"sort\"" : "", table->caption);
	for (i = 0; i < table->count; i++) {
		const struct column *column = &table->columns[i];

		if (column->format == COLUMN_BAR)
			fputs("<td></td>", out);
		else
			fprintf(out, "<th scope=\"col\"%s>%s</th>",
				cell_is_text(column) ? "" : " class=\"amount\"", column->title);
	}
	fputs("</tr></thead>\n<tbody>\n", out);
	for (i = 0; i < count && i < table->most; i++)
		put_row(table, out, json_object_array_get_idx(rows, i));
	fputs("</tbody>\n", out);
	if (table->sum) {
		fputs("<tfoot>", out);
		put_row(table, out, table->sum);
		fputs("</tfoot>\n", out);
	}
	fputs("</table></div>\n", out);
	if (count > i)
		fprintf(out, "<p class=\"aside\">%zu more rows are not shown.</p>\n", count - i);
}

static bool is_one_of(const char *name, const char *const *names)
{
	for (; names && *names; names++) {
		if (!strcmp(name, *names))
			return true;
	}
	return false;
}

/* Members of members have both names: "sender.rate". Returns rows written. */
static int put_members(FILE *out, struct json_object *value, const char *before,
		       const char *const *except, int depth, int rows)
{
	struct json_object_iterator at, end;

	if (!json_object_is_type(value, json_type_object) || depth > DEPTH_MOST)
		return rows;
	end = json_object_iter_end(value);
	for (at = json_object_iter_begin(value);
	     !json_object_iter_equal(&at, &end) && rows < MEMBER_MOST; json_object_iter_next(&at)) {
		struct json_object *inner = json_object_iter_peek_value(&at);
		char name[TEXT_MOST];

		if (is_one_of(json_object_iter_peek_name(&at), except))
			continue;
		snprintf(name, sizeof(name), "%s%s%s", before, *before ? "." : "",
			 json_object_iter_peek_name(&at));
		if (json_object_is_type(inner, json_type_object)) {
			rows = put_members(out, inner, name, NULL, depth + 1, rows);
			continue;
		}
		fputs("<tr><th scope=\"row\"><code>", out);
		html_text(out, name);
		fputs("</code></th><td>", out);
		if (json_object_is_type(inner, json_type_array))
			fprintf(out, "%zu entries", json_object_array_length(inner));
		else
			html_text(out, inner ? json_object_get_string(inner) : "not known");
		fputs("</td></tr>\n", out);
		rows++;
	}
	return rows;
}

/**
 * html_members - all members of an object, by the names that they have in it
 * @out:    the page
 * @value:  the object
 * @except: members that are shown elsewhere, ended by NULL; or NULL
 */
void html_members(FILE *out, struct json_object *value, const char *const *except)
{
	int rows;

	if (!json_object_is_type(value, json_type_object) || !json_object_object_length(value))
		return;
	fputs("<details><summary>All that was recorded of it</summary>\n"
	      "<table><caption>Members, by the names that they have in the recording</caption>\n"
	      "<thead><tr><th scope=\"col\">member</th><th scope=\"col\">value</th></tr></thead>\n"
	      "<tbody>\n",
	      out);
	rows = put_members(out, value, "", except, 0, 0);
	fputs("</tbody></table>\n", out);
	if (rows == MEMBER_MOST)
		fprintf(out, "<p class=\"aside\">No more than %d are shown.</p>\n", MEMBER_MOST);
	fputs("</details>\n", out);
}
