// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The verb start: set the device up, receive, and get ready for a kexec.
 *
 * The report names the state: "receiving" (packets may come now), then those of
 * outgoing.c.
 */
#include <err.h>
#include <unistd.h>

#include "device.h"
#include "igb.h"
#include "outgoing.h"
#include "pages.h"
#include "receive.h"
#include "report.h"
#include "serve.h"
#include "stamps.h"
#include "verbs.h"

/*
 * Move the device between two page tables of the same memory while it receives, and leave
 * it on one of them alone.
 */
static int replace(struct device *device, struct memory *memory, uint64_t count)
{
	uint32_t tables[2] = { device->hwpt };
	uint64_t i;
	int ret;

	if (!count)
		return 0;
	ret = device_new_table(device, &tables[1]) ?: device_map_memory(device, memory);
	for (i = 1; !ret && i <= count; i++) {
		ret = device_attach(device, tables[i % 2]);
		serve(device, memory);
	}
	return ret ?: device_destroy(device, tables[i % 2]);
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
	struct memory memory;
	struct device device;

	serve_prepare();
	if (memory_create(&memory, options->more, options->sparse, options->pages) ||
	    device_open(&device, options->device) || device_map_memory(&device, &memory))
		return 1;
	stamps_write(&memory);
	receive_prepare(&memory);
	memory.state->tail = RING_ENTRIES - 1;
	if (igb_start(&device, IOVA_RING, RING_ENTRIES))
		return 1;
	if (options->interrupts) {
		if (device_enable_interrupt(&device))
			return 1;
		igb_enable_interrupt(&device);
		memory.state->interrupts = 1;
	}
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
		warnx("only %llu of %llu packets came (head %u)",
		      (unsigned long long)memory.state->received,
		      (unsigned long long)options->packets, igb_head(&device));
		return 1;
	}
	if (replace(&device, &memory, options->replace))
		return 1;
	json_object_object_add(report, "replaced", json_object_new_uint64(options->replace));
	return outgoing(&device, &memory, options, report);
}
