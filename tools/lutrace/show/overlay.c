// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Two blackouts over each other, before and after, as a picture.
 *
 * Both begin at time 0. From top to bottom: the phases of one and of the other,
 * with a band from each phase to the same phase of the other; a row for each kind
 * of step, above its line what was before, below it what is after; the phases
 * once more as a table.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "show/output.h"
#include "show/overlay.h"
#include "show/svg.h"
#include "model/vocabulary.h"

#define LEFT	    150
#define PHASES_TOP  72
#define BAR_HEIGHT  22
#define BAND_HEIGHT 26
#define STEPS_TOP   (PHASES_TOP + 2 * BAR_HEIGHT + BAND_HEIGHT + 18)
#define ROW_HEIGHT  22
#define HALF_HEIGHT 9
#define MAX_STEPS   256 /* kinds of step that have rows */

static const char *const names[OVERLAYS] = { "before", "after" };

/**
 * struct bar - steps of one kind, drawn as one because they touch
 * @begin: when the first began
 * @end:   when the last ended
 * @ns:    how long they took together
 * @count: how many they are
 */
struct bar {
	int64_t begin;
	int64_t end;
	uint64_t ns;
	uint64_t count;
};

/**
 * struct overlay - what is drawn where
 * @out:       the SVG
 * @handovers: before and after
 * @scale:     the time line
 * @row:       [kind of step]: top of its row, 0 if it has none
 * @bars:      [kind of step]: what has not been drawn yet of it
 */
struct overlay {
	FILE *out;
	const struct handover *const *handovers;
	struct svg_scale scale;
	int row[MAX_STEPS];
	struct bar bars[MAX_STEPS];
};

static int phases_y(int which)
{
	return PHASES_TOP + which * (BAR_HEIGHT + BAND_HEIGHT);
}

static void put_phases(const struct overlay *overlay, int which)
{
	const struct blackout *blackout = &overlay->handovers[which]->blackout;
	char time[TIME_TEXT_SIZE];
	unsigned int i;

	fprintf(overlay->out, "<text class=\"quiet\" x=\"8\" y=\"%d\">%s</text>\n",
		phases_y(which) + 15, names[which]);
	for (i = 0; i < LIVEUPDATE_PHASE_COUNT; i++) {
		const struct blackout_phase *phase = &blackout->phases[i];
		double x = svg_place(&overlay->scale, (int64_t)phase->begin_ns);
		double width =
			svg_place(&overlay->scale, (int64_t)(phase->begin_ns + phase->ns)) - x;

		if (phase->absent)
			continue;
		fprintf(overlay->out,
			"<rect class=\"phase %s\" x=\"%.2f\" y=\"%d\" width=\"%.2f\" height=\"%d\"><title>%s %s: %s</title></rect>\n",
			phase_name(i), x, phases_y(which),
			width > SVG_MIN_WIDTH ? width : SVG_MIN_WIDTH, BAR_HEIGHT, phase_name(i),
			names[which], time_text((int64_t)phase->ns, time));
		svg_label(overlay->out, x, width, phases_y(which) + 15, phase_name(i));
	}
}

/* From each phase to the same one of the other. */
static void put_bands(const struct overlay *overlay)
{
	const struct blackout *before = &overlay->handovers[0]->blackout;
	const struct blackout *after = &overlay->handovers[1]->blackout;
	unsigned int i;

	for (i = 0; i < LIVEUPDATE_PHASE_COUNT; i++) {
		const struct blackout_phase *from = &before->phases[i], *to = &after->phases[i];

		if (from->absent || to->absent)
			continue;
		fprintf(overlay->out,
			"<polygon class=\"link %s\" points=\"%.2f,%d %.2f,%d %.2f,%d %.2f,%d\"/>\n",
			phase_name(i), svg_place(&overlay->scale, (int64_t)from->begin_ns),
			phases_y(0) + BAR_HEIGHT,
			svg_place(&overlay->scale, (int64_t)(from->begin_ns + from->ns)),
			phases_y(0) + BAR_HEIGHT,
			svg_place(&overlay->scale, (int64_t)(to->begin_ns + to->ns)), phases_y(1),
			svg_place(&overlay->scale, (int64_t)to->begin_ns), phases_y(1));
	}
}

/* Is a step in the picture? Then when it began and how long it took. */
static bool in_picture(const struct handover *handover, const struct step *step, int64_t *begin,
		       uint64_t *ns)
{
	if (step->begin->edge == LIVEUPDATE_EDGE_INSTANT || step->begin->step >= MAX_STEPS ||
	    !handover_duration(handover, step, ns))
		return false;
	*begin = handover_time(handover, step->begin->cycles);
	return *begin + (int64_t)*ns >= 0 && *begin <= (int64_t)handover->blackout.ns;
}

