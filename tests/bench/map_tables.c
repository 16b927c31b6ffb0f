// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * map_tables: what mapping and unmapping costs when each page needs a page table
 * of its own.
 *
 * Maps one page of a memfd again and again, 2 MiB apart, in a HWPT that could be
 * preserved, and unmaps it again, ROUNDS times over. The time for each of them in
 * nanoseconds, as JSON: with instruction counting, in instructions.
 */
#include <stdlib.h>
#include <time.h>

#include "../kernel/vfio_session.h"

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000ull + time.tv_nsec;
}

int main(int argc, char **argv)
{
	unsigned long tables, rounds, i, round;
	int iommufd, memory, cdev;
	uint64_t begin, mapped, end;
	uint32_t ioas;

	if (argc != 4 || !(tables = strtoul(argv[2], NULL, 0)) ||
	    !(rounds = strtoul(argv[3], NULL, 0)))
		errx(2, "usage: map_tables CDEV TABLES ROUNDS");
	iommufd = open_iommufd();
	cdev = open_cdev(argv[1]);
	memory = memfd(MEGABYTE, SEALS);
	ioas = alloc_ioas(iommufd);
	alloc_hwpt(iommufd, bind_iommufd(cdev, iommufd), ioas);

	printf("[");
	for (round = 0; round < rounds; round++) {
		begin = now();
		for (i = 0; i < tables; i++)
			must(try_map_file(iommufd, ioas, memory, 0, 4096, IOVA + i * 2 * MEGABYTE),
			     "map");
		mapped = now();
		for (i = 0; i < tables; i++)
			must(try_unmap(iommufd, ioas, IOVA + i * 2 * MEGABYTE, 4096), "unmap");
		end = now();
		printf("%s{\"tables\": %lu, \"map_ns\": %lu, \"unmap_ns\": %lu}", round ? ", " : "",
		       tables, (mapped - begin) / tables, (end - mapped) / tables);
	}
	printf("]\n");
	return 0;
}
