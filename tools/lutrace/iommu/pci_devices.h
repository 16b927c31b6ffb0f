/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* PCI devices by address and by driver. */
#ifndef LUTRACE_PCI_DEVICES_H
#define LUTRACE_PCI_DEVICES_H

#include "iommu/tables.h"

#define PCI_TEXT_SIZE 16

/* A list of devices; the caller frees @devices. */
struct device_list {
	struct wanted_device *devices;
	uint32_t count;
};

int device_list_add(struct device_list *list, const char *address);
const struct wanted_device *device_list_missing(const struct device_list *list,
						const struct table_set *set);
int device_list_add_driver(struct device_list *list, const char *driver);
const char *pci_text(uint16_t segment, uint16_t bdf, char text[PCI_TEXT_SIZE]);

#endif /* LUTRACE_PCI_DEVICES_H */
