// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * MSI-X of an igb crosses a live update: masked in the device meanwhile, and
 * signalled once when its user listens again.
 *
 *	interrupts-carried outgoing CDEV READY-FILE	goes on until the jump
 *	interrupts-carried incoming SYSFS-DEVICE
 *
 * With "intx" as a last argument it is INTx of an edu, which the device raises before the jump,
 * and goes on to raise until the next kernel's user has served it.
 */
#include <linux/pci_regs.h>
#include <poll.h>
#include <sys/eventfd.h>

#include "vfio_session.h"

/* 82576 datasheet, 8.8: interrupt registers */
#define EICS		   0x1520
#define EIMS		   0x1524
#define GPIE		   0x1514
#define EICR		   0x1580
#define VECTOR		   0
#define GPIE_MULTIPLE_MSIX 0x10

/* QEMU's edu: INTx is raised as long as a cause is set */
#define EDU_CAUSES	0x24
#define EDU_RAISE	0x60
#define EDU_ACKNOWLEDGE 0x64

#define SESSION "interrupts"

static off_t register_offset(int cdev, off_t where)
{
	struct vfio_region_info region = {
		.argsz = sizeof(region),
		.index = VFIO_PCI_BAR0_REGION_INDEX,
	};

	must(try(cdev, VFIO_DEVICE_GET_REGION_INFO, &region), "VFIO_DEVICE_GET_REGION_INFO");
	return (off_t)region.offset + where;
}

static void write_register(int cdev, off_t where, uint32_t value)
{
	if (pwrite(cdev, &value, sizeof(value), register_offset(cdev, where)) != sizeof(value))
		err(1, "register %#jx", (intmax_t)where);
}

static uint32_t read_register(int cdev, off_t where)
{
	uint32_t value;

	if (pread(cdev, &value, sizeof(value), register_offset(cdev, where)) != sizeof(value))
		err(1, "register %#jx", (intmax_t)where);
	return value;
}

static uint32_t type = VFIO_PCI_MSIX_IRQ_INDEX;

static int listen_to_vector(int cdev)
{
	/* The structure is followed by one file descriptor. */
	union {
		struct vfio_irq_set set;
		uint8_t bytes[sizeof(struct vfio_irq_set) + sizeof(int32_t)];
	} irqs = {
		.set = {
			.argsz = sizeof(irqs.bytes),
			.flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
			.index = type,
			.start = VECTOR,
			.count = 1,
		},
	};
	int32_t fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	memcpy(irqs.set.data, &fd, sizeof(fd));
	must(try(cdev, VFIO_DEVICE_SET_IRQS, &irqs), "VFIO_DEVICE_SET_IRQS");
	return fd;
}

/* Has the vector been signalled? Waits a while for it. */
static bool signalled(int fd, int milliseconds)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
	uint64_t count;

	return poll(&poll_fd, 1, milliseconds) == 1 &&
	       read(fd, &count, sizeof(count)) == sizeof(count);
}

static void fire_intx(int cdev)
{
	write_register(cdev, EDU_RAISE, 1U << VECTOR);
}

/* vfio masks INTx when it comes. */
static void serve_intx(int cdev)
{
	struct vfio_irq_set set = {
		.argsz = sizeof(set),
		.flags = VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_UNMASK,
		.index = VFIO_PCI_INTX_IRQ_INDEX,
		.count = 1,
	};

	ok(read_register(cdev, EDU_CAUSES) & 1U << VECTOR, "  and finds the cause in the device");
	write_register(cdev, EDU_ACKNOWLEDGE, 1U << VECTOR);
	must(try(cdev, VFIO_DEVICE_SET_IRQS, &set), "unmask INTx");
}

static void fire(int cdev)
{
	/* A cause that is set already raises nothing. */
	write_register(cdev, EICR, 1U << VECTOR);
	write_register(cdev, EICS, 1U << VECTOR);
}

