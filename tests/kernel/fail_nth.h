/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Let each allocation of a system call fail once, one after the other, with the fault
 * injection of the debug kernel.
 */
#ifndef FAIL_NTH_H
#define FAIL_NTH_H

#include <dirent.h>
#include <stdlib.h>
#include <sys/syscall.h>

#include "vfio_session.h"

static inline void write_file(const char *path, const char *text)
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
static inline void choose_caches(void)
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

static inline void prepare(void)
{
	choose_caches();
	/* Without this, allocations that may sleep do not fail. */
	write_file("/sys/kernel/debug/failslab/ignore-gfp-wait", "N");
	write_file("/sys/kernel/debug/fail_page_alloc/ignore-gfp-wait", "N");
	write_file("/sys/kernel/debug/fail_page_alloc/min-order", "0");
	write_file("/sys/kernel/debug/failslab/verbose", "0");
	write_file("/sys/kernel/debug/fail_page_alloc/verbose", "0");
}

static inline int fail_nth_file(void)
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

static inline void fail_nth(unsigned int nth)
{
	char text[16];
	int length = snprintf(text, sizeof(text), "%u", nth);

	if (pwrite(fail_nth_file(), text, length, 0) != length)
		err(1, "fail-nth");
}

/* Was there an allocation that failed? Ends the injection. */
static inline bool has_failed(void)
{
	char text[16] = "";

	if (pread(fail_nth_file(), text, sizeof(text) - 1, 0) < 0)
		err(1, "fail-nth");
	fail_nth(0);
	return atoi(text) == 0;
}

/**
 * struct call - what has been tried of a system call
 * @sentence: what it does
 * @next:     the next allocation that is to fail
 * @failed:   how many made the call fail
 * @harmless: how many did not
 * @complete: there is none that has not failed
 */
struct call {
	const char *sentence;
	unsigned int next, failed, harmless;
	bool complete;
};

static inline void survives(struct call *call, const int *fd, unsigned long request, void *argument,
			    size_t size, void (*undo)(void *argument))
{
	char copy[128];
	int error;

	memcpy(copy, argument, size);
	while (!call->complete) {
		/* Where descriptors were closed and opened again, they are the same. */
		memcpy(argument, copy, size);
		fail_nth(++call->next);
		error = try(*fd, request, argument);
		if (!has_failed()) {
			call->complete = true;
			must(error, call->sentence);
			return;
		}
		if (error) {
			call->failed++;
			if (error != ENOMEM)
				printf("# %s: allocation %u: %s\n", call->sentence, call->next,
				       strerror(error));
		} else {
			call->harmless++;
			if (!undo)
				return;
			undo(argument);
		}
	}
	must(try(*fd, request, argument), call->sentence);
}

static inline void report(const struct call *call)
{
	char line[160];

	snprintf(line, sizeof(line), "%s: %u allocations failed, %u more without harm",
		 call->sentence, call->failed, call->harmless);
	ok(call->complete, line);
}

#endif /* FAIL_NTH_H */
