// SPDX-License-Identifier: GPL-2.0-only
/*
 * A mock device that uses PASIDs goes into a live update, and comes out of it. The next
 * kernel is played in this one (IOMMU_TEST_OP_LIVEUPDATE); it needs one that was booted
 * with kho=on liveupdate=on.
 */
#include "iommufd_liveupdate_next.h"

#define SIZE		(16 * PAGE_SIZE)
#define IOVA		(16UL * MOCK_HUGE_PAGE_SIZE)
/* What the second page table maps the same memory to */
#define OTHER_IOVA	(32UL * MOCK_HUGE_PAGE_SIZE)
#define NEW_IOVA	(64UL * MOCK_HUGE_PAGE_SIZE)
#define PAGES		(SIZE / MOCK_PAGE_SIZE)

#define TOKEN_OTHER	78

/* The first two on a page table of their own, the last one on that of no PASID */
#define PASID_A		1
#define PASID_B		5
#define PASID_C		70000

FIXTURE(pasid)
{
	int liveupdate;
	int session;
	int memfd;
	/* The iommufd that is preserved, and its device */
	int fd;
	int device_fd;
	uint32_t ioas_id[2];
	uint32_t hwpt_id[2];
	uint32_t stdev_id;
	uint32_t device_id;
	/* What the next kernel gives back */
	int next;
	uint32_t next_stdev_id;
	uint32_t next_device_id;
	uint32_t restored_id[2];
};

/* In the next kernel */
#define ASSERT_ON(pasid, hwpt_id) \
	ASSERT_EQ(0, test_cmd_pasid_check_hwpt(self->next, self->next_stdev_id, pasid, hwpt_id))

FIXTURE_SETUP(pasid)
{
	struct iommu_test_cmd cmd = {};

	self->session = -1;
	self->next = -1;
	self->liveupdate = open("/dev/liveupdate", O_RDWR);
	if (self->liveupdate < 0)
		SKIP(return, "there is no live update: boot with kho=on liveupdate=on");
	self->fd = open("/dev/iommu", O_RDWR);
	ASSERT_NE(-1, self->fd);
	self->memfd = memfd_create("guest", MFD_ALLOW_SEALING);
	ASSERT_NE(-1, self->memfd);
	ASSERT_EQ(0, ftruncate(self->memfd, SIZE));
	ASSERT_EQ(0, seal(self->memfd));

	test_ioctl_ioas_alloc(&self->ioas_id[0]);
	test_cmd_mock_domain_flags(self->ioas_id[0], MOCK_FLAGS_DEVICE_PASID, &self->stdev_id,
				   NULL, &self->device_id);
	test_ioctl_ioas_alloc(&self->ioas_id[1]);
	for (int i = 0; i < 2; i++) {
		test_cmd_hwpt_alloc_iommupt(self->device_id, self->ioas_id[i],
					    IOMMU_HWPT_ALLOC_PASID, MOCK_IOMMUPT_HUGE,
					    &self->hwpt_id[i]);
		ASSERT_EQ(0, map(self->fd, self->ioas_id[i], self->memfd,
				 i ? OTHER_IOVA : IOVA, SIZE));
	}
	test_cmd_mock_domain_replace(self->stdev_id, self->hwpt_id[0]);
	test_cmd_pasid_attach(PASID_A, self->hwpt_id[1]);
	test_cmd_pasid_attach(PASID_B, self->hwpt_id[1]);
	test_cmd_pasid_attach(PASID_C, self->hwpt_id[0]);
	ASSERT_EQ(0, mark(self->fd, self->hwpt_id[0], TOKEN_HWPT));

	cmd.id = self->stdev_id;
	ASSERT_EQ(0, test_liveupdate(self->fd, IOMMU_TEST_LIVEUPDATE_DEVICE_FD, &cmd));
	self->device_fd = cmd.liveupdate.fd;
	self->session = create_session(self->liveupdate);
	ASSERT_NE(-1, self->session);
	ASSERT_EQ(0, preserve(self->session, self->memfd, TOKEN_MEMFD));
}

FIXTURE_TEARDOWN(pasid)
{
	if (self->liveupdate >= 0)
		TEARDOWN_NEXT();
}

static void preserve_all(struct __test_metadata *_metadata, struct _test_data_pasid *self)
{
	ASSERT_EQ(0, mark(self->fd, self->hwpt_id[1], TOKEN_OTHER));
	ASSERT_EQ(0, preserve(self->session, self->fd, TOKEN_IOMMUFD));
	ASSERT_EQ(0, preserve(self->session, self->device_fd, TOKEN_DEVICE));
}

