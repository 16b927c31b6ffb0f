// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/cycles.h"
#include "base/holder.h"
#include "base/json.h"
#include "base/say.h"
#include "base/write.h"
#include "keeper/boot.h"
#include "keeper/cross.h"
#include "keeper/keeper.h"
#include "keeper/steps.h"
#include "keeper/writer.h"
#include "liveupdate_mark.h"

#define MARK_FILE     LEDGER_KEPT_DIRECTORY "/mark"
#define CURRENT_FILE  LEDGER_KEPT_CURRENT
#define PREVIOUS_FILE LEDGER_KEPT_DIRECTORY "/previous"
#define STATE_FILE    LEDGER_KEPT_DIRECTORY "/state.json"

/* So long the frequency of the cycle counter is measured before anything is recorded. */
#define MEASURE_NS 50000000ULL

/* So long it may take until it is kept; under emulation it takes seconds. */
#define ANSWER_MS 120000

static const struct holder_kind holder = { "lutrace-keeper", LEDGER_KEEPER };

/**
 * struct ledger_keeper - the process that stays behind
 * @begun:    when it did, by CLOCK_MONOTONIC_RAW
 * @previous: the ledger of the kernel before
 * @crossing: memory of @writer
 * @writer:   the ledger of this kernel
 * @steps:    what of this kernel is followed
 * @marks:    socket that marks come to
 */
struct ledger_keeper {
	struct cycles_pair begun;
	struct ledger previous;
	struct crossing crossing;
	struct writer writer;
	struct steps steps;
	int marks;
};

/* The longer it is measured, the better it is known. */
static void update_clocks(struct ledger_keeper *keeper)
{
	struct liveupdate_ledger *header = keeper->writer.header;
	struct cycles_pair now = cycles_pair(CLOCK_MONOTONIC_RAW);
	struct cycles_pair wall = cycles_pair(CLOCK_REALTIME);

	header->cycles_khz = cycles_khz(&keeper->begun, &now);
	header->wall_cycles = wall.cycles;
	header->wall_ns = wall.ns;
}

static void measure(struct ledger_keeper *keeper)
{
	struct cycles_pair now;

	do {
		usleep(MEASURE_NS / 5000);
		now = cycles_pair(CLOCK_MONOTONIC_RAW);
	} while (now.ns - keeper->begun.ns < MEASURE_NS);
	update_clocks(keeper);
}

static void add_instant(struct writer *writer, __u16 step, __u64 cycles)
{
	const struct liveupdate_record record = {
		.cycles = cycles,
		.step = step,
		.edge = LIVEUPDATE_EDGE_INSTANT,
	};

	if (cycles)
		writer_add(writer, &record);
}

/* One number is left to the jump, which nobody recorded. */
static __u64 first_number(const struct ledger *previous)
{
	return previous->count ? previous->records[previous->count - 1].sequence +
					 previous->header.dropped + 2
			       : 1;
}

static int begin_ledger(struct ledger_keeper *keeper, char why[LEDGER_WHY_SIZE])
{
	struct boot_stamps stamps;
	struct utsname name;
	int error = cross_memory(&keeper->crossing, why);

	if (error)
		return error;
	uname(&name);
	writer_begin(&keeper->writer, keeper->crossing.memory, keeper->crossing.size, name.release,
		     first_number(&keeper->previous));
	measure(keeper);
	boot_read(&stamps, keeper->writer.header->cycles_khz);
	add_instant(&keeper->writer, LIVEUPDATE_STEP_BOOT, stamps.clock);
	add_instant(&keeper->writer, LIVEUPDATE_STEP_INIT, stamps.init);
	keeper->steps.writer = &keeper->writer;
	return 0;
}

