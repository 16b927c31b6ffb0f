// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* lutrace record: all that is known of a handover, in one file. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "main.h"
#include "model/document.h"
#include "read/json_file.h"
#include "read/source.h"

#define MAX_MERGES 8

static int merge(struct evidence *evidence, const char *path)
{
	char why[LEDGER_WHY_SIZE];
	struct json_object *value = json_file_read(path, why);
	int ret = value ? evidence_merge(evidence, value, why) : -EINVAL;

	json_object_put(value);
	if (ret)
		return fail(
			"cannot merge %s: %s; 'identity', 'dma', 'interrupts', 'session', 'referee', 'environment' and 'host' can be merged",
			path, why);
	return EXIT_GOOD;
}

int do_record(int argc, char **argv)
{
	const char *path = NULL, *identity = NULL, *host = NULL, *merges[MAX_MERGES];
	struct json_object *recording;
	struct source source = { 0 };
	struct handover handover;
	int letter, code, i, merge_count = 0;
	size_t size;
	const char *text;

	while ((letter = next_option(argc, argv)) != -1) {
		switch (letter) {
		case 'o':
			path = optarg;
			break;
		case 'i':
			identity = optarg;
			break;
		case 'H':
			host = optarg;
			if (strcmp(host, "this") != 0 && strcmp(host, "none") != 0)
				return fail("'%s' is neither 'this' nor 'none'", host);
			break;
		case 'm':
			if (merge_count == MAX_MERGES)
				return fail("at most %d files can be merged", MAX_MERGES);
			merges[merge_count++] = optarg;
			break;
		default:
			source_option(&source, letter, optarg);
		}
	}
	code = source_arguments(&source, argc, argv) ?: source_read(&source, &handover);
	if (code)
		return code;

	/* What was merged into a recording before stays in it. */
	code = source_identity(&source, identity);
	code = code ?: source_host(&source, host);
	for (i = 0; !code && i < merge_count; i++)
		code = merge(&source.evidence, merges[i]);
	if (!code) {
		recording = recording_make(&handover, &source.evidence);
		text = json_object_to_json_string_length(
			recording,
			pretty_output ? JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
						JSON_C_TO_STRING_NOSLASHESCAPE
				      : JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE,
			&size);
		code = output_file(path, text, size);
		json_object_put(recording);
	}
	source_free(&source, &handover);
	return code;
}
