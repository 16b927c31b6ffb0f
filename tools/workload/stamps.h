/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A stamp in each page of the memory. */
#ifndef WORKLOAD_STAMPS_H
#define WORKLOAD_STAMPS_H

#include <json-c/json.h>
#include <stdint.h>

#include "device.h"
#include "memory.h"

/**
 * struct stamps - what a check has found
 * @checked: pages that were looked at
 * @damaged: of them, those that have not their stamp
 * @first:   where in the memfd the first of those is
 */
struct stamps {
	uint64_t checked;
	uint64_t damaged;
	uint64_t first;
};

void stamps_write(struct memory *memory);
void stamps_check(struct device *device, struct memory *memory, struct stamps *found);
struct json_object *stamps_report(const struct stamps *found);

#endif /* WORKLOAD_STAMPS_H */
