// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <stdio.h>
#include <stdbool.h>
#include <string.h>

#include "base/json.h"
#include "iommu/kept.h"
#include "postmortem/text.h"
#include "show/identity.h"
#include "show/output.h"

#define JOINED_SIZE 256

static const struct column open_columns[] = {
	{ "step", "step", COLUMN_TEXT },
	{ "object", "object", COLUMN_TEXT },
	{ "release", "kernel", COLUMN_TEXT },
};

static const struct column failure_columns[] = {
	{ "step", "step", COLUMN_TEXT },       { "object", "object", COLUMN_TEXT },
	{ "error", "error", COLUMN_TEXT },     { "meaning", "meaning", COLUMN_TEXT },
	{ "session", "session", COLUMN_TEXT }, { "where", "part of", COLUMN_TEXT },
};

static const struct column refusal_columns[] = {
	{ "step", "step", COLUMN_TEXT },
	{ "object", "object", COLUMN_TEXT },
	{ "error", "error", COLUMN_TEXT },
	{ "meaning", "meaning", COLUMN_TEXT },
};

static const struct column unfinished_columns[] = {
	{ "kind", "kind", COLUMN_TEXT },       { "object", "object", COLUMN_TEXT },
	{ "state", "state", COLUMN_TEXT },     { "reason", "", COLUMN_TEXT },
	{ "session", "session", COLUMN_TEXT }, { "pages", "pages", COLUMN_COUNT },
};

static const struct column given_up_columns[] = {
	{ "session", "session", COLUMN_TEXT },
	{ "files", "files", COLUMN_COUNT },
	{ "before_reboot_ns", "before the reboot call", COLUMN_TIME },
};

static const struct column device_columns[] = {
	{ "device", "device", COLUMN_TEXT },
	{ "state", "state", COLUMN_TEXT },
	{ "driver", "driver", COLUMN_TEXT },
};

static const struct column session_columns[] = {
	{ "session", "session", COLUMN_TEXT },	 { "state", "state", COLUMN_TEXT },
	{ "token", "token", COLUMN_TEXT },	 { "type", "file", COLUMN_TEXT },
	{ "object", "what it is", COLUMN_TEXT },
};

static const struct column table_columns[] = {
	{ "device", "device", COLUMN_TEXT },
	{ "verdict", "verdict", COLUMN_TEXT },
	{ "top", "top table", COLUMN_TEXT },
	{ "table_pages", "table pages", COLUMN_COUNT },
	{ "leaf_entries", "leaf entries", COLUMN_COUNT },
	{ "record", "its record", COLUMN_TEXT },
	{ "reason", "", COLUMN_TEXT },
};

static size_t length_of(struct json_object *rows)
{
	return rows ? json_object_array_length(rows) : 0;
}

#define PRINT_TABLE(value, name, title, columns)                                                   \
	print_table(value, name, title, columns, sizeof(columns) / sizeof(columns[0]))

static void print_table(struct json_object *value, const char *name, const char *title,
			const struct column *columns, size_t count)
{
	struct json_object *rows = member(value, name);

	if (!length_of(rows))
		return;
	printf("\n%s\n", title);
	output_table(rows, columns, count, 0);
}

static void print_lines(struct json_object *value, const char *name, const char *title,
			const char *indent)
{
	struct json_object *lines = member(value, name);
	size_t i, count = length_of(lines);

	if (count)
		printf("\n%s\n", title);
	for (i = 0; i < count; i++)
		printf("%s%s\n", indent,
		       json_object_get_string(json_object_array_get_idx(lines, i)));
}

/* One line for each record in memory whose checksum is wrong. */
static void print_damaged(struct json_object *value)
{
	/* The list, and the member that says which of it */
	static const char *const lists[][2] = { { "units", "unit" },
						{ "domains", "domain" },
						{ "devices", "device" },
						{ "functions", "function" } };
	struct json_object *records = member(value, "records");
	size_t list, i;

	for (list = 0; list < sizeof(lists) / sizeof(lists[0]); list++) {
		struct json_object *rows = member(records, lists[list][0]);

		for (i = 0; i < length_of(rows); i++) {
			struct json_object *row = json_object_array_get_idx(rows, i);

			if (json_object_get_boolean(member(row, "damaged")))
				printf("\nThe record of the %s %s is damaged: its checksum does not fit\n",
				       lists[list][1], member_text(row, lists[list][1]));
		}
	}
}

static void print_last(struct json_object *value)
{
	struct json_object *last = member(value, "last");

	if (last)
		printf("\nThe last step that is complete: %s%s%s, in Linux %s\n",
		       member_text(last, "step"), *member_text(last, "object") ? " of " : "",
		       member_text(last, "object"), member_text(last, "release"));
	if (member_number(value, "dropped"))
		printf("%s records were dropped, as the ledger was full: what they say is missing below\n",
		       member_text(value, "dropped"));
}

