// SPDX-License-Identifier: GPL-2.0-only
/*
 * Preserving an iommufd with a page table of the mock domain, and taking it back,
 * in one kernel: what can be marked, what its memory has to be, what cannot be
 * changed meanwhile, and that all of it works afterwards. It needs a kernel that
 * was booted with kho=on liveupdate=on.
 */
#include "iommufd_liveupdate.h"

#define SIZE		(16 * PAGE_SIZE)
#define IOVA		MOCK_APERTURE_START

FIXTURE(liveupdate)
{
	int liveupdate;
	int session;
	int fd;
	int memfd;
	void *memory;
	uint32_t ioas_id;
	uint32_t stdev_id;
	uint32_t device_id;
	uint32_t hwpt_id;
};

FIXTURE_SETUP(liveupdate)
{
	self->session = -1;
	self->liveupdate = open("/dev/liveupdate", O_RDWR);
	if (self->liveupdate < 0)
		SKIP(return, "there is no live update: boot with kho=on liveupdate=on");
	self->fd = open("/dev/iommu", O_RDWR);
	ASSERT_NE(-1, self->fd);
	test_ioctl_ioas_alloc(&self->ioas_id);
	test_cmd_mock_domain(self->ioas_id, &self->stdev_id, NULL, &self->device_id);
	test_cmd_hwpt_alloc(self->device_id, self->ioas_id, 0, &self->hwpt_id);
	test_cmd_mock_domain_replace(self->stdev_id, self->hwpt_id);

	self->memfd = memfd_create("guest", MFD_ALLOW_SEALING);
	ASSERT_NE(-1, self->memfd);
	ASSERT_EQ(0, ftruncate(self->memfd, SIZE));
	self->memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED,
			    self->memfd, 0);
	ASSERT_NE(MAP_FAILED, self->memory);
	self->session = create_session(self->liveupdate);
	ASSERT_NE(-1, self->session);
}

FIXTURE_TEARDOWN(liveupdate)
{
	if (self->liveupdate < 0)
		return;
	/* First, as it holds the iommufd */
	if (self->session >= 0)
		close(self->session);
	close(self->liveupdate);
	munmap(self->memory, SIZE);
	close(self->memfd);
	teardown_iommufd(self->fd, _metadata);
}

/* All that has to be done before the iommufd can be preserved */
static void prepare(struct __test_metadata *_metadata,
		    struct _test_data_liveupdate *self)
{
	ASSERT_EQ(0, seal(self->memfd));
	ASSERT_EQ(0, map(self->fd, self->ioas_id, self->memfd, IOVA, SIZE));
	ASSERT_EQ(0, mark(self->fd, self->hwpt_id, TOKEN_HWPT));
	ASSERT_EQ(0, preserve(self->session, self->memfd, TOKEN_MEMFD));
}

/* What would change the page table, or who is on it, and ends with @error */
static void expect_changes(struct __test_metadata *_metadata,
			   struct _test_data_liveupdate *self, int error)
{
	uint64_t behind = IOVA + 2 * SIZE;
	struct iommu_ioas_copy copy = {
		.size = sizeof(copy),
		.flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE,
		.dst_ioas_id = self->ioas_id,
		.src_ioas_id = self->ioas_id,
		.dst_iova = behind + SIZE,
		.src_iova = IOVA,
		.length = PAGE_SIZE,
	};
	struct iommu_option large = {
		.size = sizeof(large),
		.option_id = IOMMU_OPTION_HUGE_PAGES,
		.op = IOMMU_OPTION_OP_SET,
		.object_id = self->ioas_id,
		.val64 = 1,
	};

#define EXPECT_ENDS(call)						\
	({								\
		int __ret = (call);					\
									\
		if (error)						\
			EXPECT_ERRNO(error, __ret);			\
		else							\
			EXPECT_EQ(0, __ret);				\
	})
	EXPECT_ENDS(map(self->fd, self->ioas_id, self->memfd, behind, PAGE_SIZE));
	EXPECT_ENDS(ioctl(self->fd, IOMMU_IOAS_COPY, &copy));
	EXPECT_ENDS(ioctl(self->fd, IOMMU_OPTION, &large));
	EXPECT_ENDS(_test_ioctl_ioas_unmap(self->fd, self->ioas_id,
					   error ? IOVA : behind, PAGE_SIZE, NULL));
	EXPECT_ENDS(_test_cmd_mock_domain_replace(self->fd, self->stdev_id,
						  self->ioas_id, NULL));
	if (!error) {
		EXPECT_EQ(0, _test_ioctl_ioas_unmap(self->fd, self->ioas_id,
						    behind + SIZE, PAGE_SIZE, NULL));
		EXPECT_EQ(0, _test_cmd_mock_domain_replace(self->fd, self->stdev_id,
							   self->hwpt_id, NULL));
	}
#undef EXPECT_ENDS
}

