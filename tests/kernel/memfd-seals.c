// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What may be done with memfds, in small pages and in huge ones, crosses.
 *
 *	memfd-seals preserve
 *		make them, preserve them, write what may be done with each and
 *		"preserved", and keep the session open until killed or until the jump
 *	memfd-seals retrieve
 *		get them back, and write what may be done with each
 */
#include <err.h>
#include <fcntl.h>
#include <linux/liveupdate.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef F_SEAL_EXEC
#define F_SEAL_EXEC	0x0020
#define MFD_NOEXEC_SEAL 0x0008U
#define MFD_EXEC	0x0010U
#endif

#define SIZE	(2UL << 20)
#define SESSION "seals"

/* Something that is done to a file: its mode, or seals that it gets; 0 for neither. */
struct step {
	mode_t mode;
	unsigned int seals;
};

static const struct kind {
	const char *name;
	unsigned int flags; /* of memfd_create() */
	struct step before; /* it is preserved */
	struct step after;
} kinds[] = {
	{ "to be executed", MFD_EXEC, { 0, 0 }, { 0, 0 } },
	{ "not to be executed", MFD_NOEXEC_SEAL, { 0, 0 }, { 0, 0 } },
	{ "not executable, by its mode alone", MFD_EXEC, { 0666, 0 }, { 0, 0 } },
	{ "executable, and sealed so", MFD_EXEC | MFD_ALLOW_SEALING, { 0, F_SEAL_EXEC }, { 0, 0 } },
	{ "not to be resized",
	  MFD_EXEC | MFD_ALLOW_SEALING,
	  { 0, F_SEAL_SHRINK | F_SEAL_GROW },
	  { 0, 0 } },
	{ "sealed once it is preserved",
	  MFD_EXEC | MFD_ALLOW_SEALING,
	  { 0, 0 },
	  { 0, F_SEAL_FUTURE_WRITE | F_SEAL_SEAL } },
	{ "not executable once it is preserved",
	  MFD_EXEC | MFD_ALLOW_SEALING,
	  { 0, 0 },
	  { 0666, F_SEAL_EXEC } },
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static void tell(const char *pages, const char *name, int fd)
{
	struct stat status;
	void *mapped;

	if (fstat(fd, &status))
		err(1, "%s", name);
	mapped = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (mapped != MAP_FAILED)
		munmap(mapped, SIZE);
	printf("%s, %s: seals %#x, mode %o, %s\n", pages, name,
	       (unsigned int)fcntl(fd, F_GET_SEALS), status.st_mode & 0777,
	       mapped == MAP_FAILED ? "read-only" : "can be written to");
}

static void apply(const struct step *step, const char *name, int fd)
{
	if (step->mode && fchmod(fd, step->mode))
		err(1, "mode of %s", name);
	if (step->seals && fcntl(fd, F_ADD_SEALS, step->seals))
		err(1, "seals of %s", name);
}

static int make(const struct kind *kind, bool huge)
{
	int fd = memfd_create(kind->name, MFD_CLOEXEC | kind->flags | (huge ? MFD_HUGETLB : 0));
	char *bytes;

	if (fd < 0 || ftruncate(fd, SIZE))
		err(1, "memfd %s", kind->name);
	bytes = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (bytes == MAP_FAILED)
		err(1, "mmap %s", kind->name);
	*bytes = 1;
	munmap(bytes, SIZE);
	apply(&kind->before, kind->name, fd);
	return fd;
}

static void preserve(int device)
{
	struct liveupdate_ioctl_create_session create = { .size = sizeof(create), .name = SESSION };

	if (ioctl(device, LIVEUPDATE_IOCTL_CREATE_SESSION, &create))
		err(1, "create the session");
	for (size_t i = 0; i < 2 * KINDS; i++) {
		const struct kind *kind = &kinds[i / 2];
		struct liveupdate_session_preserve_fd file = {
			.size = sizeof(file),
			.token = i,
			.fd = make(kind, i % 2),
		};

		if (ioctl(create.fd, LIVEUPDATE_SESSION_PRESERVE_FD, &file))
			err(1, "preserve %s", kind->name);
		apply(&kind->after, kind->name, file.fd);
		tell(i % 2 ? "huge" : "small", kind->name, file.fd);
	}
	puts("preserved");
	fflush(stdout);
	pause();
}

static void retrieve(int device)
{
	struct liveupdate_ioctl_retrieve_session session = { .size = sizeof(session),
							     .name = SESSION };
	struct liveupdate_session_finish finish = { .size = sizeof(finish) };

	if (ioctl(device, LIVEUPDATE_IOCTL_RETRIEVE_SESSION, &session))
		err(1, "retrieve the session");
	for (size_t i = 0; i < 2 * KINDS; i++) {
		struct liveupdate_session_retrieve_fd file = { .size = sizeof(file), .token = i };

		if (ioctl(session.fd, LIVEUPDATE_SESSION_RETRIEVE_FD, &file))
			err(1, "retrieve %s", kinds[i / 2].name);
		tell(i % 2 ? "huge" : "small", kinds[i / 2].name, file.fd);
	}
	if (ioctl(session.fd, LIVEUPDATE_SESSION_FINISH, &finish))
		err(1, "finish the session");
}

int main(int argc, char **argv)
{
	int device;

	if (argc != 2)
		errx(2, "usage: memfd-seals preserve|retrieve");
	device = open("/dev/liveupdate", O_RDWR | O_CLOEXEC);
	if (device < 0)
		err(1, "/dev/liveupdate");
	if (!strcmp(argv[1], "preserve"))
		preserve(device);
	else
		retrieve(device);
	return 0;
}
