// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * guest_memory: what does it cost to take the memory of a guest across?
 *
 *	guest_memory preserve PAGES [ROUNDS]
 *		make a memfd, touch each page, preserve it in a session, ROUNDS times
 *		(1); print the fastest, keep the last session open until killed or until
 *		the jump
 *	guest_memory retrieve PAGES
 *		get it back, look at each page, finish the session
 *
 * Prints lines "WHAT NANOSECONDS": the system call as a whole, what LUO does around
 * the memfd's own part included. Whether the pages are large is for the kernel's
 * setting to say (/sys/kernel/mm/transparent_hugepage/shmem_enabled).
 */
#include <err.h>
#include <fcntl.h>
#include <linux/liveupdate.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define PAGE  4096UL
#define NAME  "guest-memory"
#define TOKEN 1

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000ull + time.tv_nsec;
}

static volatile uint64_t *map(int fd, size_t size)
{
	/* Aligned, so that large pages can be mapped as such. */
	size_t align = 2UL << 20;
	char *room = mmap(NULL, size + align, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (room == MAP_FAILED)
		err(1, "mmap");
	room = (char *)(((uintptr_t)room + align - 1) & ~(align - 1));
	room = mmap(room, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0);
	if (room == MAP_FAILED)
		err(1, "mmap the memfd");
	return (volatile uint64_t *)room;
}

static uint64_t *word_of(volatile uint64_t *words, size_t page)
{
	return (uint64_t *)&words[page * (PAGE / sizeof(*words))];
}

/* Preserve @memfd in a session of its own; how long that took. */
static uint64_t preserve(int device, int memfd, int *session)
{
	struct liveupdate_ioctl_create_session create = { .size = sizeof(create) };
	struct liveupdate_session_preserve_fd file = {
		.size = sizeof(file),
		.token = TOKEN,
		.fd = memfd,
	};
	uint64_t begin;

	snprintf((char *)create.name, sizeof(create.name), "%s", NAME);
	if (ioctl(device, LIVEUPDATE_IOCTL_CREATE_SESSION, &create))
		err(1, "create a session");
	*session = create.fd;
	begin = now();
	if (ioctl(create.fd, LIVEUPDATE_SESSION_PRESERVE_FD, &file))
		err(1, "preserve the memfd");
	return now() - begin;
}

static void outgoing(int device, size_t pages, int rounds)
{
	uint64_t best = UINT64_MAX, worst = 0, ns, begin;
	volatile uint64_t *words;
	int memfd, session;

	memfd = memfd_create(NAME, MFD_CLOEXEC);
	if (memfd < 0 || ftruncate(memfd, pages * PAGE))
		err(1, "memfd");
	words = map(memfd, pages * PAGE);
	for (size_t i = 0; i < pages; i++)
		*word_of(words, i) = i + 1;

	for (int round = 0; round < rounds; round++) {
		ns = preserve(device, memfd, &session);
		best = ns < best ? ns : best;
		if (round == rounds - 1)
			break;
		begin = now();
		close(session);
		ns = now() - begin;
		worst = ns > worst ? ns : worst;
	}
	printf("preserve %llu\n", (unsigned long long)best);
	if (worst)
		printf("unpreserve %llu\n", (unsigned long long)worst);
	fflush(stdout);
	pause();
}

static void incoming(int device, size_t pages)
{
	struct liveupdate_ioctl_retrieve_session session = { .size = sizeof(session) };
	struct liveupdate_session_retrieve_fd file = { .size = sizeof(file), .token = TOKEN };
	struct liveupdate_session_finish finish = { .size = sizeof(finish) };
	volatile uint64_t *words;
	uint64_t begin, ns;

	snprintf((char *)session.name, sizeof(session.name), "%s", NAME);
	if (ioctl(device, LIVEUPDATE_IOCTL_RETRIEVE_SESSION, &session))
		err(1, "retrieve the session");
	begin = now();
	if (ioctl(session.fd, LIVEUPDATE_SESSION_RETRIEVE_FD, &file))
		err(1, "retrieve the memfd");
	ns = now() - begin;
	printf("retrieve %llu\n", (unsigned long long)ns);

	words = map(file.fd, pages * PAGE);
	for (size_t i = 0; i < pages; i++) {
		if (*word_of(words, i) != i + 1)
			errx(1, "page %zu is not what it was", i);
	}

	begin = now();
	if (ioctl(session.fd, LIVEUPDATE_SESSION_FINISH, &finish))
		err(1, "finish the session");
	ns = now() - begin;
	printf("finish %llu\n", (unsigned long long)ns);
}

int main(int argc, char **argv)
{
	int device;

	if (argc < 3 || argc > 4)
		errx(2, "usage: guest_memory preserve PAGES [ROUNDS] | retrieve PAGES");

	device = open("/dev/liveupdate", O_RDWR | O_CLOEXEC);
	if (device < 0)
		err(1, "/dev/liveupdate");

	if (!strcmp(argv[1], "preserve"))
		outgoing(device, strtoull(argv[2], NULL, 0), argv[3] ? atoi(argv[3]) : 1);
	else if (!strcmp(argv[1], "retrieve"))
		incoming(device, strtoull(argv[2], NULL, 0));
	else
		errx(2, "%s: neither preserve nor retrieve", argv[1]);
	return 0;
}
