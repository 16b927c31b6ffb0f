// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* lutrace check: was the live update good? One sentence, and an exit code for pipelines. */
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/number.h"
#include "main.h"
#include "model/verdict.h"
#include "read/acknowledgement.h"
#include "read/source.h"

/**
 * struct check - what is asked
 * @source:      of which live update
 * @budget_ns:   how long the pause may be, 0 for no budget
 * @acknowledge: what is bad or unknown was seen
 * @undo:        it was not
 * @who:         acknowledges it, NULL for whoever runs this
 * @reason:      why
 * @verdict:     the answer
 */
struct check {
	struct source source;
	uint64_t budget_ns;
	bool acknowledge;
	bool undo;
	const char *who;
	const char *reason;
	struct verdict_of verdict;
};

/* Who asked sudo, or whose process this is. */
static const char *whoever_runs(void)
{
	const char *name = getenv("SUDO_USER");
	const struct passwd *user;

	if (name && *name)
		return name;
	user = getpwuid(getuid());
	return user ? user->pw_name : "unknown";
}

static int acknowledge(const struct check *check)
{
	const char *recording = check->source.file;
	int error = acknowledgement_write(recording, &check->verdict, check->who ?: whoever_runs(),
					  check->reason ?: "");

	return error ? fail("cannot write %s." ACKNOWLEDGEMENT_SUFFIX ": %s", recording,
			    strerror(-error))
		     : EXIT_GOOD;
}

static int undo(const struct check *check)
{
	char *path = acknowledgement_path(check->source.file);
	int code = EXIT_GOOD;

	if (!path)
		return fail("cannot read %s: %s", check->source.file, strerror(errno));
	if (unlink(path) && errno != ENOENT)
		code = fail("cannot remove %s: %s", path, strerror(errno));
	free(path);
	return code;
}

/* What somebody has seen of it, as a member of the answer; null if nobody has. */
static void add_acknowledgement(struct json_object *value, const struct check *check)
{
	char why[LEDGER_WHY_SIZE] = "";
	struct json_object *seen = NULL;
	bool holds;

	if (check->source.file)
		seen = acknowledgement_read(check->source.file, &check->verdict, &holds, why);
	if (why[0])
		warn("the acknowledgement of %s cannot be used: %s", check->source.file, why);
	if (seen)
		json_object_object_add(seen, "holds", json_object_new_boolean(holds));
	json_object_object_add(value, "acknowledgement", seen);
}

static void print_verdict(struct json_object *value, const void *context)
{
	struct json_object *seen = member(value, "acknowledgement");
	const struct verdict_of *verdict = context;
	char text[VERDICT_TEXT_SIZE];

	printf("%s. %s\n", verdict_word(verdict->says), verdict_text(verdict, text));
	if (!seen)
		return;
	printf("%s by %s",
	       json_object_get_boolean(member(seen, "holds")) ? "Acknowledged"
							      : "More than was acknowledged",
	       member_text(seen, "by"));
	printf(*member_text(seen, "reason") ? ": %s\n" : "%s.\n", member_text(seen, "reason"));
}

static int options(struct check *check, int argc, char **argv)
{
	int letter;

	while ((letter = next_option(argc, argv)) != -1) {
		switch (letter) {
		case 'b':
			if (time_option(optarg, &check->budget_ns))
				return EXIT_BAD;
			break;
		case 'a':
			check->acknowledge = true;
			break;
		case 'u':
			check->undo = true;
			break;
		case 'w':
			check->who = optarg;
			break;
		case 'r':
			check->reason = optarg;
			break;
		default:
			source_option(&check->source, letter, optarg);
		}
	}
	return source_arguments(&check->source, argc, argv);
}

/* Of what the kernel has now, or comes from a pipe, there is no file beside which one stands. */
static int refuse_options(const struct check *check)
{
	const char *file = check->source.file;
	struct stat at;

	if (check->acknowledge && check->undo)
		return fail("name --acknowledge or --undo, not both");
	if (!check->acknowledge && !check->undo)
		return EXIT_GOOD;
	if (!file || !strcmp(file, "-") || (!stat(file, &at) && !S_ISREG(at.st_mode)))
		return fail("name the recording's file, such as /var/lib/lutrace/BOOT-ID.json");
	return EXIT_GOOD;
}

int do_check(int argc, char **argv)
{
	struct check check = { 0 };
	struct handover handover;
	struct json_object *value;
	int code;

	code = options(&check, argc, argv) ?: refuse_options(&check);
	code = code ?: source_read(&check.source, &handover);
	if (code)
		return code;
	code = source_identity(&check.source, NULL);
	verdict_make(&check.verdict, &handover, &check.source.evidence, check.budget_ns);
	source_free(&check.source, &handover);
	if (!code && check.acknowledge)
		code = acknowledge(&check);
	if (!code && check.undo)
		code = undo(&check);
	if (code)
		return code;
	value = verdict_json(&check.verdict);
	add_acknowledgement(value, &check);
	code = output_of(value, print_verdict, &check.verdict);
	/* Whoever acknowledges asks for that, and not for the verdict. */
	return code ?: (check.acknowledge || check.undo ? EXIT_GOOD : verdict_exit(&check.verdict));
}
