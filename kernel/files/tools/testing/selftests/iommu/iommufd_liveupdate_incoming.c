// SPDX-License-Identifier: GPL-2.0-only
/*
 * An iommufd with a page table of the mock domain, and a mock device, come out of a
 * live update. The next kernel is played in this one (IOMMU_TEST_OP_LIVEUPDATE); it
 * needs one that was booted with kho=on liveupdate=on.
 */
#include "iommufd_liveupdate_next.h"

/* Small pages of a few tables, and a large one */
#define SIZE		(3 * MOCK_HUGE_PAGE_SIZE)
#define IOVA		(16UL * MOCK_HUGE_PAGE_SIZE)
/* Behind that, far away: another table of each level */
#define FAR_IOVA	(64UL << 30)

FIXTURE(incoming)
{
	int liveupdate;
	int session;
	int memfd;
	/* The iommufd that is preserved, and its device */
	int fd;
	int device_fd;
	uint32_t ioas_id;
	uint32_t stdev_id;
	uint32_t device_id;
	uint32_t hwpt_id;
	/* What the next kernel gives back */
	int next;
	uint32_t next_stdev_id;
	uint32_t next_device_id;
	uint32_t restored_id;
};

FIXTURE_SETUP(incoming)
{
	struct iommu_test_cmd cmd = {};

	self->session = -1;
	self->next = -1;
	self->liveupdate = open("/dev/liveupdate", O_RDWR);
	if (self->liveupdate < 0)
		SKIP(return, "there is no live update: boot with kho=on liveupdate=on");
	self->fd = open("/dev/iommu", O_RDWR);
	ASSERT_NE(-1, self->fd);
	test_ioctl_ioas_alloc(&self->ioas_id);
	test_cmd_mock_domain(self->ioas_id, &self->stdev_id, NULL, &self->device_id);
	/* Pages of 2 KiB, which the others of the mock have, no real one has */
	test_cmd_hwpt_alloc_iommupt(self->device_id, self->ioas_id, 0,
				    MOCK_IOMMUPT_HUGE, &self->hwpt_id);
	test_cmd_mock_domain_replace(self->stdev_id, self->hwpt_id);

	self->memfd = memfd_create("guest", MFD_ALLOW_SEALING);
	ASSERT_NE(-1, self->memfd);
	ASSERT_EQ(0, ftruncate(self->memfd, SIZE));
	ASSERT_EQ(0, seal(self->memfd));
	ASSERT_EQ(0, map(self->fd, self->ioas_id, self->memfd, IOVA, SIZE));
	ASSERT_EQ(0, mark(self->fd, self->hwpt_id, TOKEN_HWPT));

	cmd.id = self->stdev_id;
	ASSERT_EQ(0, test_liveupdate(self->fd, IOMMU_TEST_LIVEUPDATE_DEVICE_FD, &cmd));
	self->device_fd = cmd.liveupdate.fd;
	self->session = create_session(self->liveupdate);
	ASSERT_NE(-1, self->session);
	ASSERT_EQ(0, preserve(self->session, self->memfd, TOKEN_MEMFD));
	ASSERT_EQ(0, preserve(self->session, self->fd, TOKEN_IOMMUFD));
	ASSERT_EQ(0, preserve(self->session, self->device_fd, TOKEN_DEVICE));
}

FIXTURE_TEARDOWN(incoming)
{
	if (self->liveupdate >= 0)
		TEARDOWN_NEXT();
}

/* Up to the iommufd, whose page table is what it was */
static void take_iommufd(struct __test_metadata *_metadata,
			 struct _test_data_incoming *self)
{
	self->next = retrieve(self->fd);
	ASSERT_LE(0, self->next);
	ASSERT_EQ(0, restore(self->next, TOKEN_HWPT, &self->restored_id));
	ASSERT_EQ(SIZE / MOCK_PAGE_SIZE,
		  compare(self->next, self->restored_id, self->fd, self->hwpt_id,
			  0, IOVA + 2 * SIZE));
}