static void arrive(struct __test_metadata *_metadata, struct _test_data_pasid *self)
{
	ASSERT_EQ(0, hand_over(self->fd, IOMMU_TEST_DAMAGE_NONE));
	ASSERT_STATE(WAITING);
	ASSERT_NEXT(PROBE);
	ASSERT_STATE(WAITING);
}

/* Both page tables are what they were */
static void take_iommufd(struct __test_metadata *_metadata, struct _test_data_pasid *self)
{
	self->next = retrieve(self->fd);
	ASSERT_LE(0, self->next);
	ASSERT_EQ(0, restore(self->next, TOKEN_HWPT, &self->restored_id[0]));
	ASSERT_EQ(0, restore(self->next, TOKEN_OTHER, &self->restored_id[1]));
	for (int i = 0; i < 2; i++)
		ASSERT_EQ(PAGES, compare(self->next, self->restored_id[i], self->fd,
					 self->hwpt_id[i], IOVA, OTHER_IOVA + SIZE - IOVA));
}

static int bind_next(struct _test_data_pasid *self)
{
	return bind_device(self->next, &self->next_stdev_id, &self->next_device_id);
}

static void take_device(struct __test_metadata *_metadata, struct _test_data_pasid *self)
{
	ASSERT_NEXT(RETRIEVE_DEVICE);
	ASSERT_STATE(RETRIEVED);
	ASSERT_EQ(0, bind_next(self));
	ASSERT_ON(PASID_A, self->restored_id[1]);
	ASSERT_ON(PASID_B, self->restored_id[1]);
	ASSERT_ON(PASID_C, self->restored_id[0]);
}

static int replace_pasid(struct _test_data_pasid *self, uint32_t pasid, uint32_t hwpt_id)
{
	return _test_cmd_pasid_replace(self->next, self->next_stdev_id, pasid, hwpt_id);
}

static int replace(struct _test_data_pasid *self, uint32_t hwpt_id)
{
	return _test_cmd_mock_domain_replace(self->next, self->next_stdev_id, hwpt_id, NULL);
}

/* A page table of the next kernel's own */
static uint32_t new_hwpt(struct __test_metadata *_metadata, struct _test_data_pasid *self)
{
	struct iommu_hwpt_selftest config = { .pagetable_type = MOCK_IOMMUPT_HUGE };
	uint32_t ioas_id = 0, hwpt_id = 0;

	EXPECT_EQ(0, _test_ioctl_ioas_alloc(self->next, &ioas_id));
	EXPECT_EQ(0, map(self->next, ioas_id, self->memfd, NEW_IOVA, SIZE));
	EXPECT_EQ(0, _test_cmd_hwpt_alloc(self->next, self->next_device_id, ioas_id, 0,
					  IOMMU_HWPT_ALLOC_PASID, &hwpt_id,
					  IOMMU_HWPT_DATA_SELFTEST, &config,
					  sizeof(config)));
	return hwpt_id;
}

static void leave_and_finish(struct __test_metadata *_metadata,
			     struct _test_data_pasid *self, uint32_t hwpt_id)
{
	ASSERT_EQ(0, replace_pasid(self, PASID_B, hwpt_id));
	ASSERT_EQ(0, replace_pasid(self, PASID_C, hwpt_id));
	ASSERT_STATE(RETRIEVED);
	EXPECT_NEXT_ERRNO(EBUSY, FINISH);
	ASSERT_EQ(0, replace(self, hwpt_id));
	ASSERT_STATE(DONE);
	ASSERT_EQ(0, _test_ioctl_destroy(self->next, self->restored_id[0]));
	ASSERT_EQ(0, _test_ioctl_destroy(self->next, self->restored_id[1]));
	ASSERT_NEXT(FINISH);
	ASSERT_STATE(NONE);
	ASSERT_EQ(0, blocks_left(self->fd));
}

static void detach_all(struct _test_data_pasid *self)
{
	_test_cmd_pasid_detach(self->fd, self->stdev_id, PASID_A);
	_test_cmd_pasid_detach(self->fd, self->stdev_id, PASID_B);
	_test_cmd_pasid_detach(self->fd, self->stdev_id, PASID_C);
}

