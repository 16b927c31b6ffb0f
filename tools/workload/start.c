// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The verb start: set the device up, work, and get ready for a kexec.
 *
 * The report names the state: "receiving" (packets may come now, or commands complete), then those of
 * outgoing.c.
 */
#include <err.h>
#include <errno.h>
#include <unistd.h>
#include <uuid/uuid.h>

#include "driver.h"
#include "outgoing.h"
#include "pages.h"
#include "report.h"
#include "serve.h"
#include "stamps.h"
#include "verbs.h"

/*
 * Move the device between two page tables of the same memory while it works, and leave
 * it on one of them alone. What was to come meanwhile, and one more, has to be there.
 */
static int replace(struct device *device, struct memory *memory, uint64_t count,
		   struct json_object *report)
{
	struct json_object *result = json_object_new_object();
	uint32_t tables[2] = { device->hwpt };
	struct span span;
	uint64_t i;
	bool goes_on;
	int ret;

	if (!count)
		return 0;
	memory->driver->span_begin(memory, &span);
	ret = device_new_table(device, &tables[1]) ?: device_map_memory(device, memory);
	for (i = 1; !ret && i <= count; i++) {
		ret = device_attach(device, tables[i % 2]);
		serve(device, memory);
	}
	ret = ret ?: device_destroy(device, tables[i % 2]);
	goes_on = !ret && serve_until_received(device, memory, memory->state->received + 1, 5);
	memory->driver->span_end(device, memory, &span);

	json_object_object_add(report, "replace", result);
	json_object_object_add(result, "count", json_object_new_uint64(count));
	json_object_object_add(result, "received", json_object_new_uint64(span.received));
	json_object_object_add(result, "lost", json_object_new_uint64(span.lost));
	json_object_object_add(result, "goes_on", json_object_new_boolean(goes_on));
	return ret;
}

static int open_device(struct device *device, const struct options *options)
{
	uuid_t token;

	if (options->vf_token && uuid_parse(options->vf_token, token)) {
		warnx("--vf-token %s is no UUID", options->vf_token);
		return -EINVAL;
	}
	return device_open(device, options->device, options->vf_token ? token : NULL);
}

/**
 * do_start() - verb start
 * @options: the command line
 *
 * Return: 1 after a failure; else it ends with the kernel.
 */
int do_start(const struct options *options)
{
	struct json_object *report = json_object_new_object();
	const struct driver *driver = driver_of_device(options->device);
	struct memory memory;
	struct device device;

	serve_prepare();
	if (!driver ||
	    memory_create(&memory, driver, options->more, options->sparse, options->pages) ||
	    open_device(&device, options) || device_map_memory(&device, &memory))
		return 1;
	stamps_write(&memory);
	if (options->interrupts) {
		if (device_enable_interrupt(&device))
			return 1;
		memory.state->interrupts = 1;
	}
	if (driver->start(&device, &memory, options->interrupts))
		return 1;
	json_object_object_add(report, "pid", json_object_new_int(getpid()));
	json_object_object_add(report, "device", json_object_new_string(options->device));
	json_object_object_add(report, "mapped_bytes",
			       json_object_new_uint64(OFFSET_SPARSE - OFFSET_RING + memory.size -
						      OFFSET_MORE + options->sparse * PAGE));
	json_object_object_add(report, "memory",
			       pages_report(&memory, options->pages == PAGES_THP));
	if (report_state(report, "receiving", 0, options->report))
		return 1;
	if (!serve_until_received(&device, &memory, options->packets, 20)) {
		warnx("only %llu of %llu %s came", (unsigned long long)memory.state->received,
		      (unsigned long long)options->packets, driver->counted);
		return 1;
	}
	if (replace(&device, &memory, options->replace, report))
		return 1;
	return outgoing(&device, &memory, options, report);
}