TEST_F(liveupdate, marks)
{
	uint32_t other;

	test_cmd_hwpt_alloc(self->device_id, self->ioas_id, 0, &other);
	EXPECT_ERRNO(ENOENT, mark(self->fd, 0x12345, TOKEN_HWPT));
	EXPECT_ERRNO(ENOENT, unmark(self->fd, self->hwpt_id));
	EXPECT_EQ(0, mark(self->fd, self->hwpt_id, TOKEN_HWPT));
	EXPECT_ERRNO(EBUSY, mark(self->fd, self->hwpt_id, TOKEN_HWPT + 1));
	EXPECT_ERRNO(EADDRINUSE, mark(self->fd, other, TOKEN_HWPT));
	EXPECT_EQ(0, unmark(self->fd, self->hwpt_id));
	EXPECT_EQ(0, mark(self->fd, other, TOKEN_HWPT));
	/* A mark goes with its page table */
	test_ioctl_destroy(other);
	EXPECT_EQ(0, mark(self->fd, self->hwpt_id, TOKEN_HWPT));
}

TEST_F(liveupdate, cannot_cross)
{
	struct iommu_hwpt_selftest data = { .iotlb = IOMMU_TEST_IOTLB_DEFAULT };
	uint32_t parent, nested, automatic;

	test_cmd_hwpt_alloc(self->device_id, self->ioas_id,
			    IOMMU_HWPT_ALLOC_NEST_PARENT, &parent);
	test_cmd_hwpt_alloc_nested(self->device_id, parent, 0, &nested,
				   IOMMU_HWPT_DATA_SELFTEST, &data, sizeof(data));
	EXPECT_ERRNO(EOPNOTSUPP, mark(self->fd, nested, TOKEN_HWPT));
	ASSERT_EQ(0, _test_cmd_mock_domain_replace(self->fd, self->stdev_id,
						   self->ioas_id, &automatic));
	EXPECT_ERRNO(EOPNOTSUPP, mark(self->fd, automatic, TOKEN_HWPT));

	/* Of a parent it is known when it is preserved: its tables have no pool */
	prepare(_metadata, self);
	ASSERT_EQ(0, mark(self->fd, parent, TOKEN_HWPT + 1));
	EXPECT_ERRNO(EOPNOTSUPP, preserve(self->session, self->fd, TOKEN_IOMMUFD));
	ASSERT_EQ(0, unmark(self->fd, parent));
	EXPECT_EQ(0, preserve(self->session, self->fd, TOKEN_IOMMUFD));
}

