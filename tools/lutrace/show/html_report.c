// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A recording as one HTML page: its frame, and the sections that need no file of their own. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/version.h"
#include "model/document.h"
#include "model/verdict.h"
#include "show/html.h"
#include "show/html_files.h"
#include "show/output.h"
#include "show/report.h"
#include "show/svg.h"
#include "show/timeline.h"

#define DRAWN_MOST     1500 /* steps in the time line */
#define WORKLOADS_MOST 512  /* rows of the table of workloads */
#define COUNT(array)   (sizeof(array) / sizeof((array)[0]))

/* "Linux RELEASE", or that there is none. */
static void put_release(const struct page *page, enum side side)
{
	const char *release = member_text(member(page->recording, "kernel"), side_name(side));

	fputs(*release ? "Linux " : "an unknown kernel", page->out);
	html_text(page->out, release);
}

static void put_overview(const struct page *page)
{
	struct json_object *blackout = member(page->recording, "blackout");
	struct json_object *kernel = member(page->recording, "kernel");
	char time[TIME_TEXT_SIZE], explained[EXPLAINED_TEXT_SIZE];
	int side;

	fputs("<dl>\n", page->out);
	for (side = 0; side < SIDES; side++)
		html_fact(page->out, side == OUTGOING ? "outgoing kernel" : "incoming kernel",
			  "%s%s", member(kernel, side_name(side)) ? "Linux " : "not recorded",
			  member_text(kernel, side_name(side)));
	html_fact(page->out, "when", "%s",
		  member(page->recording, "time") ? member_text(page->recording, "time")
						  : "not recorded");
	if (!member(blackout, "ns")) {
		html_fact(page->out, "pause", "unknown: %s", member_text(blackout, "unknown"));
	} else {
		html_fact(page->out, "pause", "%s", time_text(member_number(blackout, "ns"), time));
		html_fact(page->out, "from", "%s", boundary_text(member_text(blackout, "from")));
		html_fact(page->out, "to", "%s", boundary_text(member_text(blackout, "to")));
		html_fact(page->out, "explained", "%s", explained_text(blackout, explained));
		html_fact(page->out, "shorter", "%s",
			  "lutrace advise says what is known to make it shorter");
	}
	fputs("</dl>\n", page->out);
}

static void put_timeline(const struct page *page)
{
	size_t left_out;

	if (!page->handover->khz) {
		fputs("<p>Neither kernel recorded its cycle counter's frequency: there is no time "
		      "line.</p>\n",
		      page->out);
		return;
	}
	fputs("<figure>\n<div class=\"wide\" role=\"group\" tabindex=\"0\" "
	      "aria-label=\"Time line of both kernels\">\n",
	      page->out);
	left_out = timeline_write(page->out, page->handover, false, DRAWN_MOST);
	fputs("</div>\n<figcaption>Both kernels on one time line. A step's tooltip says what it was "
	      "and how long it took.",
	      page->out);
	if (left_out)
		fprintf(page->out, " %zu shorter steps are not drawn.", left_out);
	fputs("</figcaption>\n</figure>\n", page->out);
}

/* The workloads whose marks have a name; nothing where there are none. */
static void put_workloads(const struct page *page)
{
	struct json_object *rows = member(member(page->recording, "blackout"), "workloads");
	const struct html_table table = {
		.caption = "The pause of each workload, within that of the host",
		.columns = workload_columns,
		.count = WORKLOAD_COLUMNS,
		.most = WORKLOADS_MOST,
		.sort = true,
	};

	if (json_object_is_type(rows, json_type_array) && json_object_array_length(rows))
		html_table(page->out, &table, rows);
}

/* What is not known of phases, of a kernel that keeps no ledger. */
static void put_unknown(const struct page *page, struct json_object *phases)
{
	size_t i, count = json_object_array_length(phases);

	for (i = 0; i < count; i++) {
		if (!unknown_phase(phases, i))
			continue;
		fputs("<p>Unknown: ", page->out);
		html_text(page->out, member_text(json_object_array_get_idx(phases, i), "name"));
		fputs(": ", page->out);
		svg_text(page->out, unknown_phase(phases, i));
		fputs(".</p>\n", page->out);
	}
}

static void put_phases(const struct page *page)
{
	struct json_object *blackout = member(page->recording, "blackout");
	struct json_object *phases = member(blackout, "phases"), *sum;
	struct html_table table = {
		.caption = "The phases of the pause, which are adjacent",
		.columns = phase_columns,
		.count = PHASE_COLUMNS,
		.total = (uint64_t)member_number(blackout, "ns"),
		.most = LIVEUPDATE_PHASE_COUNT,
	};
	int64_t ns = 0, unexplained = 0;
	size_t i;

	if (!member(blackout, "ns")) {
		fputs("<p>The pause is unknown, so there are none: ", page->out);
		html_text(page->out, member_text(blackout, "unknown"));
		fputs(".</p>\n", page->out);
		put_workloads(page);
		return;
	}
	for (i = 0; i < json_object_array_length(phases); i++) {
		struct json_object *phase = json_object_array_get_idx(phases, i);

		ns += member_number(phase, "ns");
		unexplained += member_number(phase, "unexplained_ns");
	}
	sum = json_object_new_object();
	add_text(sum, "name", "all together");
	add_number(sum, "begin_ns", 0);
	add_number(sum, "ns", ns);
	add_number(sum, "unexplained_ns", unexplained);
	table.sum = sum;
	html_table(page->out, &table, phases);
	json_object_put(sum);
	put_unknown(page, phases);
	put_workloads(page);
}

