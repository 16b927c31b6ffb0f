// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * lutrace plot: both kernels on one time line, as a picture.
 *
 * Plain SVG that any browser, viewer and printer takes: no script; what a step
 * is, and how long it took, is in its tooltip (<title>). Colours follow the
 * reader's light or dark scheme, and are always light on paper.
 *
 * From top to bottom: which kernel ran, the phases of the blackout, the steps,
 * each in a lane below the step that it is part of, the time axis, and the
 * phases once more as a table, for those that are too short to be seen.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "main.h"
#include "plot.h"
#include "recording.h"
#include "source.h"
#include "vocabulary.h"

#define WIDTH		1200
#define LEFT		80
#define RIGHT		20
#define PLOT_WIDTH	(WIDTH - LEFT - RIGHT)
#define KERNEL_TOP	64
#define PHASE_TOP	92
#define STEPS_TOP	132
#define BAR_HEIGHT	22
#define LANE_HEIGHT	18
#define MAX_LANES	48
#define LETTER_WIDTH	6.3	/* of the 11 pixel font, on average */
#define MIN_WIDTH	0.8	/* so that a short step is still seen */

/**
 * struct plot - what is drawn where
 * @out:      the SVG
 * @handover: the handover
 * @first:    time at the left edge, in nanoseconds from the origin
 * @last:     time at the right edge
 * @jump:     time of the jump, INT64_MAX if there was none
 * @boot:     time of the incoming kernel's boot, INT64_MAX if there was none
 * @busy:     [lane]: until when it is taken
 * @lanes:    lanes in use
 * @lane:     [step]: its lane, -1 if it is not drawn
 */
struct plot {
	FILE *out;
	const struct handover *handover;
	int64_t first;
	int64_t last;
	int64_t jump;
	int64_t boot;
	int64_t busy[MAX_LANES];
	int lanes;
	int *lane;
};

static const char style[] =
	"text{font:11px system-ui,sans-serif;fill:#1c2128}\n"
	".paper{fill:#fff}\n"
	".title{font-size:17px;font-weight:600}\n"
	".quiet{fill:#59636e}\n"
	".number{text-anchor:end;font-variant-numeric:tabular-nums}\n"
	".inside{pointer-events:none}\n"
	".grid{stroke:#d1d9e0;stroke-width:1}\n"
	".mark{stroke:#a40e26;stroke-width:1;stroke-dasharray:4 3}\n"
	".kernel-outgoing{fill:#c8dcf4}.kernel-incoming{fill:#c9ebd3}.kernel-none{fill:#e4e6ea}\n"
	".step{stroke-width:.6}\n"
	".outgoing{fill:#8db8ea;stroke:#215a9c}.incoming{fill:#8fd3a5;stroke:#216e39}\n"
	".open{fill-opacity:.35;stroke-dasharray:3 2}\n"
	".failed{fill:#f28b82;stroke:#a40e26}\n"
	".phase{stroke:#fff;stroke-width:1}\n"
	".quiesce{fill:#b8b8ff}.freeze{fill:#8ec5ff}.shutdown{fill:#7fd6d6}\n"
	".jump{fill:#ffb3a7}.early-boot{fill:#ffd28a}.restore{fill:#9be08f}\n"
	".kernel-init{fill:#f4e285}.userspace{fill:#d9c2f0}.retrieve{fill:#f5b8dc}\n"
	"@media screen and (prefers-color-scheme:dark){\n"
	"text{fill:#e6edf3}.paper{fill:#0d1117}.quiet{fill:#9198a1}\n"
	".grid{stroke:#30363d}.mark{stroke:#ff7b72}.phase{stroke:#0d1117}\n"
	".kernel-outgoing{fill:#1c3a5e}.kernel-incoming{fill:#1a4a2b}.kernel-none{fill:#2d333b}\n"
	".outgoing{fill:#2f5f97;stroke:#79b8ff}.incoming{fill:#2a6f41;stroke:#7ee2a8}\n"
	".failed{fill:#8e1519;stroke:#ff7b72}\n"
	".quiesce{fill:#4c4cb0}.freeze{fill:#1f5fa8}.shutdown{fill:#1a7070}\n"
	".jump{fill:#a03a2a}.early-boot{fill:#8a5a00}.restore{fill:#2c7a22}\n"
	".kernel-init{fill:#73651a}.userspace{fill:#66449a}.retrieve{fill:#9a3a74}\n"
	"}\n"
	"@media print{.grid{stroke:#999}.phase{stroke:#000;stroke-width:.5}}\n";

