// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A command line of lutrace: arguments with a newline behind each, the verb first. It
 * runs in a root of its own, without rights, beside the recording good.json and the
 * ledgers below ledgers/. Verbs that go on until they are interrupted are left out.
 */
#include <fcntl.h>
#include <getopt.h>
#include <grp.h>
#include <sched.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"
#include "main.h"

#define MOST_ARGUMENTS 32
#define NOBODY	       65534

/* lutrace's main(), which the build calls so. */
int lutrace_main(int argc, char **argv);

/* --help and a wrong option end the program. */
static jmp_buf left;
static bool running;

void __real_exit(int status) __attribute__((noreturn));
void __wrap_exit(int status) __attribute__((noreturn));

void __wrap_exit(int status)
{
	if (running)
		longjmp(left, 1);
	__real_exit(status);
}

static int refuse(const char *what)
{
	perror(what);
	_exit(1);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	bool root = !geteuid();

	(void)argc;
	(void)argv;
	/* An ordinary user has to have a namespace to change the root in. */
	if (!root && unshare(CLONE_NEWUSER))
		return refuse("unshare");
	if (chroot(".") || chdir("/"))
		return refuse("chroot");
	if (root && (setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) ||
		     setresuid(NOBODY, NOBODY, NOBODY)))
		return refuse("setresuid");
	return 0;
}

static bool goes_on(const char *verb)
{
	static const char *const verbs[] = { "export", "bench", "steps", "probes" };
	size_t i;

	for (i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (!strcmp(verb, verbs[i]))
			return true;
	}
	return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size), *rest = text;
	static char name[] = "lutrace";
	char *arguments[MOST_ARGUMENTS + 2] = { name };
	int count = 1;

	if (!text)
		abort();
	while (rest && count <= MOST_ARGUMENTS)
		arguments[count++] = strsep(&rest, "\n");
	if (count > 2 && !*arguments[count - 1])
		count--;
	arguments[count] = NULL;
	/* Options before the verb would hide which one it is. */
	if (*arguments[1] != '-' && !goes_on(arguments[1])) {
		json_output = false;
		pretty_output = false;
		optind = 0;
		running = true;
		if (!setjmp(left))
			lutrace_main(count, arguments);
		running = false;
	}
	free(text);
	return 0;
}
