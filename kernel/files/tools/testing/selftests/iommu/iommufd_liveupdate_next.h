/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A next kernel that is played in this one: what is asked of it by any iommufd.
 */
#ifndef __IOMMUFD_LIVEUPDATE_NEXT_H
#define __IOMMUFD_LIVEUPDATE_NEXT_H

#include <string.h>

#include "iommufd_liveupdate.h"

static int test_liveupdate(int fd, uint32_t what, struct iommu_test_cmd *cmd)
{
	cmd->size = sizeof(*cmd);
	cmd->op = IOMMU_TEST_OP_LIVEUPDATE;
	cmd->liveupdate.what = what;
	return ioctl(fd, _IOMMU_TEST_CMD(IOMMU_TEST_OP_LIVEUPDATE), cmd);
}

static int next_kernel(int fd, uint32_t what)
{
	struct iommu_test_cmd cmd = {};

	return test_liveupdate(fd, what, &cmd);
}

static int hand_over(int fd, uint32_t damage)
{
	struct iommu_test_cmd cmd = { .liveupdate.damage = damage };

	return test_liveupdate(fd, IOMMU_TEST_LIVEUPDATE_HAND_OVER, &cmd);
}

static int retrieve(int fd)
{
	struct iommu_test_cmd cmd = {};

	return test_liveupdate(fd, IOMMU_TEST_LIVEUPDATE_RETRIEVE, &cmd) ?
	       -1 : cmd.liveupdate.fd;
}

static int bind_device(int fd, uint32_t *stdev_id, uint32_t *device_id)
{
	struct iommu_test_cmd cmd = {};
	int ret = test_liveupdate(fd, IOMMU_TEST_LIVEUPDATE_BIND, &cmd);

	if (!ret) {
		*stdev_id = cmd.liveupdate.out_stdev_id;
		*device_id = cmd.liveupdate.out_idev_id;
	}
	return ret;
}

static int restore(int fd, uint64_t token, uint32_t *hwpt_id)
{
	struct iommu_hwpt_liveupdate_restore cmd = {
		.size = sizeof(cmd),
		.hwpt_token = token,
	};
	int ret = ioctl(fd, IOMMU_HWPT_LIVEUPDATE_RESTORE, &cmd);

	if (!ret)
		*hwpt_id = cmd.out_hwpt_id;
	return ret;
}

/* How many IOVAs of small pages both translate, alike; -1 if they differ */
static long compare(int fd, uint32_t hwpt_id, int other_fd, uint32_t other_id,
		    uint64_t iova, uint64_t length)
{
	struct iommu_test_cmd cmd = {
		.id = hwpt_id,
		.liveupdate = {
			.fd = other_fd,
			.hwpt_id = other_id,
			.iova = iova,
			.length = length,
		},
	};

	return test_liveupdate(fd, IOMMU_TEST_LIVEUPDATE_COMPARE, &cmd) ?
	       -1 : cmd.liveupdate.out_count;
}

static uint32_t state_of_device(int fd, char *loss)
{
	struct iommu_test_cmd cmd = {};

	if (test_liveupdate(fd, IOMMU_TEST_LIVEUPDATE_STATE, &cmd))
		return -1;
	if (loss)
		memcpy(loss, cmd.liveupdate.out_loss, sizeof(cmd.liveupdate.out_loss));
	return cmd.liveupdate.out_state;
}

/* Blocks of the handover that are not this kernel's */
static uint32_t blocks_left(int fd)
{
	struct iommu_test_cmd cmd = {};

	return test_liveupdate(fd, IOMMU_TEST_LIVEUPDATE_STATE, &cmd) ?
	       -1 : cmd.liveupdate.out_count;
}

/* For fixtures that have the iommufd of the kernel before as fd, the next one's as next */
#define ASSERT_STATE(state) \
	ASSERT_EQ(IOMMU_TEST_STATE_##state, state_of_device(self->fd, NULL))
#define ASSERT_LOST(why)							\
	({									\
		char __loss[16];						\
										\
		ASSERT_EQ(IOMMU_TEST_STATE_LOST, state_of_device(self->fd, __loss)); \
		ASSERT_STREQ(why, __loss);					\
	})
#define ASSERT_NEXT(what) \
	ASSERT_EQ(0, next_kernel(self->fd, IOMMU_TEST_LIVEUPDATE_##what))
#define EXPECT_NEXT_ERRNO(error, what) \
	EXPECT_ERRNO(error, next_kernel(self->fd, IOMMU_TEST_LIVEUPDATE_##what))

/* Whatever became of it, nothing is left to the next test */
#define TEARDOWN_NEXT()							\
	({								\
		if (self->next >= 0) {					\
			if (self->next_stdev_id)			\
				_test_ioctl_destroy(self->next, self->next_stdev_id); \
			close(self->next);				\
		}							\
		next_kernel(self->fd, IOMMU_TEST_LIVEUPDATE_PROBE);	\
		next_kernel(self->fd, IOMMU_TEST_LIVEUPDATE_REMOVE);	\
		next_kernel(self->fd, IOMMU_TEST_LIVEUPDATE_FINISH);	\
		EXPECT_NEXT_ERRNO(ENOENT, FINISH);			\
		if (self->session >= 0)					\
			close(self->session);				\
		close(self->liveupdate);				\
		close(self->device_fd);					\
		close(self->memfd);					\
		teardown_iommufd(self->fd, _metadata);			\
	})

#endif /* __IOMMUFD_LIVEUPDATE_NEXT_H */
