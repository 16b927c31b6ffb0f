// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The pause, its phases and those of the workloads as text. */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "show/output.h"
#include "show/report.h"

const struct column phase_columns[PHASE_COLUMNS] = {
	{ "name", "phase", COLUMN_TEXT },
	{ "begin_ns", "begin", COLUMN_TIME },
	{ "ns", "time", COLUMN_TIME },
	{ "ns", "share", COLUMN_SHARE },
	{ "unexplained_ns", "unnamed", COLUMN_TIME },
	{ "ns", "", COLUMN_BAR },
};

const struct column workload_columns[WORKLOAD_COLUMNS] = {
	{ "name", "workload", COLUMN_TEXT },
	{ "begin_ns", "paused at", COLUMN_TIME },
	{ "ns", "pause", COLUMN_TIME },
	{ "unknown", "unknown because", COLUMN_TEXT },
};

/* Where the blackout begins or ends, in words. */
const char *boundary_text(const char *boundary)
{
	if (!strcmp(boundary, "pause-mark"))
		return "the mark \"pause\"";
	if (!strcmp(boundary, "reboot-call"))
		return "the reboot call";
	if (!strcmp(boundary, "resume-mark"))
		return "the mark \"resume\"";
	return "the end of the last session";
}

/**
 * explained_text - how much of the pause has a name, and what takes most
 * @blackout: as recording_blackout() makes it
 * @text:     where to write it
 *
 * Return: @text, "" if nobody knows.
 */
const char *explained_text(struct json_object *blackout, char text[EXPLAINED_TEXT_SIZE])
{
	struct json_object *leaves = member(blackout, "leaves");
	size_t i, length, count = leaves ? json_object_array_length(leaves) : 0;
	char time[TIME_TEXT_SIZE];

	text[0] = '\0';
	if (!member(blackout, "explained"))
		return text;
	length = (size_t)snprintf(text, EXPLAINED_TEXT_SIZE, "%.2f %% of the pause",
				  100 * json_object_get_double(member(blackout, "explained")));
	for (i = 0; i < count && i < EXPLAINED_LEAVES_SAID && length < EXPLAINED_TEXT_SIZE; i++) {
		struct json_object *leaf = json_object_array_get_idx(leaves, i);
		const char *object = member_text(leaf, "object");

		length += (size_t)snprintf(text + length, EXPLAINED_TEXT_SIZE - length,
					   "%s%s%s%.63s (%s)",
					   i ? ", " : "; most: ", member_text(leaf, "step"),
					   *object ? " " : "", object,
					   time_text(member_number(leaf, "ns"), time));
	}
	return text;
}

/* The workloads whose marks have a name; nothing if there are none. */
static void print_workloads(struct json_object *blackout)
{
	struct json_object *rows = member(blackout, "workloads");

	if (!json_object_is_type(rows, json_type_array) || !json_object_array_length(rows))
		return;
	putchar('\n');
	output_table(rows, workload_columns, WORKLOAD_COLUMNS, 0);
}

/**
 * unknown_phase - what is not known of a phase of the pause
 * @phases: the phases
 * @i:      which
 *
 * Return: the text, NULL if there is nothing that is not known, or no such phase.
 */
const char *unknown_phase(struct json_object *phases, size_t i)
{
	struct json_object *phase = json_object_array_get_idx(phases, i);

	return member(phase, "unknown") ? member_text(phase, "unknown") : NULL;
}

/* Of a kernel that keeps no ledger. */
static void print_unknown(struct json_object *phases)
{
	size_t i, count = json_object_array_length(phases);
	const char *why, *before = "\nUnknown:\n";

	for (i = 0; i < count; i++) {
		why = unknown_phase(phases, i);
		if (!why)
			continue;
		printf("%s  %s: %s\n", before,
		       member_text(json_object_array_get_idx(phases, i), "name"), why);
		before = "";
	}
}

/**
 * print_blackout - print the pause, its phases and those of the workloads
 * @recording: has the members kernel, time and blackout
 */
void print_blackout(struct json_object *recording)
{
	struct json_object *blackout = member(recording, "blackout");
	struct json_object *kernel = member(recording, "kernel");
	char text[TIME_TEXT_SIZE], explained[EXPLAINED_TEXT_SIZE];
	int64_t ns = member_number(blackout, "ns");

	if (!member(blackout, "ns")) {
		printf("Blackout: unknown, %s\n", member_text(blackout, "unknown"));
		print_workloads(blackout);
		return;
	}
	printf("Blackout: %s\n", time_text(ns, text));
	/* A BPF program does not know the name of the kernel before. */
	printf("  from  %s in %s%s", boundary_text(member_text(blackout, "from")),
	       member(kernel, "outgoing") ? "Linux " : "the outgoing kernel",
	       member_text(kernel, "outgoing"));
	if (member(recording, "time"))
		printf(", %s", member_text(recording, "time"));
	printf("\n  to    %s in Linux %s\n\n", boundary_text(member_text(blackout, "to")),
	       member_text(kernel, "incoming"));
	if (*explained_text(blackout, explained))
		printf("Explained: %s.\n\n", explained);
	output_table(member(blackout, "phases"), phase_columns, PHASE_COLUMNS, (uint64_t)ns);
	print_unknown(member(blackout, "phases"));
	print_workloads(blackout);
}
