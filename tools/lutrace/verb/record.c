// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* lutrace record: all that is known of a handover, in one file. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "main.h"
#include "model/document.h"
#include "read/json_file.h"
#include "read/recording.h"
#include "read/source.h"

#define MAX_MERGES 8

static struct json_object *read_object(const char *path, char why[LEDGER_WHY_SIZE])
{
	struct json_object *value = json_file_read(path, false, why);

	if (value && !json_object_is_type(value, json_type_object)) {
		snprintf(why, LEDGER_WHY_SIZE, "not a JSON object");
		json_object_put(value);
		return NULL;
	}
	return value;
}

static int add_identity(struct json_object *recording, const char *path)
{
	char why[LEDGER_WHY_SIZE];
	struct json_object *value;

	if (!path && access(IDENTITY_FILE, F_OK))
		return EXIT_GOOD; /* nobody has verified */
	path = path ?: IDENTITY_FILE;
	value = read_object(path, why);
	if (!value)
		return fail("%s is no verdict of 'lutrace verify -j': %s", path, why);
	json_object_object_add(recording, "identity", value);
	return EXIT_GOOD;
}

static int merge(struct json_object *recording, const char *path)
{
	char why[LEDGER_WHY_SIZE];
	struct json_object *value = read_object(path, why);

	if (!value)
		return fail("cannot merge %s: %s", path, why);
	json_object_object_foreach(value, name, child) {
		if (!recording_is_evidence(name)) {
			int code = fail(
				"cannot merge the member '%s' of %s; 'identity', 'dma', 'interrupts', 'session', 'referee' and 'environment' can be merged",
				name, path);

			json_object_put(value);
			return code;
		}
		json_object_object_add(recording, name, json_object_get(child));
	}
	json_object_put(value);
	return EXIT_GOOD;
}

int do_record(int argc, char **argv)
{
	const char *path = NULL, *identity = NULL, *merges[MAX_MERGES];
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
	recording = recording_make(&handover, source.recording);
	if (identity || source_is_this_boot(&source))
		code = add_identity(recording, identity);
	for (i = 0; !code && i < merge_count; i++)
		code = merge(recording, merges[i]);
	if (!code) {
		text = json_object_to_json_string_length(
			recording,
			pretty_output ? JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
						JSON_C_TO_STRING_NOSLASHESCAPE
				      : JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE,
			&size);
		code = output_file(path, text, size);
	}
	json_object_put(recording);
	source_free(&source, &handover);
	return code;
}
