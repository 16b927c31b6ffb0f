// SPDX-License-Identifier: GPL-2.0-only
/*
 * The page table of a device crosses a kexec with all that it maps, and iommufd
 * keeps its word on both sides: what is preserved does not change, what comes back
 * belongs to its owner, and the session does not finish before that has moved.
 *
 *	iommufd_liveupdate_kexec -s 1 BDF
 *	kexec
 *	iommufd_liveupdate_kexec -s 2 BDF
 *
 * BDF is a device that is bound to vfio-pci, of any kind: it does nothing.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <lu_device.h>

#define SESSION "iommufd-liveupdate"
#define STATE_SESSION "iommufd-liveupdate-state"
#define STATE_TOKEN 1

/* A small page, what one level higher can map, and a table of its own */
static const struct area {
	__u64 offset;
	__u64 iova;
	__u64 length;
} areas[] = {
	{ 0, 0x100000, 0x1000 },
	{ 0x200000, 0x40000000, 0x200000 },
	{ 0x1000, 0x3f00000000, 0x3000 },
};

#define MEMORY 0x400000

static const char *bdf;

static void pattern(const struct lu_device *dev, bool check)
{
	__u64 *words = dev->memory;

	for (size_t i = 0; i < dev->size / sizeof(*words); i++) {
		if (!check)
			words[i] = i * 0x9e3779b97f4a7c15ULL;
		else if (words[i] != i * 0x9e3779b97f4a7c15ULL)
			ksft_exit_fail_msg("memory is different at %#zx\n", i * sizeof(*words));
	}
}

static void map_all(struct lu_device *dev)
{
	lu_expect(lu_ioas_alloc(dev->iommufd, &dev->ioas_id), 0);
	for (size_t i = 0; i < ARRAY_SIZE(areas); i++)
		lu_expect(lu_ioas_map(dev->iommufd, dev->ioas_id, dev->memfd, areas[i].offset,
				      areas[i].iova, areas[i].length),
			  0);
	lu_expect(lu_hwpt_alloc(dev->iommufd, dev->dev_id, dev->ioas_id, &dev->hwpt_id), 0);
}

static void run_stage_1(int luo_fd)
{
	struct lu_device dev;
	__u32 other_hwpt;
	int session;

	create_state_file(luo_fd, STATE_SESSION, STATE_TOKEN, 2);
	lu_device_open(&dev, bdf, MEMORY);
	pattern(&dev, false);
	map_all(&dev);
	lu_expect(lu_attach(dev.fd, dev.hwpt_id), 0);
	lu_expect(lu_hwpt_alloc(dev.iommufd, dev.dev_id, dev.ioas_id, &other_hwpt), 0);

	session = luo_create_session(luo_fd, SESSION);
	if (session < 0)
		fail_exit("luo_create_session");

	ksft_print_msg("[STAGE 1] Marks, and the order of preserving ...\n");
	lu_expect(lu_hwpt_mark(dev.iommufd, UINT32_MAX - 1, LU_TOKEN_HWPT), -ENOENT);
	lu_expect(lu_hwpt_mark(dev.iommufd, dev.hwpt_id, LU_TOKEN_HWPT), 0);
	lu_expect(lu_hwpt_mark(dev.iommufd, dev.hwpt_id, LU_TOKEN_HWPT + 1), -EBUSY);
	lu_expect(lu_hwpt_mark(dev.iommufd, other_hwpt, LU_TOKEN_HWPT), -EADDRINUSE);
	lu_expect(luo_session_preserve_fd(session, dev.iommufd, LU_TOKEN_IOMMUFD), -EINVAL);
	lu_expect(luo_session_preserve_fd(session, dev.memfd, LU_TOKEN_MEMFD), 0);
	lu_expect(luo_session_preserve_fd(session, dev.fd, LU_TOKEN_DEVICE), -ENOENT);
	lu_expect(luo_session_preserve_fd(session, dev.iommufd, LU_TOKEN_IOMMUFD), 0);
	lu_expect(luo_session_preserve_fd(session, dev.fd, LU_TOKEN_DEVICE), 0);

	ksft_print_msg("[STAGE 1] What is preserved does not change ...\n");
	lu_expect(lu_ioas_map(dev.iommufd, dev.ioas_id, dev.memfd, 0, 0x8000000, 0x1000), -EBUSY);
	lu_expect(lu_ioas_unmap(dev.iommufd, dev.ioas_id, areas[0].iova, areas[0].length),
		  -EBUSY);
	lu_expect(lu_attach(dev.fd, other_hwpt), -EBUSY);
	lu_expect(lu_destroy(dev.iommufd, dev.hwpt_id), -EBUSY);

	close(luo_fd);
	daemonize_and_wait();
}

