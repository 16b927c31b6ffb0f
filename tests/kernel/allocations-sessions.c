// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Every allocation fails once, one after the other, of: creating a session, preserving
 * memory in pages of each size, the reboot call, the first open of /dev/liveupdate, which
 * makes the sessions that came, retrieving a session, and memory in huge pages. What was
 * asked for fails and leaves everything as it was, so that it succeeds as soon as memory
 * is there. The kernel is one with fault injection; that it neither complains nor leaks
 * is for the laboratory to see.
 *
 *	allocations-sessions outgoing READY-FILE CDEV CDEV-WITH-INTX	goes on until the jump
 *	allocations-sessions incoming
 *
 * With a kernel loaded for kexec. The device of the last session has INTx enabled, which
 * it cannot mask: its file is the last to be frozen, and is refused, so that a reboot
 * call never jumps although an allocation failed.
 */
#include <linux/reboot.h>

#include "fail_nth.h"

#define HUGE	(2 * MEGABYTE)
#define SMALL	(64ul * 1024)
#define SESSION "memory"
/* A retrieve that succeeds although an allocation failed needs the next one */
#define SESSIONS       40
#define DEVICE_SESSION "device"

enum { TOKEN_SMALL = 1, TOKEN_HUGE = 2 };

static int huge_memfd(void)
{
	int fd = memfd_create("huge", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_HUGETLB);

	if (fd < 0 || ftruncate(fd, HUGE) || fallocate(fd, 0, 0, HUGE) ||
	    fcntl(fd, F_ADD_SEALS, SEALS))
		err(1, "memfd in huge pages");
	return fd;
}

/* Whether a word that was written is there, or write it */
static bool word_is(int fd, size_t size, uint64_t value, bool set)
{
	uint64_t *word = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	bool good;

	if (word == MAP_FAILED)
		err(1, "mmap");
	if (set)
		*word = value;
	good = *word == value;
	munmap(word, size);
	return good;
}

static int open_liveupdate(void)
{
	int fd = open("/dev/liveupdate", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		err(1, "/dev/liveupdate");
	return fd;
}

static void undo_create(void *argument)
{
	close(((struct liveupdate_ioctl_create_session *)argument)->fd);
}

static void create(void)
{
	struct liveupdate_ioctl_create_session create = {
		.size = sizeof(create),
		.name = "new",
	};
	struct call call = { .sentence = "creating a session" };
	int device = open_liveupdate();

	survives(&call, &device, LIVEUPDATE_IOCTL_CREATE_SESSION, &create, sizeof(create),
		 undo_create);
	report(&call);
	close(create.fd);
	close(device);
}

static int session;

static void undo_preserve(void *argument)
{
	(void)argument;
	close(session);
	session = create_session("new");
}

static void preserve(int fd, const char *sentence)
{
	struct liveupdate_session_preserve_fd preserve = {
		.size = sizeof(preserve),
		.fd = fd,
		.token = 1,
	};
	struct call call = { .sentence = sentence };

	session = create_session("new");
	survives(&call, &session, LIVEUPDATE_SESSION_PRESERVE_FD, &preserve, sizeof(preserve),
		 undo_preserve);
	report(&call);
	close(session);
	close(fd);
}

static void preserve_for_good(struct machine *m, const char *cdev)
{
	char name[32];
	int fd;

	for (unsigned int number = 0; number < SESSIONS; number++) {
		snprintf(name, sizeof(name), SESSION "%u", number);
		session = create_session(name);
		fd = huge_memfd();
		word_is(fd, HUGE, number + 1, true);
		must(try_preserve(session, fd, TOKEN_HUGE), "preserve huge pages");
		fd = memfd(SMALL, SEALS);
		word_is(fd, SMALL, number + 1, true);
		must(try_preserve(session, fd, TOKEN_SMALL), "preserve memory");
	}
	*m = make_machine(cdev, 2 * MEGABYTE);
	enable_bus_mastering(m->cdev);
	must(try_enable_irq(m->cdev, VFIO_PCI_MSI_IRQ_INDEX), "enable MSI");
	must(try_mark(m->iommufd, m->hwpt, TOKEN_HWPT), "mark");
	preserve_machine(m, create_session(DEVICE_SESSION));
}

static int try_reboot(void)
{
	return syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_KEXEC,
		       NULL) < 0
		       ? errno
		       : 0;
}

static void reboot_call(const char *cdev)
{
	struct call call = { .sentence = "the reboot call" };
	struct machine refused = make_machine(cdev, 2 * MEGABYTE);
	int last = create_session("last");
	int error;

	must(try_mark(refused.iommufd, refused.hwpt, TOKEN_HWPT), "mark");
	must(try_enable_irq(refused.cdev, VFIO_PCI_INTX_IRQ_INDEX), "enable INTx");
	preserve_machine(&refused, last);
	while (!call.complete) {
		fail_nth(++call.next);
		error = try_reboot();
		call.complete = !has_failed();
		if (call.complete)
			fails(error, EBUSY, "the reboot call is refused when no allocation fails");
		else if (error == EBUSY)
			call.harmless++;
		else
			call.failed++;
		if (error != EBUSY && error != ENOMEM)
			printf("# the reboot call: allocation %u: %s\n", call.next,
			       strerror(error));
	}
	report(&call);
	close(last);
	free_machine(&refused);
}

