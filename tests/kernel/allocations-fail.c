// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Every allocation of preserve, retrieve, bind, restore, replace and finish fails
 * once, one after the other: what was asked for fails and leaves everything as it
 * was, so that it succeeds as soon as memory is there. The kernel is one with fault
 * injection; that it neither complains nor leaks is for the laboratory to see.
 *
 *	allocations-fail outgoing CDEV READY-FILE	goes on until the jump
 *	allocations-fail incoming
 */
#include <dirent.h>
#include <stdlib.h>
#include <sys/syscall.h>

#include "vfio_session.h"

#define SESSION "allocations"
/* More than any of the calls makes */
#define MANY 2000

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		err(1, "%s", path);
	close(fd);
}

/*
 * Everybody's slab caches but those of the kernel's own checks, which have memory
 * in reserve: their failures would count, and mean nothing.
 */
static void choose_caches(void)
{
	static const char *const checks[] = { "kmemleak", "debug_objects" };
	DIR *directory = opendir("/sys/kernel/slab");
	struct dirent *entry;
	char path[300];

	if (!directory)
		err(1, "/sys/kernel/slab");
	while ((entry = readdir(directory))) {
		if (entry->d_name[0] == '.' ||
		    !strncmp(entry->d_name, checks[0], strlen(checks[0])) ||
		    !strncmp(entry->d_name, checks[1], strlen(checks[1])))
			continue;
		snprintf(path, sizeof(path), "/sys/kernel/slab/%s/failslab", entry->d_name);
		write_file(path, "1");
	}
	closedir(directory);
	write_file("/sys/kernel/debug/failslab/cache-filter", "Y");
}

static void prepare(void)
{
	choose_caches();
	/* Without this, allocations that may sleep do not fail. */
	write_file("/sys/kernel/debug/failslab/ignore-gfp-wait", "N");
	write_file("/sys/kernel/debug/fail_page_alloc/ignore-gfp-wait", "N");
	write_file("/sys/kernel/debug/fail_page_alloc/min-order", "0");
	write_file("/sys/kernel/debug/failslab/verbose", "0");
	write_file("/sys/kernel/debug/fail_page_alloc/verbose", "0");
}

static int fail_nth_file(void)
{
	static int fd = -1;
	char path[64];

	if (fd >= 0)
		return fd;
	snprintf(path, sizeof(path), "/proc/self/task/%ld/fail-nth", syscall(SYS_gettid));
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		err(1, "%s", path);
	return fd;
}

static void fail_nth(unsigned int nth)
{
	char text[16];
	int length = snprintf(text, sizeof(text), "%u", nth);

	if (pwrite(fail_nth_file(), text, length, 0) != length)
		err(1, "fail-nth");
}

/* Was there an allocation that failed? Ends the injection. */
static bool has_failed(void)
{
	char text[16] = "";

	if (pread(fail_nth_file(), text, sizeof(text) - 1, 0) < 0)
		err(1, "fail-nth");
	fail_nth(0);
	return atoi(text) == 0;
}

/*
 * Call @request until no allocation is left that could fail. A call may succeed
 * although one failed: then @undo is called, and what comes after is tried, too.
 */
static void survives(const int *fd, unsigned long request, void *argument, size_t size,
		     void (*undo)(void), const char *sentence)
{
	unsigned int nth, failed = 0, good = 0;
	char copy[64], line[160];
	bool injected;
	int error;

	memcpy(copy, argument, size);
	for (nth = 1; nth < MANY; nth++) {
		memcpy(argument, copy, size);
		fail_nth(nth);
		error = try(*fd, request, argument);
		injected = has_failed();
		if (!injected)
			break;
		if (!error) {
			good++;
			printf("# %s: nothing minds that allocation %u fails\n", sentence, nth);
			if (!undo)
				break;
			undo();
			continue;
		}
		failed++;
		if (error != ENOMEM)
			printf("# %s: allocation %u: %s\n", sentence, nth, strerror(error));
	}
	snprintf(line, sizeof(line), "%s: %u allocations failed, %u without harm", sentence, failed,
		 good);
	ok(!error && nth < MANY, line);
}

static struct machine m;
static int session;

