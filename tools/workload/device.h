/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A PCI device through a vfio character device and iommufd. */
#ifndef WORKLOAD_DEVICE_H
#define WORKLOAD_DEVICE_H

#include <stddef.h>
#include <stdint.h>

#include "memory.h"

/**
 * struct device - an opened device
 * @cdev:    vfio character device
 * @iommufd: iommufd that it is bound to
 * @ioas:    id of the address space
 * @hwpt:    id of the page table that the device is attached to
 * @id:      id of the device in the iommufd
 * @model:   its PCI device ID
 * @event:   eventfd that MSI-X vector 0 signals, or -1
 * @bar:     BAR 0, mapped
 * @size:    its size
 */
struct device {
	int cdev;
	int iommufd;
	uint32_t ioas;
	uint32_t hwpt;
	uint32_t id;
	uint16_t model;
	int event;
	volatile uint32_t *bar;
	size_t size;
};

int device_open(struct device *device, const char *bdf, const uint8_t *vf_token);
int device_map(struct device *device, int fd, uint64_t offset, uint64_t length, uint64_t iova);
int device_map_memory(struct device *device, const struct memory *memory);
int device_mark(struct device *device, uint64_t token);
int device_close(struct device *device);
int device_enable_interrupt(struct device *device);
uint64_t device_signals(struct device *device);

/* Of a device that has been running since before this kernel. */
int device_bind(struct device *device, const uint8_t *vf_token);
int device_restore(struct device *device, uint64_t token);
int device_new_table(struct device *device, uint32_t *hwpt);
int device_attach(struct device *device, uint32_t hwpt);
int device_destroy(struct device *device, uint32_t id);

#endif /* WORKLOAD_DEVICE_H */
