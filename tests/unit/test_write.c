// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Files that are written: whose they are where anybody may put some, links that nobody
 * named, no memory for what was to be written, and a lock that somebody does not give back.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/write.h"

#define NOBODY 65534

static char directory[] = "/tmp/test-write.XXXXXX";
static unsigned int pauses;

/* Nobody waits here. */
int nanosleep(const struct timespec *time, struct timespec *left)
{
	(void)time;
	(void)left;
	pauses++;
	return 0;
}

static void put(const char *path, const char *text, uid_t owner)
{
	assert_int_equal(file_write(path, text, strlen(text), 0644), 0);
	assert_int_equal(chown(path, owner, owner), 0);
}

static void is(const char *path, const char *text, uid_t owner)
{
	char got[64] = "";
	struct stat found;
	int fd = open(path, O_RDONLY | O_NOFOLLOW);

	assert_true(fd >= 0);
	assert_true(read(fd, got, sizeof(got) - 1) >= 0);
	assert_int_equal(fstat(fd, &found), 0);
	assert_string_equal(got, text);
	assert_int_equal(found.st_uid, owner);
	close(fd);
}

static int setup(void **state)
{
	(void)state;
	return !mkdtemp(directory) || chdir(directory) || mkdir("shared", 0) ||
	       chmod("shared", 01777) || mkdir("own", 0755);
}

static int teardown(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", directory);
	return chdir("/") || system(command);
}

static int write_new(const char *path)
{
	return file_write(path, "new", 3, 0);
}

static void what_others_put_where_all_may_is_not_written(void **state)
{
	(void)state;
	if (geteuid())
		skip();
	put("shared/theirs", "theirs", NOBODY);
	assert_int_equal(write_new("shared/theirs"), -EACCES);
	assert_non_null(strstr(write_error("shared/theirs", -EACCES), "another user's"));
	is("shared/theirs", "theirs", NOBODY);

	/* A FIFO, from which he would read it. */
	assert_int_equal(mkfifo("shared/fifo", 0666), 0);
	assert_int_equal(chown("shared/fifo", NOBODY, NOBODY), 0);
	assert_int_equal(write_new("shared/fifo"), -EACCES);

	/* A link of his, to a file of ours. */
	put("own/file", "old", 0);
	assert_int_equal(symlink("../own/file", "shared/link"), 0);
	assert_int_equal(lchown("shared/link", NOBODY, NOBODY), 0);
	assert_int_equal(write_new("shared/link"), -EACCES);
	/* Also by a link of ours. */
	assert_int_equal(symlink("shared/link", "ours"), 0);
	assert_int_equal(write_new("ours"), -EACCES);
	is("own/file", "old", 0);

	/* The group of a directory is others, too. */
	assert_int_equal(chmod("shared", 01770), 0);
	assert_int_equal(write_new("shared/theirs"), -EACCES);
	assert_int_equal(chmod("shared", 01777), 0);
}

static void what_is_ours_or_the_directorys_is_written(void **state)
{
	(void)state;
	if (geteuid())
		skip();
	assert_int_equal(write_new("shared/new"), 0);
	assert_int_equal(write_new("shared/new"), 0);
	assert_int_equal(symlink("../own/other", "shared/to-other"), 0);
	assert_int_equal(write_new("shared/to-other"), 0);
	is("own/other", "new", 0);
	assert_int_equal(chown("shared", NOBODY, NOBODY), 0);
	assert_int_equal(write_new("shared/theirs"), 0);
	is("shared/theirs", "new", NOBODY);
	assert_int_equal(chown("shared", 0, 0), 0);
	/* Where nobody else writes, a file stays whose it is. */
	put("own/theirs", "old", NOBODY);
	assert_int_equal(write_new("own/theirs"), 0);
	is("own/theirs", "new", NOBODY);
	assert_string_equal(write_error("own/missing/file", -EACCES), strerror(EACCES));
}

static void a_link_that_nobody_named_is_replaced(void **state)
{
	struct stat owner = { .st_mode = S_IFREG,
			      .st_uid = geteuid() ? geteuid() : NOBODY,
			      .st_gid = getegid() };

	(void)state;
	put("own/precious", "old", geteuid());
	assert_int_equal(symlink("precious", "own/beside"), 0);
	assert_int_equal(file_place("own/beside", "new", 3, 0640, &owner), 0);
	is("own/beside", "new", owner.st_uid);
	is("own/precious", "old", geteuid());
}

static void without_memory_the_old_file_stays(void **state)
{
	struct stat owner = { .st_mode = S_IFREG, .st_uid = geteuid(), .st_gid = getegid() };

	(void)state;
	put("own/kept", "old", geteuid());
	assert_int_equal(file_write("own/kept", NULL, 0, 0), -ENOMEM);
	assert_int_equal(file_place("own/kept", NULL, 0, 0644, &owner), -ENOMEM);
	assert_int_equal(output_file("own/kept", NULL, 0, 0), 1);
	is("own/kept", "old", geteuid());
}

static void a_lock_is_not_waited_for_without_end(void **state)
{
	int first = file_lock("own/one"), second;

	(void)state;
	assert_true(first >= 0);
	pauses = 0;
	assert_int_equal(file_lock("own/two"), -EWOULDBLOCK);
	assert_int_equal(pauses, FILE_LOCK_SECONDS * 10);
	close(first);
	second = file_lock("own/two");
	assert_true(second >= 0);
	close(second);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_others_put_where_all_may_is_not_written),
		cmocka_unit_test(what_is_ours_or_the_directorys_is_written),
		cmocka_unit_test(a_link_that_nobody_named_is_replaced),
		cmocka_unit_test(without_memory_the_old_file_stays),
		cmocka_unit_test(a_lock_is_not_waited_for_without_end),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
