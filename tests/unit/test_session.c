// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Sessions of the orchestrator, whose device others have open for a moment; and what
 * becomes of a snapshot when the next one cannot be kept.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/say.h"
#include "iommu/kept.h"
#include "iommu/luo_session.h"
/* It defines fail(), which is a function of lutrace. */
#include <cmocka.h>

#define DEVICE "/dev/liveupdate"

/* How often the device is open elsewhere, and what is said then; what is asked of it fails. */
static unsigned int busy, opened, pauses, dismissed;
static int missing;

int open(const char *path, int flags, ...)
{
	va_list arguments;
	mode_t mode;

	va_start(arguments, flags);
	mode = flags & O_CREAT ? va_arg(arguments, mode_t) : 0;
	va_end(arguments);
	if (strcmp(path, DEVICE) != 0)
		return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
	opened++;
	if (opened <= busy || missing) {
		errno = missing ?: EBUSY;
		return -1;
	}
	return (int)syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDWR | O_CLOEXEC, 0);
}

int nanosleep(const struct timespec *time, struct timespec *left)
{
	(void)time;
	(void)left;
	pauses++;
	return 0;
}

/* In place of base/holder.c: no process of this machine is ended. */
pid_t holder_find(const struct holder_kind *kind)
{
	(void)kind;
	return 0;
}

bool holder_lives(const char *path)
{
	(void)path;
	return false;
}

bool holder_dismiss(const struct holder_kind *kind)
{
	(void)kind;
	dismissed++;
	return true;
}

int holder_start(const struct holder_kind *kind, int fd, void (*run)(void))
{
	(void)kind;
	(void)fd;
	(void)run;
	return EXIT_GOOD;
}

static int setup(void **state)
{
	(void)state;
	busy = opened = pauses = dismissed = 0;
	missing = 0;
	return 0;
}

static void a_device_that_is_busy_is_waited_for(void **state)
{
	int fd;

	(void)state;
	busy = 3;
	fd = luo_open();
	assert_true(fd >= 0);
	assert_int_equal(opened, 4);
	assert_int_equal(pauses, 3);
	close(fd);
}

static void so_is_one_that_a_session_comes_from(void **state)
{
	(void)state;
	busy = 3;
	assert_int_equal(luo_retrieve_session("lutrace"), -ENOTTY);
	assert_int_equal(opened, 4);
}

static void not_without_end(void **state)
{
	(void)state;
	busy = UINT32_MAX;
	assert_int_equal(luo_open(), -EBUSY);
	/* Five seconds, as an agent does. */
	assert_in_range(pauses, 490, 510);
}

static void one_that_is_not_there_is_not(void **state)
{
	(void)state;
	missing = ENOENT;
	assert_int_equal(luo_open(), -ENOENT);
	assert_int_equal(opened, 1);
	assert_int_equal(pauses, 0);
}

static void a_snapshot_stays_if_no_session_can_be_had(void **state)
{
	(void)state;
	busy = UINT32_MAX;
	assert_int_equal(snapshot_keep(-1, 1), EXIT_BAD);
	assert_int_equal(dismissed, 0);
	missing = ENOENT;
	assert_int_equal(snapshot_keep(-1, 1), EXIT_BAD);
	assert_int_equal(dismissed, 0);
}

static void it_goes_before_the_next_one_is_made(void **state)
{
	(void)state;
	assert_int_equal(snapshot_keep(-1, 1), EXIT_BAD);
	assert_int_equal(opened, 1);
	assert_int_equal(dismissed, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_device_that_is_busy_is_waited_for, setup),
		cmocka_unit_test_setup(so_is_one_that_a_session_comes_from, setup),
		cmocka_unit_test_setup(not_without_end, setup),
		cmocka_unit_test_setup(one_that_is_not_there_is_not, setup),
		cmocka_unit_test_setup(a_snapshot_stays_if_no_session_can_be_had, setup),
		cmocka_unit_test_setup(it_goes_before_the_next_one_is_made, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
