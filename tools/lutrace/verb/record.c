// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* lutrace record: all that is known of a handover, in one file. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/open.h"
#include "main.h"
#include "model/document.h"
#include "read/json_file.h"
#include "read/source.h"
#include "read/systemd.h"

#define MAX_MERGES 8

static int merge(struct evidence *evidence, const char *path)
{
	char why[LEDGER_WHY_SIZE];
	struct json_object *value = json_file_read(path, why);
	int ret = value ? evidence_merge(evidence, value, why) : -EINVAL;

	json_object_put(value);
	if (ret)
		return fail(
			"cannot merge %s: %s; 'identity', 'dma', 'interrupts', 'session', 'referee', 'environment', 'host' and 'units' can be merged",
			path, why);
	return EXIT_GOOD;
}

enum ask { ASK_IF_IT_RUNS, ASK_ALWAYS, ASK_NEVER };

static int read_ask(const char *text, enum ask *ask)
{
	static const char *const words[] = { "auto", "systemd", "none" };
	unsigned int i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(text, words[i]) != 0)
			continue;
		*ask = i;
		return EXIT_GOOD;
	}
	return fail("'%s' is not what to ask for units: auto, systemd or none", text);
}

/* When the units of this host were started; of ledgers that were saved only if asked for. */
static int add_units(struct source *source, struct handover *handover, enum ask ask)
{
	struct evidence *evidence = &source->evidence;
	char why[LEDGER_WHY_SIZE];
	struct json_object *units;
	int ret = 0;

	if (ask == ASK_ALWAYS ||
	    (ask == ASK_IF_IT_RUNS && !source->file && !source->directory && systemd_runs())) {
		units = systemd_units(&handover->ledger[INCOMING].header);
		ret = evidence_set(evidence, "units", units, why);
		json_object_put(units);
		if (ret)
			return fail("what systemd says of its units cannot be used: %s", why);
	}
	if (ask == ASK_ALWAYS && evidence->units->unknown)
		return fail("the units are not known: %s", evidence->units->unknown);
	/* Also those that were merged. */
	if (handover_add_units(handover, evidence->units, why))
		return fail("the units cannot be used: %s", why);
	return EXIT_GOOD;
}

int do_record(int argc, char **argv)
{
	const char *path = NULL, *identity = NULL, *host = NULL, *merges[MAX_MERGES];
	struct json_object *recording;
	struct source source = { 0 };
	struct handover handover;
	enum ask ask = ASK_IF_IT_RUNS;
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
		case 'u':
			if (read_ask(optarg, &ask))
				return EXIT_BAD;
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
	code = source_arguments(&source, argc, argv);
	if (code)
		return code;
	/* A recording may be replaced by one that has all that was in it. */
	if (!source.file)
		file_output(path);
	code = source_read(&source, &handover);
	if (code)
		return code;
	file_output(path);

	/* What was merged into a recording before stays in it. */
	code = source_identity(&source, identity);
	code = code ?: source_host(&source, host);
	for (i = 0; !code && i < merge_count; i++)
		code = merge(&source.evidence, merges[i]);
	code = code ?: add_units(&source, &handover, ask);
	if (!code) {
		recording = recording_make(&handover, &source.evidence);
		text = json_object_to_json_string_length(
			recording,
			pretty_output ? JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
						JSON_C_TO_STRING_NOSLASHESCAPE
				      : JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE,
			&size);
		code = output_file(path, text, size, 0);
		json_object_put(recording);
	}
	source_free(&source, &handover);
	return code;
}
