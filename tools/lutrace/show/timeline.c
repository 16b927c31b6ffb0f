// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Both kernels on one time line, as a picture.
 *
 * What a step is, and how long it took, is in its tooltip (<title>).
 *
 * From top to bottom: which kernel ran, the phases of the blackout, the pauses of
 * the workloads that have a name, the steps, each in a lane below the step that it
 * is part of, the time axis, and the
 * phases once more as a table, for those that are too short to be seen, beside
 * the longest steps.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "model/document.h"
#include "model/longest.h"
#include "model/vocabulary.h"
#include "show/output.h"
#include "show/report.h"
#include "show/svg.h"
#include "show/timeline.h"
#include "show/workloads.h"

#define LEFT	    80
#define PLOT_WIDTH  (SVG_WIDTH - LEFT - SVG_RIGHT)
#define KERNEL_TOP  72
#define PHASE_TOP   100
#define BARS_TOP    134
#define STEPS_TOP   140 /* without workloads */
#define BAR_HEIGHT  22
#define LANE_HEIGHT 18
#define MAX_LANES   48
#define LONGEST	    9 /* steps in the table of the longest */

/**
 * struct timeline - what is drawn where
 * @out:      the SVG
 * @handover: the handover
 * @scale:    the time line, in nanoseconds from the origin
 * @jump:     time of the jump, INT64_MAX if there was none
 * @boot:     time of the incoming kernel's boot, INT64_MAX if there was none
 * @steps_top: where the steps begin
 * @busy:     [lane]: until when it is taken
 * @lanes:    lanes in use
 * @lane:     [step]: its lane, -1 if it is not drawn
 * @room:     [step]: where the next step in its lane is, for its label
 */
struct timeline {
	FILE *out;
	const struct handover *handover;
	struct svg_scale scale;
	int64_t jump;
	int64_t boot;
	int steps_top;
	int64_t busy[MAX_LANES];
	int lanes;
	int *lane;
	double *room;
};

static void put_row_title(const struct timeline *timeline, double y, const char *text)
{
	fprintf(timeline->out, "<text class=\"quiet\" x=\"8\" y=\"%.1f\">%s</text>\n", y, text);
}

static void put_kernel(const struct timeline *timeline, int64_t from, int64_t to, const char *class,
		       const char *name, const char *release)
{
	double x = svg_place(&timeline->scale, from), width = svg_place(&timeline->scale, to) - x;
	char label[128], time[TIME_TEXT_SIZE];

	if (to <= timeline->scale.first || from >= timeline->scale.last)
		return;
	snprintf(label, sizeof(label), "%s%s", name, release);
	fprintf(timeline->out,
		"<rect class=\"%s\" x=\"%.2f\" y=\"%d\" width=\"%.2f\" height=\"%d\"><title>",
		class, x, KERNEL_TOP, width > SVG_MIN_WIDTH ? width : SVG_MIN_WIDTH, BAR_HEIGHT);
	svg_text(timeline->out, label);
	if (!*release)
		fprintf(timeline->out, ": %s", time_text(to - from, time));
	fprintf(timeline->out, "</title></rect>\n");
	svg_label(timeline->out, x, width, KERNEL_TOP + 15, label);
}

static void put_kernels(const struct timeline *timeline)
{
	const struct handover *handover = timeline->handover;
	int64_t end = timeline->boot < timeline->jump ? timeline->boot : timeline->jump;

	put_row_title(timeline, KERNEL_TOP + 15, "kernel");
	if (handover->present[OUTGOING])
		put_kernel(timeline, timeline->scale.first,
			   end < timeline->scale.last ? end : timeline->scale.last,
			   "kernel-outgoing", "Linux ", handover->ledger[OUTGOING].header.release);
	if (timeline->jump < timeline->boot && timeline->boot != INT64_MAX)
		put_kernel(timeline, timeline->jump, timeline->boot, "kernel-none",
			   "no kernel runs", "");
	if (handover->present[INCOMING])
		put_kernel(timeline,
			   timeline->boot == INT64_MAX ? timeline->scale.first : timeline->boot,
			   timeline->scale.last, "kernel-incoming", "Linux ",
			   handover->ledger[INCOMING].header.release);
}

