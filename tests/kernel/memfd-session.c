// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The smallest user of live update: a session with one memfd in it.
 *
 *	memfd-session preserve NAME TOKEN PAGES
 *		create the session, preserve a memfd, write "preserved", and
 *		keep the session open until killed or until the jump
 *	memfd-session retrieve NAME TOKEN PAGES
 *		retrieve both, check what is in the memfd, finish the session
 */
#include <err.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/liveupdate.h>

/* A word that depends on where it is, so that a page in the wrong place shows. */
static uint64_t pattern(size_t index)
{
	return 0x9e3779b97f4a7c15ull * (index + 1);
}

static uint64_t *map(int fd, size_t size, int protection)
{
	uint64_t *words = mmap(NULL, size, protection, MAP_SHARED, fd, 0);

	if (words == MAP_FAILED)
		err(1, "mmap");

	return words;
}

static void preserve(int device, const char *name, uint64_t token, size_t size)
{
	struct liveupdate_ioctl_create_session create = { .size = sizeof(create) };
	struct liveupdate_session_preserve_fd preserve = {
		.size = sizeof(preserve),
		.token = token,
	};
	uint64_t *words;
	int memfd;

	snprintf((char *)create.name, sizeof(create.name), "%s", name);
	if (ioctl(device, LIVEUPDATE_IOCTL_CREATE_SESSION, &create))
		err(1, "create session %s", name);

	memfd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (memfd < 0 || ftruncate(memfd, size))
		err(1, "memfd");
	words = map(memfd, size, PROT_READ | PROT_WRITE);
	for (size_t i = 0; i < size / sizeof(*words); i++)
		words[i] = pattern(i);

	preserve.fd = memfd;
	if (ioctl(create.fd, LIVEUPDATE_SESSION_PRESERVE_FD, &preserve))
		err(1, "preserve the memfd");

	/* Others may want the device; the session lives on. */
	close(device);
	puts("preserved");
	fflush(stdout);
	pause();
}

static void retrieve(int device, const char *name, uint64_t token, size_t size)
{
	struct liveupdate_ioctl_retrieve_session session = { .size = sizeof(session) };
	struct liveupdate_session_retrieve_fd file = {
		.size = sizeof(file),
		.token = token,
	};
	struct liveupdate_session_finish finish = { .size = sizeof(finish) };
	uint64_t *words;

	snprintf((char *)session.name, sizeof(session.name), "%s", name);
	if (ioctl(device, LIVEUPDATE_IOCTL_RETRIEVE_SESSION, &session))
		err(1, "retrieve session %s", name);
	if (ioctl(session.fd, LIVEUPDATE_SESSION_RETRIEVE_FD, &file))
		err(1, "retrieve the memfd");

	words = map(file.fd, size, PROT_READ);
	for (size_t i = 0; i < size / sizeof(*words); i++) {
		if (words[i] != pattern(i))
			errx(1, "word %zu of the memfd has changed", i);
	}

	if (ioctl(session.fd, LIVEUPDATE_SESSION_FINISH, &finish))
		err(1, "finish session %s", name);
	close(session.fd);
	puts("retrieved");
}

int main(int argc, char **argv)
{
	int device;

	if (argc != 5)
		errx(2, "usage: memfd-session preserve|retrieve NAME TOKEN PAGES");

	device = open("/dev/liveupdate", O_RDWR | O_CLOEXEC);
	if (device < 0)
		err(1, "/dev/liveupdate");

	if (!strcmp(argv[1], "preserve"))
		preserve(device, argv[2], strtoull(argv[3], NULL, 0),
			 strtoull(argv[4], NULL, 0) * getpagesize());
	else if (!strcmp(argv[1], "retrieve"))
		retrieve(device, argv[2], strtoull(argv[3], NULL, 0),
			 strtoull(argv[4], NULL, 0) * getpagesize());
	else
		errx(2, "%s: neither preserve nor retrieve", argv[1]);

	return 0;
}
