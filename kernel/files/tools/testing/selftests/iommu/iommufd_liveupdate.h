/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests of iommufd live update ask of LUO and of iommufd.
 */
#ifndef __IOMMUFD_LIVEUPDATE_H
#define __IOMMUFD_LIVEUPDATE_H

#include <fcntl.h>
#include <stdlib.h>

#define __EXPORTED_HEADERS__
#include <linux/liveupdate.h>

#include "iommufd_utils.h"

#define TOKEN_MEMFD	1
#define TOKEN_IOMMUFD	2
#define TOKEN_DEVICE	3
#define TOKEN_HWPT	77

static __attribute__((constructor)) void setup_sizes(void)
{
	PAGE_SIZE = sysconf(_SC_PAGE_SIZE);
	/* The header's own, which this file has no use for */
	mfd = -1;
	mfd_buffer = NULL;
}

static int create_session(int liveupdate)
{
	struct liveupdate_ioctl_create_session cmd = {
		.size = sizeof(cmd),
		.name = "iommufd selftest",
	};

	return ioctl(liveupdate, LIVEUPDATE_IOCTL_CREATE_SESSION, &cmd) ? -1 : cmd.fd;
}

static int preserve(int session, int fd, uint64_t token)
{
	struct liveupdate_session_preserve_fd cmd = {
		.size = sizeof(cmd),
		.fd = fd,
		.token = token,
	};

	return ioctl(session, LIVEUPDATE_SESSION_PRESERVE_FD, &cmd);
}

static int mark(int fd, uint32_t hwpt_id, uint64_t token)
{
	struct iommu_hwpt_liveupdate_mark_preserve cmd = {
		.size = sizeof(cmd),
		.hwpt_id = hwpt_id,
		.hwpt_token = token,
	};

	return ioctl(fd, IOMMU_HWPT_LIVEUPDATE_MARK_PRESERVE, &cmd);
}

static int unmark(int fd, uint32_t hwpt_id)
{
	struct iommu_hwpt_liveupdate_unmark cmd = {
		.size = sizeof(cmd),
		.hwpt_id = hwpt_id,
	};

	return ioctl(fd, IOMMU_HWPT_LIVEUPDATE_UNMARK, &cmd);
}

static int seal(int memfd)
{
	return fcntl(memfd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL);
}

static int map(int fd, uint32_t ioas_id, int memfd, uint64_t iova, uint64_t length)
{
	__u64 at = iova;

	return _test_ioctl_ioas_map_file(fd, ioas_id, memfd, 0, length, &at,
					 IOMMU_IOAS_MAP_FIXED_IOVA |
						 IOMMU_IOAS_MAP_WRITEABLE |
						 IOMMU_IOAS_MAP_READABLE);
}

/* In the n-th allocation; 0 for none. Whether that one was reached. */
static bool fail_nth(int fd, unsigned int n)
{
	char text[16] = "";
	bool reached;

	if (n) {
		snprintf(text, sizeof(text), "%u", n);
		return pwrite(fd, text, strlen(text), 0) > 0;
	}
	reached = pread(fd, text, sizeof(text) - 1, 0) > 0 && !atoi(text);
	/* Switching it off can fail as well */
	while (pwrite(fd, "0", 1, 0) < 0)
		;
	return reached;
}

/* Of this process; -1 if the kernel has no fault injection */
static int open_fail_nth(void)
{
	char path[64];
	int nth;

	snprintf(path, sizeof(path), "/proc/self/task/%u/fail-nth", getpid());
	nth = open(path, O_RDWR);
	if (nth < 0 || access("/sys/kernel/debug/failslab", F_OK))
		return -1;
	for (int i = 0; i < 2; i++) {
		int fd = open(i ? "/sys/kernel/debug/fail_page_alloc/ignore-gfp-wait" :
				  "/sys/kernel/debug/failslab/ignore-gfp-wait", O_WRONLY);

		if (fd >= 0 && write(fd, "N", 1) != 1)
			nth = -1;
		if (fd >= 0)
			close(fd);
	}
	return nth;
}

#endif /* __IOMMUFD_LIVEUPDATE_H */
