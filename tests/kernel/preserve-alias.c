// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A device that uses the requester ID of another one is not preserved.
 *
 *	preserve-alias CDEV...
 */
#include "vfio_session.h"

int main(int argc, char **argv)
{
	struct machine m;
	int session;

	if (argc < 3)
		errx(2, "usage: preserve-alias CDEV CDEV...");
	setbuf(stdout, NULL);

	m = make_machine(argv[1], 2 * MEGABYTE);
	session = create_session("alias");
	must(try_mark(m.iommufd, m.hwpt, TOKEN_HWPT), "mark");
	must(try_preserve(session, m.memory, TOKEN_MEMFD), "preserve memfd");
	must(try_preserve(session, m.iommufd, TOKEN_IOMMUFD), "preserve iommufd");
	fails(try_preserve(session, m.cdev, TOKEN_CDEV), EOPNOTSUPP,
	      "a device that shares its requester ID is refused");
	close(session);
	free_machine(&m);

	return tap_done();
}
