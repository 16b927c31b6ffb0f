// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <string.h>

#include "show/output.h"
#include "show/svg.h"

#define LETTER_WIDTH 6.3 /* of the 11 pixel font, on average */

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
	".before{fill:#8db8ea;stroke:#215a9c}.after{fill:#f7b267;stroke:#8a4b08}\n"
	".link{fill-opacity:.3}\n"
	".open{fill-opacity:.35;stroke-dasharray:3 2}\n"
	".failed{fill:#f28b82;stroke:#a40e26}\n"
	".phase{stroke:#fff;stroke-width:1}\n"
	".workload{fill:#d0d7de;stroke:#59636e;stroke-width:.6}\n"
	".quiesce{fill:#b8b8ff}.freeze{fill:#8ec5ff}.shutdown{fill:#7fd6d6}\n"
	".jump{fill:#ffb3a7}.early-boot{fill:#ffd28a}.restore{fill:#9be08f}\n"
	".kernel-init{fill:#f4e285}.userspace{fill:#d9c2f0}.retrieve{fill:#f5b8dc}\n"
	"@media screen and (prefers-color-scheme:dark){\n"
	"text{fill:#e6edf3}.paper{fill:#0d1117}.quiet{fill:#9198a1}\n"
	".grid{stroke:#30363d}.mark{stroke:#ff7b72}.phase{stroke:#0d1117}\n"
	".kernel-outgoing{fill:#1c3a5e}.kernel-incoming{fill:#1a4a2b}.kernel-none{fill:#2d333b}\n"
	".outgoing{fill:#2f5f97;stroke:#79b8ff}.incoming{fill:#2a6f41;stroke:#7ee2a8}\n"
	".before{fill:#2f5f97;stroke:#79b8ff}.after{fill:#8a4b08;stroke:#f7b267}\n"
	".failed{fill:#8e1519;stroke:#ff7b72}.workload{fill:#3d444d;stroke:#9198a1}\n"
	".quiesce{fill:#4c4cb0}.freeze{fill:#1f5fa8}.shutdown{fill:#1a7070}\n"
	".jump{fill:#a03a2a}.early-boot{fill:#8a5a00}.restore{fill:#2c7a22}\n"
	".kernel-init{fill:#73651a}.userspace{fill:#66449a}.retrieve{fill:#9a3a74}\n"
	"}\n"
	"@media print{.grid{stroke:#999}.phase{stroke:#000;stroke-width:.5}}\n";

/* What a file with a picture begins with; within a page there is none. */
void svg_declare(FILE *out)
{
	fprintf(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
}

/* The head of the picture; @title and @description are for those who do not see it. */
void svg_begin(FILE *out, int height, const char *title, const char *description)
{
	fprintf(out,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\""
		" role=\"img\" aria-labelledby=\"svg-title\" aria-describedby=\"svg-description\">\n"
		"<title id=\"svg-title\">%s</title>\n<desc id=\"svg-description\">%s</desc>\n"
		"<style>\n%s</style>\n"
		"<rect class=\"paper\" width=\"100%%\" height=\"100%%\"/>\n",
		SVG_WIDTH, height, SVG_WIDTH, height, title, description, style);
}

void svg_end(FILE *out)
{
	fprintf(out, "</svg>\n");
}

/* Names are data: whatever is in them must not become markup. */
void svg_text(FILE *out, const char *text)
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

/* Where a point in time is; never outside the picture. */
double svg_place(const struct svg_scale *scale, int64_t ns)
{
	double share;

	if (ns < scale->first)
		ns = scale->first;
	if (ns > scale->last)
		ns = scale->last;
	share = (double)(ns - scale->first) / (double)(scale->last - scale->first);
	return scale->left + share * (SVG_WIDTH - SVG_RIGHT - scale->left);
}

/* A label, if it has room. */
bool svg_label(FILE *out, double x, double width, double y, const char *text)
{
	if ((double)strlen(text) * LETTER_WIDTH + 6 > width)
		return false;
	fprintf(out, "<text class=\"inside\" x=\"%.2f\" y=\"%.1f\">", x + 4, y);
	svg_text(out, text);
	fprintf(out, "</text>\n");
	return true;
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
	snprintf(text, TIME_TEXT_SIZE, "%.*f %s", digits, (double)at / (double)units[i].ns,
		 units[i].name);
}

/* The time axis, with lines from @top to @bottom. */
void svg_axis(FILE *out, const struct svg_scale *scale, int top, int bottom)
{
	int64_t distance = tick_distance(scale->last - scale->first), at;
	char text[TIME_TEXT_SIZE];

	at = scale->first / distance * distance;
	if (at < scale->first)
		at += distance;
	for (; at <= scale->last; at += distance) {
		double x = svg_place(scale, at);

		tick_text(at, distance, text);
		fprintf(out, "<line class=\"grid\" x1=\"%.2f\" y1=\"%d\" x2=\"%.2f\" y2=\"%d\"/>\n",
			x, top, x, bottom);
		fprintf(out,
			"<text class=\"quiet\" text-anchor=\"middle\" x=\"%.2f\" y=\"%d\">%s</text>\n",
			x, bottom + 15, text);
	}
}