/* When each kind of step first began in either; INT64_MAX if it did not. */
static void find_first(const struct overlay *overlay, int64_t first[MAX_STEPS])
{
	int64_t begin;
	uint64_t ns;
	size_t i;
	int which;

	for (i = 0; i < MAX_STEPS; i++)
		first[i] = INT64_MAX;
	for (which = 0; which < OVERLAYS; which++) {
		const struct handover *handover = overlay->handovers[which];

		for (i = 0; i < handover->count; i++) {
			const struct step *step = &handover->steps[i];

			if (in_picture(handover, step, &begin, &ns) &&
			    begin < first[step->begin->step])
				first[step->begin->step] = begin;
		}
	}
}

/* A row for each kind of step, in the order of time; returns where they end. */
static int choose_rows(struct overlay *overlay)
{
	int64_t first[MAX_STEPS];
	int y = STEPS_TOP;
	size_t i, next;

	find_first(overlay, first);
	do {
		next = MAX_STEPS;
		for (i = 0; i < MAX_STEPS; i++) {
			if (first[i] != INT64_MAX && !overlay->row[i] &&
			    (next == MAX_STEPS || first[i] < first[next]))
				next = i;
		}
		if (next < MAX_STEPS) {
			overlay->row[next] = y;
			y += ROW_HEIGHT;
		}
	} while (next < MAX_STEPS);
	return y;
}

static void put_bar(const struct overlay *overlay, int which, unsigned int kind)
{
	const struct bar *bar = &overlay->bars[kind];
	double x = svg_place(&overlay->scale, bar->begin);
	double width = svg_place(&overlay->scale, bar->end) - x;
	char time[TIME_TEXT_SIZE], many[32] = "";

	if (!bar->count)
		return;
	if (bar->count > 1)
		snprintf(many, sizeof(many), "%" PRIu64 " times ", bar->count);
	fprintf(overlay->out, "<g><title>%s%s %s\nat %s", many, step_name(kind), names[which],
		time_text(bar->begin, time));
	fprintf(overlay->out,
		", for %s</title><rect class=\"step %s\" x=\"%.2f\" y=\"%d\" width=\"%.2f\" height=\"%d\"/></g>\n",
		time_text((int64_t)bar->ns, time), names[which], x,
		overlay->row[kind] + which * (HALF_HEIGHT + 1),
		width > SVG_MIN_WIDTH ? width : SVG_MIN_WIDTH, HALF_HEIGHT);
}

/* What would be drawn over each other is drawn as one. */
static void put_steps(struct overlay *overlay, int which)
{
	const struct handover *handover = overlay->handovers[which];
	unsigned int kind;
	int64_t begin;
	uint64_t ns;
	size_t i;

	memset(overlay->bars, 0, sizeof(overlay->bars));
	for (i = 0; i < handover->count; i++) {
		const struct step *step = &handover->steps[i];
		struct bar *bar = &overlay->bars[step->begin->step % MAX_STEPS];

		if (!in_picture(handover, step, &begin, &ns))
			continue;
		if (!bar->count || begin < bar->begin ||
		    svg_place(&overlay->scale, begin) >
			    svg_place(&overlay->scale, bar->end) + SVG_MIN_WIDTH) {
			put_bar(overlay, which, step->begin->step);
			*bar = (struct bar){ .begin = begin, .end = begin };
		}
		bar->count++;
		bar->ns += ns;
		if (begin + (int64_t)ns > bar->end)
			bar->end = begin + (int64_t)ns;
	}
	for (kind = 0; kind < MAX_STEPS; kind++)
		put_bar(overlay, which, kind);
}

static void put_rows(const struct overlay *overlay)
{
	unsigned int kind;

	for (kind = 0; kind < MAX_STEPS; kind++) {
		if (overlay->row[kind])
			fprintf(overlay->out, "<text class=\"quiet\" x=\"8\" y=\"%d\">%s</text>\n",
				overlay->row[kind] + 14, step_name(kind));
	}
}

static void put_number(const struct overlay *overlay, int x, int y, const char *text)
{
	fprintf(overlay->out, "<text class=\"number\" x=\"%d\" y=\"%d\">%s</text>\n", x, y, text);
}

static void put_row(const struct overlay *overlay, int y, const char *name, const uint64_t *before,
		    const uint64_t *after)
{
	char text[TIME_TEXT_SIZE];

	fprintf(overlay->out, "<text x=\"%d\" y=\"%d\">%s</text>\n", LEFT + 20, y, name);
	put_number(overlay, LEFT + 200, y, before ? time_text((int64_t)*before, text) : "-");
	put_number(overlay, LEFT + 300, y, after ? time_text((int64_t)*after, text) : "-");
	if (!before || !after)
		return;
	put_number(overlay, LEFT + 400, y, time_text((int64_t)*after - (int64_t)*before, text));
	if (!*before)
		return;
	snprintf(text, sizeof(text), "%.2f", (double)*after / (double)*before);
	put_number(overlay, LEFT + 480, y, text);
}

