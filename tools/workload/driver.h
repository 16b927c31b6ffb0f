/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a workload does with one kind of device; everything else is the same for all. */
#ifndef WORKLOAD_DRIVER_H
#define WORKLOAD_DRIVER_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

#include "device.h"
#include "memory.h"
#include "verbs.h"

/**
 * struct span - what came from one moment to another
 * @begin:    where it begins, for the driver
 * @received: how much came
 * @lost:     how much should have come and did not
 */
struct span {
	uint64_t begin;
	uint64_t received;
	uint64_t lost;
};

/**
 * struct driver - one kind of device
 * @class:      its PCI class
 * @counted:    what it counts
 * @start:      reset the device and set it to work; @interrupts: it signals with MSI-X
 *              vector 0, which is enabled
 * @is_as_left: whether nobody has reset or driven the device since the state was
 *              written; said on standard error if not
 * @serve:      take what has come, and give the device something to do; without a device
 *              only the former
 * @waiting:    how much has come and was not taken
 * @in_flight:  what the device was given to do, and has not done or nobody has taken;
 *              NULL: it is given nothing
 * @span_begin: remember where @waiting and what was taken are
 * @span_end:   count what came since, and what did not though it should
 * @blackout:   what came while nobody looked; @pair: of the outgoing workload
 * @account:    be there until all has come that ever will; filled: how much that is,
 *              and whether that is known
 * @stop:       afterwards the device does no DMA
 *
 * The device of @serve, @span_end and @account may be NULL: only its memory is there.
 * Functions that return an int return 0 or a negative errno; said on standard error.
 */
struct driver {
	uint32_t class;
	const char *counted;
	int (*start)(struct device *device, struct memory *memory, bool interrupts);
	bool (*is_as_left)(struct device *device, const struct memory *memory);
	unsigned int (*serve)(struct device *device, struct memory *memory);
	unsigned int (*waiting)(const struct memory *memory);
	uint64_t (*in_flight)(const struct memory *memory);
	void (*span_begin)(const struct memory *memory, struct span *span);
	void (*span_end)(struct device *device, struct memory *memory, struct span *span);
	void (*blackout)(struct json_object *dma, const struct memory *memory,
			 const struct clock_pair *pair);
	bool (*account)(struct device *device, struct memory *memory, const struct options *options,
			struct json_object *dma, uint64_t *sent);
	int (*stop)(struct device *device, struct memory *memory);
};

extern const struct driver packets_driver, commands_driver;

const struct driver *driver_of_class(uint64_t class);
const struct driver *driver_of_device(const char *bdf);

#endif /* WORKLOAD_DRIVER_H */
