// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* lutrace plot: both kernels on one time line, as SVG. */
#include <stdio.h>
#include <stdlib.h>

#include "main.h"
#include "source.h"
#include "timeline.h"

int do_plot(int argc, char **argv)
{
	static const struct option options[] = { SOURCE_OPTIONS,
						 { "output", required_argument, NULL, 'o' },
						 { "all", no_argument, NULL, 'a' },
						 { 0 } };
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
		code = unknown(
			"neither kernel recorded its cycle counter's frequency: there is no time line");
		goto out;
	}
	out = open_memstream(&svg, &size);
	if (!out) {
		code = fail("out of memory");
		goto out;
	}
	timeline_write(out, &handover, all);
	code = fclose(out) ? fail("out of memory") : output_file(path, svg, size);
	free(svg);
out:
	source_free(&source, &handover);
	return code;
}
