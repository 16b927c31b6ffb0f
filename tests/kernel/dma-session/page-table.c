// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Page tables of an iommufd, and the devices on them. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/iommufd.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>

#include "dma-session.h"

static int add_domain(const char *name, uint32_t ioas, const char *device)
{
	struct object *domain = add(domains, name);
	struct iommu_hwpt_alloc hwpt = {
		.size = sizeof(hwpt),
		.dev_id = find(devices, device)->id,
		.pt_id = ioas,
	};

	if (ioctl(iommufd, IOMMU_HWPT_ALLOC, &hwpt))
		return -errno;
	domain->id = hwpt.out_hwpt_id;
	domain->ioas = ioas;
	return 0;
}

static int do_domain(char **word)
{
	struct iommu_ioas_alloc ioas = { .size = sizeof(ioas) };

	if (ioctl(iommufd, IOMMU_IOAS_ALLOC, &ioas))
		return -errno;
	return add_domain(word[1], ioas.out_ioas_id, word[2]);
}

static int do_space(char **word)
{
	struct iommu_ioas_alloc ioas = { .size = sizeof(ioas) };

	if (ioctl(iommufd, IOMMU_IOAS_ALLOC, &ioas))
		return -errno;
	add(domains, word[1])->ioas = ioas.out_ioas_id;
	return 0;
}

static int do_sibling(char **word)
{
	return add_domain(word[1], find(domains, word[2])->ioas, word[3]);
}

static int call_restore(int fd, void *args)
{
	return ioctl(fd, IOMMU_HWPT_LIVEUPDATE_RESTORE, args) ? -errno : 0;
}

static int do_restore(char **word)
{
	struct iommu_hwpt_liveupdate_restore restore = {
		.size = sizeof(restore),
		.hwpt_token = number(word[2]),
	};
	struct object *domain;
	int ret;

	ret = with_iommufd(word[3], call_restore, &restore);
	if (ret)
		return ret;
	domain = add(domains, word[1]);
	domain->id = restore.out_hwpt_id;
	return 0;
}

static int do_destroy(char **word)
{
	struct object *domain = find(domains, word[1]);
	struct iommu_destroy destroy = { .size = sizeof(destroy), .id = domain->id };

	if (ioctl(iommufd, IOMMU_DESTROY, &destroy))
		return -errno;
	domain->name[0] = '\0';
	return 0;
}

static int do_map(char **word)
{
	struct iommu_ioas_map_file map = {
		.size = sizeof(map),
		.flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE |
			 IOMMU_IOAS_MAP_WRITEABLE,
		.ioas_id = find(domains, word[1])->ioas,
		.fd = memfd,
		.length = word[3] ? number(word[3]) * PAGE : memory_size,
		.iova = number(word[2]),
	};

	return ioctl(iommufd, IOMMU_IOAS_MAP_FILE, &map) ? -errno : 0;
}

static int do_unmap(char **word)
{
	struct iommu_ioas_unmap unmap = {
		.size = sizeof(unmap),
		.ioas_id = find(domains, word[1])->ioas,
		.iova = word[2] ? number(word[2]) : 0,
		.length = word[2] ? number(word[3]) * PAGE : UINT64_MAX,
	};

	return ioctl(iommufd, IOMMU_IOAS_UNMAP, &unmap) ? -errno : 0;
}

static int attach(const char *device, uint32_t id)
{
	struct vfio_device_attach_iommufd_pt attach = { .argsz = sizeof(attach), .pt_id = id };

	return ioctl(find(devices, device)->fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach) ? -errno
											: 0;
}

static int do_fault_move(char **word)
{
	struct vfio_device_attach_iommufd_pt attach = {
		.argsz = sizeof(attach),
		.pt_id = find(domains, word[2])->id,
	};
	void *argument = read_only(&attach, sizeof(attach));

	return ioctl(find(devices, word[1])->fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT, argument) ? -errno
											  : 0;
}

static int do_move(char **word)
{
	return attach(word[1], find(domains, word[2])->id);
}

static int do_fail_move(char **word)
{
	int fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC), ret;
	char left[16] = "";

	if (fd < 0 || pwrite(fd, word[1], strlen(word[1]), 0) < 0)
		return -errno;
	ret = do_move(word + 1);
	if (pread(fd, left, sizeof(left) - 1, 0) < 0 || pwrite(fd, "0", 1, 0) < 0)
		return -errno;
	close(fd);
	printf("%s%s\n", ret ? strerrorname_np(-ret) : "ok", atoi(left) ? ", complete" : "");
	return 1;
}

static int do_move_to_space(char **word)
{
	return attach(word[1], find(domains, word[2])->ioas);
}

static int do_detach(char **word)
{
	struct vfio_device_detach_iommufd_pt detach = { .argsz = sizeof(detach) };

	return ioctl(find(devices, word[1])->fd, VFIO_DEVICE_DETACH_IOMMUFD_PT, &detach) ? -errno
											 : 0;
}

static int do_attach(char **word)
{
	int ret = do_move(word);

	return ret
		       ?: write_config(word[1], PCI_COMMAND,
				       PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER |
					       PCI_COMMAND_INTX_DISABLE);
}

static int do_mark(char **word)
{
	struct iommu_hwpt_liveupdate_mark_preserve mark = {
		.size = sizeof(mark),
		.hwpt_id = find(domains, word[1])->id,
		.hwpt_token = number(word[2]),
	};

	return ioctl(iommufd, IOMMU_HWPT_LIVEUPDATE_MARK_PRESERVE, &mark) ? -errno : 0;
}

const struct command page_table_commands[] = {
	{ "domain", 3, do_domain },
	{ "sibling", 4, do_sibling },
	{ "space", 2, do_space },
	{ "map", 3, do_map },
	{ "unmap", 2, do_unmap },
	{ "move", 3, do_move },
	{ "fault-move", 3, do_fault_move },
	{ "fail-move", 4, do_fail_move },
	{ "move-to-space", 3, do_move_to_space },
	{ "detach", 2, do_detach },
	{ "destroy", 2, do_destroy },
	{ "restore", 3, do_restore },
	{ "attach", 3, do_attach },
	{ "mark", 3, do_mark },
	{},
};
