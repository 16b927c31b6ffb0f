// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Two tenants, each with a session that holds a device. The second has INTx enabled.
 *
 *	veto-dropped CDEV OTHER-CDEV READY-FILE		goes on until the jump
 */
#include <sys/eventfd.h>

#include "vfio_session.h"

static void enable_intx(int cdev)
{
	/* The structure is followed by one file descriptor. */
	union {
		struct vfio_irq_set set;
		uint8_t bytes[sizeof(struct vfio_irq_set) + sizeof(int32_t)];
	} irqs = {
		.set = {
			.argsz = sizeof(irqs.bytes),
			.flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
			.index = VFIO_PCI_INTX_IRQ_INDEX,
			.count = 1,
		},
	};
	int32_t fd = eventfd(0, EFD_CLOEXEC);

	memcpy(irqs.set.data, &fd, sizeof(fd));
	must(try(cdev, VFIO_DEVICE_SET_IRQS, &irqs), "VFIO_DEVICE_SET_IRQS");
}

int main(int argc, char **argv)
{
	static const char *const names[] = { "first", "second", "third" };
	struct machine machines[2];

	if (argc != 4)
		errx(2, "usage: veto-dropped CDEV OTHER-CDEV READY-FILE");
	for (int i = 0; i < 2; i++) {
		machines[i] = make_machine(argv[1 + i], 2 * MEGABYTE);
		enable_bus_mastering(machines[i].cdev);
		must(try_mark(machines[i].iommufd, machines[i].hwpt, TOKEN_HWPT), "mark");
	}
	/* The one that vetoes is neither the first to be frozen nor the last. */
	preserve_machine(&machines[0], create_session(names[0]));
	preserve_machine(&machines[1], create_session(names[1]));
	must(try_preserve(create_session(names[2]), memfd(MEGABYTE, SEALS), TOKEN_MEMFD),
	     "preserve memfd");
	enable_intx(machines[1].cdev);
	close(open(argv[3], O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	for (;;)
		pause();
}
