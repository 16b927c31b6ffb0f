/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the pictures have in common: colours, labels, the time axis.
 *
 * Plain SVG that any browser, viewer and printer takes: no script. Colours
 * follow the reader's light or dark scheme, and are always light on paper.
 */
#ifndef LUTRACE_SVG_H
#define LUTRACE_SVG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define SVG_WIDTH	1200
#define SVG_RIGHT	20  /* margin */
#define SVG_MIN_WIDTH	0.8 /* so that what is short is still seen */

/**
 * struct svg_scale - where on the page a point in time is
 * @first: time at the left edge, in nanoseconds
 * @last:  time at the right edge, later than @first
 * @left:  the left edge
 */
struct svg_scale {
	int64_t first;
	int64_t last;
	int left;
};

void svg_declare(FILE *out);
void svg_begin(FILE *out, int height, const char *title, const char *description);
void svg_end(FILE *out);
void svg_text(FILE *out, const char *text);
bool svg_label(FILE *out, double x, double width, double y, const char *text);
double svg_place(const struct svg_scale *scale, int64_t ns);
void svg_axis(FILE *out, const struct svg_scale *scale, int top, int bottom);

#endif /* LUTRACE_SVG_H */
