// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A device with INTx enabled does not cross: the reboot call fails, says so, and
 * all goes on as before, also for a device that was frozen already: what was
 * masked in it for the jump is not masked any more.
 *
 *	freeze-refused CDEV SYSFS-DEVICE OTHER-CDEV OTHER-SYSFS-DEVICE
 *
 * With a kernel loaded for kexec.
 */
#include <linux/pci_regs.h>
#include <linux/reboot.h>
#include <sys/syscall.h>

#include "vfio_session.h"

static int try_kexec(void)
{
	return syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_KEXEC,
		       NULL) < 0
		       ? errno
		       : 0;
}

static int try_disable_irq(int cdev, uint32_t index)
{
	struct vfio_irq_set set = {
		.argsz = sizeof(set),
		.flags = VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER,
		.index = index,
	};

	return try(cdev, VFIO_DEVICE_SET_IRQS, &set);
}

/* Configuration space as the device has it, which vfio does not show */
static void read_all_config(const char *sysfs, uint8_t config[256])
{
	char file[256];
	int fd;

	snprintf(file, sizeof(file), "%s/config", sysfs);
	fd = open(file, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || pread(fd, config, 256, 0) != 256)
		err(1, "%s", file);
	close(fd);
}

static bool is_bus_master(const char *sysfs)
{
	uint8_t config[256];

	read_all_config(sysfs, config);
	return config[PCI_COMMAND] & PCI_COMMAND_MASTER;
}

/* What would be refused, as the kernel says before */
static bool is_obstacle(const char *line)
{
	char text[4096] = "";
	int fd = open("/sys/kernel/liveupdate/obstacles", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
		err(1, "obstacles");
	close(fd);
	printf("# %s", *text ? text : "none\n");
	return *line ? strstr(text, line) == text : !*text;
}

static const struct {
	uint32_t index;
	const char *name;
} types[] = {
	{ VFIO_PCI_INTX_IRQ_INDEX, "INTx" },
	{ VFIO_PCI_MSI_IRQ_INDEX, "MSI" },
	{ VFIO_PCI_MSIX_IRQ_INDEX, "MSI-X" },
};

int main(int argc, char **argv)
{
	struct machine first, second;
	uint8_t before[256], after[256];
	char sentence[100];
	int a, b;

	if (argc != 5)
		errx(2, "usage: freeze-refused CDEV SYSFS OTHER-CDEV OTHER-SYSFS");
	setbuf(stdout, NULL);

	/* Sessions are frozen in the order of their creation. */
	first = make_machine(argv[1], 2 * MEGABYTE);
	second = make_machine(argv[3], 2 * MEGABYTE);
	enable_bus_mastering(first.cdev);
	enable_bus_mastering(second.cdev);
	must(try_mark(first.iommufd, first.hwpt, TOKEN_HWPT), "mark");
	fails(try_mark(first.iommufd, first.hwpt, TOKEN_HWPT + 1), EBUSY, "a mark can be set once");
	fails(try_unmark(first.iommufd, first.ioas), ENOENT, "no mark of an IOAS can be undone");
	fails(try_unmark(first.iommufd, first.hwpt), 0, "a mark can be undone");
	fails(try_unmark(first.iommufd, first.hwpt), ENOENT, "  once");
	fails(try_mark(first.iommufd, first.hwpt, TOKEN_HWPT), 0, "  and set again");
	must(try_mark(second.iommufd, second.hwpt, TOKEN_HWPT), "mark");
	/* Left behind, and preserved again when there is no jump */
	must(try_mark(first.iommufd, alloc_hwpt(first.iommufd, first.device, first.ioas),
		      TOKEN_HWPT + 1),
	     "mark");
	a = create_session("first");
	b = create_session("second");
	preserve_machine(&first, a);
	preserve_machine(&second, b);

	fails(try_unmark(first.iommufd, first.hwpt), EBUSY, "what is preserved cannot be unmarked");

	ok(is_obstacle(""), "nothing hinders the live update");
	must(try_enable_irq(second.cdev, VFIO_PCI_INTX_IRQ_INDEX), "enable");
	ok(is_obstacle("veto\tsecond\t0x3\tvfio-pci-v1\t0000:"),
	   "INTx that cannot be masked does, which is said before");
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		/* INTx of the first would be what is refused. */
		if (types[i].index != VFIO_PCI_INTX_IRQ_INDEX)
			must(try_enable_irq(first.cdev, types[i].index), "enable");
		read_all_config(argv[2], before);
		snprintf(sentence, sizeof(sentence),
			 "the reboot call fails, a device with %s was frozen before",
			 types[i].index == VFIO_PCI_INTX_IRQ_INDEX ? "nothing enabled"
								   : types[i].name);
		fails(try_kexec(), EBUSY, sentence);
		read_all_config(argv[2], after);
		ok(!memcmp(before, after, sizeof(before)),
		   "  and its configuration space is as it was");
		if (types[i].index == VFIO_PCI_INTX_IRQ_INDEX)
			must(try_enable_irq(first.cdev, types[i].index), "enable");
		fails(try_disable_irq(first.cdev, types[i].index), 0,
		      "  its interrupts can be changed");
	}
	fails(try_disable_irq(second.cdev, VFIO_PCI_INTX_IRQ_INDEX), 0, "INTx can be disabled");
	fails(try_unmap(first.iommufd, first.ioas, IOVA, first.size), EBUSY,
	      "what is preserved stays so after a reboot call that failed");
	ok(is_bus_master(argv[2]) && is_bus_master(argv[4]), "both devices are bus masters");

	close(a);
	close(b);
	fails(try_unmap(first.iommufd, first.ioas, IOVA, first.size), 0,
	      "until the sessions are closed");
	free_machine(&first);
	free_machine(&second);

	return tap_done();
}
