// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A call of one session lasts, as the thread that makes it hardly ever gets the CPU.
 *
 *	call-lasts preserve MEGABYTES READY-FILE	goes on until the jump
 *	call-lasts lock MEGABYTES READY-FILE		the same
 *	call-lasts reset|flr|open CDEV READY-FILE	the same
 *	call-lasts quick				how long calls of another session take
 *
 * The first is in the middle of preserving memory. All others go on, and so does this one
 * when it gets the CPU: SIGUSR1 says so. The second has preserved memory, with an error in
 * it since, and holds the lock of its file. The third has a device of which it preserves
 * nothing, and resets it again and again.
 */
#include <linux/pci_regs.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "vfio_session.h"

#define PAGE	 4096ul
#define SPINNERS 16

static atomic_bool over, ready;

static void be_on_last_cpu(void)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET((int)sysconf(_SC_NPROCESSORS_ONLN) - 1, &cpus);
	if (sched_setaffinity(0, sizeof(cpus), &cpus))
		err(1, "sched_setaffinity");
}

static void *spin(void *unused)
{
	be_on_last_cpu();
	while (!ready)
		usleep(1000);
	while (!over)
		;
	return unused;
}

/* On any CPU */
static void *stop_spinning(void *signals)
{
	int signal;

	sigwait(signals, &signal);
	over = true;
	return NULL;
}

/* From here on this thread hardly ever gets the CPU. */
static void be_idle(const char *ready_file)
{
	static const struct sched_param none;
	static sigset_t signals;
	pthread_t thread;

	sigemptyset(&signals);
	sigaddset(&signals, SIGUSR1);
	must(pthread_sigmask(SIG_BLOCK, &signals, NULL), "SIGUSR1");
	must(pthread_create(&thread, NULL, stop_spinning, &signals), "thread");
	for (unsigned int i = 0; i < SPINNERS; i++)
		must(pthread_create(&thread, NULL, spin, NULL), "thread");
	be_on_last_cpu();
	close(open(ready_file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	if (sched_setscheduler(0, SCHED_IDLE, &none))
		err(1, "SCHED_IDLE");
	ready = true;
}

static void preserve(size_t size, const char *ready_file)
{
	int session = create_session("lasting");
	int memory = scattered_memfd(size);

	be_idle(ready_file);
	must(try_preserve(session, memory, TOKEN_MEMFD), "preserve memfd");
	printf("preserved\n");
	fflush(stdout);
	for (;;)
		pause();
}

/* What an error in memory does to the first page of a file */
static void poison(int fd)
{
	uint64_t *page = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	int map = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	int corrupt = open("/sys/kernel/debug/hwpoison/corrupt-pfn", O_WRONLY | O_CLOEXEC);
	uint64_t entry;

	if (page == MAP_FAILED || corrupt < 0)
		err(1, "hwpoison");
	/* It has to be there. */
	(void)*(volatile uint64_t *)page;
	if (pread(map, &entry, sizeof(entry), (off_t)((uintptr_t)page / PAGE * sizeof(entry))) !=
	    sizeof(entry))
		err(1, "pagemap");
	munmap(page, PAGE);
	dprintf(corrupt, "%#llx", (unsigned long long)(entry & ((1ULL << 55) - 1)));
	close(map);
	close(corrupt);
}

/* Looking for a hole in a file without one takes long, and holds the lock. */
static void lock(size_t size, const char *ready_file)
{
	int session = create_session("lasting");
	int memory = memfd(size, SEALS);

	must(try_preserve(session, memory, TOKEN_MEMFD), "preserve memfd");
	poison(memory);
	be_idle(ready_file);
	for (;;)
		lseek(memory, 0, SEEK_HOLE);
}

static void reset(const char *path, const char *ready_file)
{
	int iommufd = open_iommufd();
	int cdev = open_cdev(path);

	bind_iommufd(cdev, iommufd);
	must(try(cdev, VFIO_DEVICE_RESET, NULL), "VFIO_DEVICE_RESET");
	close(open(ready_file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	for (;;)
		ioctl(cdev, VFIO_DEVICE_RESET);
}

/* The same by the device's configuration space */
static void flr(const char *path, const char *ready_file)
{
	int iommufd = open_iommufd();
	int cdev = open_cdev(path);
	uint16_t control;
	off_t express;

	bind_iommufd(cdev, iommufd);
	express = find_capability(cdev, PCI_CAP_ID_EXP);
	if (!express ||
	    !(read_config(cdev, express + PCI_EXP_DEVCAP + 2) & PCI_EXP_DEVCAP_FLR >> 16))
		errx(1, "%s has no function level reset", path);
	control = read_config(cdev, express + PCI_EXP_DEVCTL) | PCI_EXP_DEVCTL_BCR_FLR;
	must(try_write_config(cdev, express + PCI_EXP_DEVCTL, control), "function level reset");
	close(open(ready_file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	for (;;)
		try_write_config(cdev, express + PCI_EXP_DEVCTL, control);
}

/* Opening a device resets it, and so does closing it */
static void open_again(const char *path, const char *ready_file)
{
	struct vfio_device_bind_iommufd bind = { .argsz = sizeof(bind) };

	bind.iommufd = open_iommufd();
	close(open(ready_file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	for (;;) {
		int cdev = open_cdev(path);

		try(cdev, VFIO_DEVICE_BIND_IOMMUFD, &bind);
		close(cdev);
	}
}

static int quick(void)
{
	struct timespec from, to;
	int session;

	clock_gettime(CLOCK_MONOTONIC, &from);
	session = create_session("quick");
	must(try_preserve(session, memfd(PAGE, SEALS), TOKEN_MEMFD), "preserve memfd");
	close(session);
	clock_gettime(CLOCK_MONOTONIC, &to);
	printf("%ld\n", to.tv_sec - from.tv_sec);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "quick"))
		return quick();
	if (argc == 4 && !strcmp(argv[1], "preserve"))
		preserve(strtoul(argv[2], NULL, 10) * MEGABYTE, argv[3]);
	else if (argc == 4 && !strcmp(argv[1], "lock"))
		lock(strtoul(argv[2], NULL, 10) * MEGABYTE, argv[3]);
	else if (argc == 4 && !strcmp(argv[1], "reset"))
		reset(argv[2], argv[3]);
	else if (argc == 4 && !strcmp(argv[1], "flr"))
		flr(argv[2], argv[3]);
	else if (argc == 4 && !strcmp(argv[1], "open"))
		open_again(argv[2], argv[3]);
	errx(2,
	     "usage: call-lasts preserve|lock MEGABYTES READY-FILE | reset|flr|open CDEV READY-FILE | quick");
}
