// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Closing a device waits for who uses it in its iommufd, and no longer than that:
 * vfio closes with a lock held that others need. One thread allocates page tables for
 * the device all the time, another one opens and closes it.
 *
 *	close-wakes CDEV ROUNDS SECONDS
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "vfio_session.h"

/* As much as takes a while to map in small pages */
#define SIZE (32 * MEGABYTE)

static atomic_uint device;
static atomic_uint allocated;
static atomic_bool over;
static int iommufd;
static uint32_t ioas;

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* Now and then the device has gone already. */
static void *allocate(void *unused)
{
	while (!over) {
		struct iommu_hwpt_alloc alloc = {
			.size = sizeof(alloc),
			.dev_id = device,
			.pt_id = ioas,
		};

		if (!alloc.dev_id || try(iommufd, IOMMU_HWPT_ALLOC, &alloc))
			continue;
		must(try_destroy(iommufd, alloc.out_hwpt_id), "IOMMU_DESTROY");
		allocated++;
	}
	return unused;
}

int main(int argc, char **argv)
{
	double longest = 0;
	pthread_t thread;
	int rounds, round;

	if (argc != 4)
		errx(2, "usage: close-wakes CDEV ROUNDS SECONDS");
	rounds = atoi(argv[2]);
	iommufd = open_iommufd();
	ioas = alloc_ioas(iommufd);
	must(try_huge_pages(iommufd, ioas, 0), "IOMMU_OPTION_HUGE_PAGES");
	must(try_map_file(iommufd, ioas, memfd(SIZE, 0), 0, SIZE, IOVA), "IOMMU_IOAS_MAP_FILE");
	must(pthread_create(&thread, NULL, allocate, NULL), "thread");

	for (round = 0; round < rounds && longest < atof(argv[3]); round++) {
		int cdev = open_cdev(argv[1]);
		double begin;

		device = bind_iommufd(cdev, iommufd);
		/* Whoever closes at once is quicker than the other one. */
		usleep(20000);
		begin = now();
		close(cdev);
		if (now() - begin > longest)
			longest = now() - begin;
	}
	over = true;
	must(pthread_join(thread, NULL), "thread");

	printf("# %d rounds, %u page tables, the longest close took %.3f s\n", round, allocated,
	       longest);
	ok(allocated >= (unsigned int)round / 2, "page tables are allocated beside it");
	ok(longest < atof(argv[3]), "closing a device that is in use waits until it is not");
	return tap_done();
}
