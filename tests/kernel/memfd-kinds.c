// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Memfds of all shapes in one session.
 *
 *	memfd-kinds preserve
 *		make them, preserve them, write "preserved", and keep the session open
 *		until killed or until the jump
 *	memfd-kinds retrieve
 *		get them back, compare everything, finish the session, and use them as
 *		any other
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/liveupdate.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE	4096UL
#define HUGE	(2UL << 20)
#define SETTING "/sys/kernel/mm/transparent_hugepage/shmem_enabled"
#define SESSION "kinds"

/* Bytes from @from up to @to are written; large pages are asked for, or not. */
struct part {
	size_t from;
	size_t to;
	bool huge;
};

static const struct kind {
	const char *name;
	size_t size;
	struct part parts[4];
	off_t position;
} kinds[] = {
	{ "empty", 0, { { 0 } }, 0 },
	{ "one byte", 1, { { 0, 1, false } }, 1 },
	{ "odd size", 5 * PAGE + 123, { { 0, 5 * PAGE + 123, false } }, 77 },
	{ "hole at the end", 700 * PAGE + 1, { { 0, 300 * PAGE, false } }, 0 },
	{ "hole at the start", 700 * PAGE, { { 600 * PAGE, 700 * PAGE, false } }, 0 },
	{ "nothing but a hole", 200 * PAGE, { { 0 } }, 0 },
	{ "large pages", 3 * HUGE, { { 0, 3 * HUGE, true } }, 0 },
	{ "large, small, large",
	  3 * HUGE,
	  { { 0, HUGE, true }, { HUGE, 2 * HUGE, false }, { 2 * HUGE, 3 * HUGE, true } },
	  12345 },
	{ "small, large, a hole",
	  2 * HUGE + 100 * PAGE,
	  { { 0, 17 * PAGE, false }, { HUGE, 2 * HUGE, true } },
	  0 },
	{ "large beyond its end", HUGE + 3 * PAGE + 5, { { 0, HUGE + 3 * PAGE + 5, true } }, 0 },
	{ "every other page",
	  1000 * PAGE,
	  { { 2 * PAGE, 3 * PAGE, false },
	    { 4 * PAGE, 5 * PAGE, false },
	    { 6 * PAGE, 7 * PAGE, false } },
	  0 },
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static void set_huge(bool huge)
{
	const char *word = huge ? "always" : "never";
	int fd = open(SETTING, O_WRONLY);

	if (fd < 0 || write(fd, word, strlen(word)) < 0)
		err(1, "%s", SETTING);
	close(fd);
}

/* What is at an offset of a file: never 0 where it was written. */
static uint8_t content(size_t kind, size_t offset)
{
	return 1 + (offset * 7 + offset / PAGE * 13 + kind) % 255;
}

static bool is_written(const struct kind *kind, size_t offset)
{
	for (size_t i = 0; i < sizeof(kind->parts) / sizeof(kind->parts[0]); i++)
		if (offset >= kind->parts[i].from && offset < kind->parts[i].to)
			return true;
	return false;
}

static int make(size_t number)
{
	const struct kind *kind = &kinds[number];
	int fd = memfd_create(kind->name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	uint8_t *bytes;

	if (fd < 0 || ftruncate(fd, kind->size))
		err(1, "memfd %s", kind->name);
	if (!kind->size)
		return fd;

	bytes = mmap(NULL, kind->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (bytes == MAP_FAILED)
		err(1, "mmap %s", kind->name);
	for (size_t i = 0; i < sizeof(kind->parts) / sizeof(kind->parts[0]); i++) {
		const struct part *part = &kind->parts[i];

		set_huge(part->huge);
		for (size_t at = part->from; at < part->to; at++)
			bytes[at] = content(number, at);
	}
	munmap(bytes, kind->size);
	set_huge(false);
	if (lseek(fd, kind->position, SEEK_SET) < 0)
		err(1, "seek %s", kind->name);
	return fd;
}

static void preserve(int device)
{
	struct liveupdate_ioctl_create_session create = { .size = sizeof(create), .name = SESSION };

	if (ioctl(device, LIVEUPDATE_IOCTL_CREATE_SESSION, &create))
		err(1, "create the session");
	for (size_t i = 0; i < KINDS; i++) {
		struct liveupdate_session_preserve_fd file = {
			.size = sizeof(file),
			.token = i,
			.fd = make(i),
		};

		if (ioctl(create.fd, LIVEUPDATE_SESSION_PRESERVE_FD, &file))
			err(1, "preserve %s", kinds[i].name);
	}
	puts("preserved");
	fflush(stdout);
	pause();
}

static void compare(size_t number, int fd)
{
	const struct kind *kind = &kinds[number];
	struct stat status;
	uint8_t *bytes;

	if (fstat(fd, &status) || (size_t)status.st_size != kind->size)
		errx(1, "%s: has %lld bytes", kind->name, (long long)status.st_size);
	if (lseek(fd, 0, SEEK_CUR) != kind->position)
		errx(1, "%s: is not at its position", kind->name);
	if (!kind->size)
		return;
	if ((size_t)status.st_blocks < kind->size / 512)
		errx(1, "%s: has %lld blocks", kind->name, (long long)status.st_blocks);

	bytes = mmap(NULL, kind->size, PROT_READ, MAP_SHARED, fd, 0);
	if (bytes == MAP_FAILED)
		err(1, "mmap %s", kind->name);
	for (size_t at = 0; at < kind->size; at++)
		if (bytes[at] != (is_written(kind, at) ? content(number, at) : 0))
			errx(1, "%s: byte %zu is not what it was", kind->name, at);
	munmap(bytes, kind->size);
}

static void retrieve(int device)
{
	struct liveupdate_ioctl_retrieve_session session = { .size = sizeof(session),
							     .name = SESSION };
	struct liveupdate_session_finish finish = { .size = sizeof(finish) };
	struct stat status;
	int fds[KINDS];

	if (ioctl(device, LIVEUPDATE_IOCTL_RETRIEVE_SESSION, &session))
		err(1, "retrieve the session");
	for (size_t i = 0; i < KINDS; i++) {
		struct liveupdate_session_retrieve_fd file = { .size = sizeof(file), .token = i };

		if (ioctl(session.fd, LIVEUPDATE_SESSION_RETRIEVE_FD, &file))
			err(1, "retrieve %s", kinds[i].name);
		fds[i] = file.fd;
		compare(i, fds[i]);
		if (kinds[i].size && !ftruncate(fds[i], 0))
			errx(1, "%s: can be truncated before the end", kinds[i].name);
	}
	if (ioctl(session.fd, LIVEUPDATE_SESSION_FINISH, &finish))
		err(1, "finish the session");

	for (size_t i = 0; i < KINDS; i++) {
		uint8_t byte = 1;

		if (pread(fds[i], &byte, 1, 0) != (kinds[i].size ? 1 : 0))
			err(1, "%s: cannot be read", kinds[i].name);
		if (ftruncate(fds[i], 0) || fstat(fds[i], &status) || status.st_blocks)
			errx(1, "%s: keeps its memory when truncated", kinds[i].name);
		if (ftruncate(fds[i], PAGE) || pread(fds[i], &byte, 1, 0) != 1 || byte)
			errx(1, "%s: is not like any other", kinds[i].name);
		close(fds[i]);
	}
	puts("retrieved");
}

int main(int argc, char **argv)
{
	int device;

	if (argc != 2)
		errx(2, "usage: memfd-kinds preserve|retrieve");
	device = open("/dev/liveupdate", O_RDWR | O_CLOEXEC);
	if (device < 0)
		err(1, "/dev/liveupdate");
	if (!strcmp(argv[1], "preserve"))
		preserve(device);
	else
		retrieve(device);
	return 0;
}