static void take_device(struct __test_metadata *_metadata,
			struct _test_data_incoming *self)
{
	ASSERT_NEXT(RETRIEVE_DEVICE);
	ASSERT_STATE(RETRIEVED);
	ASSERT_EQ(0, bind_device(self->next, &self->next_stdev_id,
				 &self->next_device_id));
}

/* A page table of the next kernel's own, that maps the same memory elsewhere */
static uint32_t new_hwpt(struct __test_metadata *_metadata,
			 struct _test_data_incoming *self, uint32_t *ioas_id)
{
	struct iommu_hwpt_selftest config = { .pagetable_type = MOCK_IOMMUPT_HUGE };
	uint32_t hwpt_id = 0;

	EXPECT_EQ(0, _test_ioctl_ioas_alloc(self->next, ioas_id));
	EXPECT_EQ(0, map(self->next, *ioas_id, self->memfd, FAR_IOVA, SIZE));
	EXPECT_EQ(0, _test_cmd_hwpt_alloc(self->next, self->next_device_id, *ioas_id, 0,
					  0, &hwpt_id, IOMMU_HWPT_DATA_SELFTEST, &config,
					  sizeof(config)));
	return hwpt_id;
}

static void leave_and_finish(struct __test_metadata *_metadata,
			     struct _test_data_incoming *self)
{
	uint32_t ioas_id;

	ASSERT_EQ(0, _test_cmd_mock_domain_replace(self->next, self->next_stdev_id,
						   new_hwpt(_metadata, self, &ioas_id),
						   NULL));
	ASSERT_STATE(DONE);
	ASSERT_EQ(0, _test_ioctl_destroy(self->next, self->restored_id));
	ASSERT_NEXT(FINISH);
	ASSERT_STATE(NONE);
	ASSERT_EQ(0, blocks_left(self->fd));
}

/* Let go of all that the next kernel had, so that there can be another one */
static void next_exits(struct __test_metadata *_metadata,
		       struct _test_data_incoming *self)
{
	ASSERT_EQ(0, _test_ioctl_destroy(self->next, self->next_stdev_id));
	self->next_stdev_id = 0;
	ASSERT_EQ(0, close(self->next));
	self->next = -1;
}

static void arrive(struct __test_metadata *_metadata, struct _test_data_incoming *self)
{
	ASSERT_EQ(0, hand_over(self->fd, IOMMU_TEST_DAMAGE_NONE));
	ASSERT_STATE(WAITING);
	ASSERT_NEXT(PROBE);
	ASSERT_STATE(WAITING);
}

TEST_F(incoming, comes_home)
{
	uint32_t ioas_id, hwpt_id, again;

	arrive(_metadata, self);
	take_iommufd(_metadata, self);
	/* Whoever asks again gets the same */
	ASSERT_EQ(0, restore(self->next, TOKEN_HWPT, &again));
	EXPECT_EQ(self->restored_id, again);
	take_device(_metadata, self);

	hwpt_id = new_hwpt(_metadata, self, &ioas_id);
	ASSERT_EQ(0, _test_cmd_mock_domain_replace(self->next, self->next_stdev_id,
						   hwpt_id, NULL));
	ASSERT_STATE(DONE);
	/* The page table is there until nobody has it, and is as it was */
	EXPECT_EQ(SIZE / MOCK_PAGE_SIZE,
		  compare(self->next, self->restored_id, self->fd, self->hwpt_id,
			  IOVA, SIZE));
	ASSERT_NEXT(FINISH);
	ASSERT_STATE(NONE);
	EXPECT_EQ(SIZE / MOCK_PAGE_SIZE,
		  compare(self->next, self->restored_id, self->fd, self->hwpt_id,
			  IOVA, SIZE));
	EXPECT_LT(0, blocks_left(self->fd));
	ASSERT_EQ(0, _test_ioctl_destroy(self->next, self->restored_id));
	EXPECT_EQ(0, blocks_left(self->fd));

	/* All is as if there had been no update */
	EXPECT_EQ(0, _test_ioctl_ioas_unmap(self->next, ioas_id, FAR_IOVA, SIZE, NULL));
	EXPECT_EQ(0, _test_cmd_mock_domain_replace(self->next, self->next_stdev_id,
						   ioas_id, NULL));
	EXPECT_EQ(0, _test_ioctl_destroy(self->next, hwpt_id));
	next_exits(_metadata, self);
	EXPECT_EQ(SIZE / MOCK_PAGE_SIZE,
		  compare(self->fd, self->hwpt_id, self->fd, self->hwpt_id, IOVA, SIZE));
}