/* The ledgers that all of it is computed from, and what computed it. */
static void put_environment(const struct page *page)
{
	static const char *const names[SIDES] = { "Ledger of the outgoing kernel",
						  "Ledger of the incoming kernel" };
	const struct handover *handover = page->handover;
	int side;

	fputs("<dl>\n", page->out);
	if (page->evidence->generator)
		html_fact(page->out, "recorded by", "%s", page->evidence->generator);
	if (page->evidence->host)
		html_fact(page->out, "host", "%s, machine ID %s", page->evidence->host->name ?: "?",
			  page->evidence->host->machine_id ?: "?");
	html_fact(page->out, "page made by", "lutrace %s", LUTRACE_VERSION);
	html_fact(page->out, "steps", "%zu", handover->count);
	html_fact(page->out, "steps that ended but never began", "%zu", handover->unpaired);
	fputs("</dl>\n", page->out);
	for (side = 0; side < SIDES; side++) {
		const struct liveupdate_ledger *header = &handover->ledger[side].header;

		fprintf(page->out, "<h3>%s</h3>\n", names[side]);
		if (!handover->present[side]) {
			fputs("<p>There is none.</p>\n", page->out);
			continue;
		}
		fputs("<dl>\n", page->out);
		html_fact(page->out, "kernel", "Linux %s", header->release);
		if (ledger_is_kept(&handover->ledger[side]))
			html_fact(page->out, "kept by", "%s", "lutrace, as the kernel keeps none");
		html_fact(page->out, "version of the format", "%u", header->version);
		html_fact(page->out, "records", "%zu", handover->ledger[side].count);
		html_fact(page->out, "room for records", "%" PRIu64, (uint64_t)header->capacity);
		html_fact(page->out, "records that found no room", "%" PRIu64,
			  (uint64_t)header->dropped);
		html_fact(page->out, "cycle counter",
			  header->cycles_khz ? "%" PRIu64 " kHz" : "frequency not known",
			  (uint64_t)header->cycles_khz);
		fputs("</dl>\n", page->out);
	}
}

static const struct section {
	const char *id;
	const char *title;
	void (*write)(const struct page *page);
} sections[] = {
	{ "overview", "Overview", put_overview },
	{ "timeline", "Time line", put_timeline },
	{ "phases", "Phases", put_phases },
	{ "steps", "Steps", html_steps },
	{ "identity", "Page tables", html_identity },
	{ "dma", "DMA", html_dma },
	{ "interrupts", "Interrupts", html_interrupts },
	{ "session", "Session", html_session },
	{ "referee", "Referee", html_referee },
	{ "environment", "Environment", put_environment },
};

static void put_head(const struct page *page)
{
	fprintf(page->out,
		"<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
		"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
		"style-src 'unsafe-inline'; script-src 'sha256-%s'; base-uri 'none'; form-action 'none'\">\n"
		"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
		"<meta name=\"color-scheme\" content=\"light dark\">\n"
		"<meta name=\"referrer\" content=\"no-referrer\">\n"
		"<meta name=\"generator\" content=\"lutrace " LUTRACE_VERSION "\">\n"
		"<title>Live update from ",
		html_script_sha256);
	put_release(page, OUTGOING);
	fputs(" to ", page->out);
	put_release(page, INCOMING);
	fprintf(page->out, "</title>\n<style>%s</style>\n</head>\n", html_style);
}

static void put_header(const struct page *page)
{
	static const char *const classes[VERDICTS] = {
		[VERDICT_GOOD] = "good",
		[VERDICT_BAD] = "bad",
		[VERDICT_UNKNOWN] = "unsure",
	};
	char text[VERDICT_TEXT_SIZE];
	struct verdict_of verdict;
	size_t i;

	verdict_make(&verdict, page->handover, page->evidence, page->budget_ns);

	fputs("<body>\n<a class=\"skip\" href=\"#main\">Skip to the report</a>\n<header>\n"
	      "<h1>Live update from ",
	      page->out);
	put_release(page, OUTGOING);
	fputs(" to ", page->out);
	put_release(page, INCOMING);
	fprintf(page->out, "</h1>\n<p class=\"verdict %s\"><strong>%s.</strong> ",
		classes[verdict.says], verdict_word(verdict.says));
	/* Sentences are longer than html_text() lets names be; workloads have theirs in this one. */
	svg_text(page->out, verdict_text(&verdict, text));
	fputs("</p>\n</header>\n<nav aria-label=\"Sections\">\n<ul>\n", page->out);
	for (i = 0; i < COUNT(sections); i++)
		fprintf(page->out, "<li><a href=\"#%s\">%s</a></li>\n", sections[i].id,
			sections[i].title);
	fputs("</ul>\n</nav>\n<main id=\"main\" tabindex=\"-1\">\n", page->out);
}

/**
 * html_write - write a handover as an HTML page
 * @out:       where to
 * @handover:  the handover
 * @evidence:  what others testify to
 * @budget_ns: how long the pause may be, 0 for no budget
 *
 * Return: 0, or -1 if it could not be written.
 */
int html_write(FILE *out, const struct handover *handover, const struct evidence *evidence,
	       uint64_t budget_ns)
{
	struct page page = { out, handover, recording_overview(handover, evidence), evidence,
			     budget_ns };
	size_t i;

	put_head(&page);
	put_header(&page);
	for (i = 0; i < COUNT(sections); i++) {
		fprintf(out, "<section aria-labelledby=\"%s\">\n<h2 id=\"%s\">%s</h2>\n",
			sections[i].id, sections[i].id, sections[i].title);
		sections[i].write(&page);
		fputs("</section>\n", out);
	}
	fprintf(out,
		"</main>\n<footer><p>This page is complete in itself and loads nothing.</p></footer>\n"
		"<script>%s</script>\n</body>\n</html>\n",
		html_script);
	json_object_put(page.recording);
	return ferror(out) ? -1 : 0;
}
