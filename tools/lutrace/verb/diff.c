// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * lutrace diff: did the pause, a phase of it, or a step become slower? Of two snapshots:
 * what is mapped otherwise?
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/number.h"
#include "iommu/mappings.h"
#include "main.h"
#include "model/diff.h"
#include "read/runs.h"
#include "show/diff.h"
#include "show/mappings.h"

#define DIFFERENCES_DEFAULT 16

static int compare_sets(struct runs_comparison *comparison)
{
	struct json_object *value;
	bool comparable;
	int code;

	value = diff_make(comparison);
	comparable = !member(value, "incomparable");
	code = output(value, diff_print);
	if (code)
		return code;
	if (comparison->regression)
		return EXIT_BAD;
	return comparable && comparison->enough ? EXIT_GOOD : EXIT_UNKNOWN;
}

/* Why a snapshot cannot be used. */
static int open_snapshot(struct offline *offline, const char *path)
{
	return offline_open(offline, path) ? fail("%s: %s", path, offline->snapshot.set.error)
					   : EXIT_GOOD;
}

static int compare_snapshots(char **paths, uint64_t max)
{
	struct json_object *value = json_object_new_object();
	struct offline before = { 0 }, after = { 0 };
	int code = open_snapshot(&before, paths[0]) ?: open_snapshot(&after, paths[1]);

	if (!code) {
		int error = mappings_diff(&before, &after, max, value);
		bool different = !strcmp(member_text(value, "verdict"), "different");

		if (error)
			code = fail(
				"the snapshots cannot be compared: %s",
				error == MAPPING_NO_MEMORY
					? "out of memory"
					: "in one, entries lead to tables that it does not have");
		else
			code = output(json_object_get(value), mappings_print)
				       ?: (different ? EXIT_BAD : EXIT_GOOD);
	}
	json_object_put(value);
	offline_close(&before);
	offline_close(&after);
	return code;
}

/* Both arguments are snapshots; one alone is an error, unless the other cannot be read at all. */
static bool are_snapshots(int argc, char **argv, int *code)
{
	bool first, second;
	const char *other;

	if (argc - optind != 2)
		return false;
	first = offline_is_snapshot(argv[optind]);
	second = offline_is_snapshot(argv[optind + 1]);
	other = argv[optind + first];
	if (first != second && access(other, R_OK))
		*code = fail("cannot read %s: %s", other, strerror(errno));
	else if (first != second)
		*code = fail("%s is a snapshot, %s is none", argv[optind + !first], other);
	return first && second;
}

/* What --before and --after name are recordings. */
static int read_set(struct runs *runs, const char *path)
{
	if (offline_is_snapshot(path))
		return fail("%s is a snapshot: two of them are named without --before and --after",
			    path);
	return runs_read(runs, path);
}

int do_diff(int argc, char **argv)
{
	uint64_t max = DIFFERENCES_DEFAULT;
	double limit = LIMIT_PERCENT, minimum = MINIMUM_MICROS;
	struct runs_comparison *comparison = calloc(1, sizeof(*comparison));
	int letter, code = EXIT_GOOD;

	if (!comparison)
		return fail("out of memory");
	while (!code && (letter = next_option(argc, argv)) != -1) {
		switch (letter) {
		case 'b':
			code = read_set(&comparison->before, optarg);
			break;
		case 'a':
			code = read_set(&comparison->after, optarg);
			break;
		case 'l':
			code = diff_number(optarg, &limit);
			break;
		case 'm':
			code = diff_number(optarg, &minimum);
			break;
		case 'n':
			code = number_option(optarg, 0, UINT64_MAX, &max);
			break;
		}
	}
	if (!code && !comparison->before.count && !comparison->after.count &&
	    are_snapshots(argc, argv, &code)) {
		free(comparison);
		options_refuse_idle("lm", "with snapshots");
		return compare_snapshots(argv + optind, max);
	}
	if (!code && optind < argc && !comparison->before.count)
		code = runs_read(&comparison->before, argv[optind++]);
	if (!code && optind < argc && !comparison->after.count)
		code = runs_read(&comparison->after, argv[optind++]);
	if (!code && optind < argc)
		code = fail("'%s' is one argument too many; try --help", argv[optind]);
	if (!code && (!comparison->before.count || !comparison->after.count))
		code = fail("name what was before and what is after; try --help");
	if (!code) {
		options_refuse_idle("n", "with recordings");
		diff_limits(comparison, limit, minimum);
		code = compare_sets(comparison);
	}
	runs_free(&comparison->before);
	runs_free(&comparison->after);
	free(comparison);
	return code;
}
