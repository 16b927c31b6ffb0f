// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What the workload does before a kexec: preserve itself, receive on, pause when
 * told to, and stay alive, because the session lives as long as this process.
 *
 * The report names the state: "ready" (preserved), "paused" (SIGUSR1 came; the
 * jump may follow), "failed".
 */
#include <err.h>
#include <errno.h>
#include <linux/liveupdate_trace.h>
#include <string.h>
#include <unistd.h>

#include "ledger.h"
#include "outgoing.h"
#include "report.h"
#include "serve.h"
#include "session.h"

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

/**
 * outgoing() - preserve, receive until told to pause, wait for the end
 * @device: the device, receiving
 * @memory: the memfd
 * @options: the command line
 * @report: added to and written
 *
 * Return: 1 after a failure; else it does not return.
 */
int outgoing(struct device *device, struct memory *memory, const struct options *options,
	     struct json_object *report)
{
	if (options->preserve && preserve(device, memory, options, report)) {
		report_state(report, "failed", memory->state->received, options->report);
		return 1;
	}
	if (report_state(report, "ready", memory->state->received, options->report))
		return 1;

	serve_until_told(device, memory, 0);
	/* The last look. What comes from now on is for the incoming kernel. */
	serve(device, memory);
	memory->state->paused = memory->state->received;
	ledger_mark(LIVEUPDATE_MARK_PAUSE);
	if (report_state(report, "paused", memory->state->received, options->report))
		return 1;
	for (;;)
		pause();
}
