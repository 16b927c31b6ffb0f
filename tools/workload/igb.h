/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The receive half of an Intel 82576 network controller. */
#ifndef WORKLOAD_IGB_H
#define WORKLOAD_IGB_H

#include <stdint.h>

#include "device.h"

/**
 * union igb_descriptor - advanced receive descriptor, 82576 datasheet 7.1.5
 * @read:  as software gives it to the device
 * @wrote: as the device gives it back
 */
union igb_descriptor {
	struct {
		uint64_t buffer;
		uint64_t header;
	} read;
	struct {
		uint32_t info;
		uint32_t hash;
		uint32_t status;
		uint16_t length;
		uint16_t vlan;
	} wrote;
};

#define IGB_DESCRIPTOR_DONE (1U << 0) /* DD */
#define IGB_DESCRIPTOR_END  (1U << 1) /* EOP */

int igb_start(struct device *device, uint64_t ring, uint32_t entries);
void igb_give(struct device *device, uint32_t tail);
uint32_t igb_tail(struct device *device);
void igb_enable_interrupt(struct device *device);
int igb_stop(struct device *device);

#endif /* WORKLOAD_IGB_H */