static void put_phases(const struct timeline *timeline)
{
	const struct blackout *blackout = &timeline->handover->blackout;
	char time[TIME_TEXT_SIZE];
	unsigned int i;

	put_row_title(timeline, PHASE_TOP + 15, "phase");
	for (i = 0; blackout->known && i < LIVEUPDATE_PHASE_COUNT; i++) {
		const struct blackout_phase *phase = &blackout->phases[i];
		double x = svg_place(&timeline->scale, (int64_t)phase->begin_ns);
		double width =
			svg_place(&timeline->scale, (int64_t)(phase->begin_ns + phase->ns)) - x;

		if (phase->absent)
			continue;
		fprintf(timeline->out,
			"<rect class=\"phase %s\" x=\"%.2f\" y=\"%d\" width=\"%.2f\" height=\"%d\"><title>%s: %s</title></rect>\n",
			phase_name(i), x, PHASE_TOP, width > SVG_MIN_WIDTH ? width : SVG_MIN_WIDTH,
			BAR_HEIGHT, phase_name(i), time_text((int64_t)phase->ns, time));
		svg_label(timeline->out, x, width, PHASE_TOP + 15, phase_name(i));
	}
}

/* A step without an end goes on for as long as its kernel is in the picture. */
static int64_t step_end(const struct timeline *timeline, const struct step *step)
{
	int64_t begin = handover_time(timeline->handover, step->begin->cycles);
	int64_t end;

	if (step->end)
		end = handover_time(timeline->handover, step->end->cycles);
	else if (step->side == OUTGOING && timeline->jump != INT64_MAX)
		end = timeline->jump;
	else
		end = timeline->scale.last;
	return end < begin ? begin : end;
}

/*
 * Which steps are drawn: those within the picture, of them the @most longest,
 * and before any other those that failed. Returns how many are left out, or
 * SIZE_MAX without memory.
 */
static size_t choose_steps(struct timeline *timeline, size_t most)
{
	const struct handover *handover = timeline->handover;
	struct long_step *steps = calloc(handover->count ?: 1, sizeof(*steps));
	size_t i, count = 0, kept;

	if (!steps)
		return SIZE_MAX;
	for (i = 0; i < handover->count; i++) {
		const struct step *step = &handover->steps[i];
		int64_t begin = handover_time(handover, step->begin->cycles);
		int64_t end = step_end(timeline, step);

		timeline->lane[i] = -1;
		if (end < timeline->scale.first || begin > timeline->scale.last)
			continue;
		steps[count].index = i;
		steps[count++].ns = step->end && step->end->ret ? UINT64_MAX
								: (uint64_t)end - (uint64_t)begin;
	}
	kept = longest_steps(steps, count, most);
	for (i = 0; i < kept; i++)
		timeline->lane[steps[i].index] = 0;
	free(steps);
	return count - kept;
}

/* Below its parent, in the first lane that is free by then. */
static void choose_lanes(struct timeline *timeline)
{
	const struct handover *handover = timeline->handover;
	double next[MAX_LANES];
	int64_t begin, end;
	size_t i;
	int lane;

	for (i = 0; i < handover->count; i++) {
		const struct step *step = &handover->steps[i];

		if (timeline->lane[i] < 0)
			continue;
		begin = handover_time(handover, step->begin->cycles);
		end = step_end(timeline, step);
		lane = step->parent == NO_PARENT ? 0 : timeline->lane[step->parent] + 1;
		while (lane < timeline->lanes && timeline->busy[lane] > begin)
			lane++;
		if (lane >= MAX_LANES)
			lane = MAX_LANES - 1;
		if (lane >= timeline->lanes)
			timeline->lanes = lane + 1;
		/* An instant takes a little room, or the next would hide it. */
		timeline->busy[lane] =
			end > begin ? end
				    : begin + (timeline->scale.last - timeline->scale.first) /
						      PLOT_WIDTH;
		timeline->lane[i] = lane;
	}

	for (lane = 0; lane < MAX_LANES; lane++)
		next[lane] = SVG_WIDTH - SVG_RIGHT;
	for (i = handover->count; i-- > 0;) {
		lane = timeline->lane[i];
		if (lane < 0)
			continue;
		timeline->room[i] = next[lane];
		next[lane] = svg_place(&timeline->scale,
				       handover_time(handover, handover->steps[i].begin->cycles));
	}
}

