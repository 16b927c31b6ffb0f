// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Taking the device over from the session that it crossed the kexec in.
 *
 * Everything is done while the device works: it is neither reset nor set up. It
 * stays on the page table that it has been using until it is moved to a new one,
 * made from the same memory at the same addresses.
 */
#include <err.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "driver.h"
#include "report.h"
#include "serve.h"
#include "session.h"
#include "takeover.h"

/* One thing that was done: its result, and its time from @begin to now. */
static struct json_object *outcome(uint64_t begin, int ret)
{
	uint64_t ns = serve_now_ns() - begin;
	struct json_object *value = json_object_new_object();

	json_object_object_add(value, "result", report_errno(ret));
	json_object_object_add(value, "ns", json_object_new_uint64(ns));
	return value;
}

static int note(struct takeover *takeover, const char *what, uint64_t begin, int ret)
{
	json_object_object_add(takeover->report, what, outcome(begin, ret));
	return ret;
}

static int retrieve(struct takeover *takeover, struct json_object *list, const char *name,
		    uint64_t token)
{
	uint64_t begin = serve_now_ns();
	int fd = session_retrieve_file(takeover->session, token);
	struct json_object *file = outcome(begin, fd);

	json_object_object_add(file, "file", json_object_new_string(name));
	json_object_object_add(file, "token", json_object_new_uint64(token));
	json_object_array_add(list, file);
	/* Where the feature is switched off there is only the memory. */
	if (fd < 0 && (fd != -ENOENT || token == TOKEN_MEMFD))
		warnx("retrieve the %s: %s", name, strerror(-fd));
	return fd;
}

/**
 * takeover_begin() - get the files, and the device to work with
 * @takeover: filled
 * @name: name of the session
 *
 * Return: 0 or a negative errno; said on standard error.
 */
int takeover_begin(struct takeover *takeover, const char *name)
{
	struct device *device = &takeover->device;
	struct json_object *files = json_object_new_array();
	uint64_t begin = serve_now_ns();
	int fd, ret;

	*takeover = (struct takeover){ .report = json_object_new_object() };
	json_object_object_add(takeover->report, "name", json_object_new_string(name));
	takeover->session = session_retrieve(name);
	note(takeover, "retrieve", begin, takeover->session);
	if (takeover->session < 0) {
		warnx("session %s: %s", name, strerror(-takeover->session));
		return takeover->session;
	}
	json_object_object_add(takeover->report, "files", files);
	fd = retrieve(takeover, files, "memfd", TOKEN_MEMFD);
	if (fd < 0)
		return fd;
	ret = memory_open(&takeover->memory, fd);
	if (ret)
		return ret;
	device->iommufd = retrieve(takeover, files, "iommufd", TOKEN_IOMMUFD);
	device->cdev = retrieve(takeover, files, "device", TOKEN_CDEV);
	if (device->iommufd == -ENOENT && device->cdev == -ENOENT)
		return 0;
	if (device->iommufd < 0 || device->cdev < 0)
		return device->iommufd < 0 ? device->iommufd : device->cdev;

	begin = serve_now_ns();
	ret = note(takeover, "bind", begin, device_bind(device, NULL));
	if (ret)
		return ret;
	if (!takeover->memory.driver->is_as_left(device, &takeover->memory))
		return -EIO;
	takeover->has_device = true;
	if (!takeover->memory.state->interrupts)
		return 0;
	begin = serve_now_ns();
	ret = note(takeover, "interrupts", begin, device_enable_interrupt(device));
	takeover->signals = takeover->memory.state->signals;
	takeover->missed = device_signals(device);
	takeover->memory.state->signals += takeover->missed;
	return ret;
}

/* One more packet, or command, shows that the device works now. */
static int see_traffic(struct takeover *takeover)
{
	struct memory *memory = &takeover->memory;

	if (serve_until_received(&takeover->device, memory, memory->state->received + 1, 5))
		return 0;
	warnx("no %s come", memory->driver->counted);
	return -ETIMEDOUT;
}

