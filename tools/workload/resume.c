// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The incoming half: get the memfd back, count what the device has written in
 * the meantime, watch it go on, and account for every packet.
 *
 * The report names the state: "resumed" (the workload runs again), "done".
 */
#include <err.h>
#include <errno.h>
#include <linux/liveupdate_trace.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#include "ledger.h"
#include "receive.h"
#include "report.h"
#include "session.h"
#include "verbs.h"

static struct json_object *count(uint64_t number)
{
	return json_object_new_uint64(number);
}

/* The sender's clock when the cycle counter had that value. */
static int64_t sender_time(const struct clock_pair *pair, uint64_t khz, uint64_t cycles)
{
	__int128 distance = (__int128)cycles - pair->cycles;

	return (int64_t)pair->sent_ns + (int64_t)(distance * 1000000 / (int64_t)khz);
}

static uint64_t sent_between(const struct workload_state *state, int64_t begin, int64_t end)
{
	uint64_t found = 0;
	unsigned int i;

	for (i = 0; i < SEQUENCES; i++)
		found += state->sent_ns[i] && (int64_t)state->sent_ns[i] >= begin &&
			 (int64_t)state->sent_ns[i] < end;
	return found;
}

/*
 * Packets that were sent, and arrived, during the blackout, and while no kernel
 * ran at all: between the jump and the first moment of the incoming kernel. null
 * where the ledger does not say when that was.
 */
static void add_blackout(struct json_object *report, const struct workload_state *state)
{
	struct json_object *blackout = NULL, *no_kernel = NULL, *times = NULL;
	struct moments at;
	int64_t ns[4];

	if (ledger_moments(&at) && state->clock.valid) {
		ns[0] = sender_time(&state->clock, at.khz, at.pause);
		ns[1] = sender_time(&state->clock, at.khz, at.jump);
		ns[2] = sender_time(&state->clock, at.khz, at.boot);
		ns[3] = sender_time(&state->clock, at.khz, at.resume);
		blackout = count(sent_between(state, ns[0], ns[3]));
		no_kernel = count(sent_between(state, ns[1], ns[2]));
		times = json_object_new_object();
		json_object_object_add(times, "pause", json_object_new_int64(ns[0]));
		json_object_object_add(times, "jump", json_object_new_int64(ns[1]));
		json_object_object_add(times, "boot", json_object_new_int64(ns[2]));
		json_object_object_add(times, "resume", json_object_new_int64(ns[3]));
	}
	json_object_object_add(report, "during_blackout", blackout);
	json_object_object_add(report, "while_no_kernel_ran", no_kernel);
	json_object_object_add(report, "sender_ns", times);
}

/* The number of packets sent, once the sender has stopped and said so. */
static bool read_sent(const char *path, uint64_t *sent)
{
	struct json_object *file, *value;
	bool found;

	if (!path || access(path, R_OK))
		return false;
	file = json_object_from_file(path);
	found = file && json_object_object_get_ex(file, "sent", &value);
	if (found)
		*sent = json_object_get_uint64(value);
	json_object_put(file);
	return found;
}

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000ULL + t.tv_nsec / 1000000;
}

/* Poll until the sender has stopped and all is here, or nothing comes any more. */
static bool watch(struct memory *memory, const struct options *options, uint64_t *sent)
{
	const struct timespec moment = { .tv_nsec = 1000000 };
	uint64_t end = now_ms() + options->seconds * 1000, last = 0;
	bool stopped = false;

	while (now_ms() < end) {
		if (receive(memory, false, NULL))
			last = now_ms();
		if (!stopped && read_sent(options->until, sent)) {
			stopped = true;
			last = now_ms();
		}
		if (stopped && (memory->state->received >= *sent || now_ms() - last > 500))
			break;
		nanosleep(&moment, NULL);
	}
	return stopped;
}

/**
 * do_resume() - verb resume
 * @options: the command line
 *
 * Return: 0 if every packet that was sent is there exactly once and intact, 1
 * after a failure, 2 if not all are there.
 */
int do_resume(const struct options *options)
{
	struct json_object *report = json_object_new_object();
	struct json_object *results = json_object_new_object();
	uint64_t sent = 0, found, received;
	struct memory memory;
	int session, fd;
	bool known, complete;

	session = session_retrieve(options->session);
	if (session < 0) {
		warnx("session %s: %s", options->session, strerror(-session));
		return 1;
	}
	fd = session_retrieve_file(session, TOKEN_MEMFD);
	if (fd < 0) {
		warnx("retrieve the memfd: %s", strerror(-fd));
		return 1;
	}
	if (memory_open(&memory, fd))
		return 1;
	found = receive_waiting(&memory);
	receive(&memory, false, NULL);
	ledger_mark(LIVEUPDATE_MARK_RESUME);
	received = memory.state->received;
	json_object_object_add(report, "state", json_object_new_string("resumed"));
	if (options->report && report_write(report, options->report))
		return 1;

	known = watch(&memory, options, &sent);
	complete = known && memory.state->received == sent && !memory.state->duplicates &&
		   !memory.state->corrupt;

	json_object_object_add(report, "state", json_object_new_string("done"));
	json_object_object_add(report, "sent", known ? count(sent) : NULL);
	json_object_object_add(report, "received", count(memory.state->received));
	json_object_object_add(
		report, "lost",
		known ? json_object_new_int64((int64_t)(sent - memory.state->received)) : NULL);
	json_object_object_add(report, "duplicates", count(memory.state->duplicates));
	json_object_object_add(report, "corrupt", count(memory.state->corrupt));
	json_object_object_add(report, "foreign", count(memory.state->foreign));
	json_object_object_add(report, "before_pause", count(memory.state->paused));
	json_object_object_add(report, "found_at_resume", count(found));
	json_object_object_add(report, "after_resume", count(memory.state->received - received));
	add_blackout(report, memory.state);

	/*
	 * After the count: a kernel that does not give the device back yet refuses
	 * these, and that is a fact to report, not a failure of the workload.
	 */
	json_object_object_add(results, "memfd", report_errno(fd));
	json_object_object_add(results, "iommufd",
			       report_errno(session_retrieve_file(session, TOKEN_IOMMUFD)));
	json_object_object_add(results, "cdev",
			       report_errno(session_retrieve_file(session, TOKEN_CDEV)));
	json_object_object_add(results, "finish", report_errno(session_finish(session)));
	json_object_object_add(report, "retrieve", results);
	if (report_write(report, options->report))
		return 1;
	return complete ? 0 : 2;
}
