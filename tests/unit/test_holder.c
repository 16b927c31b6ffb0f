// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Processes that stay behind: they are known by more than a number, and go when told. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/holder.h"

static char directory[] = "/tmp/test-holder.XXXXXX";
static const struct holder_kind kind = { "a-holder", "holder" };

static int setup(void **state)
{
	(void)state;
	return !mkdtemp(directory) || chdir(directory);
}

static int teardown(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", directory);
	return chdir("/") || system(command);
}

/* It says so in the pipe that it holds. */
static void stay(void)
{
	char said = fcntl(HOLDER_LOCK + 1, F_GETFD) < 0 ? 'y' : 'n';

	if (write(HOLDER_FD, &said, 1) != 1)
		return;
	for (;;)
		pause();
}

static pid_t start(void)
{
	char said = 0;
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	assert_int_equal(holder_start(&kind, ends[1], stay), 0);
	assert_int_equal(read(ends[0], &said, 1), 1);
	/* It has nothing else open. */
	assert_int_equal(said, 'y');
	close(ends[0]);
	close(ends[1]);
	return holder_find(&kind);
}

static void one_that_lives_is_found_and_dismissed(void **state)
{
	pid_t pid = start();
	int status;

	(void)state;
	assert_true(pid > 0);
	assert_int_equal(kill(pid, 0), 0);
	assert_true(holder_lives(kind.file));
	assert_int_equal(access("holder.new", F_OK), -1);
	assert_true(holder_dismiss(&kind));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WTERMSIG(status), SIGTERM);
	assert_false(holder_lives(kind.file));
	assert_false(holder_dismiss(&kind));
}

/* The number of the one that ended is that of somebody else. */
static void another_process_with_its_number_is_not_it(void **state)
{
	pid_t pid = start(), other;
	FILE *file;

	(void)state;
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(holder_find(&kind), 0);
	other = fork();
	if (!other) {
		prctl(PR_SET_NAME, kind.name);
		for (;;)
			pause();
	}
	usleep(10000);
	file = fopen(kind.file, "w");
	assert_non_null(file);
	fprintf(file, "%d\n", other);
	fclose(file);
	assert_int_equal(holder_find(&kind), 0);
	assert_false(holder_lives(kind.file));
	assert_false(holder_dismiss(&kind));
	assert_int_equal(kill(other, 0), 0);
	assert_int_equal(waitpid(other, NULL, WNOHANG), 0);
	kill(other, SIGKILL);
	waitpid(other, NULL, 0);
}

static void there_may_be_none(void **state)
{
	(void)state;
	unlink(kind.file);
	assert_int_equal(holder_find(&kind), 0);
	assert_false(holder_lives(kind.file));
	assert_false(holder_dismiss(&kind));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_that_lives_is_found_and_dismissed),
		cmocka_unit_test(another_process_with_its_number_is_not_it),
		cmocka_unit_test(there_may_be_none),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
