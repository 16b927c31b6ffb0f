// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A PCI device through a vfio character device and iommufd: an address space, a
 * page table of its own for it, the device attached to that, BAR 0 mapped.
 *
 * A device that crossed a kexec is bound to the iommufd that crossed with it. It
 * has never left its page table, and is moved to a new one while it works.
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
#include <sys/eventfd.h>
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

static int region(struct device *device, uint32_t index, struct vfio_region_info *info)
{
	*info = (struct vfio_region_info){ .argsz = sizeof(*info), .index = index };
	if (ioctl(device->cdev, VFIO_DEVICE_GET_REGION_INFO, info)) {
		warn("region %u", index);
		return -errno;
	}
	return 0;
}

/* vfio says what a virtual function's own register does not (PCIe 9.3.4.1.2). */
static int read_model(struct device *device)
{
	struct vfio_region_info info;
	int ret;

	ret = region(device, VFIO_PCI_CONFIG_REGION_INDEX, &info);
	if (ret)
		return ret;
	if (pread(device->cdev, &device->model, sizeof(device->model),
		  info.offset + PCI_DEVICE_ID) != sizeof(device->model)) {
		warn("configuration space");
		return -EIO;
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
 * device_bind() - bind a device to its iommufd, and map its registers
 * @device: with @cdev and @iommufd
 * @vf_token: UUID that the owner of the physical function of a virtual one asks for,
 *	16 bytes; or NULL
 *
 * Nothing is written to the device.
 *
 * Return: 0 or a negative errno; said on standard error.
 */
int device_bind(struct device *device, const uint8_t *vf_token)
{
	struct vfio_device_bind_iommufd bind = {
		.argsz = sizeof(bind),
		.iommufd = device->iommufd,
		.flags = vf_token ? VFIO_DEVICE_BIND_FLAG_TOKEN : 0,
		.token_uuid_ptr = (uintptr_t)vf_token,
	};
	int ret;

	if (ioctl(device->cdev, VFIO_DEVICE_BIND_IOMMUFD, &bind)) {
		warn("bind to iommufd");
		return -errno;
	}
	device->id = bind.out_devid;
	device->event = -1;
	ret = read_model(device);
	return ret ? ret : map_bar(device);
}

/**
 * device_new_table() - make a new address space and a page table for it
 * @device: the device, bound; its @ioas becomes the new one
 * @hwpt: id of the page table, to which the device is not attached yet
 *
 * Return: 0 or a negative errno; said on standard error.
 */
int device_new_table(struct device *device, uint32_t *hwpt)
{
	struct iommu_ioas_alloc ioas = { .size = sizeof(ioas) };
	struct iommu_hwpt_alloc table = { .size = sizeof(table), .dev_id = device->id };

	if (ioctl(device->iommufd, IOMMU_IOAS_ALLOC, &ioas)) {
		warn("allocate an address space");
		return -errno;
	}
	device->ioas = ioas.out_ioas_id;
	table.pt_id = device->ioas;
	if (ioctl(device->iommufd, IOMMU_HWPT_ALLOC, &table)) {
		warn("allocate a page table");
		return -errno;
	}
	*hwpt = table.out_hwpt_id;
	return 0;
}

/**
 * device_attach() - attach a device to a page table, or move it there
 * @device: the device, bound
 * @hwpt: id of the page table
 *
 * Return: 0 or a negative errno; said on standard error.
 */
int device_attach(struct device *device, uint32_t hwpt)
{
	struct vfio_device_attach_iommufd_pt attach = {
		.argsz = sizeof(attach),
		.pt_id = hwpt,
	};

	if (ioctl(device->cdev, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach)) {
		warn("attach to the page table");
		return -errno;
	}
	device->hwpt = hwpt;
	return 0;
}

/**
 * device_open() - open a device and attach it to a page table of its own
 * @device: filled
 * @bdf: its PCI address; it is bound to vfio-pci
 * @vf_token: as for device_bind()
 *
 * Return: 0 or a negative errno; said on standard error.
 */
int device_open(struct device *device, const char *bdf, const uint8_t *vf_token)
{
	uint32_t hwpt = 0;
	int ret;

	device->cdev = open_cdev(bdf);
	if (device->cdev < 0)
		return device->cdev;
	device->iommufd = open("/dev/iommu", O_RDWR | O_CLOEXEC);
	if (device->iommufd < 0) {
		warn("/dev/iommu");
		return -errno;
	}
	ret = device_bind(device, vf_token);
	if (!ret)
		ret = device_new_table(device, &hwpt);
	if (!ret)
		ret = device_attach(device, hwpt);
	if (!ret)
		ret = enable(device);
	return ret;
}

/**
 * device_map() - let the device reach a part of a memfd
 * @device: the device
 * @fd: the memfd
 * @offset: where the part begins in it
 * @length: its length
 * @iova: where the device finds it
 *
 * Mapped as a file, not as an address of this process: the kernel has to know
 * that it is this memfd.
 *
 * Return: 0 or a negative errno; said on standard error.
 */
int device_map(struct device *device, int fd, uint64_t offset, uint64_t length, uint64_t iova)
{
	struct iommu_ioas_map_file map = {
		.size = sizeof(map),
		.flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE |
			 IOMMU_IOAS_MAP_WRITEABLE,
		.ioas_id = device->ioas,
		.fd = fd,
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
 * device_map_memory() - let the device reach what it has to
 * @device: the device; its address space is empty
 * @memory: the memfd; what is where in it says layout.h
 *
 * Return: 0 or a negative errno; said on standard error.
 */
int device_map_memory(struct device *device, const struct memory *memory)
{
	uint64_t i;
	int ret;

	ret = device_map(device, memory->fd, OFFSET_RING, OFFSET_SPARSE - OFFSET_RING, IOVA_RING);
	if (!ret && memory->size > OFFSET_MORE)
		ret = device_map(device, memory->fd, OFFSET_MORE, memory->size - OFFSET_MORE,
				 IOVA_MORE);
	for (i = 0; !ret && i < memory->state->sparse; i++)
		ret = device_map(device, memory->fd, OFFSET_SPARSE + i % SPARSE_PAGES * PAGE, PAGE,
				 IOVA_SPARSE + i * SPARSE_STRIDE);
	return ret;
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

	return ioctl(device->iommufd, IOMMU_HWPT_LIVEUPDATE_MARK_PRESERVE, &mark) ? -errno : 0;
}

/**
 * device_restore() - get the page table that the device has used all along
 * @device: the device, bound to a retrieved iommufd; its @hwpt is filled
 * @token: name that the page table was marked with
 *
 * Return: 0 or a negative errno, said on standard error; -ENOENT, which is not, if there is none
 * (any more): somebody has moved the device, and destroyed it.
 */
int device_restore(struct device *device, uint64_t token)
{
	struct iommu_hwpt_liveupdate_restore restore = {
		.size = sizeof(restore),
		.hwpt_token = token,
	};

	if (ioctl(device->iommufd, IOMMU_HWPT_LIVEUPDATE_RESTORE, &restore)) {
		if (errno != ENOENT)
			warn("restore the page table");
		return -errno;
	}
	device->hwpt = restore.out_hwpt_id;
	return 0;
}

/**
 * device_destroy() - destroy an object of the iommufd
 * @device: the device
 * @id: the object
 *
 * Return: 0 or a negative errno; said on standard error.
 */
int device_destroy(struct device *device, uint32_t id)
{
	struct iommu_destroy destroy = { .size = sizeof(destroy), .id = id };

	if (ioctl(device->iommufd, IOMMU_DESTROY, &destroy)) {
		warn("destroy object %u", id);
		return -errno;
	}
	return 0;
}

/**
 * device_enable_interrupt() - let MSI-X vector 0 signal an eventfd
 * @device: the device, bound
 *
 * Return: 0 or a negative errno; said on standard error.
 */
int device_enable_interrupt(struct device *device)
{
	/* The structure is followed by one file descriptor. */
	union {
		struct vfio_irq_set set;
		uint8_t bytes[sizeof(struct vfio_irq_set) + sizeof(int32_t)];
	} irqs = {
		.set = {
			.argsz = sizeof(irqs.bytes),
			.flags = VFIO_IRQ_SET_DATA_EVENTFD |
				 VFIO_IRQ_SET_ACTION_TRIGGER,
			.index = VFIO_PCI_MSIX_IRQ_INDEX,
			.count = 1,
		},
	};

	device->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	memcpy(irqs.set.data, &device->event, sizeof(int32_t));
	if (device->event < 0 || ioctl(device->cdev, VFIO_DEVICE_SET_IRQS, &irqs.set)) {
		warn("enable MSI-X vector 0");
		return -errno;
	}
	return 0;
}

/**
 * device_signals() - how often the interrupt came
 * @device: the device
 *
 * Return: the number since the last call; 0 without an interrupt.
 */
uint64_t device_signals(struct device *device)
{
	uint64_t count;

	if (device->event < 0 || read(device->event, &count, sizeof(count)) != sizeof(count))
		return 0;
	return count;
}

/**
 * device_close() - detach and close a device that does nothing any more
 * @device: the device
 *
 * Return: 0 or a negative errno; said on standard error.
 */
int device_close(struct device *device)
{
	struct vfio_device_detach_iommufd_pt detach = { .argsz = sizeof(detach) };

	munmap((void *)device->bar, device->size);
	if (ioctl(device->cdev, VFIO_DEVICE_DETACH_IOMMUFD_PT, &detach)) {
		warn("detach from the page table");
		return -errno;
	}
	close(device->cdev);
	close(device->iommufd);
	return 0;
}
