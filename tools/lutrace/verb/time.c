// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* lutrace time: how long was the workload paused, and in which phases? */
#include <stdio.h>
#include <string.h>

#include "main.h"
#include "model/document.h"
#include "probe/answers.h"
#include "read/source.h"
#include "show/report.h"

int do_time(int argc, char **argv)
{
	const char *pinned = NULL;
	struct json_object *value;
	struct handover handover;
	struct source source = { 0 };
	int letter, code;
	bool known;

	while ((letter = next_option(argc, argv)) != -1) {
		if (letter == 'P')
			pinned = optarg;
		else
			source_option(&source, letter, optarg);
	}
	code = source_arguments(&source, argc, argv);
	if (!code && pinned && (source.file || source.directory))
		return fail("name a recording, --ledger or --pinned, not two of them");
	if (!code && pinned) {
		code = probe_blackout(pinned, &value);
		if (code)
			return code;
		known = member(member(value, "blackout"), "ns");
		return output(value, print_blackout) ?: known ? EXIT_GOOD : EXIT_UNKNOWN;
	}
	code = code ?: source_read(&source, &handover);
	if (code)
		return code;

	value = json_object_new_object();
	json_object_object_add(value, "kernel", recording_kernel(&handover));
	json_object_object_add(value, "time", recording_time(&handover));
	json_object_object_add(value, "blackout", recording_blackout(&handover));
	known = handover.blackout.known;
	source_free(&source, &handover);
	return output(value, print_blackout) ?: known ? EXIT_GOOD : EXIT_UNKNOWN;
}