/* What a PASID is attached to has to be preserved as well */
TEST_F(pasid, each_page_table_is_preserved)
{
	ASSERT_EQ(0, preserve(self->session, self->fd, TOKEN_IOMMUFD));
	EXPECT_ERRNO(EINVAL, preserve(self->session, self->device_fd, TOKEN_DEVICE));

	close(self->session);
	self->session = create_session(self->liveupdate);
	ASSERT_EQ(0, preserve(self->session, self->memfd, TOKEN_MEMFD));
	preserve_all(_metadata, self);

	/* All of it again, and without PASIDs */
	close(self->session);
	self->session = create_session(self->liveupdate);
	ASSERT_EQ(0, unmark(self->fd, self->hwpt_id[1]));
	detach_all(self);
	ASSERT_EQ(0, preserve(self->session, self->memfd, TOKEN_MEMFD));
	ASSERT_EQ(0, preserve(self->session, self->fd, TOKEN_IOMMUFD));
	EXPECT_EQ(0, preserve(self->session, self->device_fd, TOKEN_DEVICE));
}

TEST_F(pasid, immutable)
{
	uint32_t other;

	test_cmd_hwpt_alloc_iommupt(self->device_id, self->ioas_id[0], IOMMU_HWPT_ALLOC_PASID,
				    MOCK_IOMMUPT_HUGE, &other);
	preserve_all(_metadata, self);
	test_err_pasid_attach(EBUSY, PASID_A + 1, self->hwpt_id[1]);
	test_err_pasid_attach(EBUSY, PASID_A + 1, other);
	test_err_pasid_replace(EBUSY, PASID_A, self->hwpt_id[0]);
	test_err_pasid_replace(EBUSY, PASID_A, other);
	test_err_pasid_replace(EBUSY, PASID_C, other);
	EXPECT_ERRNO(EBUSY, _test_cmd_mock_domain_replace(self->fd, self->stdev_id, other, NULL));
	EXPECT_ERRNO(EBUSY, _test_ioctl_destroy(self->fd, self->hwpt_id[1]));

	close(self->session);
	self->session = -1;
	test_cmd_pasid_attach(PASID_A + 1, self->hwpt_id[1]);
	test_cmd_pasid_detach(PASID_A + 1);
	test_cmd_pasid_replace(PASID_A, other);
	test_cmd_pasid_replace(PASID_C, self->hwpt_id[1]);
}

TEST_F(pasid, comes_home)
{
	uint32_t hwpt_id;

	preserve_all(_metadata, self);
	arrive(_metadata, self);
	take_iommufd(_metadata, self);
	take_device(_metadata, self);
	hwpt_id = new_hwpt(_metadata, self);

	/* No PASID may be left behind */
	EXPECT_ERRNO(EBUSY, replace(self, hwpt_id));
	ASSERT_STATE(RETRIEVED);
	ASSERT_EQ(0, replace_pasid(self, PASID_A, hwpt_id));
	ASSERT_ON(PASID_A, hwpt_id);
	ASSERT_ON(PASID_B, self->restored_id[1]);
	EXPECT_ERRNO(EBUSY, replace(self, hwpt_id));
	/* There is no way back, nor to that of another PASID */
	EXPECT_ERRNO(EINVAL, replace_pasid(self, PASID_A, self->restored_id[1]));
	EXPECT_ERRNO(EINVAL, replace_pasid(self, PASID_B, self->restored_id[0]));
	EXPECT_ERRNO(EINVAL, _test_cmd_pasid_attach(self->next, self->next_stdev_id,
						    PASID_A + 1, self->restored_id[1]));
	/* A page table is there as long as one of them is on it */
	EXPECT_ERRNO(EBUSY, _test_ioctl_destroy(self->next, self->restored_id[1]));
	EXPECT_NEXT_ERRNO(EBUSY, FINISH);
	/* A PASID that is new has nothing to do with it */
	EXPECT_EQ(0, _test_cmd_pasid_attach(self->next, self->next_stdev_id, PASID_A + 1,
					    hwpt_id));
	leave_and_finish(_metadata, self, hwpt_id);
	ASSERT_ON(PASID_A, hwpt_id);
	ASSERT_ON(PASID_C, hwpt_id);

	/* All is as if there had been no update */
	EXPECT_EQ(0, replace_pasid(self, PASID_B, new_hwpt(_metadata, self)));
	for (uint32_t pasid = PASID_A; pasid <= PASID_A + 1; pasid++) {
		EXPECT_EQ(0, _test_cmd_pasid_detach(self->next, self->next_stdev_id, pasid));
		ASSERT_ON(pasid, 0);
	}
}

