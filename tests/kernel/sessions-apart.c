// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A session that somebody works with holds nobody up who asks for another one.
 *
 *	sessions-apart preserve MEGABYTES	goes on until the jump
 *	sessions-apart retrieve
 *
 * While the memory of the first session is retrieved, which takes long, one thread asks
 * for this session again, one gives up an empty-handed session, and one retrieves yet
 * another.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "vfio_session.h"

static int device;

static void open_liveupdate(void)
{
	device = open("/dev/liveupdate", O_RDWR | O_CLOEXEC);
	if (device < 0)
		err(1, "/dev/liveupdate");
}

static void preserve(const char *name, size_t size)
{
	struct liveupdate_ioctl_create_session create = { .size = sizeof(create) };

	snprintf((char *)create.name, sizeof(create.name), "%s", name);
	must(try(device, LIVEUPDATE_IOCTL_CREATE_SESSION, &create), "create session");
	must(try_preserve(create.fd, scattered_memfd(size), TOKEN_MEMFD), "preserve memfd");
}

static int try_retrieve(const char *name, int *fd)
{
	struct liveupdate_ioctl_retrieve_session retrieve = { .size = sizeof(retrieve) };
	int error;

	snprintf((char *)retrieve.name, sizeof(retrieve.name), "%s", name);
	error = try(device, LIVEUPDATE_IOCTL_RETRIEVE_SESSION, &retrieve);
	*fd = retrieve.fd;
	return error;
}

static int first, second;
static atomic_bool begun, done;

static void *retrieve_large(void *unused)
{
	struct timespec from, to;
	int fd;

	begun = true;
	clock_gettime(CLOCK_MONOTONIC, &from);
	fd = retrieve_file(first, TOKEN_MEMFD);
	done = true;
	clock_gettime(CLOCK_MONOTONIC, &to);
	printf("# the memory took %ld us\n",
	       (to.tv_sec - from.tv_sec) * 1000000 + (to.tv_nsec - from.tv_nsec) / 1000);
	close(fd);
	return unused;
}

static int asked_again;

static void *ask_again(void *unused)
{
	int fd;

	asked_again = try_retrieve("first", &fd);
	return unused;
}

/* Removes it from the list of sessions */
static void *finish_second(void *unused)
{
	struct liveupdate_session_finish finish = { .size = sizeof(finish) };

	must(try(second, LIVEUPDATE_SESSION_FINISH, &finish), "finish");
	close(second);
	return unused;
}

static pthread_t start(void *(*function)(void *))
{
	pthread_t thread;

	errno = pthread_create(&thread, NULL, function, NULL);
	if (errno)
		err(1, "pthread_create");
	return thread;
}

static int retrieve(void)
{
	pthread_t threads[3];
	bool in_time;
	int third;

	must(try_retrieve("first", &first), "retrieve the first session");
	must(try_retrieve("second", &second), "retrieve the second session");

	threads[0] = start(retrieve_large);
	while (!begun)
		;
	usleep(15000);
	threads[1] = start(ask_again);
	usleep(15000);
	threads[2] = start(finish_second);
	usleep(15000);
	must(try_retrieve("third", &third), "retrieve the third session");
	in_time = !done;
	for (unsigned int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);

	ok(in_time, "a session is retrieved while the memory of another one is");
	fails(asked_again, EINVAL, "a session that somebody has cannot be retrieved");
	close(retrieve_file(third, TOKEN_MEMFD));
	close(third);
	close(first);
	fails(try_retrieve("first", &first), ENOENT, "a session is finished by closing it");
	return tap_done();
}

int main(int argc, char **argv)
{
	setbuf(stdout, NULL);
	open_liveupdate();
	if (argc == 2 && !strcmp(argv[1], "retrieve"))
		return retrieve();
	if (argc != 3 || strcmp(argv[1], "preserve") != 0)
		errx(2, "usage: sessions-apart preserve MEGABYTES | retrieve");
	preserve("first", strtoul(argv[2], NULL, 0) * MEGABYTE);
	preserve("second", MEGABYTE);
	preserve("third", MEGABYTE);
	puts("preserved");
	pause();
	return 0;
}