static void put_table(const struct overlay *overlay, int top)
{
	const struct blackout *before = &overlay->handovers[0]->blackout;
	const struct blackout *after = &overlay->handovers[1]->blackout;
	static const struct {
		int x;
		const char *title;
	} titles[] = {
		{ 200, "before" }, { 300, "after" }, { 400, "difference" }, { 480, "ratio" }
	};
	unsigned int i;
	int y = top;

	for (i = 0; i < sizeof(titles) / sizeof(titles[0]); i++)
		fprintf(overlay->out, "<text class=\"quiet number\" x=\"%d\" y=\"%d\">%s</text>\n",
			LEFT + titles[i].x, y, titles[i].title);
	y += 17;
	for (i = 0; i < LIVEUPDATE_PHASE_COUNT; i++) {
		const struct blackout_phase *from = &before->phases[i], *to = &after->phases[i];

		if (from->absent && to->absent)
			continue;
		fprintf(overlay->out,
			"<rect class=\"phase %s\" x=\"%d\" y=\"%d\" width=\"12\" height=\"12\"/>\n",
			phase_name(i), LEFT, y - 10);
		put_row(overlay, y, phase_name(i),
			from->absent ? NULL : (const uint64_t *)&from->ns,
			to->absent ? NULL : (const uint64_t *)&to->ns);
		y += 17;
	}
	put_row(overlay, y, "blackout", (const uint64_t *)&before->ns,
		(const uint64_t *)&after->ns);
}

static void put_title(const struct overlay *overlay)
{
	char before[TIME_TEXT_SIZE], after[TIME_TEXT_SIZE];
	int which;

	fprintf(overlay->out,
		"<text class=\"title\" x=\"8\" y=\"26\">Live update: blackout of %s before, %s after</text>\n",
		time_text((int64_t)overlay->handovers[0]->blackout.ns, before),
		time_text((int64_t)overlay->handovers[1]->blackout.ns, after));
	fputs("<text class=\"quiet\" x=\"8\" y=\"44\">", overlay->out);
	for (which = 0; which < OVERLAYS; which++) {
		const struct handover *handover = overlay->handovers[which];

		fprintf(overlay->out, "%s%s: Linux ", which ? "; " : "", names[which]);
		svg_text(overlay->out, handover->ledger[OUTGOING].header.release);
		fputs(" to ", overlay->out);
		svg_text(overlay->out, handover->ledger[INCOMING].header.release);
	}
	fputs("</text>\n", overlay->out);
	for (which = 0; which < OVERLAYS; which++)
		fprintf(overlay->out,
			"<rect class=\"step %s\" x=\"%d\" y=\"52\" width=\"12\" height=\"10\"/><text class=\"quiet\" x=\"%d\" y=\"61\">steps %s</text>\n",
			names[which], LEFT + which * 110, LEFT + which * 110 + 18, names[which]);
}

/**
 * overlay_write - write two blackouts over each other as SVG
 * @out:       where to
 * @handovers: before and after; both blackouts are known
 *
 * Return: 0, or -1 if there is no memory.
 */
int overlay_write(FILE *out, const struct handover *const handovers[OVERLAYS])
{
	struct overlay *overlay = calloc(1, sizeof(*overlay));
	int which, bottom;

	if (!overlay)
		return -1;
	overlay->out = out;
	overlay->handovers = handovers;
	overlay->scale.left = LEFT;
	for (which = 0; which < OVERLAYS; which++) {
		if ((int64_t)handovers[which]->blackout.ns > overlay->scale.last)
			overlay->scale.last = (int64_t)handovers[which]->blackout.ns;
	}
	overlay->scale.first = -(overlay->scale.last / 50) - 1;
	overlay->scale.last -= overlay->scale.first;
	bottom = choose_rows(overlay) + 6;

	svg_begin(out, bottom + 46 + (LIVEUPDATE_PHASE_COUNT + 2) * 17,
		  "Time lines of two live updates",
		  "The phases of both blackouts, and below them the steps of both by kind. "
		  "The table below has the phases as numbers.");
	put_title(overlay);
	svg_axis(out, &overlay->scale, PHASES_TOP, bottom);
	put_bands(overlay);
	for (which = 0; which < OVERLAYS; which++) {
		put_phases(overlay, which);
		put_steps(overlay, which);
	}
	put_rows(overlay);
	put_table(overlay, bottom + 42);
	svg_end(out);
	free(overlay);
	return 0;
}