static void run_stage_2(int luo_fd, int state_session)
{
	struct lu_device dev = { .bdf = bdf };
	__u32 restored, again;
	int session, stranger, stage;

	restore_and_read_stage(state_session, STATE_TOKEN, &stage);
	if (stage != 2)
		fail_exit("the state file says stage %d", stage);

	ksft_print_msg("[STAGE 2] Nobody but its owner gets the device ...\n");
	lu_expect(lu_open_cdev(bdf), -EBUSY);
	session = luo_retrieve_session(luo_fd, SESSION);
	if (session < 0)
		fail_exit("luo_retrieve_session");
	lu_expect(luo_session_finish(session), -EBUSY);
	dev.fd = luo_session_retrieve_fd(session, LU_TOKEN_DEVICE);
	dev.iommufd = luo_session_retrieve_fd(session, LU_TOKEN_IOMMUFD);
	dev.memfd = luo_session_retrieve_fd(session, LU_TOKEN_MEMFD);
	if (dev.fd < 0 || dev.iommufd < 0 || dev.memfd < 0)
		ksft_exit_fail_msg("retrieve: device %d, iommufd %d, memfd %d\n", dev.fd,
				   dev.iommufd, dev.memfd);
	stranger = open("/dev/iommu", O_RDWR);
	if (stranger < 0)
		fail_exit("/dev/iommu");
	lu_expect(lu_bind(dev.fd, stranger, NULL), -EPERM);
	lu_expect(lu_hwpt_restore(stranger, LU_TOKEN_HWPT, &restored), -ENOTTY);
	lu_expect(lu_bind(dev.fd, dev.iommufd, &dev.dev_id), 0);
	lu_expect(lu_bind(dev.fd, dev.iommufd, &dev.dev_id), 0);

	ksft_print_msg("[STAGE 2] The restored HWPT ...\n");
	lu_expect(lu_hwpt_restore(dev.iommufd, LU_TOKEN_HWPT + 1, &restored), -ENOENT);
	lu_expect(lu_hwpt_restore(dev.iommufd, LU_TOKEN_HWPT, &restored), 0);
	lu_expect(lu_hwpt_restore(dev.iommufd, LU_TOKEN_HWPT, &again), 0);
	lu_expect(again != restored, 0);
	lu_expect(lu_destroy(dev.iommufd, restored), -EBUSY);
	lu_expect(luo_session_finish(session), -EBUSY);

	ksft_print_msg("[STAGE 2] ... is left for another one ...\n");
	dev.size = MEMORY;
	map_all(&dev);
	lu_expect(lu_attach(dev.fd, dev.hwpt_id), 0);
	lu_expect(lu_destroy(dev.iommufd, restored), 0);
	lu_expect(lu_hwpt_restore(dev.iommufd, LU_TOKEN_HWPT, &restored), -ENOENT);
	lu_expect(luo_session_finish(session), 0);

	ksft_print_msg("[STAGE 2] ... that is one like any other\n");
	lu_expect(lu_ioas_unmap(dev.iommufd, dev.ioas_id, areas[0].iova, areas[0].length), 0);
	dev.memory = mmap(NULL, MEMORY, PROT_READ, MAP_SHARED, dev.memfd, 0);
	if (dev.memory == MAP_FAILED)
		fail_exit("mmap");
	pattern(&dev, true);

	lu_expect(luo_session_finish(state_session), 0);
	ksft_print_msg("\n--- IOMMUFD LIVE UPDATE TEST PASSED ---\n");
}

int main(int argc, char *argv[])
{
	bdf = lu_get_bdf(&argc, argv);

	return luo_test(argc, argv, STATE_SESSION, run_stage_1, run_stage_2);
}
