// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "show/advice.h"
#include "show/output.h"
#include "show/report.h"

/* Steps of one remedy that are named in text; the JSON has all. */
#define STEPS_NAMED 8

/* Where a line is broken, and where what belongs to a remedy begins. */
#define LINE_MOST 88
#define MARGIN	  14

/* A member of a remedy: "  do:         " and its text, broken into lines. */
static void put(const char *what, const char *text)
{
	size_t at = MARGIN, length;

	printf("  %-*s", MARGIN - 2, what);
	while (*text) {
		length = strcspn(text, " ");
		if (at > MARGIN && at + 1 + length > LINE_MOST) {
			printf("\n%*s", MARGIN, "");
			at = MARGIN;
		} else if (at > MARGIN) {
			putchar(' ');
			at++;
		}
		printf("%.*s", (int)length, text);
		at += length;
		text += length;
		text += strspn(text, " ");
	}
	putchar('\n');
}

static double percent(struct json_object *value)
{
	return json_object_get_double(member(value, "percent"));
}

/* "gain": how much of the pause goes, as far as anybody knows. */
static void put_gain(struct json_object *remedy)
{
	int64_t ns = member_number(remedy, "ns");
	char text[256], time[TIME_TEXT_SIZE], most[TIME_TEXT_SIZE];

	if (json_object_get_boolean(member(remedy, "emulation_only")))
		snprintf(
			text, sizeof(text),
			"not counted: it pays on this emulated machine; nothing tells that it does on hardware");
	else if (!member(remedy, "gain_ns"))
		snprintf(text, sizeof(text), "at most %s; how much of that goes, no record tells",
			 time_text(ns, time));
	else if (member_number(remedy, "gain_ns") == ns)
		snprintf(text, sizeof(text), "at most %s: the step goes", time_text(ns, time));
	else
		snprintf(text, sizeof(text), "about %s, at most %s",
			 time_text(member_number(remedy, "gain_ns"), time), time_text(ns, most));
	put("gain:", text);
}

static void put_evidence(struct json_object *remedy)
{
	struct json_object *evidence = member(remedy, "evidence");
	char text[512];

	if (!evidence) {
		put("measured:", "in this record alone: an upper bound");
		return;
	}
	snprintf(text, sizeof(text), "%s -> %s, %s (%s, \"%s\")", member_text(evidence, "before"),
		 member_text(evidence, "after"), member_text(evidence, "unit"),
		 member_text(evidence, "page"), member_text(evidence, "section"));
	put("measured:", text);
}

static void put_steps(struct json_object *remedy)
{
	struct json_object *steps = member(remedy, "steps");
	size_t i, count = json_object_array_length(steps);
	char time[TIME_TEXT_SIZE], text[512];

	for (i = 0; i < count && i < STEPS_NAMED; i++) {
		struct json_object *step = json_object_array_get_idx(steps, i);
		const char *object = member_text(step, "object");

		snprintf(text, sizeof(text), "%s%s%s, %s", member_text(step, "step"),
			 *object ? " " : "", object, time_text(member_number(step, "ns"), time));
		put(i ? "" : "steps:", text);
	}
	if (i < count) {
		snprintf(text, sizeof(text), "and %zu more", count - i);
		put("", text);
	}
}

/* "done?": what the record tells of that. */
static void put_done(struct json_object *remedy)
{
	bool known = strcmp(member_text(remedy, "done"), "unknown") != 0;
	char text[256];

	snprintf(text, sizeof(text), "%s: %s", known ? member_text(remedy, "done") : "not known",
		 member_text(remedy, "because"));
	put("done?", text);
}

static void print_remedy(struct json_object *remedy)
{
	char time[TIME_TEXT_SIZE];

	printf("\n%s: %s (%s)\n", member_text(remedy, "id"), member_text(remedy, "what"),
	       member_text(remedy, "kind"));
	printf("  %-*s%s, %.1f %% of the pause\n", MARGIN - 2,
	       "concerns:", time_text(member_number(remedy, "ns"), time), percent(remedy));
	put_steps(remedy);
	put("do:", member_text(remedy, "how"));
	put_gain(remedy);
	put_evidence(remedy);
	put("hardware:", member_text(remedy, "hardware"));
	put_done(remedy);
}

/* Those of which the record tells the same; false if there are none. */
static bool print_group(struct json_object *remedies, const char *done, const char *title)
{
	size_t i, count = json_object_array_length(remedies);
	bool any = false;

	for (i = 0; i < count; i++) {
		struct json_object *remedy = json_object_array_get_idx(remedies, i);

		if (strcmp(member_text(remedy, "done"), done) != 0)
			continue;
		if (!any)
			printf("\n%s\n", title);
		any = true;
		if (strcmp(done, "yes") != 0)
			print_remedy(remedy);
		else
			printf("  %s: %s\n", member_text(remedy, "id"),
			       member_text(remedy, "because"));
	}
	return any;
}