TEST_F(incoming, again)
{
	for (int i = 0; i < 10; i++) {
		arrive(_metadata, self);
		take_iommufd(_metadata, self);
		take_device(_metadata, self);
		leave_and_finish(_metadata, self);
		next_exits(_metadata, self);
	}
}

/* One update at a time */
TEST_F(incoming, only_one)
{
	EXPECT_NEXT_ERRNO(ENOENT, PROBE);
	EXPECT_ERRNO(ENOENT, retrieve(self->fd));
	arrive(_metadata, self);
	EXPECT_ERRNO(EBUSY, hand_over(self->fd, IOMMU_TEST_DAMAGE_NONE));
}

/* The session cannot finish before the device is on another page table */
TEST_F(incoming, too_early)
{
	ASSERT_EQ(0, hand_over(self->fd, IOMMU_TEST_DAMAGE_NONE));
	EXPECT_NEXT_ERRNO(EBUSY, FINISH);
	ASSERT_NEXT(PROBE);
	EXPECT_NEXT_ERRNO(EBUSY, FINISH);
	take_iommufd(_metadata, self);
	EXPECT_NEXT_ERRNO(EBUSY, FINISH);
	take_device(_metadata, self);
	EXPECT_NEXT_ERRNO(EBUSY, FINISH);
	leave_and_finish(_metadata, self);
}

TEST_F(incoming, refusals)
{
	struct iommu_hwpt_liveupdate_restore flags = {
		.size = sizeof(flags),
		.flags = 1,
		.hwpt_token = TOKEN_HWPT,
	};
	uint32_t id, ioas_id, stdev_id, device_id, hwpt_id;

	EXPECT_ERRNO(ENOTTY, restore(self->fd, TOKEN_HWPT, &id));
	arrive(_metadata, self);
	/* Of another iommufd, and not retrieved */
	EXPECT_ERRNO(EPERM, bind_device(self->fd, &id, &id));
	take_iommufd(_metadata, self);
	EXPECT_ERRNO(ENOENT, restore(self->next, TOKEN_HWPT + 1, &id));
	EXPECT_ERRNO(EOPNOTSUPP, ioctl(self->next, IOMMU_HWPT_LIVEUPDATE_RESTORE, &flags));
	EXPECT_ERRNO(EOPNOTSUPP, mark(self->next, self->restored_id, TOKEN_HWPT + 1));
	EXPECT_ERRNO(EBUSY, bind_device(self->next, &id, &id));
	ASSERT_STATE(WAITING);

	/* DMA goes through it, though nothing is bound */
	EXPECT_ERRNO(EBUSY, _test_ioctl_destroy(self->next, self->restored_id));
	take_device(_metadata, self);
	EXPECT_ERRNO(EBUSY, bind_device(self->next, &id, &id));
	EXPECT_NEXT_ERRNO(EBUSY, REMOVE);
	EXPECT_ERRNO(EBUSY, _test_ioctl_destroy(self->next, self->restored_id));
	EXPECT_ERRNO(EBUSY, _test_ioctl_destroy(self->next, self->next_device_id));

	/* Another device cannot go there, and neither can the same again */
	ASSERT_EQ(0, _test_ioctl_ioas_alloc(self->next, &ioas_id));
	ASSERT_EQ(0, _test_cmd_mock_domain(self->next, ioas_id, &stdev_id, NULL,
					   &device_id));
	EXPECT_ERRNO(EINVAL, _test_cmd_mock_domain_replace(self->next, stdev_id,
							   self->restored_id, NULL));
	hwpt_id = new_hwpt(_metadata, self, &id);
	ASSERT_EQ(0, _test_cmd_mock_domain_replace(self->next, self->next_stdev_id,
						   hwpt_id, NULL));
	EXPECT_ERRNO(EINVAL, _test_cmd_mock_domain_replace(self->next,
							   self->next_stdev_id,
							   self->restored_id, NULL));
	ASSERT_STATE(DONE);
	ASSERT_NEXT(FINISH);
}

