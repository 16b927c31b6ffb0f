// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* lutrace diff: did the pause, a phase of it, or a step become slower? */
#include <stdlib.h>

#include "main.h"
#include "model/diff.h"
#include "read/runs.h"
#include "show/diff.h"

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

int do_diff(int argc, char **argv)
{
	double limit = LIMIT_PERCENT, minimum = MINIMUM_MICROS;
	struct runs_comparison *comparison = calloc(1, sizeof(*comparison));
	int letter, code = EXIT_GOOD;

	if (!comparison)
		return fail("out of memory");
	while (!code && (letter = next_option(argc, argv)) != -1) {
		switch (letter) {
		case 'b':
			code = runs_read(&comparison->before, optarg);
			break;
		case 'a':
			code = runs_read(&comparison->after, optarg);
			break;
		case 'l':
			code = diff_number(optarg, &limit);
			break;
		case 'm':
			code = diff_number(optarg, &minimum);
			break;
		}
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
		diff_limits(comparison, limit, minimum);
		code = compare_sets(comparison);
	}
	runs_free(&comparison->before);
	runs_free(&comparison->after);
	free(comparison);
	return code;
}