TEST_F(liveupdate, memory)
{
	void *private = mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	__u64 iova = IOVA + 4 * SIZE;

	ASSERT_NE(MAP_FAILED, private);
	ASSERT_EQ(0, mark(self->fd, self->hwpt_id, TOKEN_HWPT));

	/* Mapped when its size could still be changed */
	ASSERT_EQ(0, map(self->fd, self->ioas_id, self->memfd, IOVA, SIZE));
	ASSERT_EQ(0, seal(self->memfd));
	ASSERT_EQ(0, preserve(self->session, self->memfd, TOKEN_MEMFD));
	EXPECT_ERRNO(EINVAL, preserve(self->session, self->fd, TOKEN_IOMMUFD));
	ASSERT_EQ(0, _test_ioctl_ioas_unmap(self->fd, self->ioas_id, IOVA, SIZE, NULL));

	/* No file at all */
	ASSERT_EQ(0, map(self->fd, self->ioas_id, self->memfd, IOVA, SIZE));
	ASSERT_EQ(0, _test_ioctl_ioas_map(self->fd, self->ioas_id, private, PAGE_SIZE,
					  &iova, IOMMU_IOAS_MAP_FIXED_IOVA |
					  IOMMU_IOAS_MAP_READABLE));
	EXPECT_ERRNO(EINVAL, preserve(self->session, self->fd, TOKEN_IOMMUFD));
	ASSERT_EQ(0, _test_ioctl_ioas_unmap(self->fd, self->ioas_id, iova, PAGE_SIZE,
					    NULL));

	/* All is as it has to be, but in a session that does not hold the memory */
	close(self->session);
	self->session = create_session(self->liveupdate);
	ASSERT_NE(-1, self->session);
	EXPECT_ERRNO(EINVAL, preserve(self->session, self->fd, TOKEN_IOMMUFD));
	ASSERT_EQ(0, preserve(self->session, self->memfd, TOKEN_MEMFD));
	EXPECT_EQ(0, preserve(self->session, self->fd, TOKEN_IOMMUFD));
	munmap(private, PAGE_SIZE);
}

TEST_F(liveupdate, immutable)
{
	uint32_t other;

	prepare(_metadata, self);
	ASSERT_EQ(0, preserve(self->session, self->fd, TOKEN_IOMMUFD));

	expect_changes(_metadata, self, EBUSY);
	EXPECT_ERRNO(EBUSY, _test_ioctl_destroy(self->fd, self->hwpt_id));
	EXPECT_ERRNO(EBUSY, unmark(self->fd, self->hwpt_id));
	EXPECT_ERRNO(EBUSY, preserve(self->session, self->fd, TOKEN_IOMMUFD + 1));

	/* It is the table that is preserved; another one of the IOAS can still be made */
	test_cmd_hwpt_alloc(self->device_id, self->ioas_id, 0, &other);
	EXPECT_ERRNO(EBUSY, mark(self->fd, other, TOKEN_HWPT + 1));
	test_ioctl_destroy(other);

	close(self->session);
	self->session = -1;
	expect_changes(_metadata, self, 0);
	EXPECT_EQ(0, unmark(self->fd, self->hwpt_id));
}

TEST_F(liveupdate, again)
{
	prepare(_metadata, self);
	for (int i = 0; i < 20; i++) {
		ASSERT_EQ(0, preserve(self->session, self->fd, TOKEN_IOMMUFD));
		close(self->session);
		self->session = create_session(self->liveupdate);
		ASSERT_NE(-1, self->session);
		ASSERT_EQ(0, preserve(self->session, self->memfd, TOKEN_MEMFD));
	}
	expect_changes(_metadata, self, 0);
}

TEST_F(liveupdate, fail_nth)
{
	int nth = open_fail_nth();
	bool reached;

	if (nth < 0)
		SKIP(return, "fault injection is not enabled in the kernel");
	prepare(_metadata, self);
	for (unsigned int n = 1; n < 1000; n++) {
		int ret;

		ASSERT_TRUE(fail_nth(nth, n));
		ret = preserve(self->session, self->fd, TOKEN_IOMMUFD);
		reached = fail_nth(nth, 0);
		if (ret) {
			/* Nothing is left of it */
			ASSERT_TRUE(reached);
			expect_changes(_metadata, self, 0);
			continue;
		}
		expect_changes(_metadata, self, EBUSY);
		close(self->session);
		self->session = create_session(self->liveupdate);
		ASSERT_NE(-1, self->session);
		ASSERT_EQ(0, preserve(self->session, self->memfd, TOKEN_MEMFD));
		if (!reached)
			break;
	}
	EXPECT_FALSE(reached);
	close(nth);
}

TEST_HARNESS_MAIN
