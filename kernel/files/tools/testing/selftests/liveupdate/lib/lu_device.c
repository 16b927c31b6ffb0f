// SPDX-License-Identifier: GPL-2.0-only
/*
 * Take a PCI device through a live update, see
 * Documentation/userspace-api/liveupdate_devices.rst.
 */
#define _GNU_SOURCE

#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/iommufd.h>
#include <linux/vfio.h>

#include <lu_device.h>

/**
 * lu_get_bdf - The device that a test is to use.
 * @argc: number of arguments, less by one afterwards if the last is the device
 * @argv: arguments
 *
 * As those of vfio, a test has it as its last argument or in the environment. On a
 * kernel's command line, VFIO_SELFTESTS_BDF=... becomes the environment of init.
 */
const char *lu_get_bdf(int *argc, char *argv[])
{
	const char *bdf = getenv("VFIO_SELFTESTS_BDF");

	if (*argc > 1 && strchr(argv[*argc - 1], ':'))
		return argv[--*argc];
	if (!bdf)
		ksft_exit_skip("Name a device: last argument, or VFIO_SELFTESTS_BDF\n");

	return bdf;
}

/**
 * lu_open_cdev - Open the character device that vfio has made of a device.
 * @bdf: its address
 *
 * Return: the file, or -errno; -ENODEV if vfio-pci does not have the device.
 */
int lu_open_cdev(const char *bdf)
{
	struct dirent *entry;
	char path[300];
	int fd = -ENODEV;
	DIR *dir;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/vfio-dev", bdf);
	dir = opendir(path);
	if (!dir)
		return -ENODEV;

	while (fd == -ENODEV && (entry = readdir(dir))) {
		if (strncmp(entry->d_name, "vfio", 4))
			continue;
		snprintf(path, sizeof(path), "/dev/vfio/devices/%s", entry->d_name);
		fd = open(path, O_RDWR);
		if (fd < 0)
			fd = -errno;
	}
	closedir(dir);

	return fd;
}

/**
 * lu_bind - VFIO_DEVICE_BIND_IOMMUFD
 * @fd:      the device
 * @iommufd: what to bind it to
 * @dev_id:  its ID there
 */
int lu_bind(int fd, int iommufd, __u32 *dev_id)
{
	struct vfio_device_bind_iommufd bind = {
		.argsz = sizeof(bind),
		.iommufd = iommufd,
	};

	if (ioctl(fd, VFIO_DEVICE_BIND_IOMMUFD, &bind))
		return -errno;

	if (dev_id)
		*dev_id = bind.out_devid;

	return 0;
}

/** lu_attach - VFIO_DEVICE_ATTACH_IOMMUFD_PT */
int lu_attach(int fd, __u32 pt_id)
{
	struct vfio_device_attach_iommufd_pt attach = {
		.argsz = sizeof(attach),
		.pt_id = pt_id,
	};

	return ioctl(fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach) ? -errno : 0;
}

/** lu_ioas_alloc - IOMMU_IOAS_ALLOC */
int lu_ioas_alloc(int iommufd, __u32 *ioas_id)
{
	struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };

	if (ioctl(iommufd, IOMMU_IOAS_ALLOC, &alloc))
		return -errno;

	*ioas_id = alloc.out_ioas_id;

	return 0;
}

/** lu_ioas_map - IOMMU_IOAS_MAP_FILE at a fixed address, to be read and written */
int lu_ioas_map(int iommufd, __u32 ioas_id, int memfd, __u64 offset, __u64 iova, __u64 length)
{
	struct iommu_ioas_map_file map = {
		.size = sizeof(map),
		.flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE |
			 IOMMU_IOAS_MAP_WRITEABLE,
		.ioas_id = ioas_id,
		.fd = memfd,
		.start = offset,
		.length = length,
		.iova = iova,
	};

	return ioctl(iommufd, IOMMU_IOAS_MAP_FILE, &map) ? -errno : 0;
}