/* Names are data: whatever is in them must not become markup. */
static void put_text(FILE *out, const char *text)
{
	for (; *text; text++) {
		unsigned char letter = (unsigned char)*text;

		switch (letter) {
		case '&':
			fputs("&amp;", out);
			break;
		case '<':
			fputs("&lt;", out);
			break;
		case '>':
			fputs("&gt;", out);
			break;
		case '"':
			fputs("&quot;", out);
			break;
		default:
			fputc(letter < 0x20 || letter > 0x7e ? '?' : letter, out);
		}
	}
}

/* Where a point in time is; never outside the plot. */
static double place(const struct plot *plot, int64_t ns)
{
	double share;

	if (ns < plot->first)
		ns = plot->first;
	if (ns > plot->last)
		ns = plot->last;
	share = (double)(ns - plot->first) / (double)(plot->last - plot->first);
	return LEFT + share * PLOT_WIDTH;
}

/* A label inside a bar, if it has room. */
static void put_label(const struct plot *plot, double x, double width, double y,
		      const char *text)
{
	if ((double)strlen(text) * LETTER_WIDTH + 6 > width)
		return;
	fprintf(plot->out, "<text class=\"inside\" x=\"%.2f\" y=\"%.1f\">", x + 4, y);
	put_text(plot->out, text);
	fprintf(plot->out, "</text>\n");
}

static void put_row_title(const struct plot *plot, double y, const char *text)
{
	fprintf(plot->out, "<text class=\"quiet\" x=\"8\" y=\"%.1f\">%s</text>\n", y, text);
}

static void put_kernel(const struct plot *plot, int64_t from, int64_t to,
		       const char *class, const char *name, const char *release)
{
	double x = place(plot, from), width = place(plot, to) - x;
	char label[128], time[TIME_TEXT_SIZE];

	if (to <= plot->first || from >= plot->last)
		return;
	snprintf(label, sizeof(label), "%s%s", name, release);
	fprintf(plot->out,
		"<rect class=\"%s\" x=\"%.2f\" y=\"%d\" width=\"%.2f\" height=\"%d\"><title>",
		class, x, KERNEL_TOP, width > MIN_WIDTH ? width : MIN_WIDTH, BAR_HEIGHT);
	put_text(plot->out, label);
	if (!*release)
		fprintf(plot->out, ": %s", time_text(to - from, time));
	fprintf(plot->out, "</title></rect>\n");
	put_label(plot, x, width, KERNEL_TOP + 15, label);
}

static void put_kernels(const struct plot *plot)
{
	const struct handover *handover = plot->handover;
	int64_t end = plot->boot < plot->jump ? plot->boot : plot->jump;

	put_row_title(plot, KERNEL_TOP + 15, "kernel");
	if (handover->present[OUTGOING])
		put_kernel(plot, plot->first, end < plot->last ? end : plot->last,
			   "kernel-outgoing", "Linux ",
			   handover->ledger[OUTGOING].header.release);
	if (plot->jump < plot->boot && plot->boot != INT64_MAX)
		put_kernel(plot, plot->jump, plot->boot, "kernel-none",
			   "no kernel runs", "");
	if (handover->present[INCOMING])
		put_kernel(plot, plot->boot == INT64_MAX ? plot->first : plot->boot,
			   plot->last, "kernel-incoming", "Linux ",
			   handover->ledger[INCOMING].header.release);
}

static void put_phases(const struct plot *plot)
{
	const struct blackout *blackout = &plot->handover->blackout;
	char time[TIME_TEXT_SIZE];
	unsigned int i;

	put_row_title(plot, PHASE_TOP + 15, "phase");
	for (i = 0; blackout->known && i < LIVEUPDATE_PHASE_COUNT; i++) {
		const struct blackout_phase *phase = &blackout->phases[i];
		double x = place(plot, (int64_t)phase->begin_ns);
		double width = place(plot, (int64_t)(phase->begin_ns + phase->ns)) - x;

		if (phase->absent)
			continue;
		fprintf(plot->out,
			"<rect class=\"phase %s\" x=\"%.2f\" y=\"%d\" width=\"%.2f\" height=\"%d\"><title>%s: %s</title></rect>\n",
			phase_name(i), x, PHASE_TOP, width > MIN_WIDTH ? width : MIN_WIDTH,
			BAR_HEIGHT, phase_name(i), time_text((int64_t)phase->ns, time));
		put_label(plot, x, width, PHASE_TOP + 15, phase_name(i));
	}
}

