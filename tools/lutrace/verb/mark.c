// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * lutrace mark: say when a workload was paused, when it ran again, when a step began; and
 * keep a ledger of that where the kernel keeps none.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/open.h"
#include "keeper/keeper.h"
#include "liveupdate_mark.h"
#include "main.h"

/* The file that marks are written to, or a negative errno. */
static int open_file(const char *directory)
{
	char *path;
	int fd;

	if (!directory)
		return liveupdate_mark_open();
	if (asprintf(&path, "%s/mark", directory) < 0)
		return -ENOMEM;
	fd = file_open(path, O_WRONLY, FILE_OR_DEVICE);
	free(path);
	return fd;
}

/* "begin NAME" and "end NAME" are "begin:NAME" and "end:NAME"; others one word. */
static char *make_mark(const char *word, const char *name)
{
	char *mark;

	if (!name)
		return strdup(word);
	return asprintf(&mark, "%s:%s", word, name) < 0 ? NULL : mark;
}

static bool is_printable(char letter)
{
	return letter >= ' ' && letter <= '~';
}

/* Whether a name may have it is the library's to say. */
static bool is_of_name(char letter)
{
	const char mark[] = { 'e', 'n', 'd', ':', letter, '\0' };

	return !liveupdate_mark_check(mark);
}

/* What is wrong with a mark that the library refuses for a character, or for want of one. */
static int refuse_mark(const char *mark)
{
	const char *name = strchr(mark, ':'), *at;
	size_t length = strlen(mark);

	for (at = mark; is_printable(*at); at++)
		;
	if (*at)
		return fail(
			"the mark '%s' has the byte 0x%02x, and a mark is printable ASCII: it was not written; use another name",
			mark, (unsigned char)*at);
	if (length && (mark[0] == ' ' || mark[length - 1] == ' '))
		return fail(
			"the mark '%s' has a blank at its %s, where a mark has none: it was not written; use another name",
			mark, mark[0] == ' ' ? "begin" : "end");
	for (at = name ? name + 1 : ""; is_of_name(*at); at++)
		;
	if (*at)
		return fail(
			"the name in the mark '%s' has a '%c', and names have letters, digits, '.', '_' and '-': it was not written; use another name",
			mark, *at);
	return fail(
		"the mark '%s' has no name behind the colon: it was not written; use another name",
		mark);
}

static int write_mark(const char *directory, const char *mark)
{
	int fd, ret;

	if (liveupdate_mark_check(mark) == -EINVAL)
		return refuse_mark(mark);
	fd = open_file(directory);
	if (fd == -ENOENT && directory)
		return fail("there is no file %s/mark to write to", directory);
	if (fd == -ENOENT)
		return unknown("the mark '%s' was not written: %s", mark,
			       liveupdate_mark_error(fd));
	if (fd < 0 && directory && fd != -EACCES && fd != -EPERM)
		return fail("%s/mark: %s", directory, file_error(fd));
	ret = fd < 0 ? fd : liveupdate_mark_write(fd, mark);
	if (fd >= 0)
		close(fd);
	return ret ? fail("the mark '%s' was not written: %s", mark, liveupdate_mark_error(ret))
		   : EXIT_GOOD;
}

static const struct column function_columns[] = {
	{ "function", "function", COLUMN_TEXT },
	{ "why", "not followed because", COLUMN_TEXT },
};

static void print_kept(struct json_object *value)
{
	printf("A ledger is kept in %s, by process %s.\n", member_text(value, "directory"),
	       member_text(value, "process"));
	if (member(value, "previous"))
		printf("That of Linux %s came with the live update.\n",
		       member_text(value, "previous"));
	else if (member(value, "refused"))
		printf("That of the kernel before is not used: %s.\n",
		       member_text(value, "refused"));
	else
		printf("None came from the kernel before.\n");
	putchar('\n');
	output_table(member(value, "functions"), function_columns,
		     sizeof(function_columns) / sizeof(function_columns[0]), 0);
}

static int keep_ledger(int argc)
{
	struct json_object *value;
	int code;

	if (optind < argc)
		return fail("--keep writes no mark; write it when the ledger is kept");
	code = keeper_start(&value);
	return code ?: output(value, print_kept);
}

int do_mark(int argc, char **argv)
{
	const char *directory = NULL;
	bool step, keep = false;
	int letter, code;
	char *mark;

	while ((letter = next_option(argc, argv)) != -1) {
		if (letter == 'k')
			keep = true;
		else
			directory = optarg;
	}
	if (keep)
		return keep_ledger(argc);
	if (optind == argc)
		return fail(
			"name the mark, such as pause:NAME, resume:NAME or begin NAME; try --help");
	step = !strcmp(argv[optind], "begin") || !strcmp(argv[optind], "end");
	if (step && optind + 1 == argc)
		return fail("name what is to %s: lutrace mark %s NAME", argv[optind], argv[optind]);
	if (optind + 1 + step < argc)
		return fail("'%s' is one argument too many; try --help", argv[optind + 1 + step]);

	mark = make_mark(argv[optind], step ? argv[optind + 1] : NULL);
	code = mark ? write_mark(directory, mark) : fail("out of memory");
	free(mark);
	return code;
}
