/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Working with the device at hand. */
#ifndef WORKLOAD_SERVE_H
#define WORKLOAD_SERVE_H

#include <stdbool.h>
#include <stdint.h>

#include "device.h"
#include "memory.h"

void serve_prepare(void);
unsigned int serve(struct device *device, struct memory *memory);
bool serve_until_told(struct device *device, struct memory *memory, uint64_t seconds);
bool serve_until_received(struct device *device, struct memory *memory, uint64_t count,
			  uint64_t seconds);
uint64_t serve_now_ns(void);

#endif /* WORKLOAD_SERVE_H */
