// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "iommu/pci_devices.h"

/**
 * device_list_add - add one device
 * @list:    the list
 * @address: SSSS:BB:DD.F or BB:DD.F, hexadecimal
 *
 * Return: 0, -EINVAL for something that is no address, or -ENOMEM.
 */
int device_list_add(struct device_list *list, const char *address)
{
	unsigned int segment = 0, bus, device, function;
	struct wanted_device *devices;
	int end = -1;

	/* sscanf() would take signs, blanks and 0x. */
	if (address[strspn(address, "0123456789abcdefABCDEF:.")])
		return -EINVAL;
	sscanf(address, "%4x:%2x:%2x.%1x%n", &segment, &bus, &device, &function, &end);
	if (end < 0 || address[end]) {
		segment = 0;
		end = -1;
		sscanf(address, "%2x:%2x.%1x%n", &bus, &device, &function, &end);
	}
	if (end < 0 || address[end] || device > 31 || function > 7)
		return -EINVAL;

	devices = reallocarray(list->devices, list->count + 1, sizeof(*devices));
	if (!devices)
		return -ENOMEM;
	list->devices = devices;
	list->devices[list->count++] = (struct wanted_device){
		.segment = segment,
		.bdf = bus << 8 | device << 3 | function,
	};
	return 0;
}

/**
 * device_list_add_driver - add all devices that a driver is bound to
 * @list:   the list
 * @driver: name of the driver
 *
 * Return: 0 (also when there are none), or -ENOMEM.
 */
int device_list_add_driver(struct device_list *list, const char *driver)
{
	char path[128];
	struct dirent *entry;
	int error = 0;
	DIR *directory;

	snprintf(path, sizeof(path), "/sys/bus/pci/drivers/%s", driver);
	directory = opendir(path);
	if (!directory)
		return 0;
	/* Everything in there that has the name of a device is a device. */
	while (!error && (entry = readdir(directory))) {
		error = device_list_add(list, entry->d_name);
		if (error == -EINVAL)
			error = 0;
	}
	closedir(directory);
	return error;
}

/**
 * pci_text - the address of a device
 * @segment: its segment
 * @bdf:     its bus, device and function
 * @text:    room for the result
 */
const char *pci_text(uint16_t segment, uint16_t bdf, char text[PCI_TEXT_SIZE])
{
	snprintf(text, PCI_TEXT_SIZE, "%04x:%02x:%02x.%x", segment, bdf >> 8, bdf >> 3 & 31,
		 bdf & 7);
	return text;
}

/**
 * device_list_missing - a device that was asked for, and that nothing was found of
 * @list: what was asked for
 * @set:  what was found
 *
 * Return: the first one, NULL if there is none.
 */
const struct wanted_device *device_list_missing(const struct device_list *list,
						const struct table_set *set)
{
	uint32_t i, j;

	for (i = 0; i < list->count; i++) {
		const struct wanted_device *wanted = &list->devices[i];

		for (j = 0; j < set->device_count; j++) {
			if (set->devices[j].segment == wanted->segment &&
			    set->devices[j].bdf == wanted->bdf)
				break;
		}
		if (j == set->device_count)
			return wanted;
	}
	return NULL;
}
