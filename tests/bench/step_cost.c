// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * step_cost: what does it cost that a step is recorded?
 *
 * Three loops, in turn, several times:
 *
 *  - "refused": write a mark that is too long to the ledger. The same system
 *    call, file and kernel function as the next, but nothing is recorded;
 *  - "mark": write a mark; one instant, one record;
 *  - "session": create a live update session and close it; the records that this
 *    makes are counted in the ledger.
 *
 * A kernel without a ledger only has the last. Prints JSON: nanoseconds for one
 * turn of each loop, for each round.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <linux/liveupdate.h>
#include <linux/liveupdate_trace.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define LEDGER	 "/sys/kernel/liveupdate/ledger/"
#define ROUNDS	 11
#define MARKS	 400
#define SESSIONS 50

/* One character more than a mark may have. */
static const char too_long[LIVEUPDATE_MARK_LENGTH + 1] =
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

static void refused(int fd)
{
	int i;

	for (i = 0; i < MARKS; i++)
		if (write(fd, too_long, LIVEUPDATE_MARK_LENGTH) != -1 || errno != EINVAL)
			errx(1, "a mark that is too long is not refused");
}

static void mark(int fd)
{
	int i;

	for (i = 0; i < MARKS; i++)
		if (write(fd, "x", 1) != 1)
			err(1, "mark");
}

static void session(int fd)
{
	int i;

	for (i = 0; i < SESSIONS; i++) {
		struct liveupdate_ioctl_create_session create = {
			.size = sizeof(create),
			.name = "bench",
		};

		if (ioctl(fd, LIVEUPDATE_IOCTL_CREATE_SESSION, &create))
			err(1, "create a session");
		if (close(create.fd))
			err(1, "close a session");
	}
}

/* Records that were appended so far; ends the program if one was dropped. */
static uint64_t records(void)
{
	struct liveupdate_ledger header;
	int fd = open(LEDGER "current", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, &header, sizeof(header)) != sizeof(header))
		err(1, "ledger");
	close(fd);
	if (header.dropped)
		errx(1, "the ledger is full: boot with a larger liveupdate_ledger=");
	return header.count;
}

static double ns_of(void (*loop)(int), int fd, int turns)
{
	struct timespec begin, end;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	loop(fd);
	clock_gettime(CLOCK_MONOTONIC, &end);
	return ((end.tv_sec - begin.tv_sec) * 1e9 + (end.tv_nsec - begin.tv_nsec)) / turns;
}

static void add(struct json_object *array, double ns)
{
	json_object_array_add(array, json_object_new_int64((int64_t)ns));
}

int main(void)
{
	struct json_object *result = json_object_new_object();
	struct json_object *refusals = json_object_new_array();
	struct json_object *marks = json_object_new_array();
	struct json_object *sessions = json_object_new_array();
	uint64_t before = 0, for_marks = 0, for_sessions = 0;
	int marking = open(LEDGER "mark", O_WRONLY | O_CLOEXEC);
	int orchestrator = open("/dev/liveupdate", O_RDWR | O_CLOEXEC);
	bool ledger = marking >= 0;
	int round;

	if (orchestrator < 0)
		err(1, "/dev/liveupdate");
	/* The first round warms up and is not counted. */
	for (round = 0; round <= ROUNDS; round++) {
		double ns[3] = { 0 };

		if (ledger) {
			ns[0] = ns_of(refused, marking, MARKS);
			before = records();
			ns[1] = ns_of(mark, marking, MARKS);
			for_marks = records() - before;
			before = records();
		}
		ns[2] = ns_of(session, orchestrator, SESSIONS);
		if (ledger)
			for_sessions = records() - before;
		if (!round)
			continue;
		if (ledger) {
			add(refusals, ns[0]);
			add(marks, ns[1]);
		}
		add(sessions, ns[2]);
	}
	json_object_object_add(result, "refused_ns", refusals);
	json_object_object_add(result, "mark_ns", marks);
	json_object_object_add(result, "session_ns", sessions);
	json_object_object_add(result, "records_of_mark",
			       json_object_new_double((double)for_marks / MARKS));
	json_object_object_add(result, "records_of_session",
			       json_object_new_double((double)for_sessions / SESSIONS));
	puts(json_object_to_json_string_ext(result, JSON_C_TO_STRING_PLAIN));
	return 0;
}