/* What a step is called: by its own name if that says more than what was done. */
static const char *step_label(const struct step *step, char object[NAME_TEXT_SIZE])
{
	switch (step->begin->kind) {
	case LIVEUPDATE_KIND_NONE:
	case LIVEUPDATE_KIND_FUNCTION:
	case LIVEUPDATE_KIND_USER:
	case KIND_UNIT:
		if (*step->name && step->begin->edge != LIVEUPDATE_EDGE_INSTANT)
			return step_object(step, object);
	}
	return step_name(step->begin->step);
}

static void put_step(const struct timeline *timeline, const struct step *step, int lane,
		     double room)
{
	const struct liveupdate_record *begin = step->begin;
	int64_t from = handover_time(timeline->handover, begin->cycles);
	double x = svg_place(&timeline->scale, from),
	       width = svg_place(&timeline->scale, step_end(timeline, step)) - x;
	int y = timeline->steps_top + lane * LANE_HEIGHT;
	bool failed = step->end && step->end->ret;
	char time[TIME_TEXT_SIZE], object[NAME_TEXT_SIZE];
	const char *label;
	uint64_t ns;

	fprintf(timeline->out, "<g><title>%s ", step_name(begin->step));
	svg_text(timeline->out, step_object(step, object));
	fprintf(timeline->out, "\nat %s in the %s kernel", time_text(from, time),
		side_name(step->side));
	if (begin->edge != LIVEUPDATE_EDGE_INSTANT) {
		if (handover_duration(timeline->handover, step, &ns))
			fprintf(timeline->out, ", for %s", time_text((int64_t)ns, time));
		else
			fprintf(timeline->out, ", did not end");
	}
	if (step_is_sum(step) && handover_duration(timeline->handover, step, &ns))
		fprintf(timeline->out, "\n%s together", time_text((int64_t)ns, time));
	if (step->end && step->end->count)
		fprintf(timeline->out, "\n%" PRIu64 " objects", (uint64_t)step->end->count);
	if (failed)
		fprintf(timeline->out, "\nfailed: %s", error_text(step->end->ret));
	fprintf(timeline->out,
		"</title><rect class=\"step %s%s\" x=\"%.2f\" y=\"%d\" width=\"%.2f\" height=\"%d\"/></g>\n",
		failed ? "failed" : side_name(step->side), step->end ? "" : " open", x, y,
		width > SVG_MIN_WIDTH ? width : SVG_MIN_WIDTH, LANE_HEIGHT - 4);
	label = step_label(step, object);
	if (!svg_label(timeline->out, x, width, y + 11, label))
		svg_label(timeline->out, x + width, room - x - width, y + 11, label);
}

static void put_marks(const struct timeline *timeline, int bottom)
{
	const struct handover *handover = timeline->handover;
	size_t i;

	for (i = 0; i < handover->count; i++) {
		const struct liveupdate_record *record = handover->steps[i].begin;
		int64_t at = handover_time(handover, record->cycles);
		double x = svg_place(&timeline->scale, at);

		if (record->step != LIVEUPDATE_STEP_USER_MARK ||
		    record->edge != LIVEUPDATE_EDGE_INSTANT || at < timeline->scale.first ||
		    at > timeline->scale.last)
			continue;
		/* That of a workload is an end of its bar. */
		if (workload_mark(record, handover->steps[i].name) != BLACKOUT_MARK_OTHER)
			continue;
		fprintf(timeline->out,
			"<line class=\"mark\" x1=\"%.2f\" y1=\"%d\" x2=\"%.2f\" y2=\"%d\"/>\n", x,
			KERNEL_TOP - 4, x, bottom);
		fprintf(timeline->out, "<text class=\"quiet\" x=\"%.2f\" y=\"%d\"%s>", x,
			KERNEL_TOP - 7, x > SVG_WIDTH - 80 ? " text-anchor=\"end\"" : "");
		svg_text(timeline->out, handover->steps[i].name);
		fprintf(timeline->out, "</text>\n");
	}
}