/* A step without an end goes on for as long as its kernel is in the picture. */
static int64_t step_end(const struct plot *plot, const struct step *step)
{
	int64_t begin = handover_time(plot->handover, step->begin->cycles);
	int64_t end;

	if (step->end)
		end = handover_time(plot->handover, step->end->cycles);
	else if (step->side == OUTGOING && plot->jump != INT64_MAX)
		end = plot->jump;
	else
		end = plot->last;
	return end < begin ? begin : end;
}

/* Below its parent, in the first lane that is free by then. */
static void choose_lanes(struct plot *plot)
{
	const struct handover *handover = plot->handover;
	int64_t begin, end;
	size_t i;
	int lane;

	for (i = 0; i < handover->count; i++) {
		const struct step *step = &handover->steps[i];

		begin = handover_time(handover, step->begin->cycles);
		end = step_end(plot, step);
		plot->lane[i] = -1;
		if (end < plot->first || begin > plot->last)
			continue;

		lane = step->parent == NO_PARENT ? 0 : plot->lane[step->parent] + 1;
		while (lane < plot->lanes && plot->busy[lane] > begin)
			lane++;
		if (lane >= MAX_LANES)
			lane = MAX_LANES - 1;
		if (lane >= plot->lanes)
			plot->lanes = lane + 1;
		/* An instant takes a little room, or the next would hide it. */
		plot->busy[lane] = end > begin ? end :
				   begin + (plot->last - plot->first) / PLOT_WIDTH;
		plot->lane[i] = lane;
	}
}

static void put_step(const struct plot *plot, const struct step *step, int lane)
{
	const struct liveupdate_record *begin = step->begin;
	int64_t from = handover_time(plot->handover, begin->cycles);
	double x = place(plot, from), width = place(plot, step_end(plot, step)) - x;
	int y = STEPS_TOP + lane * LANE_HEIGHT;
	bool failed = step->end && step->end->ret;
	char time[TIME_TEXT_SIZE], object[NAME_TEXT_SIZE];
	uint64_t ns;

	fprintf(plot->out,
		"<g><title>%s ", step_name(begin->step));
	put_text(plot->out, object_text(begin->kind, begin->object, begin->name, object));
	fprintf(plot->out, "\nat %s in the %s kernel", time_text(from, time),
		side_name(step->side));
	if (begin->edge != LIVEUPDATE_EDGE_INSTANT) {
		if (handover_duration(plot->handover, step, &ns))
			fprintf(plot->out, ", for %s", time_text((int64_t)ns, time));
		else
			fprintf(plot->out, ", did not end");
	}
	if (step->end && step->end->count)
		fprintf(plot->out, "\n%" PRIu64 " objects", (uint64_t)step->end->count);
	if (failed)
		fprintf(plot->out, "\nfailed: %s", error_text(step->end->ret));
	fprintf(plot->out,
		"</title><rect class=\"step %s%s\" x=\"%.2f\" y=\"%d\" width=\"%.2f\" height=\"%d\"/></g>\n",
		failed ? "failed" : side_name(step->side), step->end ? "" : " open",
		x, y, width > MIN_WIDTH ? width : MIN_WIDTH, LANE_HEIGHT - 4);
	put_label(plot, x, width, y + 11, step_name(begin->step));
}

static void put_marks(const struct plot *plot, int bottom)
{
	const struct handover *handover = plot->handover;
	size_t i;

	for (i = 0; i < handover->count; i++) {
		const struct liveupdate_record *record = handover->steps[i].begin;
		int64_t at = handover_time(handover, record->cycles);
		double x = place(plot, at);

		if (record->step != LIVEUPDATE_STEP_USER_MARK || at < plot->first ||
		    at > plot->last)
			continue;
		fprintf(plot->out,
			"<line class=\"mark\" x1=\"%.2f\" y1=\"%d\" x2=\"%.2f\" y2=\"%d\"/>\n",
			x, KERNEL_TOP - 4, x, bottom);
		fprintf(plot->out, "<text class=\"quiet\" x=\"%.2f\" y=\"%d\"%s>", x,
			KERNEL_TOP - 7, x > WIDTH - 80 ? " text-anchor=\"end\"" : "");
		put_text(plot->out, record->name);
		fprintf(plot->out, "</text>\n");
	}
}

