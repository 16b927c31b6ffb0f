// SPDX-License-Identifier: GPL-2.0-only
/*
 * A device that libvfio has a driver for copies memory before a kexec and after it,
 * there through the page table that it has from the kernel before, and then through a
 * new one. It is not reset meanwhile: its rings, and the driver's own state, are where
 * they were. It signals its interrupt when that is set up again.
 *
 *	vfio_pci_liveupdate_kexec_test -s 1 BDF
 *	kexec
 *	vfio_pci_liveupdate_kexec_test -s 2 BDF
 */
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libvfio.h>
#include <lu_device.h>

#define SESSION "vfio-liveupdate"
#define STATE_SESSION "vfio-liveupdate-state"
#define STATE_TOKEN 1

#define IOVA 0x10000000
#define COPY 0x8000

/* The device's memory: what its driver keeps there, and what it copies */
#define DRIVER_REGION 0x200000
#define SOURCE DRIVER_REGION
#define TARGET (SOURCE + COPY)
#define MEMORY 0x400000

static const char *bdf;

static struct vfio_pci_device *libvfio_device(struct lu_device *dev)
{
	struct vfio_pci_device *device;
	struct iommu *iommu;

	iommu = iommu_init_fd(dev->iommufd, dev->ioas_id);
	device = vfio_pci_device_init_fd(bdf, iommu, dev->fd);
	if (!device->driver.ops)
		ksft_exit_skip("libvfio has no driver for %s\n", bdf);
	if (!device->driver.ops->resume)
		ksft_exit_skip("libvfio's driver of %s cannot resume\n", bdf);

	device->driver.region = (struct dma_region){
		.vaddr = dev->memory,
		.iova = IOVA,
		.size = DRIVER_REGION,
	};
	list_add(&device->driver.region.link, &iommu->dma_regions);

	return device;
}

static void copy_and_compare(struct vfio_pci_device *device, struct lu_device *dev, int seed)
{
	unsigned char *source = dev->memory + SOURCE;

	for (size_t i = 0; i < COPY; i++)
		source[i] = (i * 251 + seed) >> (i % 8);
	memset(dev->memory + TARGET, 0, COPY);

	if (vfio_pci_driver_memcpy(device, IOVA + SOURCE, IOVA + TARGET, COPY))
		ksft_exit_fail_msg("copy %d did not end\n", seed);
	if (memcmp(dev->memory + TARGET, source, COPY))
		ksft_exit_fail_msg("copy %d is not what it was made of\n", seed);
}

static void expect_interrupt(struct vfio_pci_device *device)
{
	struct pollfd poll_fd = {
		.fd = device->msi_eventfds[device->driver.msi],
		.events = POLLIN,
	};
	uint64_t count;

	vfio_pci_driver_send_msi(device);
	if (poll(&poll_fd, 1, 5000) != 1 ||
	    read(poll_fd.fd, &count, sizeof(count)) != sizeof(count))
		ksft_exit_fail_msg("no interrupt arrived\n");
}

static void run_stage_1(int luo_fd)
{
	struct vfio_pci_device *device;
	struct lu_device dev;
	int session;

	create_state_file(luo_fd, STATE_SESSION, STATE_TOKEN, 2);
	lu_device_open(&dev, bdf, MEMORY);
	lu_device_attach(&dev, IOVA);
	device = libvfio_device(&dev);
	vfio_pci_driver_init(device);

	ksft_print_msg("[STAGE 1] Copies, before and after it is preserved ...\n");
	copy_and_compare(device, &dev, 1);
	expect_interrupt(device);
	session = luo_create_session(luo_fd, SESSION);
	if (session < 0)
		fail_exit("luo_create_session");
	lu_device_preserve(&dev, session);
	copy_and_compare(device, &dev, 2);

	close(luo_fd);
	daemonize_and_wait();
}

static void run_stage_2(int luo_fd, int state_session)
{
	struct vfio_pci_device *device;
	struct lu_device dev;
	int session, stage;

	restore_and_read_stage(state_session, STATE_TOKEN, &stage);
	if (stage != 2)
		fail_exit("the state file says stage %d", stage);

	session = luo_retrieve_session(luo_fd, SESSION);
	if (session < 0)
		fail_exit("luo_retrieve_session");
	lu_device_retrieve(&dev, bdf, session, MEMORY);
	device = libvfio_device(&dev);
	vfio_pci_driver_resume(device);

	ksft_print_msg("[STAGE 2] Copies through the page table of the kernel before ...\n");
	copy_and_compare(device, &dev, 3);
	expect_interrupt(device);
	ksft_print_msg("[STAGE 2] ... and through a new one\n");
	lu_device_move(&dev, IOVA);
	copy_and_compare(device, &dev, 4);
	lu_expect(luo_session_finish(session), 0);
	copy_and_compare(device, &dev, 5);
	expect_interrupt(device);

	ksft_print_msg("[STAGE 2] It can be reset\n");
	vfio_pci_driver_remove(device);
	vfio_pci_device_reset(device);
	vfio_pci_driver_init(device);
	copy_and_compare(device, &dev, 6);

	lu_expect(luo_session_finish(state_session), 0);
	ksft_print_msg("\n--- VFIO LIVE UPDATE TEST PASSED ---\n");
}

int main(int argc, char *argv[])
{
	bdf = vfio_selftests_get_bdf(&argc, argv);

	return luo_test(argc, argv, STATE_SESSION, run_stage_1, run_stage_2);
}
