// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* lutrace check: was the live update good? One sentence, and an exit code for pipelines. */
#include <stdio.h>

#include "base/number.h"
#include "main.h"
#include "model/verdict.h"
#include "read/source.h"

static void print_verdict(struct json_object *value, const void *context)
{
	const struct verdict_of *verdict = context;
	char text[VERDICT_TEXT_SIZE];

	(void)value;
	printf("%s. %s\n", verdict_word(verdict->says), verdict_text(verdict, text));
}

int do_check(int argc, char **argv)
{
	struct source source = { 0 };
	struct verdict_of verdict;
	struct handover handover;
	uint64_t budget = 0;
	int letter, code;

	while ((letter = next_option(argc, argv)) != -1) {
		if (letter != 'b')
			source_option(&source, letter, optarg);
		else if (time_option(optarg, &budget))
			return EXIT_BAD;
	}
	code = source_arguments(&source, argc, argv) ?: source_read(&source, &handover);
	if (code)
		return code;
	code = source_identity(&source, NULL);
	verdict_make(&verdict, &handover, &source.evidence, budget);
	source_free(&source, &handover);
	return code ?: output_of(verdict_json(&verdict), print_verdict, &verdict) ?:
		       verdict_exit(&verdict);
}