/* A list of texts as one. */
static const char *joined(struct json_object *list, char text[JOINED_SIZE])
{
	size_t i, used = 0;

	text[0] = '\0';
	for (i = 0; i < length_of(list) && used < JOINED_SIZE - 1; i++)
		used += (size_t)snprintf(
			text + used, JOINED_SIZE - used, "%s%s", i ? ", " : "",
			json_object_get_string(json_object_array_get_idx(list, i)));
	return text;
}

/* What a failing step was part of, as one text. */
static void print_failures(struct json_object *value)
{
	struct json_object *failures = member(value, "failures");
	char text[JOINED_SIZE];
	size_t i;

	for (i = 0; i < length_of(failures); i++) {
		struct json_object *row = json_object_array_get_idx(failures, i);

		add_text(row, "where", joined(member(row, "within"), text));
	}
	PRINT_TABLE(value, "failures", "Failed:", failure_columns);
}

static void print_unfinished(struct json_object *value)
{
	struct json_object *rows = member(value, "unfinished");
	int64_t pages = 0;
	size_t i;

	PRINT_TABLE(value, "unfinished", "Preserved and not finished:", unfinished_columns);
	for (i = 0; i < length_of(rows); i++)
		pages += member_number(json_object_array_get_idx(rows, i), "pages");
	if (pages)
		printf("Memory and page tables of theirs: %lld pages of 4 KiB\n", (long long)pages);
}

/* One line for each file of each session. */
static void print_sessions(struct json_object *value)
{
	struct json_object *sessions = member(value, "sessions_in_memory");
	struct json_object *rows = json_object_new_array();
	size_t i, j;

	for (i = 0; i < length_of(sessions); i++) {
		struct json_object *session = json_object_array_get_idx(sessions, i);
		struct json_object *files = member(session, "files");

		for (j = 0; j < length_of(files); j++) {
			struct json_object *file = json_object_array_get_idx(files, j);
			struct json_object *row = json_object_new_object();

			add_text(row, "session", member_text(session, "name"));
			add_text(row, "state", member_text(file, "state"));
			add_text(row, "token", member_text(file, "token"));
			add_text(row, "type", member_text(file, "type"));
			add_text(row, "object", member_text(file, "object"));
			json_object_array_add(rows, row);
		}
	}
	if (length_of(rows)) {
		printf("\nSessions in its memory:\n");
		output_table(rows, session_columns,
			     sizeof(session_columns) / sizeof(session_columns[0]), 0);
	}
	json_object_put(rows);
}

static void print_tables(struct json_object *value)
{
	PRINT_TABLE(value, "tables",
		    member(value, "identity") ? "The IOMMU's tables, compared with the snapshot:"
					      : "The IOMMU's tables:",
		    table_columns);
	if (member_number(value, "difference_count"))
		printf("Differences: %s; \"then\" is the snapshot, \"now\" the dump\n",
		       member_text(value, "difference_count"));
	if (length_of(member(value, "differences")))
		differences_print(member(value, "differences"));
}

static void print_kho(struct json_object *value)
{
	struct json_object *kho = member(value, "kho");
	char text[JOINED_SIZE];

	if (length_of(member(kho, "in")) || length_of(member(kho, "out")))
		putchar('\n');
	if (length_of(member(kho, "in")))
		printf("KHO has from the kernel before: %s\n", joined(member(kho, "in"), text));
	if (length_of(member(kho, "out")))
		printf("KHO holds for the next kernel: %s\n", joined(member(kho, "out"), text));
}

/**
 * postmortem_print - everything as text
 * @value: what the parts of postmortem have added
 */
void postmortem_print(struct json_object *value)
{
	bool system = !strcmp(member_text(value, "source"), "system");

	printf("%s\n", member_text(value, "summary"));
	if (member(value, "panic"))
		printf("Its last words: %s\n", member_text(value, "panic"));
	if (json_object_get_boolean(member(value, "cut")))
		printf("The dump is cut off: part of the memory is missing\n");
	print_last(value);
	PRINT_TABLE(value, "open", "Begun and never ended:", open_columns);
	print_failures(value);
	PRINT_TABLE(value, "refusals", "Refused, as they have to be:", refusal_columns);
	print_unfinished(value);
	PRINT_TABLE(value, "given_up", "Preserved, and given up again:", given_up_columns);
	print_sessions(value);
	print_damaged(value);
	print_tables(value);
	if (system)
		PRINT_TABLE(value, "devices",
			    "Devices that take part in a live update:", device_columns);
	print_kho(value);
	print_lines(value, "unread", "What could not be read of the dump:", "  ");
	print_lines(value, "log", system ? "The kernel's log of it:" : "The end of its log:", "  ");
	print_lines(value, "advice", "What to do:", "- ");
}
