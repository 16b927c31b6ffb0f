// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* lutrace advise: what is known to make the pause shorter? */
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "base/open.h"
#include "main.h"
#include "model/advice.h"
#include "read/source.h"
#include "read/system.h"
#include "show/advice.h"

/* The table, which no record is needed for. */
static int list_remedies(void)
{
	struct json_object *value = json_object_new_object(), *rows = json_object_new_array();
	const struct remedy *remedy;

	for (remedy = remedies; remedy->id; remedy++)
		json_object_array_add(rows, remedy_json(remedy));
	add_number(value, "version", ADVICE_VERSION);
	json_object_object_add(value, "remedies", rows);
	return output(value, print_remedies);
}

/* The configuration of the incoming kernel: which is running, where its own ledger is read. */
static int read_config(const char *path, const struct source *source, char **config)
{
	struct system system;
	int error;

	if (path) {
		error = system_config_text(path, config);
		if (error)
			return fail("cannot read %s: %s", path, file_error(error));
		if (!strstr(*config, "CONFIG_"))
			return fail(
				"%s is no configuration of a kernel, such as /boot/config-RELEASE or /proc/config.gz",
				path);
	} else if (!source->file && !source->directory) {
		system_read(&system, NULL);
		*config = system.config;
	}
	return EXIT_GOOD;
}

static int advise(const struct handover *handover, const struct evidence *evidence,
		  const struct advice_asked *asked)
{
	struct json_object *value;
	struct advice advice;

	if (!handover->khz)
		return unknown(
			"neither kernel recorded its cycle counter's frequency: no time is known");
	if (asked->agent && !advice_has_unit(handover, asked->agent))
		return fail(
			"the record has no unit '%s'; 'lutrace steps --list --step unit' lists those that it has",
			asked->agent);
	if (advice_make(&advice, handover, evidence, asked)) {
		advice_free(&advice);
		return fail("out of memory");
	}
	value = advice_json(&advice, handover);
	advice_free(&advice);
	return output(value, print_advice) ?: handover->blackout.known ? EXIT_GOOD : EXIT_UNKNOWN;
}

int do_advise(int argc, char **argv)
{
	struct advice_asked asked = { .least = strtod(ADVICE_LEAST, NULL) };
	struct source source = { 0 };
	const char *path = NULL;
	struct handover handover;
	char *config = NULL;
	bool list = false;
	int letter, code;

	while ((letter = next_option(argc, argv)) != -1) {
		switch (letter) {
		case 'L':
			if (real_option(optarg, 0, 100, &asked.least))
				return EXIT_BAD;
			break;
		case 'a':
			asked.agent = optarg;
			break;
		case 'c':
			path = optarg;
			break;
		case 'r':
			list = true;
			break;
		default:
			source_option(&source, letter, optarg);
		}
	}
	code = source_arguments(&source, argc, argv);
	if (code)
		return code;
	if (list && (source.file || source.directory))
		return fail("--remedies lists all; leave it out to learn what is for a recording");
	if (list)
		return list_remedies();
	code = source_read(&source, &handover);
	if (code)
		return code;
	code = read_config(path, &source, &config);
	asked.config = config;
	code = code ?: advise(&handover, &source.evidence, &asked);
	source_free(&source, &handover);
	free(config);
	return code;
}