/** lu_ioas_unmap - IOMMU_IOAS_UNMAP */
int lu_ioas_unmap(int iommufd, __u32 ioas_id, __u64 iova, __u64 length)
{
	struct iommu_ioas_unmap unmap = {
		.size = sizeof(unmap),
		.ioas_id = ioas_id,
		.iova = iova,
		.length = length,
	};

	return ioctl(iommufd, IOMMU_IOAS_UNMAP, &unmap) ? -errno : 0;
}

/** lu_hwpt_alloc - IOMMU_HWPT_ALLOC of a paging domain */
int lu_hwpt_alloc(int iommufd, __u32 dev_id, __u32 ioas_id, __u32 *hwpt_id)
{
	struct iommu_hwpt_alloc alloc = {
		.size = sizeof(alloc),
		.dev_id = dev_id,
		.pt_id = ioas_id,
	};

	if (ioctl(iommufd, IOMMU_HWPT_ALLOC, &alloc))
		return -errno;

	*hwpt_id = alloc.out_hwpt_id;

	return 0;
}

/** lu_hwpt_mark - IOMMU_HWPT_LIVEUPDATE_MARK_PRESERVE */
int lu_hwpt_mark(int iommufd, __u32 hwpt_id, __u64 token)
{
	struct iommu_hwpt_liveupdate_mark_preserve mark = {
		.size = sizeof(mark),
		.hwpt_id = hwpt_id,
		.hwpt_token = token,
	};

	return ioctl(iommufd, IOMMU_HWPT_LIVEUPDATE_MARK_PRESERVE, &mark) ? -errno : 0;
}

/** lu_hwpt_restore - IOMMU_HWPT_LIVEUPDATE_RESTORE */
int lu_hwpt_restore(int iommufd, __u64 token, __u32 *hwpt_id)
{
	struct iommu_hwpt_liveupdate_restore restore = {
		.size = sizeof(restore),
		.hwpt_token = token,
	};

	if (ioctl(iommufd, IOMMU_HWPT_LIVEUPDATE_RESTORE, &restore))
		return -errno;

	*hwpt_id = restore.out_hwpt_id;

	return 0;
}

/** lu_destroy - IOMMU_DESTROY */
int lu_destroy(int iommufd, __u32 id)
{
	struct iommu_destroy destroy = { .size = sizeof(destroy), .id = id };

	return ioctl(iommufd, IOMMU_DESTROY, &destroy) ? -errno : 0;
}

static void lu_device_map_memory(struct lu_device *dev, size_t size)
{
	dev->size = size;
	dev->memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, dev->memfd, 0);
	if (dev->memory == MAP_FAILED)
		fail_exit("mmap of %zu bytes", size);
}

/**
 * lu_device_open - Open a device and bind it to an iommufd of its own.
 * @dev:  what to fill
 * @bdf:  the device's address
 * @size: how much memory, sealed so that it can be preserved
 */
void lu_device_open(struct lu_device *dev, const char *bdf, size_t size)
{
	int ret;

	*dev = (struct lu_device){ .bdf = bdf };

	dev->fd = lu_open_cdev(bdf);
	if (dev->fd == -ENODEV)
		ksft_exit_skip("%s is not bound to vfio-pci\n", bdf);
	if (dev->fd < 0)
		ksft_exit_fail_msg("%s cannot be opened: %s\n", bdf, strerror(-dev->fd));

	dev->iommufd = open("/dev/iommu", O_RDWR);
	if (dev->iommufd < 0)
		ksft_exit_skip("/dev/iommu: %s\n", strerror(errno));

	ret = lu_bind(dev->fd, dev->iommufd, &dev->dev_id);
	if (ret)
		ksft_exit_fail_msg("%s cannot be bound: %s\n", bdf, strerror(-ret));

	dev->memfd = memfd_create("device memory", MFD_ALLOW_SEALING);
	if (dev->memfd < 0 || ftruncate(dev->memfd, size) ||
	    fcntl(dev->memfd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL))
		fail_exit("memfd of %zu bytes", size);
	lu_device_map_memory(dev, size);
}

