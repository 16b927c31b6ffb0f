// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "show/mappings.h"
#include "show/output.h"

/* "8 KiB", "12.5 MiB" */
static const char *bytes_text(int64_t bytes, char text[32])
{
	if (bytes < 1 << 20)
		snprintf(text, 32, "%" PRId64 " KiB", bytes / 1024);
	else
		snprintf(text, 32, "%.1f MiB", (double)bytes / (1 << 20));
	return text;
}

static void print_snapshot(struct json_object *value, const char *name)
{
	struct json_object *snapshot = member(value, name);
	time_t seconds = (time_t)(member_number(snapshot, "time_ns") / 1000000000);
	char text[32] = "?", size[32];
	struct tm tm;

	if (gmtime_r(&seconds, &tm))
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	printf("%-7s %s, Linux %s: %" PRId64 " table pages map %s\n", name, text,
	       member_text(snapshot, "release"), member_number(snapshot, "table_pages"),
	       bytes_text(member_number(snapshot, "mapped_bytes"), size));
}

static const char *change_text(const char *change)
{
	static const char *const texts[][2] = {
		{ "none", "the same" },
		{ "tables", "the same mappings, by other tables" },
		{ "mappings", "other mappings" },
		{ "new", "only after" },
		{ "gone", "only before" },
	};
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (!strcmp(change, texts[i][0]))
			return texts[i][1];
	}
	return change;
}

static void print_devices(struct json_object *rows)
{
	static const struct column columns[] = {
		{ "device", "device", COLUMN_TEXT },
		{ "pasid", "PASID", COLUMN_COUNT },
		{ "before", "table before", COLUMN_TEXT },
		{ "after", "after", COLUMN_TEXT },
		{ "change", "", COLUMN_TEXT },
	};
	struct json_object *lines = json_object_new_array();
	size_t i;

	for (i = 0; i < json_object_array_length(rows); i++) {
		struct json_object *row = json_object_array_get_idx(rows, i);
		struct json_object *line = json_object_new_object();
		struct json_object *before = member(row, "before"), *after = member(row, "after");

		add_text(line, "device", member_text(row, "device"));
		add_number(line, "pasid", member_number(row, "pasid"));
		add_text(line, "before", before ? member_text(before, "top") : NULL);
		add_text(line, "after", after ? member_text(after, "top") : NULL);
		add_text(line, "change", change_text(member_text(row, "change")));
		json_object_array_add(lines, line);
	}
	putchar('\n');
	output_table(lines, columns, sizeof(columns) / sizeof(columns[0]), 0);
	json_object_put(lines);
}

static void print_differences(struct json_object *value)
{
	struct json_object *rows = member(value, "differences");
	int64_t count = member_number(value, "difference_count");
	size_t i, listed = json_object_array_length(rows);
	char size[32];

	if (!count)
		return;
	printf("\nMapped otherwise: %" PRId64 " range%s, %s\n", count, count == 1 ? "" : "s",
	       bytes_text(member_number(value, "differing_bytes"), size));
	for (i = 0; i < listed; i++) {
		struct json_object *row = json_object_array_get_idx(rows, i);

		printf("  %s", member_text(row, "device"));
		if (member_number(row, "pasid"))
			printf(" PASID %" PRId64, member_number(row, "pasid"));
		printf(" IOVA %s-%s: %s -> %s\n", member_text(row, "iova"),
		       member_text(row, "last"),
		       member(row, "old") ? member_text(row, "old") : "not mapped",
		       member(row, "new") ? member_text(row, "new") : "not mapped");
	}
	if ((int64_t)listed < count)
		printf("  (%" PRId64 " more; --differences N shows N)\n", count - (int64_t)listed);
}

/* An answer as docs/schema/diff-snapshots.json has it. */
void mappings_print(struct json_object *value)
{
	const char *verdict = member_text(value, "verdict");

	print_snapshot(value, "before");
	print_snapshot(value, "after");
	print_devices(member(value, "devices"));
	print_differences(value);
	printf("\n%s\n", !strcmp(verdict, "identical")	 ? "The same mappings, by the same tables."
			 : !strcmp(verdict, "different") ? "What is mapped differs."
							 : "The same mappings, by other tables.");
}