/* What the outgoing side holds on to stays as it is, whatever the copy goes through */
TEST_F(incoming, outgoing_stays_immutable)
{
	arrive(_metadata, self);
	take_iommufd(_metadata, self);
	EXPECT_ERRNO(EBUSY, _test_ioctl_ioas_unmap(self->fd, self->ioas_id, IOVA, SIZE,
						   NULL));
	EXPECT_ERRNO(EBUSY, _test_cmd_mock_domain_replace(self->fd, self->stdev_id,
							  self->ioas_id, NULL));
	EXPECT_ERRNO(EBUSY, _test_ioctl_destroy(self->fd, self->stdev_id));
	take_device(_metadata, self);
	leave_and_finish(_metadata, self);
	close(self->session);
	self->session = -1;
	EXPECT_EQ(0, _test_cmd_mock_domain_replace(self->fd, self->stdev_id,
						   self->ioas_id, NULL));
	EXPECT_EQ(0, _test_ioctl_ioas_unmap(self->fd, self->ioas_id, IOVA, SIZE, NULL));
}

/* Its page table is there without it */
TEST_F(incoming, not_found)
{
	ASSERT_EQ(0, hand_over(self->fd, IOMMU_TEST_DAMAGE_NONE));
	ASSERT_NEXT(BOOTED);
	ASSERT_LOST("not-found");
	take_iommufd(_metadata, self);
	/* It comes too late, and is an ordinary device */
	ASSERT_NEXT(PROBE);
	ASSERT_LOST("not-found");
	EXPECT_NEXT_ERRNO(EIO, RETRIEVE_DEVICE);
	ASSERT_EQ(0, bind_device(self->fd, &self->next_stdev_id, &self->next_device_id));
	EXPECT_EQ(0, _test_ioctl_destroy(self->fd, self->next_stdev_id));
	self->next_stdev_id = 0;
	ASSERT_EQ(0, _test_ioctl_destroy(self->next, self->restored_id));
	ASSERT_NEXT(FINISH);
	EXPECT_EQ(0, blocks_left(self->fd));
}

TEST_F(incoming, unit_without_driver)
{
	ASSERT_EQ(0, hand_over(self->fd, IOMMU_TEST_DAMAGE_NO_DRIVER));
	ASSERT_STATE(WAITING);
	ASSERT_NEXT(BOOTED);
	ASSERT_LOST("no-driver");
	ASSERT_NEXT(FINISH);
	EXPECT_EQ(0, blocks_left(self->fd));
}

TEST_F(incoming, found_in_time)
{
	arrive(_metadata, self);
	ASSERT_NEXT(BOOTED);
	ASSERT_STATE(WAITING);
	take_iommufd(_metadata, self);
	take_device(_metadata, self);
	leave_and_finish(_metadata, self);
}

/* Nobody came for it: the device is gone, and its session finishes without it */
TEST_F(incoming, given_up_waiting)
{
	arrive(_metadata, self);
	ASSERT_NEXT(REMOVE);
	ASSERT_LOST("removed");
	EXPECT_NEXT_ERRNO(ENODEV, RETRIEVE_DEVICE);
	ASSERT_NEXT(FINISH);
	ASSERT_STATE(NONE);
	EXPECT_EQ(0, blocks_left(self->fd));
}

/* Its owner has the iommufd, and never asked for the HWPT */
TEST_F(incoming, given_up_with_iommufd)
{
	arrive(_metadata, self);
	self->next = retrieve(self->fd);
	ASSERT_LE(0, self->next);
	ASSERT_NEXT(REMOVE);
	ASSERT_NEXT(FINISH);
	EXPECT_EQ(0, blocks_left(self->fd));
	EXPECT_ERRNO(ENOENT, restore(self->next, TOKEN_HWPT, &self->restored_id));
}

