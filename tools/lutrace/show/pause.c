// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The pause and its phases as text. */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "show/output.h"
#include "show/report.h"

const struct column phase_columns[PHASE_COLUMNS] = {
	{ "name", "phase", COLUMN_TEXT }, { "begin_ns", "begin", COLUMN_TIME },
	{ "ns", "time", COLUMN_TIME },	  { "ns", "share", COLUMN_SHARE },
	{ "ns", "", COLUMN_BAR },
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
 * print_blackout - print the pause and its phases
 * @recording: has the members kernel, time and blackout
 */
void print_blackout(struct json_object *recording)
{
	struct json_object *blackout = member(recording, "blackout");
	struct json_object *kernel = member(recording, "kernel");
	char text[TIME_TEXT_SIZE];
	int64_t ns = member_number(blackout, "ns");

	if (!member(blackout, "ns")) {
		printf("Blackout: unknown, %s\n", member_text(blackout, "unknown"));
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
	output_table(member(blackout, "phases"), phase_columns, PHASE_COLUMNS, (uint64_t)ns);
}
