// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The verb resume, in the next kernel: take the device over, count what it has
 * written in the meantime, work on, move it to a new page table, finish the
 * session. Then either account for all that was to come and stop the device, or get ready
 * for another kexec.
 *
 * The report names the state: "resumed" (the workload runs again; SIGUSR1 lets it
 * move the device), "finished" (the device is nobody else's; SIGUSR1 lets it prepare
 * the next update), "done"; or those of outgoing.c.
 */
#include <err.h>
#include <linux/liveupdate_trace.h>
#include <unistd.h>

#include "driver.h"
#include "ledger.h"
#include "outgoing.h"
#include "report.h"
#include "serve.h"
#include "stamps.h"
#include "takeover.h"
#include "verbs.h"
#include "verdict.h"

/* What crossed is looked at while it is still the session's, and when it is not. */
static bool check(struct takeover *takeover, struct json_object *report, const char *when)
{
	struct device *device = takeover->has_device ? &takeover->device : NULL;
	struct json_object *memory;
	struct stamps found;

	stamps_check(device, &takeover->memory, &found);
	if (!json_object_object_get_ex(report, "memory", &memory)) {
		memory = json_object_new_object();
		json_object_object_add(report, "memory", memory);
	}
	json_object_object_add(memory, when, stamps_report(&found));
	return !found.damaged;
}

static int move_and_finish(struct takeover *takeover, const struct options *options,
			   struct json_object *dma)
{
	struct device *device = takeover->has_device ? &takeover->device : NULL;

	if (!serve_until_told(device, &takeover->memory, options->seconds)) {
		warnx("nobody says that the device may be moved");
		return 1;
	}
	if (device && takeover_replace(takeover, dma))
		return 1;
	return takeover_finish(takeover) ? 1 : 0;
}

/* In order: the device stops, leaves its page table, is closed. */
static int shut_down(struct takeover *takeover)
{
	if (!takeover->has_device)
		return 0;
	return takeover->memory.driver->stop(&takeover->device, &takeover->memory) ||
	       device_close(&takeover->device);
}

/**
 * do_resume() - verb resume
 * @options: the command line
 *
 * Return: 0 if every packet or command is there exactly once and intact, and so is
 * the memory, 1 after a failure, 2 if not all is there.
 */
int do_resume(const struct options *options)
{
	struct json_object *report = json_object_new_object();
	struct json_object *dma = json_object_new_object();
	const struct driver *driver;
	struct workload_state *state;
	struct takeover takeover;
	struct device *device;
	struct clock_pair pair;
	uint64_t sent = 0, received;
	bool known, complete, intact;

	serve_prepare();
	if (takeover_begin(&takeover, options->session))
		return 1;
	state = takeover.memory.state;
	driver = takeover.memory.driver;
	device = takeover.has_device ? &takeover.device : NULL;
	if (!device)
		warnx("no device crossed, only its memory");
	/* The clock of this kernel has to be tied to the one outside anew. */
	pair = state->clock;
	state->clock = (struct clock_pair){};
	state->updates++;
	json_object_object_add(dma, "found_at_resume",
			       json_object_new_uint64(driver->waiting(&takeover.memory)));
	if (driver->in_flight)
		json_object_object_add(dma, "in_flight_at_pause",
				       json_object_new_uint64(driver->in_flight(&takeover.memory)));
	serve(device, &takeover.memory);
	ledger_mark(LIVEUPDATE_MARK_RESUME);
	received = state->received;

	json_object_object_add(report, "pid", json_object_new_int(getpid()));
	json_object_object_add(report, "updates", json_object_new_uint64(state->updates));
	json_object_object_add(report, "session", takeover.report);
	json_object_object_add(report, "interrupts", takeover_interrupts(&takeover));
	json_object_object_add(report, "dma", dma);
	if (report_state(report, "resumed", received, options->report))
		return 1;
	intact = check(&takeover, report, "resumed");
	if (move_and_finish(&takeover, options, dma))
		return 1;
	intact &= check(&takeover, report, "finished");
	driver->blackout(dma, &takeover.memory, &pair);
	json_object_object_add(report, "interrupts", takeover_interrupts(&takeover));
	json_object_object_add(dma, "after_resume",
			       json_object_new_uint64(state->received - received));
	if (report_state(report, "finished", state->received, options->report))
		return 1;

	if (options->again && device) {
		if (serve_until_told(device, &takeover.memory, options->seconds))
			return outgoing(device, &takeover.memory, options, report);
		warnx("nobody says that the next live update may be prepared");
		return 1;
	}
	known = driver->account(device, &takeover.memory, options, dma, &sent);
	if (shut_down(&takeover))
		return 1;
	json_object_object_add(report, "interrupts", takeover_interrupts(&takeover));
	complete = verdict_add(dma, driver->counted, state, known, sent);
	json_object_object_add(dma, "after_resume",
			       json_object_new_uint64(state->received - received));
	if (report_state(report, "done", state->received, options->report))
		return 1;
	return complete && intact ? 0 : 2;
}