static int run_outgoing(const char *path, const char *ready)
{
	struct machine m = make_machine(path, 2 * MEGABYTE);
	int fd;

	enable_bus_mastering(m.cdev);
	fd = listen_to_vector(m.cdev);
	if (type == VFIO_PCI_INTX_IRQ_INDEX) {
		/* Nobody serves it in this kernel */
		fire_intx(m.cdev);
	} else {
		write_register(m.cdev, GPIE, GPIE_MULTIPLE_MSIX);
		write_register(m.cdev, EIMS, 1U << VECTOR);
		fire(m.cdev);
	}
	if (!signalled(fd, 5000))
		errx(1, "the device raises no interrupt");

	must(try_mark(m.iommufd, m.hwpt, TOKEN_HWPT), "mark");
	preserve_machine(&m, create_session(SESSION));
	close(open(ready, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	for (;;)
		pause();
}

/* The control word of MSI-X as the device has it, which vfio does not show */
static uint16_t msix_flags(int cdev, const char *sysfs)
{
	off_t where = find_capability(cdev, PCI_CAP_ID_MSIX);
	uint16_t flags;
	char file[256];
	int fd;

	snprintf(file, sizeof(file), "%s/config", sysfs);
	fd = open(file, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || pread(fd, &flags, sizeof(flags), where + PCI_MSIX_FLAGS) != sizeof(flags))
		err(1, "%s", file);
	close(fd);
	return flags;
}

static int run_incoming(const char *sysfs)
{
	struct liveupdate_session_finish finish = { .size = sizeof(finish) };
	struct machine m = { .size = 2 * MEGABYTE };
	int session = retrieve_session(SESSION);
	uint16_t flags;
	int fd;

	m.memory = retrieve_file(session, TOKEN_MEMFD);
	m.iommufd = retrieve_file(session, TOKEN_IOMMUFD);
	m.cdev = retrieve_file(session, TOKEN_CDEV);
	m.device = bind_iommufd(m.cdev, m.iommufd);

	flags = msix_flags(m.cdev, sysfs);
	ok(flags & PCI_MSIX_FLAGS_ENABLE, "MSI-X has been enabled all along");
	ok(flags & PCI_MSIX_FLAGS_MASKALL, "  and its vectors masked");
	fire(m.cdev);
	fd = listen_to_vector(m.cdev);
	ok(signalled(fd, 5000), "a user that listens again is signalled");
	while (signalled(fd, 200))
		;
	ok(!(msix_flags(m.cdev, sysfs) & PCI_MSIX_FLAGS_MASKALL), "  the vectors are not masked");
	fire(m.cdev);
	ok(signalled(fd, 5000), "  and the device can interrupt");
	while (signalled(fd, 200))
		;
	close(fd);
	fd = listen_to_vector(m.cdev);
	ok(signalled(fd, 0), "until the session has finished, who listens anew is signalled");

	make_hwpt(&m);
	must(try_attach(m.cdev, &m.hwpt), "VFIO_DEVICE_ATTACH_IOMMUFD_PT");
	must(try(session, LIVEUPDATE_SESSION_FINISH, &finish), "LIVEUPDATE_SESSION_FINISH");
	while (signalled(fd, 200))
		;
	close(fd);
	fd = listen_to_vector(m.cdev);
	ok(!signalled(fd, 200), "afterwards nobody is signalled for nothing");
	fire(m.cdev);
	ok(signalled(fd, 5000), "  and the device can interrupt");
	free_machine(&m);
	return tap_done();
}

/* The command register as the device has it, which vfio does not show */
static bool is_intx_disabled(const char *sysfs)
{
	uint16_t command;
	char file[256];
	int fd;

	snprintf(file, sizeof(file), "%s/config", sysfs);
	fd = open(file, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || pread(fd, &command, sizeof(command), PCI_COMMAND) != sizeof(command))
		err(1, "%s", file);
	close(fd);
	return command & PCI_COMMAND_INTX_DISABLE;
}

static int run_incoming_intx(const char *sysfs)
{
	struct machine m = { .size = 2 * MEGABYTE };
	int session = retrieve_session(SESSION);
	int fd;

	m.memory = retrieve_file(session, TOKEN_MEMFD);
	m.iommufd = retrieve_file(session, TOKEN_IOMMUFD);
	ok(is_intx_disabled(sysfs), "INTx has been masked in the device");
	m.cdev = retrieve_file(session, TOKEN_CDEV);
	m.device = bind_iommufd(m.cdev, m.iommufd);
	ok(!(read_config(m.cdev, PCI_COMMAND) & PCI_COMMAND_INTX_DISABLE),
	   "its user does not see that");
	fd = listen_to_vector(m.cdev);
	ok(signalled(fd, 5000), "a user that listens again is signalled");
	/* Perhaps by the device as well: QEMU's I/O APIC misses a line raised before its time */
	while (signalled(fd, 200))
		;
	serve_intx(m.cdev);
	ok(!signalled(fd, 200), "who has served it is not signalled any more");
	ok(!is_intx_disabled(sysfs), "  and INTx is not masked any more");
	fire_intx(m.cdev);
	ok(signalled(fd, 5000), "the next interrupt comes");
	serve_intx(m.cdev);
	ok(!signalled(fd, 200), "  once");
	return tap_done();
}

int main(int argc, char **argv)
{
	setbuf(stdout, NULL);
	if (argc == 5 && !strcmp(argv[4], "intx")) {
		type = VFIO_PCI_INTX_IRQ_INDEX;
		return run_outgoing(argv[2], argv[3]);
	}
	if (argc == 4 && !strcmp(argv[3], "intx")) {
		type = VFIO_PCI_INTX_IRQ_INDEX;
		return run_incoming_intx(argv[2]);
	}
	if (argc == 4 && !strcmp(argv[1], "outgoing"))
		return run_outgoing(argv[2], argv[3]);
	if (argc == 3 && !strcmp(argv[1], "incoming"))
		return run_incoming(argv[2]);
	errx(2, "usage: interrupts-carried outgoing CDEV READY-FILE | incoming SYSFS-DEVICE");
}
