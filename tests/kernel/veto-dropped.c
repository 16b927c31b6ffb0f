// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Two tenants, each with a session that holds a device. The second has INTx enabled.
 *
 *	veto-dropped CDEV OTHER-CDEV READY-FILE		goes on until the jump
 */

#include "vfio_session.h"

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
	must(try_enable_irq(machines[1].cdev, VFIO_PCI_INTX_IRQ_INDEX), "INTx");
	close(open(argv[3], O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	for (;;)
		pause();
}
