// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* lutrace report: show a recording, or what one would hold now. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "main.h"
#include "model/document.h"
#include "model/kinds.h"
#include "read/source.h"
#include "show/chrome.h"
#include "show/html.h"
#include "show/identity.h"
#include "show/report.h"

static void print_dma(struct json_object *dma)
{
	if (!dma) {
		printf("not recorded\n");
		return;
	}
	printf("%s sent, %s received, %s lost, %s during the blackout, %s faults\n",
	       member_text(dma, "sent"), member_text(dma, "received"), member_text(dma, "lost"),
	       member_text(dma, "during_blackout"), member_text(dma, "faults"));
}

/* What was done, and how long it took, or why it was not. */
static void print_outcome(const char *before, const char *what, struct json_object *outcome)
{
	const char *result = member_text(outcome, "result");
	char time[TIME_TEXT_SIZE];

	printf("%s%s %s", before, what,
	       strcmp(result, "ok") != 0 ? result : time_text(member_number(outcome, "ns"), time));
}

/* How the workload got its device back; nothing if nobody says. */
static void print_session(struct json_object *session)
{
	static const struct {
		const char *member;
		const char *text;
	} rows[] = { { "bind", "bound" },
		     { "replace", "moved to a new page table" },
		     { "finish", "finished" } };
	struct json_object *files = member(session, "files");
	const char *before = "retrieved ";
	size_t i;

	if (!session)
		return;
	printf("Session:      ");
	for (i = 0;
	     json_object_is_type(files, json_type_array) && i < json_object_array_length(files);
	     i++) {
		struct json_object *file = json_object_array_get_idx(files, i);

		print_outcome(before, member_text(file, "file"), file);
		before = ", ";
	}
	before = "\n              ";
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct json_object *outcome = member(session, rows[i].member);

		if (!outcome)
			continue;
		print_outcome(before, rows[i].text, outcome);
		before = ", ";
	}
	putchar('\n');
}

/* Nothing where no interrupt was enabled. */
static void print_interrupts(struct json_object *interrupts)
{
	struct json_object *vectors = member(interrupts, "vectors");
	size_t i;

	for (i = 0;
	     json_object_is_type(vectors, json_type_array) && i < json_object_array_length(vectors);
	     i++) {
		struct json_object *vector = json_object_array_get_idx(vectors, i);

		printf("%s%s vector %s came %s times before, %s when enabled again, %s after\n",
		       i ? "              " : "Interrupts:   ", member_text(vector, "type"),
		       member_text(vector, "vector"), member_text(vector, "before"),
		       member_text(vector, "at_enable"), member_text(vector, "after"));
	}
}

static void print_referee(struct json_object *referee)
{
	struct json_object *identical = member(referee, "memory_identical");

	if (!referee) {
		printf("not asked\n");
		return;
	}
	printf("translation switched off %s times, ", member_text(referee, "translation_off"));
	if (member(referee, "remapping_off"))
		printf("interrupt remapping %s times, ", member_text(referee, "remapping_off"));
	printf("%s faults, memory %s\n", member_text(referee, "faults"),
	       !identical			    ? "not compared"
	       : json_object_get_boolean(identical) ? "identical"
						    : "different");
}

static void print_recording(struct json_object *recording)
{
	print_blackout(recording);
	printf("\nPage tables:  ");
	identity_print_summary(member(recording, "identity"));
	printf("DMA:          ");
	print_dma(member(recording, "dma"));
	print_session(member(recording, "session"));
	print_interrupts(member(recording, "interrupts"));
	printf("Referee:      ");
	print_referee(member(recording, "referee"));
	printf("\nSteps:\n");
	print_step_summary(member(recording, "summary"));
}

/* The forms of a report. */
enum form { FORM_TEXT, FORM_CHROME, FORM_HTML };

/* A recording for the trace viewers, or as a page. */
static int write_form(enum form form, const struct handover *handover, struct json_object *from,
		      const char *path)
{
	char *text = NULL;
	size_t size;
	FILE *out;
	int ret;

	if (form == FORM_CHROME && !handover->khz)
		return unknown(
			"neither kernel recorded its cycle counter's frequency: there is no time line");
	out = open_memstream(&text, &size);
	if (!out)
		return fail("out of memory");
	ret = form == FORM_CHROME ? chrome_write(out, handover) : html_write(out, handover, from);
	ret = fclose(out) || ret ? fail("out of memory") : output_file(path, text, size);
	free(text);
	return ret;
}

int do_report(int argc, char **argv)
{
	enum form form = FORM_TEXT;
	struct json_object *recording;
	struct source source = { 0 };
	struct handover handover;
	const char *path = NULL;
	int letter, code;
	bool known;

	while ((letter = next_option(argc, argv)) != -1) {
		switch (letter) {
		case 'c':
		case 'H':
			if (form)
				return fail("--chrome and --html exclude each other");
			form = letter == 'c' ? FORM_CHROME : FORM_HTML;
			break;
		case 'o':
			path = optarg;
			break;
		default:
			source_option(&source, letter, optarg);
		}
	}
	if (path && !form)
		return fail(
			"--output goes with --chrome or --html; 'lutrace record' writes a recording");
	code = source_arguments(&source, argc, argv) ?: source_read(&source, &handover);
	if (code)
		return code;

	known = handover.blackout.known;
	if (form) {
		code = write_form(form, &handover, source.recording, path);
		source_free(&source, &handover);
		return code ?: known ? EXIT_GOOD : EXIT_UNKNOWN;
	}
	if (json_output) {
		recording = recording_make(&handover, source.recording);
	} else {
		recording = recording_overview(&handover, source.recording);
		json_object_object_add(recording, "summary", step_summary(&handover, 0));
	}
	source_free(&source, &handover);
	return output(recording, print_recording) ?: known ? EXIT_GOOD : EXIT_UNKNOWN;
}
