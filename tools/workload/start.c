// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The outgoing half: set the device up, receive, preserve, pause when told to,
 * and stay alive, because the session lives as long as this process.
 *
 * The report names the state: "receiving" (packets may come now), "ready"
 * (preserved), "paused" (SIGUSR1 came; the jump may follow).
 */
#include <err.h>
#include <errno.h>
#include <linux/liveupdate_trace.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "device.h"
#include "igb.h"
#include "ledger.h"
#include "receive.h"
#include "report.h"
#include "session.h"
#include "verbs.h"

static volatile sig_atomic_t pause_wanted;

static void on_pause(int number)
{
	(void)number;
	pause_wanted = 1;
}

/* Take what is there and give the descriptors back. */
static unsigned int serve(struct device *device, struct memory *memory)
{
	unsigned int count = receive(memory, true, &memory->state->clock);

	if (count)
		igb_give(device, (memory->state->next + RING_ENTRIES - 1) % RING_ENTRIES);
	return count;
}

static int map_all(struct device *device, struct memory *memory, const struct options *options)
{
	uint64_t i;
	int ret;

	ret = device_map(device, memory, OFFSET_RING, OFFSET_SPARSE - OFFSET_RING, IOVA_RING);
	if (!ret && options->more)
		ret = device_map(device, memory, OFFSET_MORE, memory->size - OFFSET_MORE,
				 IOVA_MORE);
	for (i = 0; !ret && i < options->sparse; i++)
		ret = device_map(device, memory, OFFSET_SPARSE + i % SPARSE_PAGES * PAGE, PAGE,
				 IOVA_SPARSE + i * SPARSE_STRIDE);
	return ret;
}

/*
 * Preserve memfd, iommufd and device, in the order in which each depends on those
 * before it. Where the feature is switched off (EOPNOTSUPP) or the kernel has never
 * heard of it (ENOTTY), the memfd alone still crosses.
 */
static int preserve(struct device *device, struct memory *memory, const struct options *options,
		    struct json_object *report)
{
	struct json_object *results = json_object_new_object();
	int session, mark, ret;

	json_object_object_add(report, "preserve", results);
	mark = device_mark(device, TOKEN_HWPT);
	json_object_object_add(results, "mark", report_errno(mark));
	if (mark && mark != -EOPNOTSUPP && mark != -ENOTTY) {
		warnx("mark the page table: %s", strerror(-mark));
		return mark;
	}
	if (mark)
		warnx("this kernel cannot preserve a page table; only the memfd crosses");

	session = session_create(options->session);
	json_object_object_add(results, "session", report_errno(session));
	if (session < 0) {
		warnx("session %s: %s", options->session, strerror(-session));
		return session;
	}
	ret = session_preserve_file(session, memory->fd, TOKEN_MEMFD);
	json_object_object_add(results, "memfd", report_errno(ret));
	if (ret) {
		warnx("preserve the memfd: %s", strerror(-ret));
		return ret;
	}
	if (mark)
		return 0;
	ret = session_preserve_file(session, device->iommufd, TOKEN_IOMMUFD);
	json_object_object_add(results, "iommufd", report_errno(ret));
	if (ret) {
		warnx("preserve the iommufd: %s", strerror(-ret));
		return ret;
	}
	ret = session_preserve_file(session, device->cdev, TOKEN_CDEV);
	json_object_object_add(results, "cdev", report_errno(ret));
	if (ret)
		warnx("preserve the device: %s", strerror(-ret));
	return ret;
}

static int tell(struct json_object *report, const char *state, const struct memory *memory,
		const struct options *options)
{
	json_object_object_add(report, "state", json_object_new_string(state));
	json_object_object_add(report, "received", json_object_new_uint64(memory->state->received));
	return report_write(report, options->report);
}

/**
 * do_start() - verb start
 * @options: the command line
 *
 * Return: 0 when it is over without a kexec, 1 after a failure.
 */
int do_start(const struct options *options)
{
	const struct timespec moment = { .tv_nsec = 500000 };
	struct sigaction action = { .sa_handler = on_pause };
	struct json_object *report = json_object_new_object();
	struct memory memory;
	struct device device;
	struct timespec end, now;

	sigaction(SIGUSR1, &action, NULL);
	if (memory_create(&memory, options->more, options->huge) ||
	    device_open(&device, options->device) || map_all(&device, &memory, options))
		return 1;
	receive_prepare(&memory);
	if (igb_start(&device, IOVA_RING, RING_ENTRIES))
		return 1;
	json_object_object_add(report, "pid", json_object_new_int(getpid()));
	json_object_object_add(report, "device", json_object_new_string(options->device));
	json_object_object_add(report, "mapped_bytes",
			       json_object_new_uint64(OFFSET_SPARSE - OFFSET_RING + memory.size -
						      OFFSET_MORE + options->sparse * PAGE));
	if (tell(report, "receiving", &memory, options))
		return 1;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += 20;
	while (memory.state->received < options->packets) {
		serve(&device, &memory);
		clock_gettime(CLOCK_MONOTONIC, &now);
		if (now.tv_sec > end.tv_sec) {
			warnx("only %llu of %llu packets came (head %u)",
			      (unsigned long long)memory.state->received,
			      (unsigned long long)options->packets, igb_head(&device));
			return 1;
		}
		nanosleep(&moment, NULL);
	}
	if (options->preserve && preserve(&device, &memory, options, report)) {
		tell(report, "failed", &memory, options);
		return 1;
	}
	if (tell(report, "ready", &memory, options))
		return 1;

	while (!pause_wanted) {
		serve(&device, &memory);
		nanosleep(&moment, NULL);
	}
	/* The last look. What comes from now on is for the incoming kernel. */
	serve(&device, &memory);
	memory.state->paused = memory.state->received;
	ledger_mark(LIVEUPDATE_MARK_PAUSE);
	if (tell(report, "paused", &memory, options))
		return 1;
	for (;;)
		pause();
}