static void begin_session(void)
{
	session = create_session(SESSION);
	must(try_preserve(session, m.memory, TOKEN_MEMFD), "preserve memfd");
}

static void undo_iommufd(void)
{
	close(session);
	begin_session();
}

static void undo_cdev(void)
{
	undo_iommufd();
	must(try_preserve(session, m.iommufd, TOKEN_IOMMUFD), "preserve iommufd");
}

static void preserve(int fd, uint64_t token, void (*undo)(void), const char *sentence)
{
	struct liveupdate_session_preserve_fd preserve = {
		.size = sizeof(preserve),
		.fd = fd,
		.token = token,
	};

	survives(&session, LIVEUPDATE_SESSION_PRESERVE_FD, &preserve, sizeof(preserve), undo,
		 sentence);
}

static int run_outgoing(const char *path, const char *ready)
{
	struct iommu_hwpt_liveupdate_mark_preserve mark = {
		.size = sizeof(mark),
		.hwpt_token = TOKEN_HWPT,
	};

	m = make_machine(path, 8 * MEGABYTE);
	mark.hwpt_id = m.hwpt;
	prepare();
	enable_bus_mastering(m.cdev);
	survives(&m.iommufd, IOMMU_HWPT_LIVEUPDATE_MARK_PRESERVE, &mark, sizeof(mark), NULL,
		 "marking a HWPT");
	/* Twice: what the first leaves behind would be in the way of the second. */
	for (int i = 0; i < 2; i++) {
		begin_session();
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
	if (tap_done())
		return 1;
	close(open(ready, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	pause();
	return 0;
}

static int retrieve(uint64_t token, const char *sentence)
{
	struct liveupdate_session_retrieve_fd retrieve = {
		.size = sizeof(retrieve),
		.token = token,
	};

	survives(&session, LIVEUPDATE_SESSION_RETRIEVE_FD, &retrieve, sizeof(retrieve), NULL,
		 sentence);
	return retrieve.fd;
}

static int run_incoming(void)
{
	struct liveupdate_session_finish finish = { .size = sizeof(finish) };
	struct vfio_device_bind_iommufd bind = { .argsz = sizeof(bind) };
	struct vfio_device_attach_iommufd_pt attach = { .argsz = sizeof(attach) };
	struct iommu_hwpt_liveupdate_restore restore = {
		.size = sizeof(restore),
		.hwpt_token = TOKEN_HWPT,
	};
	struct iommu_destroy destroy = { .size = sizeof(destroy) };

	m.size = 8 * MEGABYTE;
	prepare();
	session = retrieve_session(SESSION);
	/* Linux's own memfd handler gives up after a retrieve that failed. */
	m.memory = retrieve_file(session, TOKEN_MEMFD);
	m.iommufd = retrieve(TOKEN_IOMMUFD, "retrieving an iommufd");
	m.cdev = retrieve(TOKEN_CDEV, "retrieving a device");
	bind.iommufd = m.iommufd;
	survives(&m.cdev, VFIO_DEVICE_BIND_IOMMUFD, &bind, sizeof(bind), NULL, "binding it");
	m.device = bind.out_devid;
	survives(&m.iommufd, IOMMU_HWPT_LIVEUPDATE_RESTORE, &restore, sizeof(restore), NULL,
		 "restoring its HWPT");

	make_hwpt(&m);
	attach.pt_id = m.hwpt;
	survives(&m.cdev, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach, sizeof(attach), NULL,
		 "attaching it to another");
	destroy.id = restore.out_hwpt_id;
	survives(&m.iommufd, IOMMU_DESTROY, &destroy, sizeof(destroy), NULL,
		 "destroying the restored HWPT");
	survives(&session, LIVEUPDATE_SESSION_FINISH, &finish, sizeof(finish), NULL,
		 "finishing the session");
	close(session);
	free_machine(&m);
	return tap_done();
}

int main(int argc, char **argv)
{
	setbuf(stdout, NULL);
	if (argc == 4 && !strcmp(argv[1], "outgoing"))
		return run_outgoing(argv[2], argv[3]);
	if (argc == 2 && !strcmp(argv[1], "incoming"))
		return run_incoming();
	errx(2, "usage: allocations-fail outgoing CDEV READY-FILE | incoming");
}
