// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * lutrace completion: the script with which a shell completes command lines. For who
 * builds and packages lutrace, and for the tests; the help does not show it.
 */
#include <string.h>

#include "main.h"
#include "show/completion.h"

int do_completion(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*print)(void);
	} scripts[] = {
		{ "bash", completion_bash },
		{ "zsh", completion_zsh },
		{ "fish", completion_fish },
		{ "table", completion_table },
	};
	size_t i;

	while (next_option(argc, argv) != -1)
		;
	if (not_json("a script"))
		return EXIT_BAD;
	for (i = 0; optind + 1 == argc && i < sizeof(scripts) / sizeof(scripts[0]); i++) {
		if (!strcmp(argv[optind], scripts[i].name)) {
			scripts[i].print();
			return EXIT_GOOD;
		}
	}
	return fail("name a shell: bash, zsh or fish");
}
