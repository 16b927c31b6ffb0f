// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* lutrace report: show a recording, or what one would hold now. */
#include <stdio.h>
#include <stdlib.h>

#include "base/number.h"
#include "base/open.h"
#include "main.h"
#include "model/document.h"
#include "model/kinds.h"
#include "model/verdict.h"
#include "read/source.h"
#include "show/chrome.h"
#include "show/evidence.h"
#include "show/html.h"
#include "show/otlp.h"
#include "show/perfetto.h"
#include "show/report.h"

/* What a report is of, besides the JSON. */
struct shown {
	const struct evidence *evidence;
	const struct verdict_of *verdict;
};

static void print_recording(struct json_object *recording, const void *context)
{
	const struct shown *shown = context;
	char text[VERDICT_TEXT_SIZE];

	const struct evidence_host *host = shown->evidence->host;

	print_blackout(recording);
	if (host && (host->name || host->machine_id))
		printf("Host:         %s, machine ID %s\n", host->name ?: "?",
		       host->machine_id ?: "?");
	putchar('\n');
	print_evidence(shown->evidence);
	printf("Verdict:      %s. %s\n", verdict_word(shown->verdict->says),
	       verdict_text(shown->verdict, text));
	if (member(member(recording, "blackout"), "ns"))
		puts("Shorter:      'lutrace advise' says what is known to make the pause shorter.");
	printf("\nSteps:\n");
	print_step_summary(member(recording, "summary"));
}

/* The forms of a report. */
enum form { FORM_TEXT, FORM_CHROME, FORM_PERFETTO, FORM_OTLP, FORM_HTML };

/* One form excludes another. */
static int choose_form(enum form *form, int letter)
{
	if (*form)
		return fail("--chrome, --perfetto, --otlp and --html exclude each other");
	*form = letter == 'c'	? FORM_CHROME
		: letter == 'P' ? FORM_PERFETTO
		: letter == 'O' ? FORM_OTLP
				: FORM_HTML;
	return EXIT_GOOD;
}

static int write_text(enum form form, FILE *out, const struct handover *handover,
		      const struct evidence *evidence, uint64_t budget)
{
	switch (form) {
	case FORM_CHROME:
		return chrome_write(out, handover);
	case FORM_PERFETTO:
		return perfetto_write(out, handover);
	case FORM_OTLP:
		return otlp_write(out, handover);
	default:
		return html_write(out, handover, evidence, budget);
	}
}

/* A recording for viewers of traces, or as a page. */
static int write_form(enum form form, const struct handover *handover,
		      const struct evidence *evidence, uint64_t budget, const char *path)
{
	char *text = NULL;
	size_t size;
	FILE *out;
	int ret;

	if (form != FORM_HTML && !handover->khz)
		return unknown(
			"neither kernel recorded its cycle counter's frequency: there is no time line");
	if (form == FORM_OTLP && !otlp_has_time(handover))
		return unknown(
			"no kernel recorded what the wall clock was, by which spans are timed");
	out = open_memstream(&text, &size);
	if (!out)
		return fail("out of memory");
	ret = write_text(form, out, handover, evidence, budget);
	ret = fclose(out) || ret ? fail("out of memory") : output_file(path, text, size, 0);
	free(text);
	return ret;
}

int do_report(int argc, char **argv)
{
	enum form form = FORM_TEXT;
	struct json_object *recording;
	struct source source = { 0 };
	struct handover handover;
	struct verdict_of verdict;
	const struct shown shown = { &source.evidence, &verdict };
	const char *path = NULL;
	int letter, code, good;
	uint64_t budget = 0;
	bool check = false;

	while ((letter = next_option(argc, argv)) != -1) {
		switch (letter) {
		case 'c':
		case 'P':
		case 'O':
		case 'H':
			if (choose_form(&form, letter))
				return EXIT_BAD;
			break;
		case 'o':
			path = optarg;
			break;
		case 'k':
			check = true;
			break;
		case 'b':
			if (time_option(optarg, &budget))
				return EXIT_BAD;
			break;
		default:
			source_option(&source, letter, optarg);
		}
	}
	if (path && !form)
		return fail(
			"--output goes with --chrome, --perfetto, --otlp or --html; 'lutrace record' writes a recording");
	if (form && json_output)
		return fail("--chrome, --perfetto, --otlp and --html exclude --json and --pretty");
	file_output(path);
	code = source_arguments(&source, argc, argv) ?: source_read(&source, &handover);
	if (code)
		return code;
	code = source_identity(&source, NULL);
	if (code) {
		source_free(&source, &handover);
		return code;
	}

	verdict_make(&verdict, &handover, &source.evidence, budget);
	good = check ? verdict_exit(&verdict) : handover.blackout.known ? EXIT_GOOD : EXIT_UNKNOWN;
	if (form) {
		code = write_form(form, &handover, &source.evidence, budget, path);
		source_free(&source, &handover);
		return code ?: good;
	}
	if (json_output) {
		recording = recording_make(&handover, &source.evidence);
		json_object_object_add(recording, "verdict", verdict_json(&verdict));
	} else {
		recording = recording_overview(&handover, &source.evidence);
		json_object_object_add(recording, "summary", step_summary(&handover, 0));
	}
	code = output_of(recording, print_recording, &shown);
	source_free(&source, &handover);
	return code ?: good;
}
