// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <stdint.h>

#include "model/longest.h"
#include "show/output.h"
#include "show/workloads.h"

#define MOST	   12 /* bars; the longest pauses */
#define BAR_HEIGHT 14
#define ROW_HEIGHT 18
#define MARGIN	   6

/*
 * The workloads with the longest of all known pauses; *@known is how many have one. There may
 * be as many as marks: what is shorter than those is dropped whenever there is no more room.
 */
static size_t choose(const struct handover *handover, struct long_step chosen[2 * MOST],
		     size_t *known)
{
	const struct workloads *workloads = &handover->workloads;
	size_t i, count = 0;

	*known = 0;
	for (i = 0; i < workloads->count; i++) {
		if (!workloads->list[i].pause.known)
			continue;
		++*known;
		if (count == 2 * MOST)
			count = longest_steps(chosen, count, MOST);
		chosen[count].index = i;
		chosen[count++].ns = workloads->list[i].pause.ns;
	}
	return longest_steps(chosen, count, MOST);
}

static size_t count_present(const struct workloads *workloads)
{
	size_t i, count = 0;

	for (i = 0; i < workloads->count; i++)
		count += workloads->list[i].pause.present;
	return count;
}

/* How high the bars are; 0 if there are none. */
int workload_bars_height(const struct handover *handover)
{
	struct long_step chosen[2 * MOST];
	size_t known, rows = choose(handover, chosen, &known);
	size_t present = count_present(&handover->workloads);

	if (!present)
		return 0;
	return (int)(rows + (present > rows)) * ROW_HEIGHT + MARGIN;
}

static void put_bar(FILE *out, const struct svg_scale *scale, const struct handover *handover,
		    const struct workload *workload, int y)
{
	int64_t from = handover_time(handover, workload->pause.begin.cycles);
	int64_t to = handover_time(handover, workload->pause.end.cycles);
	double x = svg_place(scale, from), width = svg_place(scale, to) - x;
	char time[TIME_TEXT_SIZE];

	fprintf(out, "<g><title>");
	svg_text(out, workload->name.text);
	fprintf(out, ": paused at %s", time_text(from, time));
	fprintf(out, ", for %s</title>", time_text((int64_t)workload->pause.ns, time));
	fprintf(out,
		"<rect class=\"workload\" x=\"%.2f\" y=\"%d\" width=\"%.2f\" height=\"%d\"/></g>\n",
		x, y, width > SVG_MIN_WIDTH ? width : SVG_MIN_WIDTH, BAR_HEIGHT);
	svg_label(out, x, width, y + 11, workload->name.text);
}

/**
 * workload_bars - draw the pauses of the workloads, each from mark to mark
 * @out:      the picture
 * @scale:    its time line
 * @handover: the handover
 * @top:      where the first one is
 *
 * Of many workloads those with the longest pauses are drawn, by name.
 */
void workload_bars(FILE *out, const struct svg_scale *scale, const struct handover *handover,
		   int top)
{
	const struct workloads *workloads = &handover->workloads;
	struct long_step chosen[2 * MOST];
	size_t known, rows = choose(handover, chosen, &known), i;
	size_t present = count_present(workloads);

	if (!present)
		return;
	fprintf(out, "<text class=\"quiet\" x=\"8\" y=\"%d\">workload</text>\n", top + 11);
	for (i = 0; i < rows; i++)
		put_bar(out, scale, handover, &workloads->list[chosen[i].index],
			top + (int)i * ROW_HEIGHT);
	if (present == rows)
		return;
	fprintf(out, "<text class=\"quiet\" x=\"%d\" y=\"%d\">", scale->left,
		top + (int)rows * ROW_HEIGHT + 11);
	if (known > rows)
		fprintf(out, "%zu with shorter pauses%s", known - rows,
			present > known ? ", " : "");
	if (present > known)
		fprintf(out, "%zu with an unknown pause", present - known);
	fprintf(out, "</text>\n");
}