static void put_phase_table(const struct timeline *timeline, int top)
{
	const struct blackout *blackout = &timeline->handover->blackout;
	char time[TIME_TEXT_SIZE];
	unsigned int i;
	int y = top;

	for (i = 0; blackout->known && i < LIVEUPDATE_PHASE_COUNT; i++) {
		const struct blackout_phase *phase = &blackout->phases[i];

		if (phase->absent)
			continue;
		fprintf(timeline->out,
			"<rect class=\"phase %s\" x=\"%d\" y=\"%d\" width=\"12\" height=\"12\"/>\n",
			phase_name(i), LEFT, y - 10);
		fprintf(timeline->out, "<text x=\"%d\" y=\"%d\">%s</text>\n", LEFT + 20, y,
			phase_name(i));
		fprintf(timeline->out, "<text class=\"number\" x=\"%d\" y=\"%d\">%s</text>\n",
			LEFT + 190, y, time_text((int64_t)phase->ns, time));
		fprintf(timeline->out, "<text class=\"number\" x=\"%d\" y=\"%d\">%.1f %%</text>\n",
			LEFT + 250, y,
			blackout->ns ? 100.0 * (double)phase->ns / (double)blackout->ns : 0.0);
		y += 17;
	}
}

/* The longest steps in the picture, longest first; returns how many. */
static unsigned int choose_longest(const struct timeline *timeline,
				   const struct step *longest[LONGEST])
{
	const struct handover *handover = timeline->handover;
	uint64_t ns, other;
	unsigned int count = 0, at;
	size_t i;

	for (i = 0; i < handover->count; i++) {
		const struct step *step = &handover->steps[i];

		if (timeline->lane[i] < 0 || step->begin->edge == LIVEUPDATE_EDGE_INSTANT ||
		    !handover_duration(handover, step, &ns))
			continue;
		for (at = count; at > 0; at--) {
			handover_duration(handover, longest[at - 1], &other);
			if (other >= ns)
				break;
			if (at < LONGEST)
				longest[at] = longest[at - 1];
		}
		if (at == LONGEST)
			continue;
		longest[at] = step;
		if (count < LONGEST)
			count++;
	}
	return count;
}

