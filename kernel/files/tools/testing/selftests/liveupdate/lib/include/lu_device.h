/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a test asks of vfio and iommufd to take a PCI device through a live update.
 *
 * Functions that return int return 0 or -errno, and leave it to the test what
 * that means. The others end the test if they fail.
 */
#ifndef SELFTESTS_LIVEUPDATE_LIB_LU_DEVICE_H
#define SELFTESTS_LIVEUPDATE_LIB_LU_DEVICE_H

#include <stddef.h>
#include <linux/types.h>

#include <libliveupdate.h>

/* Tokens of the files in the session of a device, and of its HWPT */
enum {
	LU_TOKEN_MEMFD = 1,
	LU_TOKEN_IOMMUFD,
	LU_TOKEN_DEVICE,
	LU_TOKEN_HWPT,
};

/**
 * struct lu_device - A device with an iommufd and memory of its own
 * @bdf:     its address, segment:bus:device.function
 * @memfd:   sealed, @size bytes
 * @memory:  the same, mapped
 * @size:    in bytes
 * @iommufd: the device is bound to it
 * @fd:      the device's character device
 * @dev_id:  what the iommufd knows the device by
 * @ioas_id: what the IOAS maps, @hwpt_id does
 * @hwpt_id: the HWPT that the device is attached to
 */
struct lu_device {
	const char *bdf;
	int memfd;
	void *memory;
	size_t size;
	int iommufd;
	int fd;
	__u32 dev_id;
	__u32 ioas_id;
	__u32 hwpt_id;
};

/** lu_expect - End the test unless @call returns @want, both 0 or -errno. */
#define lu_expect(call, want)						\
	do {								\
		int __got = (call), __want = (want);			\
									\
		if (__got != __want)					\
			ksft_exit_fail_msg("%s: \"%s\", expected \"%s\"\n", \
					   #call, strerror(-__got),	\
					   strerror(-__want));		\
	} while (0)

const char *lu_get_bdf(int *argc, char *argv[]);
int lu_open_cdev(const char *bdf);
int lu_bind(int fd, int iommufd, __u32 *dev_id);
int lu_attach(int fd, __u32 pt_id);
int lu_ioas_alloc(int iommufd, __u32 *ioas_id);
int lu_ioas_map(int iommufd, __u32 ioas_id, int memfd, __u64 offset, __u64 iova,
		__u64 length);
int lu_ioas_unmap(int iommufd, __u32 ioas_id, __u64 iova, __u64 length);
int lu_hwpt_alloc(int iommufd, __u32 dev_id, __u32 ioas_id, __u32 *hwpt_id);
int lu_hwpt_mark(int iommufd, __u32 hwpt_id, __u64 token);
int lu_hwpt_restore(int iommufd, __u64 token, __u32 *hwpt_id);
int lu_destroy(int iommufd, __u32 id);

void lu_device_open(struct lu_device *dev, const char *bdf, size_t size);
void lu_device_attach(struct lu_device *dev, __u64 iova);
void lu_device_preserve(struct lu_device *dev, int session_fd);
void lu_device_retrieve(struct lu_device *dev, const char *bdf, int session_fd,
			size_t size);
void lu_device_move(struct lu_device *dev, __u64 iova);

#endif /* SELFTESTS_LIVEUPDATE_LIB_LU_DEVICE_H */