/* The page table of no PASID goes last, but the others are let go one by one */
TEST_F(pasid, page_tables_go_one_by_one)
{
	uint32_t hwpt_id;

	preserve_all(_metadata, self);
	arrive(_metadata, self);
	take_iommufd(_metadata, self);
	take_device(_metadata, self);
	hwpt_id = new_hwpt(_metadata, self);
	ASSERT_EQ(0, replace_pasid(self, PASID_A, hwpt_id));
	ASSERT_EQ(0, replace_pasid(self, PASID_B, hwpt_id));
	ASSERT_EQ(0, _test_ioctl_destroy(self->next, self->restored_id[1]));
	ASSERT_EQ(0, replace_pasid(self, PASID_C, hwpt_id));
	EXPECT_ERRNO(EBUSY, _test_ioctl_destroy(self->next, self->restored_id[0]));
	ASSERT_EQ(0, replace(self, hwpt_id));
	ASSERT_EQ(0, _test_ioctl_destroy(self->next, self->restored_id[0]));
	ASSERT_NEXT(FINISH);
	ASSERT_EQ(0, blocks_left(self->fd));
}

/* Its owner dies between two of them, and the next one goes on */
TEST_F(pasid, given_up_in_between)
{
	uint32_t hwpt_id;
	int first;

	preserve_all(_metadata, self);
	arrive(_metadata, self);
	take_iommufd(_metadata, self);
	take_device(_metadata, self);
	ASSERT_EQ(0, replace_pasid(self, PASID_A, new_hwpt(_metadata, self)));
	ASSERT_EQ(0, _test_ioctl_destroy(self->next, self->next_stdev_id));
	self->next_stdev_id = 0;
	ASSERT_STATE(RETRIEVED);
	EXPECT_NEXT_ERRNO(EBUSY, FINISH);
	EXPECT_ERRNO(EPERM, bind_device(self->fd, &self->next_stdev_id,
					&self->next_device_id));

	first = self->next;
	take_iommufd(_metadata, self);
	close(first);
	ASSERT_NEXT(RETRIEVE_DEVICE);
	ASSERT_EQ(0, bind_next(self));
	/* What had left is nowhere now, and the others are where they were */
	ASSERT_ON(PASID_A, 0);
	ASSERT_ON(PASID_B, self->restored_id[1]);
	ASSERT_ON(PASID_C, self->restored_id[0]);
	hwpt_id = new_hwpt(_metadata, self);
	ASSERT_EQ(0, _test_cmd_pasid_attach(self->next, self->next_stdev_id, PASID_A,
					    hwpt_id));
	leave_and_finish(_metadata, self, hwpt_id);
}

TEST_F(pasid, given_up_waiting)
{
	preserve_all(_metadata, self);
	arrive(_metadata, self);
	ASSERT_NEXT(REMOVE);
	ASSERT_LOST("removed");
	ASSERT_NEXT(FINISH);
	EXPECT_EQ(0, blocks_left(self->fd));
}

TEST_F(pasid, given_up_bound_and_removed)
{
	preserve_all(_metadata, self);
	arrive(_metadata, self);
	take_iommufd(_metadata, self);
	take_device(_metadata, self);
	ASSERT_EQ(0, replace_pasid(self, PASID_B, new_hwpt(_metadata, self)));
	ASSERT_EQ(0, _test_ioctl_destroy(self->next, self->next_stdev_id));
	self->next_stdev_id = 0;
	ASSERT_NEXT(REMOVE);
	ASSERT_LOST("removed");
	ASSERT_NEXT(FINISH);
	EXPECT_EQ(0, _test_ioctl_destroy(self->next, self->restored_id[0]));
	EXPECT_EQ(0, _test_ioctl_destroy(self->next, self->restored_id[1]));
	EXPECT_EQ(0, blocks_left(self->fd));
}

TEST_F(pasid, not_found)
{
	preserve_all(_metadata, self);
	ASSERT_EQ(0, hand_over(self->fd, IOMMU_TEST_DAMAGE_NONE));
	ASSERT_NEXT(BOOTED);
	ASSERT_LOST("not-found");
	take_iommufd(_metadata, self);
	ASSERT_EQ(0, _test_ioctl_destroy(self->next, self->restored_id[0]));
	ASSERT_EQ(0, _test_ioctl_destroy(self->next, self->restored_id[1]));
	ASSERT_NEXT(FINISH);
	EXPECT_EQ(0, blocks_left(self->fd));
}