static void put_step_table(const struct timeline *timeline, int top,
			   const struct step *const *steps, unsigned int count)
{
	const int x = LEFT + 340;
	char time[TIME_TEXT_SIZE], object[NAME_TEXT_SIZE];
	unsigned int i;
	uint64_t ns = 0;
	int y = top;

	for (i = 0; i < count; i++, y += 17) {
		const struct liveupdate_record *begin = steps[i]->begin;

		handover_duration(timeline->handover, steps[i], &ns);
		fprintf(timeline->out,
			"<rect class=\"step %s\" x=\"%d\" y=\"%d\" width=\"12\" height=\"12\"/>\n",
			steps[i]->end->ret ? "failed" : side_name(steps[i]->side), x, y - 10);
		fprintf(timeline->out, "<text x=\"%d\" y=\"%d\">%s</text>\n", x + 20, y,
			step_name(begin->step));
		fprintf(timeline->out, "<text class=\"number\" x=\"%d\" y=\"%d\">%s</text>\n",
			x + 220, y, time_text((int64_t)ns, time));
		fprintf(timeline->out, "<text class=\"quiet\" x=\"%d\" y=\"%d\">", x + 240, y);
		svg_text(timeline->out, step_object(steps[i], object));
		fprintf(timeline->out, "</text>\n");
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
static void choose_range(struct timeline *timeline, bool all)
{
	const struct handover *handover = timeline->handover;
	int64_t margin;
	size_t i;
	int side;

	if (handover->blackout.known && !all) {
		timeline->scale.first = 0;
		timeline->scale.last = (int64_t)handover->blackout.ns;
	} else {
		timeline->scale.first = INT64_MAX;
		timeline->scale.last = INT64_MIN;
		for (side = 0; side < SIDES; side++) {
			const struct ledger *ledger = &handover->ledger[side];

			for (i = 0; i < ledger->count; i++) {
				int64_t at = handover_time(handover, ledger->records[i].cycles);

				timeline->scale.first =
					at < timeline->scale.first ? at : timeline->scale.first;
				timeline->scale.last =
					at > timeline->scale.last ? at : timeline->scale.last;
			}
		}
		if (timeline->scale.first > timeline->scale.last)
			timeline->scale.first = timeline->scale.last = 0;
	}
	margin = (timeline->scale.last - timeline->scale.first) / 50 + 1;
	timeline->scale.first -= margin;
	timeline->scale.last += margin;

	timeline->jump = INT64_MAX;
	timeline->boot = INT64_MAX;
	for (i = 0; i < handover->count; i++) {
		const struct step *step = &handover->steps[i];
		int64_t at = handover_time(handover, step->begin->cycles);

		if (step->side == OUTGOING && step->begin->step == LIVEUPDATE_STEP_JUMP)
			timeline->jump = at;
		if (step->side == INCOMING && step->begin->step == LIVEUPDATE_STEP_BOOT)
			timeline->boot = at;
	}
}

static void put_title(const struct timeline *timeline)
{
	const struct handover *handover = timeline->handover;
	struct json_object *blackout = recording_blackout(handover);
	struct json_object *when = recording_time(handover);
	char time[TIME_TEXT_SIZE], explained[EXPLAINED_TEXT_SIZE];

	fprintf(timeline->out, "<text class=\"title\" x=\"8\" y=\"26\">");
	if (handover->blackout.known)
		fprintf(timeline->out, "Live update: blackout of %s",
			time_text((int64_t)handover->blackout.ns, time));
	else
		fprintf(timeline->out, "Live update: blackout unknown, %s",
			blackout_reason_text(handover->blackout.reason));
	fprintf(timeline->out, "</text>\n<text class=\"quiet\" x=\"8\" y=\"44\">");
	fprintf(timeline->out, "time 0 is %s",
		handover->blackout.known && handover_from_mark(handover)
			? "the mark &quot;pause&quot;"
			: "the reboot call");
	if (when)
		fprintf(timeline->out, ", %s", json_object_get_string(when));
	if (*explained_text(blackout, explained))
		fprintf(timeline->out, "; explained: ");
	svg_text(timeline->out, explained);
	fprintf(timeline->out, "</text>\n");
	json_object_put(blackout);
	json_object_put(when);
}

/**
 * timeline_write - write a handover as SVG
 * @out:      where to
 * @handover: the handover
 * @all:      all of it rather than the blackout alone
 * @most:     draw no more steps than that, the longest
 *
 * Return: how many steps are left out for that.
 */
size_t timeline_write(FILE *out, const struct handover *handover, bool all, size_t most)
{
	struct timeline timeline = { .out = out, .handover = handover, .scale.left = LEFT };
	const struct step *steps[LONGEST];
	size_t i, left_out = SIZE_MAX;
	unsigned int longest, rows;
	int bottom, height;

	timeline.lane = calloc(handover->count ?: 1, sizeof(*timeline.lane));
	timeline.room = calloc(handover->count ?: 1, sizeof(*timeline.room));
	if (!timeline.lane || !timeline.room)
		goto out;
	choose_range(&timeline, all);
	left_out = choose_steps(&timeline, most);
	if (left_out == SIZE_MAX)
		goto out;
	choose_lanes(&timeline);
	timeline.steps_top = STEPS_TOP + workload_bars_height(handover);
	bottom = timeline.steps_top + timeline.lanes * LANE_HEIGHT + 6;
	longest = choose_longest(&timeline, steps);
	rows = phases_present(&handover->blackout);
	height = bottom + 46 + (int)(rows > longest ? rows : longest) * 17;

	svg_begin(
		out, height, "Time line of a live update",
		"From left to right in time, from top to bottom: which kernel ran, the phases of "
		"the blackout, the pauses of workloads, and the steps, each below what it is part of. "
		"The tables of phases and of steps say the same in numbers.");
	put_title(&timeline);
	svg_axis(out, &timeline.scale, KERNEL_TOP, bottom);
	put_kernels(&timeline);
	put_phases(&timeline);
	workload_bars(out, &timeline.scale, handover, BARS_TOP);
	put_row_title(&timeline, timeline.steps_top + 11, "steps");
	for (i = 0; i < handover->count; i++) {
		if (timeline.lane[i] >= 0)
			put_step(&timeline, &handover->steps[i], timeline.lane[i],
				 timeline.room[i]);
	}
	put_marks(&timeline, bottom);
	put_phase_table(&timeline, bottom + 42);
	put_step_table(&timeline, bottom + 42, steps, longest);
	svg_end(out);
out:
	free(timeline.lane);
	free(timeline.room);
	return left_out;
}