/**
 * lu_device_attach - Attach a device to a HWPT of all of its memory.
 * @dev:  the device
 * @iova: where the memory begins
 */
void lu_device_attach(struct lu_device *dev, __u64 iova)
{
	int ret;

	ret = lu_ioas_alloc(dev->iommufd, &dev->ioas_id);
	if (!ret)
		ret = lu_ioas_map(dev->iommufd, dev->ioas_id, dev->memfd, 0, iova, dev->size);
	if (!ret)
		ret = lu_hwpt_alloc(dev->iommufd, dev->dev_id, dev->ioas_id, &dev->hwpt_id);
	if (!ret)
		ret = lu_attach(dev->fd, dev->hwpt_id);
	if (ret)
		ksft_exit_fail_msg("%s cannot be attached: %s\n", dev->bdf, strerror(-ret));
}

/**
 * lu_device_preserve - Mark a device's HWPT, and preserve all of its files.
 * @dev:        the device
 * @session_fd: the session that they belong to from now on
 */
void lu_device_preserve(struct lu_device *dev, int session_fd)
{
	int ret;

	ret = lu_hwpt_mark(dev->iommufd, dev->hwpt_id, LU_TOKEN_HWPT);
	if (ret)
		ksft_exit_skip("HWPTs cannot be marked, is CONFIG_IOMMU_LIVEUPDATE on? %s\n",
			       strerror(-ret));
	ret = luo_session_preserve_fd(session_fd, dev->memfd, LU_TOKEN_MEMFD);
	if (!ret)
		ret = luo_session_preserve_fd(session_fd, dev->iommufd, LU_TOKEN_IOMMUFD);
	if (!ret)
		ret = luo_session_preserve_fd(session_fd, dev->fd, LU_TOKEN_DEVICE);
	if (ret)
		ksft_exit_fail_msg("%s cannot be preserved: %s\n", dev->bdf, strerror(-ret));
}

/**
 * lu_device_retrieve - Get a device's files back, and bind it.
 * @dev:        what to fill; without IOAS, and with the restored HWPT
 * @bdf:        the device's address
 * @session_fd: the session that they were preserved in
 * @size:       of its memory
 */
void lu_device_retrieve(struct lu_device *dev, const char *bdf, int session_fd, size_t size)
{
	int ret;

	*dev = (struct lu_device){ .bdf = bdf };

	dev->memfd = luo_session_retrieve_fd(session_fd, LU_TOKEN_MEMFD);
	dev->iommufd = luo_session_retrieve_fd(session_fd, LU_TOKEN_IOMMUFD);
	dev->fd = luo_session_retrieve_fd(session_fd, LU_TOKEN_DEVICE);
	if (dev->memfd < 0 || dev->iommufd < 0 || dev->fd < 0)
		ksft_exit_fail_msg("%s cannot be retrieved: memfd %d, iommufd %d, device %d\n",
				   bdf, dev->memfd, dev->iommufd, dev->fd);
	lu_device_map_memory(dev, size);

	ret = lu_bind(dev->fd, dev->iommufd, &dev->dev_id);
	if (!ret)
		ret = lu_hwpt_restore(dev->iommufd, LU_TOKEN_HWPT, &dev->hwpt_id);
	if (ret)
		ksft_exit_fail_msg("%s cannot be bound: %s\n", bdf, strerror(-ret));
}

/**
 * lu_device_move - Move a retrieved device from its restored HWPT to one that it
 *                  can map into.
 * @dev:  the device
 * @iova: where its memory begins; what it does DMA to stays where it is
 */
void lu_device_move(struct lu_device *dev, __u64 iova)
{
	__u32 restored = dev->hwpt_id;
	int ret;

	lu_device_attach(dev, iova);
	ret = lu_destroy(dev->iommufd, restored);
	if (ret)
		ksft_exit_fail_msg("the restored HWPT of %s cannot be destroyed: %s\n", dev->bdf,
				   strerror(-ret));
}
