// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The kinds of device that there is a workload for. */
#include <err.h>
#include <stddef.h>
#include <stdio.h>

#include "driver.h"

static const struct driver *const drivers[] = { &packets_driver, &commands_driver, NULL };

/**
 * driver_of_class() - the driver of a PCI class
 * @class: class, subclass and programming interface
 *
 * Return: the driver, or NULL.
 */
const struct driver *driver_of_class(uint64_t class)
{
	const struct driver *const *driver;

	for (driver = drivers; *driver && (*driver)->class != class; driver++)
		;
	return *driver;
}

/**
 * driver_of_device() - the driver of a device
 * @bdf: its PCI address
 *
 * Return: the driver, or NULL; said on standard error.
 */
const struct driver *driver_of_device(const char *bdf)
{
	const struct driver *driver;
	unsigned int class;
	char path[512];
	FILE *file;
	bool good;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/class", bdf);
	file = fopen(path, "re");
	good = file && fscanf(file, "%x", &class) == 1;
	if (file)
		fclose(file);
	if (!good) {
		warnx("%s is no PCI device (no %s)", bdf, path);
		return NULL;
	}
	driver = driver_of_class(class);
	if (!driver)
		warnx("%s has class %06x: give an Ethernet controller (020000) or an NVMe controller (010802)",
		      bdf, class);
	return driver;
}
