// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The steps in a page: by kind, how their durations are distributed, one by one. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/json.h"
#include "model/document.h"
#include "model/kinds.h"
#include "model/longest.h"
#include "show/html.h"
#include "show/output.h"
#include "show/report.h"

#define KINDS_MOST 128 /* rows; more than there are kinds of step */
#define STEPS_MOST 400 /* rows of single steps */

/*
 * The steps that are listed, in order of time: all, or where these are too many,
 * first those that failed or did not end, then the longest. NULL without memory.
 */
static struct json_object *choose_steps(const struct handover *handover)
{
	struct long_step *steps = calloc(handover->count ?: 1, sizeof(*steps));
	struct json_object *rows;
	size_t i, kept;

	if (!steps)
		return NULL;
	for (i = 0; i < handover->count; i++) {
		const struct step *step = &handover->steps[i];

		steps[i].index = i;
		if (!handover_duration(handover, step, &steps[i].ns) || step->end->ret)
			steps[i].ns = UINT64_MAX;
	}
	kept = longest_steps(steps, handover->count, STEPS_MOST);
	rows = json_object_new_array_ext((int)kept);
	for (i = 0; i < kept; i++)
		json_object_array_add(rows,
				      recording_step(handover, &handover->steps[steps[i].index]));
	free(steps);
	return rows;
}

static void put_list(const struct page *page)
{
	static const struct column columns[] = {
		{ "step", "step", COLUMN_TEXT },     { "object", "object", COLUMN_TEXT },
		{ "kernel", "kernel", COLUMN_TEXT }, { "begin_ns", "begin", COLUMN_TIME },
		{ "ns", "time", COLUMN_TIME },	     { "count", "objects", COLUMN_COUNT },
		{ "ret", "error", COLUMN_ERROR },
	};
	const struct html_table table = {
		.caption = "Single steps, in the order in which they began",
		.columns = columns,
		.count = sizeof(columns) / sizeof(columns[0]),
		.most = STEPS_MOST,
		.sort = true,
	};
	struct json_object *rows = choose_steps(page->handover);
	size_t all = page->handover->count, shown = rows ? json_object_array_length(rows) : 0;

	fputs("<details><summary>", page->out);
	if (shown < all)
		fprintf(page->out, "%zu of %zu single steps: the longest", shown, all);
	else
		fprintf(page->out, "All %zu single steps", all);
	fputs("</summary>\n", page->out);
	if (shown < all)
		fprintf(page->out,
			"<p>The other %zu are counted in the tables above. Those that failed or "
			"did not end come before the longest; <code>lutrace steps --list</code> "
			"shows all.</p>\n",
			all - shown);
	html_table(page->out, &table, rows);
	fputs("</details>\n", page->out);
	json_object_put(rows);
}

static void put_histogram(FILE *out, struct json_object *row)
{
	struct json_object *buckets = member(row, "histogram");
	size_t i, count = json_object_array_length(buckets);
	char from[BOUND_TEXT_SIZE], to[BOUND_TEXT_SIZE], time[TIME_TEXT_SIZE];
	int64_t most = 1;

	for (i = 0; i < count; i++) {
		int64_t in_it = member_number(json_object_array_get_idx(buckets, i), "count");

		most = in_it > most ? in_it : most;
	}
	fputs("<details><summary><code>", out);
	html_text(out, member_text(row, "step"));
	fprintf(out, "</code>: %s times, longest %s</summary>\n<table><caption>Durations of ",
		member_text(row, "count"), time_text(member_number(row, "max_ns"), time));
	html_text(out, member_text(row, "step"));
	fputs("</caption>\n<thead><tr><th scope=\"col\">nanoseconds</th>"
	      "<th scope=\"col\" class=\"amount\">steps</th><td></td></tr></thead>\n<tbody>\n",
	      out);
	for (i = 0; i < count; i++) {
		struct json_object *bucket = json_object_array_get_idx(buckets, i);
		int64_t in_it = member_number(bucket, "count");

		fprintf(out,
			"<tr><th scope=\"row\">%s to %s</th><td class=\"amount\">%" PRId64
			"</td><td class=\"bars\">",
			bound_text(member_number(bucket, "from_ns"), from),
			bound_text(member_number(bucket, "to_ns"), to), in_it);
		html_bar(out, (double)in_it / (double)most);
		fputs("</td></tr>\n", out);
	}
	fputs("</tbody></table></details>\n", out);
}

/* Of what happened once there is nothing to distribute. */
static void put_histograms(FILE *out, struct json_object *rows)
{
	size_t i, shown = 0, count = json_object_array_length(rows);

	fputs("<h3>How long they took</h3>\n", out);
	for (i = 0; i < count && shown < KINDS_MOST; i++) {
		struct json_object *row = json_object_array_get_idx(rows, i);

		if (member_number(row, "count") < 2 || !member(row, "max_ns"))
			continue;
		if (!shown++)
			fputs("<p>K is 1,024 nanoseconds, M is 1,024 K. A step that occurred once "
			      "is not among them.</p>\n",
			      out);
		put_histogram(out, row);
	}
	if (!shown)
		fputs("<p>No kind of step took time more than once.</p>\n", out);
}

void html_steps(const struct page *page)
{
	struct json_object *rows = step_summary(page->handover, 0);
	const struct html_table table = {
		.caption = "Steps by kind",
		.columns = step_summary_columns,
		.count = STEP_SUMMARY_COLUMNS,
		.most = KINDS_MOST,
		.sort = true,
	};

	html_table(page->out, &table, rows);
	put_histograms(page->out, rows);
	fputs("<h3>One by one</h3>\n", page->out);
	put_list(page);
	json_object_put(rows);
}
