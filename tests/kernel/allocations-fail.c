// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Every allocation of preserve, retrieve, bind, restore, replace and finish fails
 * once, one after the other: what was asked for fails and leaves everything as it
 * was, so that it succeeds as soon as memory is there. The kernel is one with fault
 * injection; that it neither complains nor leaks is for the laboratory to see.
 *
 *	allocations-fail outgoing READY-FILE CDEV...	goes on until the jump
 *	allocations-fail incoming NUMBER-OF-DEVICES
 *
 * A call that succeeds although an allocation failed cannot be made again, so that
 * what it allocates after that is the next device's to try. For memory, where
 * many fail without harm, there are sessions with nothing else.
 */
#include "fail_nth.h"

#define SESSION		"allocations"
#define SIZE		(8 * MEGABYTE)
#define MEMORY_SESSION	"memory"
#define MEMORY_SESSIONS 64

static struct machine m;
static int session;
static unsigned int device;

static void begin_session(unsigned int number)
{
	char name[32];

	snprintf(name, sizeof(name), SESSION "%u", number);
	session = create_session(name);
	must(try_preserve(session, m.memory, TOKEN_MEMFD), "preserve memfd");
}

static void undo_iommufd(void *argument)
{
	(void)argument;
	close(session);
	begin_session(0);
}

static void undo_cdev(void *argument)
{
	undo_iommufd(argument);
	must(try_preserve(session, m.iommufd, TOKEN_IOMMUFD), "preserve iommufd");
}

static void undo_mark(void *argument)
{
	struct iommu_hwpt_liveupdate_mark_preserve *mark = argument;

	must(try_unmark(m.iommufd, mark->hwpt_id), "unmark");
}

static void preserve(int fd, uint64_t token, void (*undo)(void *), const char *sentence)
{
	struct liveupdate_session_preserve_fd preserve = {
		.size = sizeof(preserve),
		.fd = fd,
		.token = token,
	};
	struct call call = { .sentence = sentence };

	survives(&call, &session, LIVEUPDATE_SESSION_PRESERVE_FD, &preserve, sizeof(preserve),
		 undo);
	report(&call);
}

static void preserve_first(void)
{
	struct iommu_hwpt_liveupdate_mark_preserve mark = {
		.size = sizeof(mark),
		.hwpt_id = m.hwpt,
		.hwpt_token = TOKEN_HWPT,
	};
	struct call marking = { .sentence = "marking a HWPT" };

	survives(&marking, &m.iommufd, IOMMU_HWPT_LIVEUPDATE_MARK_PRESERVE, &mark, sizeof(mark),
		 undo_mark);
	report(&marking);
	/* Twice: what the first leaves behind would be in the way of the second. */
	for (int i = 0; i < 2; i++) {
		begin_session(0);
		preserve(m.iommufd, TOKEN_IOMMUFD, undo_iommufd, "preserving an iommufd");
		preserve(m.cdev, TOKEN_CDEV, undo_cdev, "preserving a device");
		if (i == 0) {
			close(session);
			fails(try_unmap(m.iommufd, m.ioas, IOVA, MEGABYTE), ENOENT,
			      "a part of a mapping cannot be unmapped");
			fails(try_unmap(m.iommufd, m.ioas, IOVA, m.size), 0,
			      "after closing the session, all of it can");
			must(try_map_file(m.iommufd, m.ioas, m.memory, 0, m.size, IOVA), "map");
		}
	}
}

static void preserve_memory(void)
{
	char name[32];

	for (unsigned int number = 0; number < MEMORY_SESSIONS; number++) {
		snprintf(name, sizeof(name), MEMORY_SESSION "%u", number);
		must(try_preserve(create_session(name), memfd(MEGABYTE, SEALS), TOKEN_MEMFD),
		     "preserve memfd");
	}
}