/* A round distance that makes at most twelve intervals. */
static int64_t tick_distance(int64_t span)
{
	static const int steps[] = { 1, 2, 5 };
	int64_t unit;
	int i;

	for (unit = 1; unit < INT64_MAX / 100; unit *= 10) {
		for (i = 0; i < 3; i++) {
			if (span / (unit * steps[i]) < 12)
				return unit * steps[i];
		}
	}
	return span;
}

static void tick_text(int64_t at, int64_t distance, char text[TIME_TEXT_SIZE])
{
	static const struct {
		int64_t ns;
		const char *name;
	} units[] = { { 1000000000, "s" }, { 1000000, "ms" }, { 1000, "us" }, { 1, "ns" } };
	int i = 0, digits = 0;
	int64_t rest;

	/* The unit of the largest ticks, with the digits that their distance needs. */
	while (i < 3 && distance * 12 < units[i].ns)
		i++;
	for (rest = units[i].ns; distance % rest && digits < 9; rest /= 10)
		digits++;
	snprintf(text, TIME_TEXT_SIZE, "%.*f %s", digits,
		 (double)at / (double)units[i].ns, units[i].name);
}

static void put_axis(const struct plot *plot, int bottom)
{
	int64_t distance = tick_distance(plot->last - plot->first), at;
	char text[TIME_TEXT_SIZE];

	at = plot->first / distance * distance;
	if (at < plot->first)
		at += distance;
	for (; at <= plot->last; at += distance) {
		double x = place(plot, at);

		tick_text(at, distance, text);
		fprintf(plot->out,
			"<line class=\"grid\" x1=\"%.2f\" y1=\"%d\" x2=\"%.2f\" y2=\"%d\"/>\n",
			x, KERNEL_TOP, x, bottom);
		fprintf(plot->out,
			"<text class=\"quiet\" text-anchor=\"middle\" x=\"%.2f\" y=\"%d\">%s</text>\n",
			x, bottom + 15, text);
	}
}

static void put_table(const struct plot *plot, int top)
{
	const struct blackout *blackout = &plot->handover->blackout;
	char time[TIME_TEXT_SIZE];
	unsigned int i;
	int y = top;

	for (i = 0; blackout->known && i < LIVEUPDATE_PHASE_COUNT; i++) {
		const struct blackout_phase *phase = &blackout->phases[i];

		if (phase->absent)
			continue;
		fprintf(plot->out,
			"<rect class=\"phase %s\" x=\"%d\" y=\"%d\" width=\"12\" height=\"12\"/>\n",
			phase_name(i), LEFT, y - 10);
		fprintf(plot->out, "<text x=\"%d\" y=\"%d\">%s</text>\n", LEFT + 20, y,
			phase_name(i));
		fprintf(plot->out, "<text class=\"number\" x=\"%d\" y=\"%d\">%s</text>\n",
			LEFT + 190, y, time_text((int64_t)phase->ns, time));
		fprintf(plot->out, "<text class=\"number\" x=\"%d\" y=\"%d\">%.1f %%</text>\n",
			LEFT + 250, y, blackout->ns ?
			100.0 * (double)phase->ns / (double)blackout->ns : 0.0);
		y += 17;
	}
}

static unsigned int phases_present(const struct blackout *blackout)
{
	unsigned int i, count = 0;

	for (i = 0; blackout->known && i < LIVEUPDATE_PHASE_COUNT; i++)
		count += !blackout->phases[i].absent;
	return count;
}

/* What to show: the blackout with a margin, or all that was recorded. */
static void choose_range(struct plot *plot, bool all)
{
	const struct handover *handover = plot->handover;
	int64_t margin;
	size_t i;
	int side;

	if (handover->blackout.known && !all) {
		plot->first = 0;
		plot->last = (int64_t)handover->blackout.ns;
	} else {
		plot->first = INT64_MAX;
		plot->last = INT64_MIN;
		for (side = 0; side < SIDES; side++) {
			const struct ledger *ledger = &handover->ledger[side];

			for (i = 0; i < ledger->count; i++) {
				int64_t at = handover_time(handover,
							   ledger->records[i].cycles);

				plot->first = at < plot->first ? at : plot->first;
				plot->last = at > plot->last ? at : plot->last;
			}
		}
		if (plot->first > plot->last)
			plot->first = plot->last = 0;
	}
	margin = (plot->last - plot->first) / 50 + 1;
	plot->first -= margin;
	plot->last += margin;

	plot->jump = INT64_MAX;
	plot->boot = INT64_MAX;
	for (i = 0; i < handover->count; i++) {
		const struct step *step = &handover->steps[i];
		int64_t at = handover_time(handover, step->begin->cycles);

		if (step->side == OUTGOING && step->begin->step == LIVEUPDATE_STEP_JUMP)
			plot->jump = at;
		if (step->side == INCOMING && step->begin->step == LIVEUPDATE_STEP_BOOT)
			plot->boot = at;
	}
}