/* Its owner has all of it, dies, and the next one goes on */
TEST_F(incoming, given_up_bound)
{
	int first;

	arrive(_metadata, self);
	take_iommufd(_metadata, self);
	take_device(_metadata, self);
	ASSERT_EQ(0, _test_ioctl_destroy(self->next, self->next_stdev_id));
	self->next_stdev_id = 0;
	ASSERT_STATE(RETRIEVED);
	EXPECT_NEXT_ERRNO(EBUSY, FINISH);
	EXPECT_ERRNO(EPERM, bind_device(self->fd, &self->next_stdev_id,
					&self->next_device_id));
	first = self->next;
	take_iommufd(_metadata, self);
	close(first);
	take_device(_metadata, self);
	leave_and_finish(_metadata, self);
}

/* Its owner dies, and then the device */
TEST_F(incoming, given_up_bound_and_removed)
{
	arrive(_metadata, self);
	take_iommufd(_metadata, self);
	take_device(_metadata, self);
	ASSERT_EQ(0, _test_ioctl_destroy(self->next, self->next_stdev_id));
	self->next_stdev_id = 0;
	ASSERT_NEXT(REMOVE);
	ASSERT_LOST("removed");
	ASSERT_NEXT(FINISH);
	EXPECT_LT(0, blocks_left(self->fd));
	EXPECT_EQ(0, _test_ioctl_destroy(self->next, self->restored_id));
	EXPECT_EQ(0, blocks_left(self->fd));
}

/* Its owner has moved it, and dies before the session finished */
TEST_F(incoming, given_up_done)
{
	uint32_t ioas_id;

	arrive(_metadata, self);
	take_iommufd(_metadata, self);
	take_device(_metadata, self);
	ASSERT_EQ(0, _test_cmd_mock_domain_replace(self->next, self->next_stdev_id,
						   new_hwpt(_metadata, self, &ioas_id),
						   NULL));
	ASSERT_EQ(0, _test_ioctl_destroy(self->next, self->next_stdev_id));
	self->next_stdev_id = 0;
	ASSERT_STATE(DONE);
	ASSERT_NEXT(FINISH);
	ASSERT_EQ(0, close(self->next));
	self->next = -1;
	EXPECT_EQ(0, blocks_left(self->fd));
}

/* What is not a table of the page table is found when it is freed: all stays reserved */
TEST_F(incoming, table_of_somebody_else)
{
	uint32_t ioas_id;

	ASSERT_EQ(0, hand_over(self->fd, IOMMU_TEST_DAMAGE_TABLE));
	ASSERT_NEXT(PROBE);
	self->next = retrieve(self->fd);
	ASSERT_LE(0, self->next);
	ASSERT_EQ(0, restore(self->next, TOKEN_HWPT, &self->restored_id));
	take_device(_metadata, self);
	ASSERT_EQ(0, _test_cmd_mock_domain_replace(self->next, self->next_stdev_id,
						   new_hwpt(_metadata, self, &ioas_id),
						   NULL));
	ASSERT_EQ(0, _test_ioctl_destroy(self->next, self->restored_id));
	ASSERT_NEXT(FINISH);
	next_exits(_metadata, self);

	arrive(_metadata, self);
	take_iommufd(_metadata, self);
	take_device(_metadata, self);
	leave_and_finish(_metadata, self);
}

FIXTURE(damaged)
{
	FIXTURE_DATA(incoming) incoming;
};

FIXTURE_VARIANT(damaged)
{
	uint32_t what;
	/* Of the device after it was found, and why it is lost in the end */
	uint32_t state;
	const char *loss;
	/* Retrieving the iommufd fails */
	bool refused;
	/* It is known whose all of its memory is */
	bool freed;
};

#define DAMAGED(name, ...)						\
	FIXTURE_VARIANT_ADD(damaged, name)				\
	{								\
		.what = IOMMU_TEST_DAMAGE_##name, __VA_ARGS__		\
	}