static void print_together(struct json_object *value)
{
	struct json_object *most = member(value, "at_most"), *maybe = member(value, "maybe");
	char time[TIME_TEXT_SIZE];

	printf("\nTogether: at most ");
	if (member_number(most, "ns") || !member_number(maybe, "ns"))
		printf("%s (%.1f %% of the pause)", time_text(member_number(most, "ns"), time),
		       percent(most));
	if (member_number(most, "ns") && member_number(maybe, "ns"))
		printf(", and ");
	if (member_number(maybe, "ns"))
		printf("%s (%.1f %%) where it has not been done",
		       time_text(member_number(maybe, "ns"), time), percent(maybe));
	puts(".");
}

static void print_units(struct json_object *value)
{
	struct json_object *units = member(value, "units");

	if (units && !member(units, "agent"))
		puts("\nOrder of units: no session was retrieved in a unit; --agent UNIT names the agent's.");
	else if (units)
		printf("\nOrder of units: the agent's is %s. What waited for what is not recorded.\n",
		       member_text(units, "agent"));
}

static void print_rest(struct json_object *value)
{
	static const struct column columns[] = {
		{ "ns", "self", COLUMN_TIME },	     { "ns", "share", COLUMN_SHARE },
		{ "kernel", "kernel", COLUMN_TEXT }, { "step", "step", COLUMN_TEXT },
		{ "object", "object", COLUMN_TEXT },
	};
	struct json_object *rest = member(value, "unaddressed");
	struct json_object *nameless = member(value, "unexplained");
	struct json_object *phases = member(nameless, "phases");
	uint64_t pause = (uint64_t)member_number(member(value, "blackout"), "ns");
	char time[TIME_TEXT_SIZE];
	size_t i;

	printf("\nNo remedy is known for %s (%.1f %%). The longest steps of it:\n\n",
	       time_text(member_number(rest, "ns"), time), percent(rest));
	output_table(member(rest, "steps"), columns, sizeof(columns) / sizeof(columns[0]), pause);
	printf("\nIn no named step: %s (%.1f %%)", time_text(member_number(nameless, "ns"), time),
	       percent(nameless));
	for (i = 0; i < json_object_array_length(phases); i++) {
		struct json_object *phase = json_object_array_get_idx(phases, i);

		printf("%s%s of %s", i ? ", " : ": ", time_text(member_number(phase, "ns"), time),
		       member_text(phase, "phase"));
	}
	puts(".");
}

/* As advice_json() makes it. */
void print_advice(struct json_object *value)
{
	struct json_object *blackout = member(value, "blackout");
	struct json_object *remedies = member(value, "remedies");
	char time[TIME_TEXT_SIZE], explained[EXPLAINED_TEXT_SIZE];
	bool any;

	if (!member(blackout, "ns")) {
		printf("Blackout: unknown, %s\n", member_text(blackout, "unknown"));
		return;
	}
	printf("Blackout: %s\n", time_text(member_number(blackout, "ns"), time));
	printf("Explained: %s.\n", explained_text(blackout, explained));
	if (json_object_get_boolean(member(value, "emulated")))
		puts("Recorded on an emulated machine (QEMU/TCG): these are the times of no hardware.");
	any = print_group(remedies, "no", "What would make it shorter, and has not been done:");
	any |= print_group(remedies, "unknown",
			   "What would make it shorter, if it has not been done:");
	if (any)
		print_together(value);
	else
		printf("\nNo remedy is known for a step that took %g %% of the pause, or all have been done.\n",
		       json_object_get_double(member(value, "least_percent")));
	print_group(remedies, "yes", "Has been done, as far as the record tells:");
	print_units(value);
	print_rest(value);
}

/* The table of remedies. */
void print_remedies(struct json_object *value)
{
	struct json_object *rows = member(value, "remedies");
	size_t i, at;

	for (i = 0; i < json_object_array_length(rows); i++) {
		struct json_object *row = json_object_array_get_idx(rows, i);
		struct json_object *steps = member(row, "steps");

		printf("%s%s: %s (%s)\n", i ? "\n" : "", member_text(row, "id"),
		       member_text(row, "what"), member_text(row, "kind"));
		for (at = 0; at < json_object_array_length(steps); at++)
			put(at ? "" : "steps:",
			    json_object_get_string(json_object_array_get_idx(steps, at)));
		if (member(row, "when"))
			put("if:", member_text(row, "when"));
		put("do:", member_text(row, "how"));
		put_evidence(row);
		put("hardware:", member_text(row, "hardware"));
	}
}