static int run_outgoing(const char *ready, char **cdevs)
{
	struct machine m;

	prepare();
	create();
	preserve(memfd(MEGABYTE, SEALS), "preserving memory");
	preserve(huge_memfd(), "preserving huge pages");
	preserve_for_good(&m, cdevs[0]);
	reboot_call(cdevs[1]);
	if (tap_done())
		return 1;
	close(open(ready, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	pause();
	return 0;
}

/* From the allocation on that fails, all others of this task do as well, or not */
static void fail_all_after(bool fail)
{
	static int fd = -1;

	if (fd < 0) {
		fd = open("/proc/self/make-it-fail", O_RDWR | O_CLOEXEC);
		write_file("/sys/kernel/debug/failslab/task-filter", "Y");
		write_file("/sys/kernel/debug/failslab/times", "-1");
		write_file("/sys/kernel/debug/failslab/probability", "100");
	}
	if (fd < 0 || pwrite(fd, fail ? "1" : "0", 1, 0) != 1)
		err(1, "make-it-fail");
}

/*
 * After an open that succeeds there is nothing left to make. So memory is short from each
 * allocation on, or those that fail without harm would end the test.
 */
static void open_first(void)
{
	struct call call = { .sentence = "the first open, which makes the sessions" };
	int device, error = 0;

	fail_all_after(false);
	while (!call.complete) {
		fail_nth(++call.next);
		fail_all_after(true);
		device = open("/dev/liveupdate", O_RDWR | O_CLOEXEC);
		if (device < 0)
			error = errno;
		fail_all_after(false);
		call.complete = !has_failed();
		if (device >= 0)
			break;
		call.failed++;
		if (error != ENOMEM) {
			printf("# open: allocation %u: %s\n", call.next, strerror(error));
			break;
		}
	}
	write_file("/sys/kernel/debug/failslab/probability", "0");
	report(&call);
	ok(device >= 0, "  and then it succeeds");
	ok(call.failed > SESSIONS, "  those of each session among them");
	close(device);
}

static void undo_retrieve(void *argument)
{
	close(((struct liveupdate_ioctl_retrieve_session *)argument)->fd);
}

static int retrieve(struct call *call, const char *name)
{
	struct liveupdate_ioctl_retrieve_session retrieve = { .size = sizeof(retrieve) };
	int device = open_liveupdate();

	snprintf((char *)retrieve.name, sizeof(retrieve.name), "%s", name);
	survives(call, &device, LIVEUPDATE_IOCTL_RETRIEVE_SESSION, &retrieve, sizeof(retrieve),
		 undo_retrieve);
	close(device);
	return retrieve.fd;
}

static void retrieve_memory(struct call *retrieving, struct call *huge)
{
	struct liveupdate_session_finish finish = { .size = sizeof(finish) };
	unsigned int whole = 0;
	char name[32];

	for (unsigned int number = 0; number < SESSIONS; number++) {
		struct liveupdate_session_retrieve_fd file = {
			.size = sizeof(file),
			.token = TOKEN_HUGE,
		};
		int small;

		snprintf(name, sizeof(name), SESSION "%u", number);
		session = retrieve(retrieving, name);
		survives(huge, &session, LIVEUPDATE_SESSION_RETRIEVE_FD, &file, sizeof(file), NULL);
		small = retrieve_file(session, TOKEN_SMALL);
		whole += word_is(file.fd, HUGE, number + 1, false) &&
			 word_is(small, SMALL, number + 1, false);
		must(try(session, LIVEUPDATE_SESSION_FINISH, &finish), "finish");
		close(file.fd);
		close(small);
		close(session);
	}
	report(retrieving);
	report(huge);
	ok(whole == SESSIONS, "all memory has crossed");
}

static void retrieve_device(void)
{
	struct liveupdate_session_finish finish = { .size = sizeof(finish) };
	struct machine m = { .size = 2 * MEGABYTE };

	session = retrieve_session(DEVICE_SESSION);
	m.memory = retrieve_file(session, TOKEN_MEMFD);
	m.iommufd = retrieve_file(session, TOKEN_IOMMUFD);
	m.cdev = retrieve_file(session, TOKEN_CDEV);
	m.device = bind_iommufd(m.cdev, m.iommufd);
	make_hwpt(&m);
	must(try_attach(m.cdev, &m.hwpt), "attach");
	fails(try(session, LIVEUPDATE_SESSION_FINISH, &finish), 0, "so has the device");
	close(session);
	free_machine(&m);
}

static int run_incoming(void)
{
	struct call retrieving = { .sentence = "retrieving a session" };
	struct call huge = { .sentence = "retrieving huge pages" };

	prepare();
	open_first();
	retrieve_memory(&retrieving, &huge);
	retrieve_device();
	return tap_done();
}

int main(int argc, char **argv)
{
	setbuf(stdout, NULL);
	if (argc == 5 && !strcmp(argv[1], "outgoing"))
		return run_outgoing(argv[2], argv + 3);
	if (argc == 2 && !strcmp(argv[1], "incoming"))
		return run_incoming();
	errx(2, "usage: allocations-sessions outgoing READY-FILE CDEV CDEV | incoming");
}