static int open_marks(struct ledger_keeper *keeper, char why[LEDGER_WHY_SIZE])
{
	static const struct sockaddr_un place = { .sun_family = AF_UNIX, .sun_path = MARK_FILE };
	const int stamps = 1;

	unlink(MARK_FILE);
	keeper->marks = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	/* Marks have the time at which they were written. */
	if (keeper->marks >= 0 &&
	    !setsockopt(keeper->marks, SOL_SOCKET, SO_TIMESTAMPNS, &stamps, sizeof(stamps)) &&
	    !bind(keeper->marks, (const struct sockaddr *)&place, sizeof(place)))
		return 0;
	snprintf(why, LEDGER_WHY_SIZE, MARK_FILE ": %s", strerror(errno));
	return -errno;
}

/* Readers find the memory by the name that the kernel has for a process's file. */
static int show_ledger(const struct ledger_keeper *keeper, char why[LEDGER_WHY_SIZE])
{
	char target[64];

	snprintf(target, sizeof(target), "/proc/%d/fd/%d", (int)getpid(), keeper->crossing.memfd);
	unlink(CURRENT_FILE);
	if (!symlink(target, CURRENT_FILE))
		return 0;
	snprintf(why, LEDGER_WHY_SIZE, CURRENT_FILE ": %s", strerror(errno));
	return -errno;
}

/* When a message was sent, by the cycle counter; now, if the kernel does not say. */
static __u64 sent_at(const struct ledger_keeper *keeper, struct msghdr *message)
{
	struct cycles_pair now = cycles_pair(CLOCK_REALTIME);
	struct cmsghdr *part;
	struct timespec time;

	for (part = CMSG_FIRSTHDR(message); part; part = CMSG_NXTHDR(message, part)) {
		if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_TIMESTAMPNS)
			continue;
		memcpy(&time, CMSG_DATA(part), sizeof(time));
		return cycles_at(&now, (__u64)time.tv_sec * 1000000000 + (__u64)time.tv_nsec,
				 keeper->writer.header->cycles_khz);
	}
	return now.cycles;
}

/* What is no mark is its sender's mistake. */
static void take_marks(struct ledger_keeper *keeper)
{
	char text[LIVEUPDATE_MARK_LENGTH_MAX + 2], control[256];
	struct iovec part = { text, sizeof(text) - 1 };
	ssize_t got;

	for (;;) {
		struct msghdr message = {
			.msg_iov = &part,
			.msg_iovlen = 1,
			.msg_control = control,
			.msg_controllen = sizeof(control),
		};

		got = recvmsg(keeper->marks, &message, 0);
		if (got < 0)
			return;
		text[got] = '\0';
		if (!liveupdate_mark_check(text))
			writer_mark(&keeper->writer, sent_at(keeper, &message), text);
	}
}

/* What is wrong with what came from the kernel before; NULL if nothing is. */
static const char *take_previous(struct ledger_keeper *keeper, int *error,
				 char why[LEDGER_WHY_SIZE])
{
	*error = cross_arrived(PREVIOUS_FILE, &keeper->previous, why);
	if (*error == -ENOENT || *error == -EINVAL) {
		const char *refused = *error == -EINVAL ? why : NULL;

		*error = 0;
		return refused;
	}
	return NULL;
}

static int write_state(const struct ledger_keeper *keeper, struct json_object *functions,
		       const char *refused, char why[LEDGER_WHY_SIZE])
{
	struct json_object *value = json_object_new_object();
	const char *text;
	size_t size;
	int error;

	add_text(value, "directory", LEDGER_KEPT_DIRECTORY);
	add_number(value, "process", getpid());
	add_text(value, "previous",
		 keeper->previous.count ? keeper->previous.header.release : NULL);
	add_text(value, "refused", refused);
	json_object_object_add(value, "functions", functions);
	text = json_text(value, JSON_C_TO_STRING_PLAIN, &size);
	error = file_write(STATE_FILE, text, size, 0600);
	if (error)
		snprintf(why, LEDGER_WHY_SIZE, STATE_FILE ": %s", strerror(-error));
	json_object_put(value);
	return error;
}

