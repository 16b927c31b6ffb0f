// SPDX-License-Identifier: GPL-2.0-only
/*
 * A PCI device that is preserved is the same in the next kernel: its address, its
 * BARs, and that it masters the bus. On both sides nothing that sysfs offers
 * disturbs it, until its session has finished.
 *
 *	pci_liveupdate_kexec -s 1 BDF
 *	kexec
 *	pci_liveupdate_kexec -s 2 BDF
 *
 * BDF is a device that is bound to vfio-pci, of any kind.
 */
#include <fcntl.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <lu_device.h>

#define SESSION "pci-liveupdate"
#define STATE_SESSION "pci-liveupdate-state"
#define STATE_TOKEN 1
#define MEMORY 0x10000
#define IOVA 0x100000

static const char *bdf;

/* What is left of the first stage, in the device's own memory */
struct seen {
	char resource[2048];
	__u16 command;
};

static void read_file(const char *name, char *text, size_t size)
{
	char path[300];
	ssize_t length;
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/%s", bdf, name);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		fail_exit("%s", path);
	length = read(fd, text, size - 1);
	if (length < 0)
		fail_exit("%s", path);
	text[length] = 0;
	close(fd);
}

static int write_file(const char *name, const char *text)
{
	char path[300];
	int fd, ret = 0;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/%s", bdf, name);
	fd = open(path, O_WRONLY);
	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		ret = -errno;
	close(fd);

	return ret;
}

static __u16 read_command(const struct lu_device *dev)
{
	struct vfio_region_info config = {
		.argsz = sizeof(config),
		.index = VFIO_PCI_CONFIG_REGION_INDEX,
	};
	__u16 command;

	if (ioctl(dev->fd, VFIO_DEVICE_GET_REGION_INFO, &config) ||
	    pread(dev->fd, &command, sizeof(command), config.offset + PCI_COMMAND) !=
		    sizeof(command))
		fail_exit("the command register of %s", bdf);

	return command;
}

static void set_master(const struct lu_device *dev)
{
	struct vfio_region_info config = {
		.argsz = sizeof(config),
		.index = VFIO_PCI_CONFIG_REGION_INDEX,
	};
	__u16 command = read_command(dev) | PCI_COMMAND_MASTER;

	if (ioctl(dev->fd, VFIO_DEVICE_GET_REGION_INFO, &config) ||
	    pwrite(dev->fd, &command, sizeof(command), config.offset + PCI_COMMAND) !=
		    sizeof(command))
		fail_exit("the command register of %s", bdf);
}

static void expect_state(const char *want)
{
	char state[64];

	read_file("liveupdate", state, sizeof(state));
	state[strcspn(state, "\n")] = 0;
	if (strcmp(state, want))
		ksft_exit_fail_msg("%s is \"%s\", expected \"%s\"\n", bdf, state, want);
}

/* What a device does not have, sysfs does not offer. */
static void expect_refused(const char *name, const char *text)
{
	int ret = write_file(name, text);

	if (ret != -EBUSY && ret != -ENOENT)
		ksft_exit_fail_msg("\"%s\" written to %s: \"%s\", expected \"%s\"\n", text, name,
				   strerror(-ret), strerror(EBUSY));
}

static void expect_undisturbed(void)
{
	expect_refused("reset", "1");
	expect_refused("remove", "1");
	expect_refused("rescan", "1");
	expect_refused("reset_method", "bus");
	expect_refused("d3cold_allowed", "0");
	expect_refused("sriov_numvfs", "1");
	expect_refused("driver_override", "somebody-else");
}

static void run_stage_1(int luo_fd)
{
	struct lu_device dev;
	struct seen *seen;
	struct stat state;
	char path[300];
	int session;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/liveupdate", bdf);
	if (stat(path, &state))
		ksft_exit_skip("PCI devices have no liveupdate in sysfs, is liveupdate=on?\n");
	create_state_file(luo_fd, STATE_SESSION, STATE_TOKEN, 2);
	expect_state("none");

	lu_device_open(&dev, bdf, MEMORY);
	lu_device_attach(&dev, IOVA);
	set_master(&dev);
	seen = dev.memory;
	seen->command = read_command(&dev);
	read_file("resource", seen->resource, sizeof(seen->resource));

	session = luo_create_session(luo_fd, SESSION);
	if (session < 0)
		fail_exit("luo_create_session");
	lu_device_preserve(&dev, session);
	ksft_print_msg("[STAGE 1] What is preserved is not disturbed ...\n");
	expect_state("preserved");
	expect_undisturbed();
	expect_refused("driver/unbind", bdf);

	close(luo_fd);
	daemonize_and_wait();
}

static void run_stage_2(int luo_fd, int state_session)
{
	char resource[sizeof(((struct seen *)0)->resource)];
	struct lu_device dev;
	struct seen *seen;
	int session, stage, ret;

	restore_and_read_stage(state_session, STATE_TOKEN, &stage);
	if (stage != 2)
		fail_exit("the state file says stage %d", stage);

	ksft_print_msg("[STAGE 2] It waits ...\n");
	expect_state("waiting");
	expect_undisturbed();
	lu_expect(lu_open_cdev(bdf), -EBUSY);
	session = luo_retrieve_session(luo_fd, SESSION);
	if (session < 0)
		fail_exit("luo_retrieve_session");
	lu_device_retrieve(&dev, bdf, session, MEMORY);

	ksft_print_msg("[STAGE 2] ... and is as it was left ...\n");
	expect_state("retrieved");
	expect_undisturbed();
	expect_refused("driver/unbind", bdf);
	seen = dev.memory;
	read_file("resource", resource, sizeof(resource));
	if (strcmp(resource, seen->resource))
		ksft_exit_fail_msg("%s had the resources\n%sand has\n%s", bdf, seen->resource,
				   resource);
	if (read_command(&dev) != seen->command)
		ksft_exit_fail_msg("%s had the command %#x, and has %#x\n", bdf, seen->command,
				   read_command(&dev));

	lu_device_move(&dev, IOVA);
	lu_expect(luo_session_finish(session), 0);
	ksft_print_msg("[STAGE 2] ... and then one like any other\n");
	expect_state("none");
	ret = write_file("reset", "1");
	if (ret && ret != -ENOENT)
		ksft_exit_fail_msg("%s cannot be reset: %s\n", bdf, strerror(-ret));

	lu_expect(luo_session_finish(state_session), 0);
	ksft_print_msg("\n--- PCI LIVE UPDATE TEST PASSED ---\n");
}

int main(int argc, char *argv[])
{
	bdf = lu_get_bdf(&argc, argv);

	return luo_test(argc, argv, STATE_SESSION, run_stage_1, run_stage_2);
}
