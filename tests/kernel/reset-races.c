// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A reset that has begun ends before its device is preserved, and one that begins
 * later is refused: a device that is preserved masters the bus.
 *
 *	reset-races CDEV SYSFS-DEVICE ROUNDS
 */
#include <linux/pci_regs.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "vfio_session.h"

/* Where the firmware of QEMU's q35 puts configuration space */
#define ECAM 0xb0000000UL

static volatile uint16_t *config;

/* Sysfs lets nobody look while a reset goes on. */
static void map_config(const char *sysfs)
{
	unsigned int bus, device, function;
	const char *bdf = strrchr(sysfs, '/');
	int fd = open("/dev/mem", O_RDONLY | O_CLOEXEC);
	void *space;

	if (fd < 0 || !bdf || sscanf(bdf, "/0000:%x:%x.%x", &bus, &device, &function) != 3)
		err(1, "%s", sysfs);
	space = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd,
		     (off_t)(ECAM + (bus << 20 | device << 15 | function << 12)));
	if (space == MAP_FAILED)
		err(1, "configuration space");
	config = space;
	close(fd);
}

static bool is_bus_master(void)
{
	return config[PCI_COMMAND / 2] & PCI_COMMAND_MASTER;
}

/* Return: exit status of a process that resets the device after a while: 0 or errno */
static pid_t reset_in(const char *sysfs, unsigned int microseconds)
{
	char file[256];
	pid_t pid;
	int fd;

	snprintf(file, sizeof(file), "%s/reset", sysfs);
	pid = fork();
	if (pid)
		return pid;
	fd = open(file, O_WRONLY | O_CLOEXEC);
	usleep(microseconds);
	if (fd < 0 || write(fd, "1", 1) != 1)
		_exit(errno);
	_exit(0);
}

/* A reset and preserving the device, the one a little later than the other */
static void race(struct machine *m, const char *sysfs, unsigned int round, unsigned int *stopped,
		 unsigned int *reset, unsigned int *refused)
{
	int session = create_session("race");
	int status;
	pid_t pid;

	must(try_preserve(session, m->memory, TOKEN_MEMFD), "preserve memfd");
	must(try_preserve(session, m->iommufd, TOKEN_IOMMUFD), "preserve iommufd");
	pid = reset_in(sysfs, round % 2 ? 0 : 20 * round);
	if (round % 2)
		usleep(1000 * round);
	must(try_preserve(session, m->cdev, TOKEN_CDEV), "preserve cdev");
	/* A reset takes a tenth of a second. */
	for (int i = 0; i < 20; i++) {
		if (!is_bus_master()) {
			(*stopped)++;
			break;
		}
		usleep(10000);
	}
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		errx(1, "the reset did not end");
	*reset += !WEXITSTATUS(status);
	*refused += WEXITSTATUS(status) == EBUSY;
	close(session);
	if (!is_bus_master())
		enable_bus_mastering(m->cdev);
}

int main(int argc, char **argv)
{
	unsigned int stopped = 0, reset = 0, refused = 0, rounds;
	struct machine m;

	if (argc != 4)
		errx(2, "usage: reset-races CDEV SYSFS-DEVICE ROUNDS");
	setbuf(stdout, NULL);
	rounds = strtoul(argv[3], NULL, 0);

	map_config(argv[2]);
	m = make_machine(argv[1], 2 * MEGABYTE);
	enable_bus_mastering(m.cdev);
	must(try_mark(m.iommufd, m.hwpt, TOKEN_HWPT), "mark");
	for (unsigned int i = 0; i < rounds; i++)
		race(&m, argv[2], i, &stopped, &reset, &refused);
	printf("# %u resets succeeded, %u were refused\n", reset, refused);
	ok(!stopped, "a device that is preserved masters the bus from then on");
	ok(reset && refused && reset + refused == rounds,
	   "a reset that begins before succeeds, one that begins later is refused");
	free_machine(&m);
	return tap_done();
}
