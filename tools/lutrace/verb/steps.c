// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* lutrace steps: what was done, how often, how long did it take, did it fail? */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "main.h"
#include "model/document.h"
#include "model/kinds.h"
#include "model/vocabulary.h"
#include "probe/answers.h"
#include "read/source.h"
#include "show/report.h"
#include "show/watch.h"

#define HISTOGRAM_BAR 52

static void print_summary(struct json_object *value)
{
	print_step_summary(member(value, "steps"));
	if (member_number(value, "dropped"))
		printf("\nThe ledger was full: %" PRId64 " records are missing.\n",
		       member_number(value, "dropped"));
	if (member_number(value, "unpaired"))
		printf("\n%" PRId64 " steps ended that never began.\n",
		       member_number(value, "unpaired"));
}

static void print_one_histogram(struct json_object *row)
{
	struct json_object *buckets = member(row, "histogram");
	size_t i, count = json_object_array_length(buckets);
	char from[BOUND_TEXT_SIZE], to[BOUND_TEXT_SIZE], range[40], bar[HISTOGRAM_BAR + 1];
	int64_t most = 0;

	for (i = 0; i < count; i++) {
		struct json_object *bucket = json_object_array_get_idx(buckets, i);

		if (member_number(bucket, "count") > most)
			most = member_number(bucket, "count");
	}
	if (!most)
		return;

	printf("@ns[%s]:\n", member_text(row, "step"));
	for (i = 0; i < count; i++) {
		struct json_object *bucket = json_object_array_get_idx(buckets, i);
		int64_t in_it = member_number(bucket, "count");
		int length = (int)(in_it * HISTOGRAM_BAR / most);

		memset(bar, '@', (size_t)length);
		bar[length] = '\0';
		snprintf(range, sizeof(range), "[%s, %s)",
			 bound_text(member_number(bucket, "from_ns"), from),
			 bound_text(member_number(bucket, "to_ns"), to));
		printf("%-16s %8" PRId64 " |%-*s|\n", range, in_it, HISTOGRAM_BAR, bar);
	}
	putchar('\n');
}

static void print_histograms(struct json_object *value)
{
	struct json_object *rows = member(value, "steps");
	size_t i;

	for (i = 0; i < json_object_array_length(rows); i++)
		print_one_histogram(json_object_array_get_idx(rows, i));
}

static void print_list(struct json_object *value)
{
	static const struct column columns[] = {
		{ "begin_ns", "begin", COLUMN_TIME }, { "ns", "time", COLUMN_TIME },
		{ "kernel", "kernel", COLUMN_TEXT },  { "indented", "step", COLUMN_TEXT },
		{ "object", "object", COLUMN_TEXT },  { "count", "objects", COLUMN_COUNT },
		{ "ret", "error", COLUMN_ERROR },
	};

	output_table(member(value, "steps"), columns, sizeof(columns) / sizeof(columns[0]), 0);
}

/* Steps in order of time, each below the one that it is part of. */
static struct json_object *make_list(const struct handover *handover, int only)
{
	struct json_object *rows = json_object_new_array();
	struct json_object *row;
	char text[80];
	size_t i;

	for (i = 0; i < handover->count; i++) {
		const struct step *step = &handover->steps[i];
		int indent = (int)(step->depth < 10 ? step->depth : 10) * 2;

		if (only && step->begin->step != only)
			continue;
		row = recording_step(handover, step);
		if (!json_output) {
			snprintf(text, sizeof(text), "%*s%s", only ? 0 : indent, "",
				 step_name(step->begin->step));
			add_text(row, "indented", text);
		}
		json_object_array_add(rows, row);
	}
	return rows;
}

/* The forms of the answer, and the keys that choose them in a live view. */
enum view { SUMMARY, HISTOGRAMS, LIST };

static const struct watch_view views[] = {
	[SUMMARY] = { 't', "table", print_summary },
	[HISTOGRAMS] = { 'h', "histograms", print_histograms },
	[LIST] = { 'l', "list", print_list },
	{ 0 },
};

/* A BPF program counts steps; it has no list of them. */
static const struct watch_view pinned_views[] = {
	[SUMMARY] = { 't', "table", print_summary },
	[HISTOGRAMS] = { 'h', "histograms", print_histograms },
	{ 0 },
};

/**
 * struct wish - which steps to show
 * @source: where from
 * @pinned: the BPF program to ask instead, NULL for none
 * @only:   the one kind of step, 0 for all
 */
struct wish {
	struct source source;
	const char *pinned;
	int only;
};

static int make_answer(void *data, size_t view, struct json_object **value)
{
	struct wish *wish = data;
	struct handover handover;
	uint64_t dropped = 0;
	int code, side;

	if (wish->pinned)
		return probe_steps(wish->pinned, wish->only, value);
	code = source_read(&wish->source, &handover);
	if (code)
		return code;
	for (side = 0; side < SIDES; side++)
		dropped += handover.ledger[side].header.dropped;
	*value = json_object_new_object();
	json_object_object_add(*value, "kernel", recording_kernel(&handover));
	json_object_object_add(*value, "steps",
			       view == LIST ? make_list(&handover, wish->only)
					    : step_summary(&handover, wish->only));
	add_number(*value, "dropped", (int64_t)dropped);
	add_number(*value, "unpaired", (int64_t)handover.unpaired);
	source_free(&wish->source, &handover);
	return EXIT_GOOD;
}

static int read_interval(const char *text, double *seconds)
{
	return real_option(text, 0.1, 86400, seconds);
}

static int read_rounds(const char *text, unsigned long *rounds)
{
	uint64_t number;
	int code = number_option(text, 1, ULONG_MAX, &number);

	*rounds = number;
	return code;
}

int do_steps(int argc, char **argv)
{
	struct wish wish = { 0 };
	struct watch live = { .title = "lutrace steps",
			      .views = views,
			      .view = SUMMARY,
			      .make = make_answer,
			      .data = &wish };
	struct json_object *value;
	bool histogram = false, list = false;
	int letter, code = EXIT_GOOD;

	while (!code && (letter = next_option(argc, argv)) != -1) {
		switch (letter) {
		case 'c':
			code = read_rounds(optarg, &live.rounds);
			break;
		case 'H':
			live.view = HISTOGRAMS;
			histogram = true;
			break;
		case 'n':
			code = read_interval(optarg, &live.interval);
			break;
		case 'L':
			live.view = LIST;
			list = true;
			break;
		case 'P':
			wish.pinned = optarg;
			live.views = pinned_views;
			break;
		case 's':
			wish.only = step_number(optarg);
			if (wish.only <= 0)
				return fail(
					"there is no step '%s'; 'lutrace steps' lists those that occurred",
					optarg);
			break;
		default:
			source_option(&wish.source, letter, optarg);
		}
	}
	code = code ?: source_arguments(&wish.source, argc, argv);
	if (code)
		return code;
	if (histogram && list)
		return fail("--histogram and --list exclude each other");
	if (wish.pinned && (live.view == LIST || wish.source.file || wish.source.directory))
		return fail(
			"a BPF program counts steps; it has no list of them, and no other source");
	if (live.interval && wish.source.file)
		return fail("a recording does not change: --interval is for ledgers");
	if (live.interval)
		return watch(&live);
	return make_answer(&wish, live.view, &value) ?: output(value, views[live.view].print);
}