/* Nothing is known of the device, or that it came */
DAMAGED(HEADER, .state = IOMMU_TEST_STATE_NONE);
DAMAGED(DEVICE, .state = IOMMU_TEST_STATE_NONE);
DAMAGED(UNIT, .state = IOMMU_TEST_STATE_LOST, .loss = "unit");
DAMAGED(DOMAIN, .state = IOMMU_TEST_STATE_LOST, .loss = "no-domain");
DAMAGED(CHUNKS, .state = IOMMU_TEST_STATE_LOST, .loss = "no-domain");
DAMAGED(FORMAT, .state = IOMMU_TEST_STATE_LOST, .loss = "no-domain");
/* The device waits until somebody looks at the record of the iommufd */
DAMAGED(IOMMUFD, .state = IOMMU_TEST_STATE_WAITING, .loss = "file", .refused = true);
DAMAGED(TOKEN, .state = IOMMU_TEST_STATE_WAITING, .loss = "file", .refused = true,
	.freed = true);

FIXTURE_SETUP(damaged)
{
	incoming_setup(_metadata, &self->incoming, NULL);
}

FIXTURE_TEARDOWN(damaged)
{
	incoming_teardown(_metadata, &self->incoming, NULL);
}

/* It costs its device, the session finishes, and the next update is a good one */
static void lose(struct __test_metadata *_metadata, struct _test_data_incoming *self,
		 const struct _fixture_variant_damaged *variant)
{
	ASSERT_EQ(0, hand_over(self->fd, variant->what));
	ASSERT_NEXT(PROBE);
	ASSERT_EQ(variant->state, state_of_device(self->fd, NULL));
	self->next = retrieve(self->fd);
	if (variant->refused) {
		ASSERT_EQ(-1, self->next);
		ASSERT_EQ(EIO, errno);
		EXPECT_ERRNO(EIO, retrieve(self->fd));
	} else {
		ASSERT_LE(0, self->next);
		EXPECT_ERRNO(ENOENT, restore(self->next, TOKEN_HWPT, &self->restored_id));
		close(self->next);
		self->next = -1;
	}
	if (variant->loss) {
		ASSERT_LOST(variant->loss);
		EXPECT_NEXT_ERRNO(EIO, RETRIEVE_DEVICE);
	} else {
		ASSERT_STATE(NONE);
		EXPECT_NEXT_ERRNO(ENODEV, RETRIEVE_DEVICE);
	}
	ASSERT_NEXT(FINISH);
	ASSERT_STATE(NONE);
	EXPECT_EQ(variant->freed, !blocks_left(self->fd));
}

TEST_F(damaged, costs_its_device)
{
	struct _test_data_incoming *incoming = &self->incoming;

	lose(_metadata, incoming, variant);
	arrive(_metadata, incoming);
	take_iommufd(_metadata, incoming);
	take_device(_metadata, incoming);
	leave_and_finish(_metadata, incoming);
}

enum step {
	HAND_OVER,
	PROBE,
	RETRIEVE,
	RESTORE,
	RETRIEVE_DEVICE,
	BIND,
	REPLACE,
	DESTROY,
	FINISH,
	STEPS,
};

FIXTURE(fail_nth)
{
	FIXTURE_DATA(incoming) incoming;
	int nth;
};

FIXTURE_VARIANT(fail_nth)
{
	enum step step;
};

#define FAIL_NTH(name) FIXTURE_VARIANT_ADD(fail_nth, name) { .step = name }
FAIL_NTH(HAND_OVER);
FAIL_NTH(PROBE);
FAIL_NTH(RETRIEVE);
FAIL_NTH(RESTORE);
FAIL_NTH(RETRIEVE_DEVICE);
FAIL_NTH(BIND);
FAIL_NTH(REPLACE);
FAIL_NTH(DESTROY);
FAIL_NTH(FINISH);

FIXTURE_SETUP(fail_nth)
{
	self->nth = open_fail_nth();
	if (self->nth < 0)
		SKIP(return, "fault injection is not enabled in the kernel");
	incoming_setup(_metadata, &self->incoming, NULL);
}

