// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Two devices cross with one iommufd, each on a page table of its own, and one of them is
 * lost. Every allocation of retrieving the iommufd fails once: it succeeds as soon as
 * memory is there, and the other device comes home.
 *
 *	allocations-beside outgoing READY-FILE LOST-CDEV CDEV	goes on until the jump
 *	allocations-beside incoming
 */
#include "fail_nth.h"

#define SESSION "beside"
#define SIZE	MEGABYTE
/* Page tables are retrieved in the order of their tokens */
#define TOKEN_LOST_HWPT 1
#define TOKEN_OTHER	2
#define TOKEN_LOST_CDEV 99

static struct machine m;
static int session;

static int run_outgoing(const char *ready, const char *lost, const char *other)
{
	struct machine beside = make_machine(lost, SIZE);

	m = beside;
	m.cdev = open_cdev(other);
	m.device = bind_iommufd(m.cdev, m.iommufd);
	make_hwpt(&m);
	must(try_attach(m.cdev, &m.hwpt), "attach");
	enable_bus_mastering(m.cdev);
	enable_bus_mastering(beside.cdev);
	must(try_mark(m.iommufd, beside.hwpt, TOKEN_LOST_HWPT), "mark");
	must(try_mark(m.iommufd, m.hwpt, TOKEN_OTHER), "mark");
	session = create_session(SESSION);
	must(try_preserve(session, m.memory, TOKEN_MEMFD), "preserve memfd");
	must(try_preserve(session, m.iommufd, TOKEN_IOMMUFD), "preserve iommufd");
	/* The second record is the one that is damaged */
	must(try_preserve(session, m.cdev, TOKEN_CDEV), "preserve cdev");
	must(try_preserve(session, beside.cdev, TOKEN_LOST_CDEV), "preserve cdev");
	close(open(ready, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	pause();
	return 0;
}

static void retrieve_session_and_memory(void)
{
	session = retrieve_session(SESSION);
	m.memory = retrieve_file(session, TOKEN_MEMFD);
}

static void undo_retrieve(void *argument)
{
	close(((struct liveupdate_session_retrieve_fd *)argument)->fd);
	close(m.memory);
	close(session);
	retrieve_session_and_memory();
}

static int run_incoming(void)
{
	struct liveupdate_session_finish finish = { .size = sizeof(finish) };
	struct liveupdate_session_retrieve_fd retrieve = {
		.size = sizeof(retrieve),
		.token = TOKEN_IOMMUFD,
	};
	struct call call = { .sentence = "retrieving an iommufd, a device of which is lost" };
	struct iommu_hwpt_liveupdate_restore restore = {
		.size = sizeof(restore),
		.hwpt_token = TOKEN_OTHER,
	};

	prepare();
	m.size = SIZE;
	retrieve_session_and_memory();
	survives(&call, &session, LIVEUPDATE_SESSION_RETRIEVE_FD, &retrieve, sizeof(retrieve),
		 undo_retrieve);
	report(&call);
	m.iommufd = retrieve.fd;

	retrieve.token = TOKEN_LOST_CDEV;
	fails(try(session, LIVEUPDATE_SESSION_RETRIEVE_FD, &retrieve), EIO,
	      "the lost device cannot be retrieved");
	m.cdev = retrieve_file(session, TOKEN_CDEV);
	m.device = bind_iommufd(m.cdev, m.iommufd);
	fails(try(m.iommufd, IOMMU_HWPT_LIVEUPDATE_RESTORE, &restore), 0,
	      "the other one has its page table");
	make_hwpt(&m);
	fails(try_attach(m.cdev, &m.hwpt), 0, "and leaves it");
	fails(try(session, LIVEUPDATE_SESSION_FINISH, &finish), 0, "the session finishes");
	close(session);
	free_machine(&m);
	return tap_done();
}

int main(int argc, char **argv)
{
	setbuf(stdout, NULL);
	if (argc == 5 && !strcmp(argv[1], "outgoing"))
		return run_outgoing(argv[2], argv[3], argv[4]);
	if (argc == 2 && !strcmp(argv[1], "incoming"))
		return run_incoming();
	errx(2, "usage: allocations-beside outgoing READY-FILE LOST-CDEV CDEV | incoming");
}