static void put_title(const struct plot *plot)
{
	const struct handover *handover = plot->handover;
	struct json_object *when = recording_time(handover);
	char time[TIME_TEXT_SIZE];

	fprintf(plot->out, "<text class=\"title\" x=\"8\" y=\"26\">");
	if (handover->blackout.known)
		fprintf(plot->out, "Live update: blackout of %s",
			time_text((int64_t)handover->blackout.ns, time));
	else
		fprintf(plot->out, "Live update: blackout unknown, %s",
			blackout_reason_text(handover->blackout.reason));
	fprintf(plot->out, "</text>\n<text class=\"quiet\" x=\"8\" y=\"44\">");
	fprintf(plot->out, "time 0 is %s",
		handover->blackout.known && handover_from_mark(handover) ?
		"the mark &quot;pause&quot;" : "the reboot call");
	if (when)
		fprintf(plot->out, ", %s", json_object_get_string(when));
	fprintf(plot->out, "</text>\n");
	json_object_put(when);
}

/**
 * plot_write - write a handover as SVG
 * @out:      where to
 * @handover: the handover
 * @all:      all of it rather than the blackout alone
 */
void plot_write(FILE *out, const struct handover *handover, bool all)
{
	struct plot plot = { .out = out, .handover = handover };
	int bottom, height;
	size_t i;

	plot.lane = calloc(handover->count ?: 1, sizeof(*plot.lane));
	if (!plot.lane)
		return;
	choose_range(&plot, all);
	choose_lanes(&plot);
	bottom = STEPS_TOP + plot.lanes * LANE_HEIGHT + 6;
	height = bottom + 46 + (int)phases_present(&handover->blackout) * 17;

	fprintf(out,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" role=\"img\" aria-label=\"Time line of a live update\">\n"
		"<style>\n%s</style>\n"
		"<rect class=\"paper\" width=\"100%%\" height=\"100%%\"/>\n",
		WIDTH, height, WIDTH, height, style);
	put_title(&plot);
	put_axis(&plot, bottom);
	put_kernels(&plot);
	put_phases(&plot);
	put_row_title(&plot, STEPS_TOP + 11, "steps");
	for (i = 0; i < handover->count; i++) {
		if (plot.lane[i] >= 0)
			put_step(&plot, &handover->steps[i], plot.lane[i]);
	}
	put_marks(&plot, bottom);
	put_table(&plot, bottom + 42);
	fprintf(out, "</svg>\n");
	free(plot.lane);
}

int do_plot(int argc, char **argv)
{
	static const struct option options[] = {
		SOURCE_OPTIONS,
		{ "output", required_argument, NULL, 'o' },
		{ "all", no_argument, NULL, 'a' },
		{ 0 }
	};
	struct source source = { 0 };
	struct handover handover;
	const char *path = NULL;
	bool all = false;
	char *svg = NULL;
	size_t size;
	FILE *out;
	int letter, code;

	while ((letter = next_option(argc, argv, SOURCE_LETTERS "o:a", options)) != -1) {
		switch (letter) {
		case 'o':
			path = optarg;
			break;
		case 'a':
			all = true;
			break;
		default:
			source_option(&source, letter, optarg);
		}
	}
	code = source_arguments(&source, argc, argv) ?: source_read(&source, &handover);
	if (code)
		return code;

	if (!handover.khz) {
		code = unknown("neither kernel recorded its cycle counter's frequency: there is no time line");
		goto out;
	}
	out = open_memstream(&svg, &size);
	if (!out) {
		code = fail("out of memory");
		goto out;
	}
	plot_write(out, &handover, all);
	code = fclose(out) ? fail("out of memory") : output_file(path, svg, size);
	free(svg);
out:
	source_free(&source, &handover);
	return code;
}