static int run_outgoing(const char *ready, char **cdevs)
{
	preserve_memory();
	prepare();
	for (unsigned int number = 0; cdevs[number]; number++) {
		m = make_machine(cdevs[number], SIZE);
		enable_bus_mastering(m.cdev);
		if (number == 0) {
			preserve_first();
			continue;
		}
		must(try_mark(m.iommufd, m.hwpt, TOKEN_HWPT), "mark");
		begin_session(number);
		must(try_preserve(session, m.iommufd, TOKEN_IOMMUFD), "preserve iommufd");
		must(try_preserve(session, m.cdev, TOKEN_CDEV), "preserve cdev");
	}
	if (tap_done())
		return 1;
	close(open(ready, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	pause();
	return 0;
}

static void retrieve_device_session(void)
{
	char name[32];

	snprintf(name, sizeof(name), SESSION "%u", device);
	session = retrieve_session(name);
}

/*
 * A session that all have closed, and whose device is still where it was, can be
 * retrieved again: everything up to binding can be undone.
 */
static void retrieve_again(void)
{
	close(m.iommufd);
	close(m.memory);
	close(session);
	retrieve_device_session();
	m.memory = retrieve_file(session, TOKEN_MEMFD);
}

static void undo_retrieve_iommufd(void *argument)
{
	m.iommufd = ((struct liveupdate_session_retrieve_fd *)argument)->fd;
	retrieve_again();
}

static void undo_retrieve_cdev(void *argument)
{
	close(((struct liveupdate_session_retrieve_fd *)argument)->fd);
	retrieve_again();
	m.iommufd = retrieve_file(session, TOKEN_IOMMUFD);
}

static void undo_bind(void *argument)
{
	(void)argument;
	close(m.cdev);
	retrieve_again();
	m.iommufd = retrieve_file(session, TOKEN_IOMMUFD);
	m.cdev = retrieve_file(session, TOKEN_CDEV);
}

static int retrieve(struct call *call, uint64_t token, void (*undo)(void *))
{
	struct liveupdate_session_retrieve_fd retrieve = {
		.size = sizeof(retrieve),
		.token = token,
	};

	survives(call, &session, LIVEUPDATE_SESSION_RETRIEVE_FD, &retrieve, sizeof(retrieve), undo);
	return retrieve.fd;
}

enum { MEMORY, IOMMUFD, DEVICE, BIND, RESTORE, ATTACH, DESTROY, FINISH, CALLS };

/* Once a session has its memory, it has it until it finishes. */
static void retrieve_memory(struct call *call)
{
	struct liveupdate_session_finish finish = { .size = sizeof(finish) };
	char name[32];

	for (unsigned int number = 0; number < MEMORY_SESSIONS && !call->complete; number++) {
		snprintf(name, sizeof(name), MEMORY_SESSION "%u", number);
		session = retrieve_session(name);
		close(retrieve(call, TOKEN_MEMFD, NULL));
		must(try(session, LIVEUPDATE_SESSION_FINISH, &finish), "finish");
		close(session);
	}
}

static void bring_home(struct call *calls)
{
	struct liveupdate_session_finish finish = { .size = sizeof(finish) };
	struct vfio_device_bind_iommufd bind = { .argsz = sizeof(bind) };
	struct vfio_device_attach_iommufd_pt attach = { .argsz = sizeof(attach) };
	struct iommu_hwpt_liveupdate_restore restore = {
		.size = sizeof(restore),
		.hwpt_token = TOKEN_HWPT,
	};
	struct iommu_destroy destroy = { .size = sizeof(destroy) };

	m = (struct machine){ .size = SIZE };
	retrieve_device_session();
	m.memory = retrieve_file(session, TOKEN_MEMFD);
	m.iommufd = retrieve(&calls[IOMMUFD], TOKEN_IOMMUFD, undo_retrieve_iommufd);
	m.cdev = retrieve(&calls[DEVICE], TOKEN_CDEV, undo_retrieve_cdev);
	bind.iommufd = m.iommufd;
	survives(&calls[BIND], &m.cdev, VFIO_DEVICE_BIND_IOMMUFD, &bind, sizeof(bind), undo_bind);
	m.device = bind.out_devid;
	survives(&calls[RESTORE], &m.iommufd, IOMMU_HWPT_LIVEUPDATE_RESTORE, &restore,
		 sizeof(restore), NULL);

	make_hwpt(&m);
	attach.pt_id = m.hwpt;
	survives(&calls[ATTACH], &m.cdev, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach, sizeof(attach),
		 NULL);
	destroy.id = restore.out_hwpt_id;
	survives(&calls[DESTROY], &m.iommufd, IOMMU_DESTROY, &destroy, sizeof(destroy), NULL);
	survives(&calls[FINISH], &session, LIVEUPDATE_SESSION_FINISH, &finish, sizeof(finish),
		 NULL);
	close(session);
	free_machine(&m);
}

static int run_incoming(unsigned int devices)
{
	struct call calls[CALLS] = {
		[MEMORY] = { .sentence = "retrieving memory" },
		[IOMMUFD] = { .sentence = "retrieving an iommufd" },
		[DEVICE] = { .sentence = "retrieving a device" },
		[BIND] = { .sentence = "binding it" },
		[RESTORE] = { .sentence = "restoring its HWPT" },
		[ATTACH] = { .sentence = "attaching it to another" },
		[DESTROY] = { .sentence = "destroying the restored HWPT" },
		[FINISH] = { .sentence = "finishing the session" },
	};

	prepare();
	retrieve_memory(&calls[MEMORY]);
	for (device = 0; device < devices; device++)
		bring_home(calls);
	for (unsigned int call = 0; call < CALLS; call++)
		report(&calls[call]);
	return tap_done();
}

int main(int argc, char **argv)
{
	setbuf(stdout, NULL);
	if (argc >= 4 && !strcmp(argv[1], "outgoing"))
		return run_outgoing(argv[2], argv + 3);
	if (argc == 3 && !strcmp(argv[1], "incoming"))
		return run_incoming(strtoul(argv[2], NULL, 10));
	errx(2, "usage: allocations-fail outgoing READY-FILE CDEV... | incoming NUMBER-OF-DEVICES");
}
