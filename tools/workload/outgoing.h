/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the workload does before a kexec. */
#ifndef WORKLOAD_OUTGOING_H
#define WORKLOAD_OUTGOING_H

#include <json-c/json.h>

#include "device.h"
#include "memory.h"
#include "verbs.h"

int outgoing(struct device *device, struct memory *memory, const struct options *options,
	     struct json_object *report);

#endif /* WORKLOAD_OUTGOING_H */
