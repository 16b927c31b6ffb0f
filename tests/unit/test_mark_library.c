// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The library that writes marks: what it writes is what the rule of the pauses reads,
 * and what it refuses the rule could not have used.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/types.h>
#include <linux/liveupdate_trace.h>
#include <cmocka.h>

#include "blackout_marks.h"
#include "liveupdate_mark.h"

/* 56 characters. */
#define LONG_NAME "a-name-of-a-workload-that-is-as-long-as-the-kernel-takes"

static int ends[2];

static int setup(void **state)
{
	(void)state;
	return pipe2(ends, O_CLOEXEC | O_NONBLOCK);
}

static int teardown(void **state)
{
	(void)state;
	return close(ends[0]) | close(ends[1]);
}

/* All of what was written last. */
static char whole[2 * LIVEUPDATE_MARK_LENGTH];

/* What was written, as the kernel records it; "" if nothing was. */
static struct liveupdate_record taken(void)
{
	struct liveupdate_record record = { .step = LIVEUPDATE_STEP_USER_MARK };
	ssize_t got;

	memset(whole, 0, sizeof(whole));
	got = read(ends[0], whole, sizeof(whole));
	assert_true(got < LIVEUPDATE_MARK_LENGTH);
	snprintf(record.name, sizeof(record.name), "%.15s", whole);
	return record;
}

static void what_it_writes_is_what_the_rule_reads(void **state)
{
	struct liveupdate_record record;
	struct blackout_name name;

	(void)state;
	assert_int_equal(liveupdate_mark_pause(ends[1], "vm1"), 0);
	record = taken();
	assert_string_equal(record.name, "pause:vm1");
	assert_int_equal(blackout_mark(&record, &name), BLACKOUT_MARK_PAUSE);
	assert_string_equal(name.text, "vm1");

	assert_int_equal(liveupdate_mark_resume(ends[1], "a-B_c.12"), 0);
	record = taken();
	assert_int_equal(blackout_mark(&record, &name), BLACKOUT_MARK_RESUME);
	assert_string_equal(name.text, "a-B_c.12");
}

/* A BPF program sees no more of a mark than its record, and not as much of one as of the other. */
static void both_marks_of_a_long_name_are_of_one_workload(void **state)
{
	static const char *const names[] = { "12345678", "123456789",
					     "12345678-and-much-more-of-it" };
	struct blackout_name paused, resumed;
	struct liveupdate_record record;
	enum blackout_mark mark;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_int_equal(liveupdate_mark_pause(ends[1], names[i]), 0);
		record = taken();
		mark = blackout_mark(&record, &paused);
		assert_int_equal(mark, BLACKOUT_MARK_PAUSE);
		assert_int_equal(!!blackout_is_cut(mark, &record), strlen(names[i]) > 8);
		assert_int_equal(liveupdate_mark_resume(ends[1], names[i]), 0);
		record = taken();
		mark = blackout_mark(&record, &resumed);
		assert_int_equal(mark, BLACKOUT_MARK_RESUME);
		assert_int_equal(blackout_is_cut(mark, &record), 0);
		assert_memory_equal(&paused, &resumed, sizeof(paused));
		assert_string_equal(paused.text, "12345678");
	}
}

/* One character of a name, in all that a record may have there. */
static void what_reads_marks_takes_the_names_that_it_writes(void **state)
{
	struct liveupdate_record record = { .step = LIVEUPDATE_STEP_USER_MARK };
	struct blackout_name name;
	int letter, at;

	(void)state;
	for (letter = 1; letter < 256; letter++) {
		for (at = 6; at < LIVEUPDATE_NAME_LENGTH - 1; at++) {
			memset(record.name, 'a', LIVEUPDATE_NAME_LENGTH - 1);
			memcpy(record.name, "pause:", 6);
			record.name[at] = (char)letter;
			assert_int_equal(blackout_mark(&record, &name) == BLACKOUT_MARK_PAUSE,
					 !liveupdate_mark_check(record.name));
			assert_int_equal(name.text[0] != 0, !liveupdate_mark_check(record.name));
		}
	}
}

static void without_a_name_it_is_a_plain_mark(void **state)
{
	struct liveupdate_record record;
	struct blackout_name name;

	(void)state;
	assert_int_equal(liveupdate_mark_pause(ends[1], NULL), 0);
	record = taken();
	assert_string_equal(record.name, LIVEUPDATE_MARK_PAUSE);
	assert_int_equal(blackout_mark(&record, &name), BLACKOUT_MARK_PAUSE);
	assert_string_equal(name.text, "");
	assert_int_equal(liveupdate_mark_resume(ends[1], NULL), 0);
	record = taken();
	assert_string_equal(record.name, LIVEUPDATE_MARK_RESUME);
}

static void any_other_mark_is_written_as_it_is(void **state)
{
	(void)state;
	assert_int_equal(liveupdate_mark_write(ends[1], "15 letters: all"), 0);
	assert_string_equal(taken().name, "15 letters: all");
	assert_int_equal(liveupdate_mark_write(ends[1], LONG_NAME "1234567"), 0);
	taken();
	assert_string_equal(whole, LONG_NAME "1234567");
}

static void steps_begin_and_end_with_their_name(void **state)
{
	(void)state;
	assert_int_equal(liveupdate_mark_begin(ends[1], "agent"), 0);
	taken();
	assert_string_equal(whole, BLACKOUT_MARK_STEP_BEGIN "agent");
	assert_int_equal(liveupdate_mark_end(ends[1], LONG_NAME), 0);
	taken();
	assert_string_equal(whole, BLACKOUT_MARK_STEP_END LONG_NAME);
	assert_int_equal(liveupdate_mark_begin(ends[1], NULL), -EINVAL);
	assert_int_equal(liveupdate_mark_end(ends[1], LONG_NAME "1"), -ENAMETOOLONG);
	assert_int_equal(liveupdate_mark_write(ends[1], "end:"), -EINVAL);
}