static int move(struct takeover *takeover, uint32_t *moved)
{
	struct memory *memory = &takeover->memory;
	struct device *device = &takeover->device;
	uint32_t new, old, waiting;
	uint64_t begin;
	int ret;

	begin = serve_now_ns();
	ret = note(takeover, "restore", begin, device_restore(device, TOKEN_HWPT));
	if (ret == -ENOENT)
		warnx("page table %d is not there any more: who has moved the device?", TOKEN_HWPT);
	if (ret)
		return ret;
	old = device->hwpt;

	begin = serve_now_ns();
	ret = device_new_table(device, &new);
	if (!ret)
		ret = device_map_memory(device, memory);
	if (note(takeover, "map", begin, ret))
		return ret;

	ret = see_traffic(takeover);
	if (ret)
		return ret;
	waiting = memory->driver->waiting(memory);
	begin = serve_now_ns();
	ret = note(takeover, "replace", begin, device_attach(device, new));
	*moved = memory->driver->waiting(memory) - waiting;
	if (ret)
		return ret;

	begin = serve_now_ns();
	return note(takeover, "destroy", begin, device_destroy(device, old))
		       ?: see_traffic(takeover);
}

/**
 * takeover_replace() - move the device to a new page table while it works
 * @takeover: begun, with a device
 * @dma: gets what came meanwhile
 *
 * Return: 0 or a negative errno; said on standard error.
 */
int takeover_replace(struct takeover *takeover, struct json_object *dma)
{
	struct json_object *replace = json_object_new_object();
	struct memory *memory = &takeover->memory;
	uint64_t begin = serve_now_ns(), end;
	uint32_t moved = 0;
	struct span span;
	int ret;

	serve(&takeover->device, memory);
	memory->driver->span_begin(memory, &span);
	ret = move(takeover, &moved);
	serve(&takeover->device, memory);
	end = serve_now_ns();
	memory->driver->span_end(&takeover->device, memory, &span);

	json_object_object_add(dma, "during_replace", json_object_new_uint64(span.received));
	json_object_object_add(replace, "ns", json_object_new_uint64(end - begin));
	json_object_object_add(replace, "lost", json_object_new_uint64(span.lost));
	json_object_object_add(replace, "received_in_call", json_object_new_uint64(moved));
	json_object_object_add(dma, "replace", replace);
	return ret;
}

/**
 * takeover_interrupts() - did the interrupts that were enabled cross?
 * @takeover: begun
 *
 * Return: what is known so far.
 */
struct json_object *takeover_interrupts(struct takeover *takeover)
{
	struct workload_state *state = takeover->memory.state;
	struct json_object *value = json_object_new_object();
	struct json_object *vectors = json_object_new_array();
	struct json_object *vector;
	uint64_t after = state->signals - takeover->signals - takeover->missed;
	bool enabled = takeover->has_device && state->interrupts;

	if (enabled) {
		vector = json_object_new_object();
		json_object_object_add(vector, "type", json_object_new_string("MSI-X"));
		json_object_object_add(vector, "vector", json_object_new_int(0));
		json_object_object_add(vector, "before", json_object_new_uint64(takeover->signals));
		json_object_object_add(vector, "at_enable",
				       json_object_new_uint64(takeover->missed));
		json_object_object_add(vector, "after", json_object_new_uint64(after));
		json_object_array_add(vectors, vector);
	}
	json_object_object_add(value, "carried",
			       json_object_new_boolean(enabled && takeover->missed && after));
	json_object_object_add(value, "vectors", vectors);
	return value;
}

/**
 * takeover_finish() - end the session: the device is ours alone
 * @takeover: the device, if there is one, is on a new page table
 *
 * Return: 0 or a negative errno; said on standard error.
 */
int takeover_finish(struct takeover *takeover)
{
	uint64_t begin = serve_now_ns();
	int ret = session_finish(takeover->session);

	note(takeover, "finish", begin, ret);
	json_object_object_add(takeover->report, "finished", json_object_new_boolean(!ret));
	if (ret)
		warnx("finish the session: %s", strerror(-ret));
	else
		close(takeover->session);
	return ret;
}