TEST_F(pasid, again)
{
	preserve_all(_metadata, self);
	for (int i = 0; i < 10; i++) {
		uint32_t hwpt_id;

		arrive(_metadata, self);
		take_iommufd(_metadata, self);
		take_device(_metadata, self);
		hwpt_id = new_hwpt(_metadata, self);
		ASSERT_EQ(0, replace_pasid(self, PASID_A, hwpt_id));
		leave_and_finish(_metadata, self, hwpt_id);
		ASSERT_EQ(0, _test_ioctl_destroy(self->next, self->next_stdev_id));
		self->next_stdev_id = 0;
		ASSERT_EQ(0, close(self->next));
		self->next = -1;
	}
}

/* Each costs the device, and nothing else: the session finishes, and the next one is good */
TEST_F(pasid, damage_costs_the_device)
{
	static const struct {
		uint32_t damage;
		const char *loss;
		/* It is known whose all of its memory is */
		bool freed;
	} damages[] = {
		{ IOMMU_TEST_DAMAGE_PASID, "record" },
		{ IOMMU_TEST_DAMAGE_PASID_TWICE, "record" },
		{ IOMMU_TEST_DAMAGE_PASID_HIGH, "record" },
		{ IOMMU_TEST_DAMAGE_PASID_DOMAIN, "no-domain" },
		{ IOMMU_TEST_DAMAGE_NO_PASIDS, "not-attached", true },
	};
	uint32_t hwpt_id;

	preserve_all(_metadata, self);
	for (size_t i = 0; i < ARRAY_SIZE(damages); i++) {
		ASSERT_EQ(0, hand_over(self->fd, damages[i].damage));
		ASSERT_NEXT(PROBE);
		ASSERT_LOST(damages[i].loss);
		ASSERT_NEXT(BOOTED);
		EXPECT_NEXT_ERRNO(EIO, RETRIEVE_DEVICE);
		ASSERT_NEXT(FINISH);
		ASSERT_STATE(NONE);
		EXPECT_EQ(damages[i].freed, !blocks_left(self->fd));
	}
	arrive(_metadata, self);
	take_iommufd(_metadata, self);
	take_device(_metadata, self);
	hwpt_id = new_hwpt(_metadata, self);
	ASSERT_EQ(0, replace_pasid(self, PASID_A, hwpt_id));
	leave_and_finish(_metadata, self, hwpt_id);
}

/* Whatever allocation fails, nothing is left of it, and it can be done again */
TEST_F_TIMEOUT(pasid, fail_nth, 300)
{
	int nth = open_fail_nth();
	bool reached = true;
	uint32_t hwpt_id;

	if (nth < 0)
		SKIP(return, "fault injection is not enabled in the kernel");
	ASSERT_EQ(0, mark(self->fd, self->hwpt_id[1], TOKEN_OTHER));
	ASSERT_EQ(0, preserve(self->session, self->fd, TOKEN_IOMMUFD));
#define DO_UNTIL_DONE(call)						\
	do {								\
		int __ret = -1;						\
									\
		for (unsigned int n = 1; __ret && n < 1000; n++) {	\
			ASSERT_TRUE(fail_nth(nth, n));			\
			__ret = (call);					\
			reached = fail_nth(nth, 0);			\
			ASSERT_TRUE(!__ret || reached);			\
		}							\
		ASSERT_EQ(0, __ret);					\
	} while (0)
	DO_UNTIL_DONE(preserve(self->session, self->device_fd, TOKEN_DEVICE));
	DO_UNTIL_DONE(hand_over(self->fd, IOMMU_TEST_DAMAGE_NONE));
	ASSERT_NEXT(PROBE);
	ASSERT_STATE(WAITING);
	take_iommufd(_metadata, self);
	ASSERT_NEXT(RETRIEVE_DEVICE);
	DO_UNTIL_DONE(bind_next(self));
	ASSERT_ON(PASID_A, self->restored_id[1]);
	ASSERT_ON(PASID_C, self->restored_id[0]);
	hwpt_id = new_hwpt(_metadata, self);
	DO_UNTIL_DONE(replace_pasid(self, PASID_A, hwpt_id));
	leave_and_finish(_metadata, self, hwpt_id);
#undef DO_UNTIL_DONE
	close(nth);
}

TEST_HARNESS_MAIN
