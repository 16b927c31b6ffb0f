// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* lutrace export: the live updates of this host as metrics. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/number.h"
#include "base/open.h"
#include "base/write.h"
#include "export/http.h"
#include "export/warn.h"
#include "model/ledger.h"
#include "main.h"
#include "read/recording.h"

/* Each in a directory is an input, also one that need not be read again. */
static int refuse_textfile(const char *path)
{
	struct stat found;

	if (!stat(path, &found) && S_ISREG(found.st_mode) && recording_is(path))
		return fail(
			"%s is a recording, which would be lost; name another file with --textfile",
			path);
	file_output(path);
	return EXIT_GOOD;
}

/* What is written here would be read as a recording next time. */
static int refuse_place(const struct export_sources *sources, const char *path, const char *option)
{
	char target[PATH_MAX];

	if (!path || (!export_sources_has_place(sources, path) &&
		      (file_target(path, target) || !export_sources_has_place(sources, target))))
		return EXIT_GOOD;
	return fail(
		"%s would be read as a recording, as all files named *.json in its directory: name one elsewhere, or with another ending, with %s",
		path, option);
}

/* Once, in the classic format: node_exporter reads no other. */
static int export_once(struct export *export, const char *path)
{
	struct openmetrics page = { .classic = true };
	int code = EXIT_BAD;

	if (export_page(export, &page))
		fail("out of memory");
	else if (file_output_is_read())
		fail("%s is read, too, and would be lost; name another file with --textfile", path);
	else
		/* node_exporter is another user, and reads files that end in .prom alone. */
		code = output_file(path, page.text, page.length, 0644);
	openmetrics_free(&page);
	return code;
}

/* What there is: one row for each name that samples have. */
static struct json_object *metrics_table(void)
{
	struct json_object *rows = json_object_new_array();
	char name[128];
	size_t i;

	for (i = 0; i < EXPORT_METRIC_COUNT; i++) {
		const struct openmetrics_family *family = &export_metrics[i];
		struct json_object *row = json_object_new_object();

		snprintf(name, sizeof(name), "%s%s", family->name,
			 openmetrics_suffix(family->type));
		add_text(row, "name", name);
		add_text(row, "type", openmetrics_type_name(family->type));
		add_text(row, "unit", family->unit);
		add_text(row, "labels", family->labels);
		add_text(row, "help", family->help);
		json_object_array_add(rows, row);
	}
	return rows;
}

static void print_metrics(struct json_object *rows)
{
	static const struct column columns[] = { { "name", "metric", COLUMN_TEXT },
						 { "type", "type", COLUMN_TEXT },
						 { "labels", "labels", COLUMN_TEXT },
						 { "help", "what it says", COLUMN_TEXT } };

	output_table(rows, columns, sizeof(columns) / sizeof(columns[0]), 0);
}

/* Better now than in a log that nobody reads. */
static int check_ledgers(const char *directory)
{
	char *path;
	int code = EXIT_GOOD;

	if (asprintf(&path, "%s/current", directory) < 0)
		return fail("out of memory");
	if (access(directory, F_OK) && !strcmp(directory, LEDGER_DIRECTORY))
		code = unknown(
			"there is no %s: this kernel keeps no ledger; 'lutrace mark --keep' keeps one for it; see 'lutrace doctor'",
			directory);
	else if (access(directory, F_OK))
		code = fail("there is no %s: %s", directory, strerror(errno));
	else if (access(path, R_OK) && errno == EACCES)
		code = fail(
			"only root may read %s; without root, name recordings that lutrace-collect.service makes",
			path);
	free(path);
	return code;
}

int do_export(int argc, char **argv)
{
	const char *listen = NULL, *textfile = NULL, *ledgers = NULL;
	struct export export = { .pairs = EXPORT_PAIRS_DEFAULT };
	bool list = false;
	uint64_t number;
	int letter, code;

	while ((letter = next_option(argc, argv)) != -1) {
		switch (letter) {
		case 'L':
			listen = optarg;
			break;
		case 't':
			textfile = optarg;
			break;
		case 'l':
			ledgers = optarg;
			break;
		case 'P':
			export.probes = optarg;
			break;
		case 'w':
			if (number_option(optarg, 0, EXPORT_WORKLOADS_MOST, &number))
				return EXIT_BAD;
			export.workloads = number;
			break;
		case 's':
			export.sources.state = optarg;
			break;
		case 'n':
			if (number_option(optarg, 0, EXPORT_PAIRS_MOST, &number))
				return EXIT_BAD;
			export.pairs = number;
			break;
		case 'm':
			list = true;
			break;
		case 'b':
			if (time_option(optarg, &export.sources.budget_ns))
				return EXIT_BAD;
			break;
		}
	}
	if (list)
		return output(metrics_table(), print_metrics);
	if (not_json("a page of metrics"))
		return EXIT_BAD;
	if (listen && textfile)
		return fail("name --listen or --textfile, not both");
	if (export.sources.state && optind == argc)
		return fail("--state is for recordings: name some, or their directory");
	if (ledgers && optind < argc)
		return fail("name recordings or --ledger, not both");

	export.sources.paths = argv + optind;
	export.sources.path_count = (size_t)(argc - optind);
	if ((textfile && refuse_textfile(textfile)) ||
	    refuse_place(&export.sources, textfile, "--textfile") ||
	    refuse_place(&export.sources, export.sources.state, "--state"))
		return EXIT_BAD;
	if (export_sources_check(&export.sources))
		return EXIT_BAD;
	if (optind == argc) {
		export.sources.ledgers = ledgers ?: ledger_directory();
		code = check_ledgers(export.sources.ledgers);
		if (code)
			return code;
	}
	/* Whoever attaches probes later makes it. */
	if (export.probes && access(export.probes, R_OK | X_OK))
		export_warn(export.probes, "%s, so no program is counted", strerror(errno));
	code = export.sources.state && !export.sources.ledgers ? export_state_load(&export.sources)
							       : EXIT_GOOD;
	if (!code)
		code = textfile ? export_once(&export, textfile)
				: export_serve(&export, listen ?: EXPORT_DEFAULT_LISTEN);
	if (!code)
		export_state_save(&export.sources, true);
	export_sources_free(&export.sources);
	return code;
}
