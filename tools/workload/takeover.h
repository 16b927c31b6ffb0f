/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Taking the device over from the session that it crossed the kexec in. */
#ifndef WORKLOAD_TAKEOVER_H
#define WORKLOAD_TAKEOVER_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

#include "device.h"
#include "memory.h"

/**
 * struct takeover - how far it is
 * @session:    the session
 * @memory:     the memfd
 * @device:     the device
 * @has_device: the session has one; if not, only the memory crossed
 * @signals:    interrupts in the kernel before
 * @missed:     interrupts that were signalled when they were enabled again
 * @report:     what was done, how it ended, how long it took
 */
struct takeover {
	int session;
	struct memory memory;
	struct device device;
	bool has_device;
	uint64_t signals;
	uint64_t missed;
	struct json_object *report;
};

int takeover_begin(struct takeover *takeover, const char *name);
int takeover_replace(struct takeover *takeover, struct json_object *dma);
int takeover_finish(struct takeover *takeover);
struct json_object *takeover_interrupts(struct takeover *takeover);

#endif /* WORKLOAD_TAKEOVER_H */
