// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The verb look, in a next kernel that gives the device back to nobody: the memory
 * can be had, and the device goes on writing into it. What comes is counted, and the
 * device is left alone: nobody gives it anything to do, so that it stops when the ring
 * is full, or all commands are done.
 *
 * The session is not finished. The report names the state: "looking", then "done".
 */
#include <err.h>
#include <linux/liveupdate_trace.h>
#include <string.h>
#include <unistd.h>

#include "driver.h"
#include "ledger.h"
#include "report.h"
#include "serve.h"
#include "session.h"
#include "stamps.h"
#include "verbs.h"
#include "verdict.h"

static int get_memory(const char *name, struct memory *memory)
{
	int session = session_retrieve(name), fd;

	if (session < 0) {
		warnx("session %s: %s", name, strerror(-session));
		return session;
	}
	fd = session_retrieve_file(session, TOKEN_MEMFD);
	/* Closed, it waits for whoever retrieves it again. */
	close(session);
	if (fd < 0) {
		warnx("retrieve the memfd: %s", strerror(-fd));
		return fd;
	}
	return memory_open(memory, fd);
}

/**
 * do_look() - verb look
 * @options: the command line
 *
 * Return: 0 if every packet or command is there exactly once and intact, and so is
 * the memory, 1 after a failure, 2 if not all is there.
 */
int do_look(const struct options *options)
{
	struct json_object *report = json_object_new_object();
	struct json_object *dma = json_object_new_object();
	struct workload_state *state;
	struct memory memory;
	struct stamps found;
	uint64_t sent = 0, received;
	bool known, complete;

	if (get_memory(options->session, &memory))
		return 1;
	state = memory.state;
	json_object_object_add(report, "dma", dma);
	json_object_object_add(dma, "found_at_resume",
			       json_object_new_uint64(memory.driver->waiting(&memory)));
	serve(NULL, &memory);
	ledger_mark(LIVEUPDATE_MARK_RESUME);
	received = state->received;
	memory.driver->blackout(dma, &memory, &state->clock);
	if (report_state(report, "looking", received, options->report))
		return 1;

	known = memory.driver->account(NULL, &memory, options, dma, &sent);
	stamps_check(NULL, &memory, &found);
	json_object_object_add(report, "memory", stamps_report(&found));
	complete = verdict_add(dma, memory.driver->counted, state, known, sent);
	json_object_object_add(dma, "after_resume",
			       json_object_new_uint64(state->received - received));
	if (report_state(report, "done", state->received, options->report))
		return 1;
	return complete && !found.damaged ? 0 : 2;
}
