// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Do something again and again that a kernel may record each time.
 *
 *	ledger-flood iommufd COUNT		restore and mark HWPTs that are none
 *	ledger-flood open COUNT CDEV		open a device that waits
 *	ledger-flood sessions COUNT		create a session, and close it
 *	ledger-flood preserve COUNT		preserve a memfd that is preserved already
 *	ledger-flood reboot COUNT		call reboot with no kernel loaded
 *	ledger-flood marks COUNT		write a mark; prints how many were taken
 */
#include <stdlib.h>
#include <sys/syscall.h>
#include <linux/reboot.h>

#include "vfio_session.h"

static void flood_iommufd(int count)
{
	struct iommu_hwpt_liveupdate_restore restore = { .size = sizeof(restore) };
	struct iommu_hwpt_liveupdate_mark_preserve mark = { .size = sizeof(mark) };
	int iommufd = open_iommufd();

	mark.hwpt_id = alloc_ioas(iommufd);
	for (int i = 0; i < count; i++) {
		restore.hwpt_token = (uint64_t)i;
		mark.hwpt_token = (uint64_t)i;
		if (!try(iommufd, IOMMU_HWPT_LIVEUPDATE_RESTORE, &restore) ||
		    !try(iommufd, IOMMU_HWPT_LIVEUPDATE_MARK_PRESERVE, &mark))
			errx(1, "what is no HWPT was marked or restored");
	}
}

static void flood_open(int count, const char *cdev)
{
	for (int i = 0; i < count; i++) {
		int fd = open(cdev, O_RDWR | O_CLOEXEC);

		if (fd >= 0)
			errx(1, "%s can be opened", cdev);
	}
}

static void flood_sessions(int count)
{
	char name[32];

	for (int i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "flood%d", i);
		close(create_session(name));
	}
}

static void flood_preserve(int count)
{
	int session = create_session("flood"), fd = memfd(MEGABYTE, SEALS);

	must(try_preserve(session, fd, 0), "preserve");
	for (int i = 1; i <= count; i++) {
		if (!try_preserve(session, fd, (uint64_t)i))
			errx(1, "one memfd was preserved twice");
	}
}

static void flood_reboot(int count)
{
	for (int i = 0; i < count; i++) {
		if (!syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2,
			     LINUX_REBOOT_CMD_KEXEC, NULL) ||
		    errno != EINVAL)
			errx(1, "there is a kernel to go to");
	}
}

static void flood_marks(int count)
{
	int fd = open("/sys/kernel/liveupdate/ledger/mark", O_WRONLY | O_CLOEXEC);
	int taken = 0;

	if (fd < 0)
		err(1, "ledger/mark");
	for (int i = 0; i < count; i++) {
		if (write(fd, "flood", 5) == 5)
			taken++;
		else if (errno != ENOSPC)
			err(1, "write to ledger/mark");
	}
	printf("%d\n", taken);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	int count = argc > 2 ? atoi(argv[2]) : 0;

	if (!strcmp(what, "iommufd") && argc == 3)
		flood_iommufd(count);
	else if (!strcmp(what, "open") && argc == 4)
		flood_open(count, argv[3]);
	else if (!strcmp(what, "sessions") && argc == 3)
		flood_sessions(count);
	else if (!strcmp(what, "preserve") && argc == 3)
		flood_preserve(count);
	else if (!strcmp(what, "reboot") && argc == 3)
		flood_reboot(count);
	else if (!strcmp(what, "marks") && argc == 3)
		flood_marks(count);
	else
		errx(2,
		     "usage: ledger-flood iommufd|open|sessions|preserve|reboot|marks COUNT [CDEV]");
	return 0;
}
