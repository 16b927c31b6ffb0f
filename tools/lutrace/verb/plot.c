// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* lutrace plot: both kernels on one time line, as SVG. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/open.h"
#include "main.h"
#include "show/overlay.h"
#include "read/source.h"
#include "show/svg.h"
#include "show/timeline.h"

/* What another recording, or the ledgers in a directory, say beside it. */
static int write_overlay(FILE *out, const struct handover *before, const char *path)
{
	struct source source = { 0 };
	struct handover after;
	struct stat found;
	int code;

	if (!stat(path, &found) && S_ISDIR(found.st_mode))
		source.directory = path;
	else
		source.file = path;
	code = source_read(&source, &after);
	if (code)
		return code;
	if (!before->blackout.known)
		code = unknown("there is nothing to compare: blackout unknown, %s",
			       blackout_reason_text(before->blackout.reason));
	else if (!after.blackout.known)
		code = unknown("%s has nothing to compare with: blackout unknown, %s", path,
			       blackout_reason_text(after.blackout.reason));
	else if (overlay_write(out, (const struct handover *[]){ before, &after }))
		code = fail("out of memory");
	source_free(&source, &after);
	return code;
}

int do_plot(int argc, char **argv)
{
	const char *path = NULL, *compare = NULL;
	struct source source = { 0 };
	struct handover handover;
	bool all = false;
	char *svg = NULL;
	int letter, code;
	size_t size;
	FILE *out;

	while ((letter = next_option(argc, argv)) != -1) {
		switch (letter) {
		case 'o':
			path = optarg;
			break;
		case 'a':
			all = true;
			break;
		case 'c':
			compare = optarg;
			break;
		default:
			source_option(&source, letter, optarg);
		}
	}
	if (all && compare)
		return fail(
			"only blackouts can be compared: --all and --compare exclude each other");
	file_output(path);
	code = not_json("a drawing") ?: source_arguments(&source, argc, argv);
	code = code ?: source_read(&source, &handover);
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
	svg_declare(out);
	if (compare)
		code = write_overlay(out, &handover, compare);
	else
		timeline_write(out, &handover, all, SIZE_MAX);
	if (fclose(out))
		code = fail("out of memory");
	if (!code)
		code = output_file(path, svg, size, 0);
	free(svg);
out:
	source_free(&source, &handover);
	return code;
}
