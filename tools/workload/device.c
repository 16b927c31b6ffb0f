// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A PCI device through a vfio character device and iommufd: an address space, a
 * page table of its own for it, the device attached to that, BAR 0 mapped.
 */
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/iommufd.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "device.h"

/* The character device of a PCI device that is bound to vfio-pci. */
static int open_cdev(const char *bdf)
{
	char path[512];
	struct dirent *entry;
	DIR *directory;
	int fd = -1;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/vfio-dev", bdf);
	directory = opendir(path);
	if (!directory) {
		warnx("%s is not bound to vfio-pci (no %s)", bdf, path);
		return -ENODEV;
	}
	while ((entry = readdir(directory))) {
		if (strncmp(entry->d_name, "vfio", 4) != 0)
			continue;
		snprintf(path, sizeof(path), "/dev/vfio/devices/%s", entry->d_name);
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd < 0) {
			fd = -errno;
			warn("%s", path);
		}
		break;
	}
	closedir(directory);
	return fd;
}

static int bind_and_attach(struct device *device)
{
	struct vfio_device_bind_iommufd bind = {
		.argsz = sizeof(bind),
		.iommufd = device->iommufd,
	};
	struct iommu_ioas_alloc ioas = { .size = sizeof(ioas) };
	struct iommu_hwpt_alloc hwpt = { .size = sizeof(hwpt) };
	struct vfio_device_attach_iommufd_pt attach = { .argsz = sizeof(attach) };

	if (ioctl(device->cdev, VFIO_DEVICE_BIND_IOMMUFD, &bind)) {
		warn("bind to iommufd");
		return -errno;
	}
	device->id = bind.out_devid;
	if (ioctl(device->iommufd, IOMMU_IOAS_ALLOC, &ioas)) {
		warn("allocate an address space");
		return -errno;
	}
	device->ioas = ioas.out_ioas_id;
	hwpt.dev_id = device->id;
	hwpt.pt_id = device->ioas;
	if (ioctl(device->iommufd, IOMMU_HWPT_ALLOC, &hwpt)) {
		warn("allocate a page table");
		return -errno;
	}
	device->hwpt = hwpt.out_hwpt_id;
	attach.pt_id = device->hwpt;
	if (ioctl(device->cdev, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach)) {
		warn("attach to the page table");
		return -errno;
	}
	return 0;
}

static int region(struct device *device, uint32_t index, struct vfio_region_info *info)
{
	*info = (struct vfio_region_info){ .argsz = sizeof(*info), .index = index };
	if (ioctl(device->cdev, VFIO_DEVICE_GET_REGION_INFO, info)) {
		warn("region %u", index);
		return -errno;
	}
	return 0;
}

static int map_bar(struct device *device)
{
	struct vfio_region_info info;
	int ret;

	ret = region(device, VFIO_PCI_BAR0_REGION_INDEX, &info);
	if (ret)
		return ret;
	device->size = info.size;
	device->bar = mmap(NULL, info.size, PROT_READ | PROT_WRITE, MAP_SHARED, device->cdev,
			   info.offset);
	if (device->bar == MAP_FAILED) {
		warn("map BAR 0");
		return -errno;
	}
	return 0;
}

/* Memory decoding and bus mastering on; INTx off, as nobody waits for it. */
static int enable(struct device *device)
{
	struct vfio_region_info info;
	uint16_t command;
	int ret;

	ret = region(device, VFIO_PCI_CONFIG_REGION_INDEX, &info);
	if (ret)
		return ret;
	if (pread(device->cdev, &command, sizeof(command), info.offset + PCI_COMMAND) !=
	    sizeof(command))
		goto failed;
	command |= PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_INTX_DISABLE;
	if (pwrite(device->cdev, &command, sizeof(command), info.offset + PCI_COMMAND) !=
	    sizeof(command))
		goto failed;
	return 0;
failed:
	warn("configuration space");
	return -EIO;
}

/**
 * device_open() - open a device and attach it to a page table of its own
 * @device: filled
 * @bdf: its PCI address; it is bound to vfio-pci
 *
 * Return: 0 or a negative errno; said on standard error.
 */
int device_open(struct device *device, const char *bdf)
{
	int ret;

	device->cdev = open_cdev(bdf);
	if (device->cdev < 0)
		return device->cdev;
	device->iommufd = open("/dev/iommu", O_RDWR | O_CLOEXEC);
	if (device->iommufd < 0) {
		warn("/dev/iommu");
		return -errno;
	}
	ret = bind_and_attach(device);
	if (!ret)
		ret = map_bar(device);
	if (!ret)
		ret = enable(device);
	return ret;
}

/**
 * device_map() - let the device write to a part of the memfd
 * @device: the device
 * @memory: the memfd
 * @offset: where in it
 * @length: how much of it
 * @iova: address that the device uses
 *
 * Mapped as a file, not as an address of this process: the kernel has to know
 * that it is this memfd.
 *
 * Return: 0 or a negative errno; said on standard error.
 */
int device_map(struct device *device, const struct memory *memory, uint64_t offset, uint64_t length,
	       uint64_t iova)
{
	struct iommu_ioas_map_file map = {
		.size = sizeof(map),
		.flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE |
			 IOMMU_IOAS_MAP_WRITEABLE,
		.ioas_id = device->ioas,
		.fd = memory->fd,
		.start = offset,
		.length = length,
		.iova = iova,
	};

	if (ioctl(device->iommufd, IOMMU_IOAS_MAP_FILE, &map)) {
		warn("map %#llx at %#llx", (unsigned long long)length, (unsigned long long)iova);
		return -errno;
	}
	return 0;
}

/**
 * device_mark() - mark the page table to be preserved with the iommufd
 * @device: the device
 * @token: name of the page table in the incoming kernel
 *
 * Return: 0 or a negative errno; -EOPNOTSUPP where the feature is switched off.
 */
int device_mark(struct device *device, uint64_t token)
{
	struct iommu_hwpt_liveupdate_mark_preserve mark = {
		.size = sizeof(mark),
		.hwpt_id = device->hwpt,
		.hwpt_token = token,
	};

	if (ioctl(device->iommufd, IOMMU_HWPT_LIVEUPDATE_MARK_PRESERVE, &mark))
		return -errno;
	return 0;
}