static int set_up(struct ledger_keeper *keeper, char why[LEDGER_WHY_SIZE])
{
	char previous_why[LEDGER_WHY_SIZE];
	struct json_object *functions;
	const char *refused;
	int error;

	keeper->begun = cycles_pair(CLOCK_MONOTONIC_RAW);
	functions = steps_attach(&keeper->steps);
	refused = take_previous(keeper, &error, previous_why);
	if (error)
		memcpy(why, previous_why, LEDGER_WHY_SIZE);
	error = error ?: begin_ledger(keeper, why);
	error = error ?: open_marks(keeper, why);
	error = error ?: cross_preserve(&keeper->crossing, why);
	error = error ?: show_ledger(keeper, why);
	if (error)
		json_object_put(functions);
	return error ?: write_state(keeper, functions, refused, why);
}

/*
 * What it has not written down when the other CPUs stop is not known later: it runs before
 * others do, for a few microseconds each time.
 */
static void run_first(void)
{
	const struct sched_param parameters = { .sched_priority = 1 };

	sched_setscheduler(0, SCHED_FIFO, &parameters);
}

static void keep(void)
{
	static struct ledger_keeper keeper;
	char why[LEDGER_WHY_SIZE] = "";
	struct pollfd waited[2];

	if (set_up(&keeper, why)) {
		write_all(HOLDER_FD, why, strlen(why));
		_exit(EXIT_BAD);
	}
	write_all(HOLDER_FD, "", 1);
	close(HOLDER_FD);
	run_first();
	waited[0] = (struct pollfd){ .fd = keeper.marks, .events = POLLIN };
	waited[1] = (struct pollfd){ .fd = steps_descriptor(&keeper.steps), .events = POLLIN };
	for (;;) {
		poll(waited, 2, -1);
		update_clocks(&keeper);
		/* What a step did before a mark is before it in the ledger. */
		steps_take(&keeper.steps);
		take_marks(&keeper);
	}
}

/* What the process says when it is ready: nothing, or why it is not. */
static int hear(int fd)
{
	struct pollfd waited = { .fd = fd, .events = POLLIN };
	char text[LEDGER_WHY_SIZE] = "";
	ssize_t got;

	if (!poll(&waited, 1, ANSWER_MS)) {
		holder_dismiss(&holder);
		return fail("no ledger is kept: the process that was to do it did not answer");
	}
	got = read(fd, text, sizeof(text) - 1);
	if (got == 1 && !text[0])
		return EXIT_GOOD;
	return got > 0 ? fail("no ledger is kept: %s", text)
		       : fail("no ledger is kept: the process that was to do it has ended");
}

static int start(void)
{
	int ends[2], code;

	if (!cycles_are_read())
		return unknown(
			"no ledger is kept: the cycle counter of this machine is not known here");
	mkdir(LUTRACE_RUN, 0700);
	if ((mkdir(LEDGER_KEPT_DIRECTORY, 0700) && errno != EEXIST) || pipe2(ends, O_CLOEXEC))
		return fail(LEDGER_KEPT_DIRECTORY ": %s", strerror(errno));
	code = holder_start(&holder, ends[1], keep);
	close(ends[1]);
	code = code ?: hear(ends[0]);
	close(ends[0]);
	return code;
}

/**
 * keeper_start - have a ledger kept, if this kernel keeps none and nobody does yet
 * @state: set to what is kept, to be freed
 *
 * Return: EXIT_GOOD, or after an error message another of the exit codes.
 */
int keeper_start(struct json_object **state)
{
	int code = EXIT_GOOD;

	if (!access(LEDGER_DIRECTORY, F_OK))
		return fail("this kernel keeps a ledger itself: nothing else is needed");
	if (access("/dev/liveupdate", F_OK))
		return fail(
			"no ledger is kept: there is no /dev/liveupdate; boot with kho=on liveupdate=on (see 'lutrace doctor')");
	if (!holder_find(&holder))
		code = start();
	if (code)
		return code;
	*state = json_object_from_file(STATE_FILE);
	return *state ? EXIT_GOOD : fail("%s cannot be read", STATE_FILE);
}