static void what_is_no_name_is_refused_before_it_is_written(void **state)
{
	static const struct {
		const char *name;
		int error;
	} names[] = {
		{ "", -EINVAL },      { "vm 1", -EINVAL },     { "vm:1", -EINVAL },
		{ "vm\n", -EINVAL },  { "\xc3\xa4", -EINVAL }, { LONG_NAME "1", -ENAMETOOLONG },
		{ "vm\"1", -EINVAL }, { "vm\x1b[1", -EINVAL },
	};
	char mark[2 * LIVEUPDATE_MARK_LENGTH];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_int_equal(liveupdate_mark_pause(ends[1], names[i].name), names[i].error);
		assert_int_equal(liveupdate_mark_resume(ends[1], names[i].name), names[i].error);
		snprintf(mark, sizeof(mark), "pause:%s", names[i].name);
		assert_int_equal(liveupdate_mark_write(ends[1], mark), names[i].error);
	}
	assert_int_equal(liveupdate_mark_write(ends[1], ""), -EINVAL);
	assert_int_equal(liveupdate_mark_write(ends[1], "a\tb"), -EINVAL);
	/* The kernel would take them, and nobody would take them for a pause. */
	assert_int_equal(liveupdate_mark_write(ends[1], " pause"), -EINVAL);
	assert_int_equal(liveupdate_mark_write(ends[1], "pause "), -EINVAL);
	assert_int_equal(liveupdate_mark_write(ends[1], " "), -EINVAL);
	assert_int_equal(liveupdate_mark_write(ends[1], "resume\r"), -EINVAL);
	assert_int_equal(liveupdate_mark_check("two words"), 0);
	assert_int_equal(liveupdate_mark_write(ends[1], LONG_NAME "12345678"), -ENAMETOOLONG);
	assert_string_equal(taken().name, "");
}

static void limits_are_those_of_the_kernel(void **state)
{
	(void)state;
	assert_int_equal(LIVEUPDATE_MARK_LENGTH_MAX, LIVEUPDATE_MARK_LENGTH - 1);
	assert_int_equal(LIVEUPDATE_WORKLOAD_NAME_MAX,
			 LIVEUPDATE_MARK_LENGTH - 1 - strlen(LIVEUPDATE_MARK_RESUME ":"));
}

/* As the kernel says it: no room, or whoever has no file that may be written to. */
static void errors_are_told_and_say_what_to_do(void **state)
{
	static const int errors[] = { -ENOENT, -EACCES, -EPERM, -ENAMETOOLONG,
				      -EINVAL, -ENOSPC, -EBADF };
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	size_t i;

	(void)state;
	assert_true(full >= 0);
	assert_int_equal(liveupdate_mark_pause(full, "vm1"), -ENOSPC);
	close(full);
	assert_int_equal(liveupdate_mark_pause(ends[0], "vm1"), -EBADF);
	for (i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		assert_true(strlen(liveupdate_mark_error(errors[i])) > 20);
		assert_string_not_equal(liveupdate_mark_error(errors[i]),
					liveupdate_mark_error(-EIO));
	}
}

/* Where 'lutrace mark --keep' takes marks */
#define KEPT_FILE "/run/lutrace/ledger/mark"
#define NOT_HERE  77

static int keeper(void)
{
	static const struct sockaddr_un place = { .sun_family = AF_UNIX, .sun_path = KEPT_FILE };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	unlink(KEPT_FILE);
	return fd >= 0 && !bind(fd, (const struct sockaddr *)&place, sizeof(place)) ? fd : -1;
}

/* In a /run of its own. Returns which look is wrong, 0 if none is. */
static int outlive_a_keeper(void)
{
	int first, second, marks;
	char text[16] = "";

	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("run", "/run", "tmpfs", 0, NULL) || mkdir("/run/lutrace", 0755) ||
	    mkdir("/run/lutrace/ledger", 0755) ||
	    !access("/sys/kernel/liveupdate/ledger/mark", F_OK))
		return NOT_HERE;
	first = keeper();
	marks = liveupdate_mark_open();
	if (first < 0 || marks < 0 || liveupdate_mark_write(marks, "pause"))
		return 1;
	close(first);
	if (liveupdate_mark_write(marks, "pause") != -ECONNREFUSED)
		return 2;
	second = keeper();
	if (second < 0 || liveupdate_mark_write(marks, "resume"))
		return 3;
	if (read(second, text, sizeof(text)) != 6 || strcmp(text, "resume") != 0)
		return 4;
	return 0;
}

static void marks_outlive_who_keeps_the_ledger(void **state)
{
	int status = 0;
	pid_t child;

	(void)state;
	child = fork();
	if (!child)
		_exit(outlive_a_keeper());
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == NOT_HERE)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_it_writes_is_what_the_rule_reads),
		TEST(both_marks_of_a_long_name_are_of_one_workload),
		TEST(marks_outlive_who_keeps_the_ledger),
		TEST(what_reads_marks_takes_the_names_that_it_writes),
		TEST(without_a_name_it_is_a_plain_mark),
		TEST(any_other_mark_is_written_as_it_is),
		TEST(steps_begin_and_end_with_their_name),
		TEST(what_is_no_name_is_refused_before_it_is_written),
		TEST(limits_are_those_of_the_kernel),
		TEST(errors_are_told_and_say_what_to_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