FIXTURE_TEARDOWN(fail_nth)
{
	if (self->nth < 0)
		return;
	close(self->nth);
	incoming_teardown(_metadata, &self->incoming, NULL);
}

static int do_step(struct _test_data_incoming *self, enum step step, uint32_t hwpt_id)
{
	switch (step) {
	case HAND_OVER:
		return hand_over(self->fd, IOMMU_TEST_DAMAGE_NONE);
	case PROBE:
		return next_kernel(self->fd, IOMMU_TEST_LIVEUPDATE_PROBE);
	case RETRIEVE:
		self->next = retrieve(self->fd);
		return self->next < 0 ? -1 : 0;
	case RESTORE:
		return restore(self->next, TOKEN_HWPT, &self->restored_id);
	case RETRIEVE_DEVICE:
		return next_kernel(self->fd, IOMMU_TEST_LIVEUPDATE_RETRIEVE_DEVICE);
	case BIND:
		return bind_device(self->next, &self->next_stdev_id,
				   &self->next_device_id);
	case REPLACE:
		return _test_cmd_mock_domain_replace(self->next, self->next_stdev_id,
						     hwpt_id, NULL);
	case DESTROY:
		return _test_ioctl_destroy(self->next, self->restored_id);
	case FINISH:
		return next_kernel(self->fd, IOMMU_TEST_LIVEUPDATE_FINISH);
	default:
		return -1;
	}
}

/*
 * A device that was found when memory was short is lost, or has no IOMMU group until it
 * is found once more. Return: true if it is neither.
 */
static bool is_found(struct __test_metadata *_metadata, struct _test_data_incoming *self)
{
	uint32_t state = state_of_device(self->fd, NULL);

	if (state == IOMMU_TEST_STATE_LOST) {
		ASSERT_NEXT(REMOVE);
		ASSERT_NEXT(FINISH);
		return false;
	}
	EXPECT_EQ(IOMMU_TEST_STATE_WAITING, state);
	EXPECT_EQ(0, do_step(self, RETRIEVE, 0));
	if (!do_step(self, RESTORE, 0))
		return true;
	ASSERT_EQ(0, close(self->next));
	self->next = -1;
	ASSERT_NEXT(REMOVE);
	ASSERT_STATE(WAITING);
	ASSERT_NEXT(PROBE);
	ASSERT_NEXT(REMOVE);
	ASSERT_NEXT(FINISH);
	EXPECT_EQ(0, blocks_left(self->fd));
	return false;
}

/* Each step again after it failed, and all that follow. Return: the n-th was reached */
static bool come_home(struct __test_metadata *_metadata, struct _test_data_fail_nth *fixture,
		      enum step fails, unsigned int n)
{
	struct _test_data_incoming *self = &fixture->incoming;
	uint32_t ioas_id, hwpt_id = 0;
	bool reached = false;

	for (enum step step = 0; step < STEPS; step++) {
		int ret;

		if (step == REPLACE)
			hwpt_id = new_hwpt(_metadata, self, &ioas_id);
		if (step != fails) {
			ASSERT_EQ(0, do_step(self, step, hwpt_id));
			continue;
		}
		EXPECT_TRUE(fail_nth(fixture->nth, n));
		ret = do_step(self, step, hwpt_id);
		reached = fail_nth(fixture->nth, 0);
		if (ret) {
			ASSERT_TRUE(reached);
			ASSERT_EQ(0, do_step(self, step, hwpt_id));
		}
		if (step != PROBE || !reached)
			continue;
		if (!is_found(_metadata, self))
			return true;
		step = RESTORE;
	}
	ASSERT_EQ(0, blocks_left(self->fd));
	next_exits(_metadata, self);
	return reached;
}

TEST_F_TIMEOUT(fail_nth, comes_home, 300)
{
	unsigned int n = 1;

	while (come_home(_metadata, self, variant->step, n))
		ASSERT_GT(1000, ++n);
}

TEST_HARNESS_MAIN
