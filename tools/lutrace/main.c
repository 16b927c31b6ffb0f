// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * lutrace - measure, check and explain a live update
 *
 * The verbs are in verbs.c.
 */
#include <malloc.h>
#include <string.h>

#include "base/process.h"
#include "main.h"

static int run(int argc, char **argv)
{
	static char name[] = "time";
	char *no_arguments[] = { name, NULL };
	const struct verb *verb;

	options_of(NULL);
	while (next_option(argc, argv) != -1)
		;

	argc -= optind;
	argv += optind;
	if (!argc) {
		argc = 1;
		argv = no_arguments;
	} else if (!strcmp(argv[0], "help")) {
		verb = argc > 1 ? options_find(argv[1]) : NULL;
		if (argc > 1 && !verb)
			return fail("there is no verb '%s'; 'lutrace --help' lists them", argv[1]);
		options_of(verb);
		options_print_help();
		return EXIT_GOOD;
	}
	verb = options_find(argv[0]);
	if (!verb)
		return fail("there is no verb '%s'; 'lutrace --help' lists them", argv[0]);
	options_of(verb);
	return verb->run(argc, argv);
}

int main(int argc, char **argv)
{
	int code;

	process_begin();
	/* A large recording is many small objects that are freed all at once. */
	mallopt(M_MXFAST, 0);

	options_table(verbs);
	options_find_json(argc, argv);
	code = run(argc, argv);
	return output_end() ?: code;
}
